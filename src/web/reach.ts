/** What to say of a server that could not be asked: fetch hides the reason in `cause`, and says only "fetch failed". */

export function reasonOf(error: unknown): string {
  const { cause, message } = error as Error
  if (!(cause instanceof Error)) return message
  const { code } = cause as NodeJS.ErrnoException
  // Of a name with several addresses the cause has no words of its own.
  const words = cause.message || code || message
  return code === 'ECONNREFUSED' ? `nobody listens there (${words})` : words
}

/** An Error that says whom it could not reach and why. `hint` is what to do about it. */
export function unreachable(whom: string, error: unknown, hint = ''): Error {
  return new Error(`cannot reach ${whom}: ${reasonOf(error)}${hint === '' ? '' : `; ${hint}`}`, { cause: error })
}
