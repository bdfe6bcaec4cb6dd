/** A table in a terminal. Names of models, tools and agents come from strangers: no control characters reach it. */
export interface Column {
  readonly title: string
  readonly right?: boolean
  /** Longer texts are cut; 48 unless said. */
  readonly widest?: number
}

const WIDEST = 48

export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell, i) => printable(cell, columns[i]!.widest)))
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)))
  return [columns.map(({ title }) => title), ...cells].map((row) => `${row.map((cell, i) => (columns[i]!.right === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ').trimEnd()}\n`).join('')
}

/** The beginning of a text, in one line. */
export function printable(text: string, widest = WIDEST): string {
  const clean = text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
  return clean.length > widest ? `${clean.slice(0, widest - 1)}…` : clean
}
