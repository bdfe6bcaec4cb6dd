/** What is wrong with a configuration, in words. Imports no library at run time, so that reading a flag costs no start-up. */
import type { z } from 'zod'
import { nearest } from '../nearest.ts'

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

/** The same with the places in a file, in the order of its lines. */
export function refused(file: { readonly name: string; lineOf(path: Path): number }, error: z.ZodError, keysAt: (path: Path) => readonly string[]): ConfigError {
  const found = problemsOf(error, keysAt).map(([path, message]) => {
    const line = file.lineOf(path)
    return { line, text: `${file.name}:${line}: ${path.length === 0 ? '' : `${pathText(path)}: `}${message}` }
  })
  return new ConfigError(found.sort((a, b) => a.line - b.line).map(({ text }) => text))
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
