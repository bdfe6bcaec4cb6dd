/** Rows of a CSV file by the names in its head line. */
export interface Row {
  /** Where it is: the line of a file, the place in a list. */
  readonly at: string
  readonly row: Readonly<Record<string, unknown>>
}

/** RFC 4180: quotes, quotes in quotes, line ends in quotes. Throws an Error that names file and line. */
export function csvRows(name: string, text: string): Row[] {
  const records: { line: number; cells: string[] }[] = []
  let cells: string[] = []
  let line = 1
  let begun = 1
  let cell = ''
  let quoted = false
  const end = () => {
    cells.push(cell)
    cell = ''
    if (cells.length > 1 || cells[0] !== '') records.push({ line: begun, cells })
    cells = []
    begun = line
  }
  for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\n') line++
    if (quoted) {
      if (character !== '"') cell += character
      else if (text[i + 1] === '"') { cell += '"'; i++ }
      else quoted = false
    } else if (character === '"' && cell === '') quoted = true
    else if (character === ',') { cells.push(cell); cell = '' }
    else if (character === '\n') end()
    else if (character !== '\r') cell += character
  }
  if (quoted) throw new Error(`cannot read ${name}:${begun}: a quote is not closed`)
  if (cell !== '' || cells.length > 0) end()
  const head = records.shift()
  if (head === undefined) throw new Error(`cannot read ${name}: it is empty`)
  return records.map(({ line: at, cells: values }) => {
    if (values.length !== head.cells.length) throw new Error(`cannot read ${name}:${at}: ${values.length} cells where the head has ${head.cells.length}`)
    return { at: String(at), row: Object.fromEntries(head.cells.map((key, i) => [key.trim(), values[i]!.trim()])) }
  })
}
