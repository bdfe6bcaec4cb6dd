/** What is wrong with a configuration, in words. Imports nothing at run time, so that reading a flag costs no start-up. */
import type { z } from 'zod'

/** Everything wrong with a configuration: one problem a line. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

export type Path = readonly PropertyKey[]

/** `[path, message]` for each problem of a zod error (parsed with `reportInput`); unknown keys each on its own. */
export function problemsOf(error: z.ZodError, keysAt: (path: Path) => readonly string[]): [Path, string][] {
  return error.issues.flatMap((issue): [Path, string][] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => [[...issue.path, key], `unknown key${suggest(key, keysAt(issue.path))}`])
    }
    return [[issue.path, issue.code === 'invalid_type' ? `expected ${SHAPES[issue.expected] ?? issue.expected}, got ${brief(issue.input)}` : issue.message]]
  })
}

/** `objectives[0].limit` */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`), '')
}

const SHAPES: Readonly<Record<string, string>> = { object: 'keys and values', array: 'a list' }

/** A value in an error: enough to recognise it. */
export function brief(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** `; did you mean "settleGrace"?`, or '' where nothing known is near. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? '' : `; did you mean "${near}"?`
}

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
