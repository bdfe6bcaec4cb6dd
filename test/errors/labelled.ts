/**
 * Real error texts, each as a span carries it, with what really went wrong. `providers`, `frameworks` and `tools` are documented or
 * publicly reported, each with its source, and were labelled by the meaning of the taxonomy before the classifier had seen them; the
 * recordings' truth was seen from outside while they were made.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { causeOf, type FailureText } from '../../src/spans/errors.ts'
import { ERROR_TYPES, Kind, errorType } from '../../src/spans/names.ts'

export interface Labelled extends Partial<FailureText> {
  readonly id: string
  readonly step: keyof typeof Kind
  /** `class.type` of the taxonomy, or `unclassified`: nothing in it fits (who is refused, an end that somebody wanted, a bug of the agent's own). */
  readonly expected: string
  /** Address of the document or thread; of a recording its folder. */
  readonly source: string
}

const FILES = ['providers', 'frameworks', 'tools'] as const

function read<T>(path: string): T[] {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as T[]
}

export const PUBLISHED: readonly Labelled[] = FILES.flatMap((file) => read<Labelled>(`${file}.json`))

/** From providers and frameworks that the others do not have, gathered in two rounds when the rules stood: at first contact 28 of the first 38 were right, and 8 of the other 14. */
export const LATER: readonly Labelled[] = read<Labelled>('later.json')

/** Each way of telling once: instrumentations repeat the words of one failure on several spans. */
export const RECORDED: readonly Labelled[] = recorded()

function recorded(): Labelled[] {
  const seen = new Map<string, Labelled>()
  for (const { recorded: folder, ...row } of read<Omit<Labelled, 'id' | 'source'> & { recorded: string }>('../spans/failures.json')) {
    const key = JSON.stringify(row)
    const id = `${folder}/${createHash('sha256').update(key).digest('hex').slice(0, 8)}`
    if (!seen.has(key)) seen.set(key, { ...row, id, expected: row.expected || 'unclassified', source: `test/recordings/${folder}` })
  }
  return [...seen.values()]
}

/** Rules are improved by looking at the other half only. */
export function isHeldOut(row: Labelled): boolean {
  return createHash('sha256').update(row.id).digest()[0]! >= 128
}

const NOTHING: FailureText = { statusMessage: '', errorType: '', errorMessage: '', exceptionType: '', exceptionMessage: '', httpStatus: 0 }

export function classified(row: Labelled): { readonly is: string; readonly rule: string } {
  const { cause, rule } = causeOf({ ...NOTHING, ...row })
  const error = ERROR_TYPES[errorType(cause, Kind[row.step])]!
  return { is: error.class === error.type ? error.class : `${error.class}.${error.type}`, rule }
}
