/** A name as users write it in the configuration, with `*` and `?`, in any case: the whole of what it is held against. */
export function globOf(match: string): RegExp {
  const source = match.replace(/\*+/g, '*').replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
  return new RegExp(`^${source}$`, 'is')
}
