/** How often the classifier says what the label says, how sure that is, and what it says instead. */
import { ERROR_TYPES } from '../../src/spans/names.ts'
import { classified, type Labelled } from './labelled.ts'

export interface Agreement {
  readonly right: number
  readonly of: number
  readonly accuracy: number
  /** Wilson's 95 % interval. */
  readonly least: number
  readonly most: number
}

export function agreement(rows: readonly Labelled[]): Agreement {
  const right = rows.filter((row) => classified(row).is === row.expected).length
  const of = rows.length
  const [least, most] = wilson(right, of)
  return { right, of, accuracy: right / of, least, most }
}

export function wilson(right: number, of: number): [number, number] {
  const z = 1.96
  const share = right / of
  const centre = share + z ** 2 / (2 * of)
  const margin = z * Math.sqrt((share * (1 - share) + z ** 2 / (4 * of)) / of)
  return [(centre - margin) / (1 + z ** 2 / of), (centre + margin) / (1 + z ** 2 / of)]
}

export function told({ right, of, accuracy, least, most }: Agreement): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  return `${percent(accuracy)} (${right} of ${of}; 95 % interval ${percent(least)} to ${percent(most)})`
}

const LABELS = [...ERROR_TYPES.slice(2), ERROR_TYPES[1]!].map((error) => ({ name: error.class === error.type ? error.class : `${error.class}.${error.type}`, short: error.type.slice(0, 9) }))

/** A row for each label, a column for each answer. */
export function confusion(rows: readonly Labelled[]): string {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const cell = `${row.expected}→${classified(row).is}`
    counts.set(cell, (counts.get(cell) ?? 0) + 1)
  }
  const line = (name: string, cells: readonly string[]) => name.padEnd(32) + cells.map((cell) => cell.padStart(10)).join('')
  return [
    line('label \\ answer', LABELS.map(({ short }) => short)),
    ...LABELS.map(({ name }) => line(name, LABELS.map((answer) => String(counts.get(`${name}→${answer.name}`) ?? '.')))),
  ].join('\n')
}
