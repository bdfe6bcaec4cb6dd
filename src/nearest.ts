/** What somebody probably meant. */

/** The known word that is the fewest edits away; undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const edits = distance(flat(word), flat(candidate))
    if (edits < least) [best, least] = [candidate, edits]
  }
  return best
}

/** `http_address`, `http-address` and `HTTPAddress` are the same word, mistyped. */
function flat(word: string): string {
  return word.slice(0, 64).toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Levenshtein's: insertions, deletions and replacements between two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
