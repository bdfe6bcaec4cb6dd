/**
 * A strict reader of both text formats, for tests: throws on whatever is not in the format, and gives back what it read.
 */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly exemplar?: { readonly labels: Readonly<Record<string, string>>; readonly value: number; readonly timestampSeconds: number }
}

export interface ParsedFamily {
  type: string
  help: string
  unit: string
  readonly samples: Sample[]
}

export function parseExposition(text: string, format: 'openmetrics' | 'classic'): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>()
  if (!text.endsWith('\n')) throw new Error('the last line is not ended')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics') {
    if (lines.pop() !== '# EOF') throw new Error('no # EOF at the end')
    if (lines.includes('# EOF')) throw new Error('# EOF before the end')
    if (lines.includes('')) throw new Error('an empty line')
  }
  let current: ParsedFamily | undefined
  let currentName = ''
  for (const line of lines) {
    if (line === '') continue
    const meta = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line)
    if (meta !== null) {
      const [, what, name, rest] = meta as unknown as [string, string, string, string]
      if (name !== currentName) {
        if (families.has(name)) throw new Error(`family ${name} twice`)
        currentName = name
        current = { type: '', help: '', unit: '', samples: [] }
        families.set(name, current)
      }
      if (what === 'HELP') current!.help = rest
      else if (what === 'TYPE') current!.type = rest
      else current!.unit = rest
      continue
    }
    if (line.startsWith('#')) throw new Error(`unknown comment: ${line}`)
    const sample = parseSample(line, format)
    if (current === undefined || !suffixesOf(current.type, format).some((suffix) => sample.name === currentName + suffix)) {
      throw new Error(`sample ${sample.name} outside its family`)
    }
    current.samples.push(sample)
  }
  for (const [name, family] of families) {
    if (family.unit !== '' && !name.endsWith(`_${family.unit}`)) throw new Error(`unit ${family.unit} is not the suffix of ${name}`)
  }
  return families
}

export function keyOf(sample: Sample): string {
  return JSON.stringify([sample.name, Object.entries(sample.labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

function suffixesOf(type: string, format: string): readonly string[] {
  if (type === 'histogram') return ['_bucket', '_sum', '_count']
  if (type === 'counter') return [format === 'openmetrics' ? '_total' : '']
  if (type === 'gauge') return ['']
  throw new Error(`unknown type ${type}`)
}

function parseSample(line: string, format: string): Sample {
  const cursor = { text: line, at: 0 }
  const name = take(cursor, /[a-zA-Z_:][a-zA-Z0-9_:]*/y)
  const labels = line[cursor.at] === '{' ? parseLabels(cursor) : {}
  take(cursor, / /y)
  const value = parseNumber(take(cursor, /[^ ]+/y))
  if (cursor.at === line.length) return { name, labels, value }
  if (format !== 'openmetrics') throw new Error(`more after the value: ${line}`)
  take(cursor, / # /y)
  const exemplarLabels = parseLabels(cursor)
  take(cursor, / /y)
  const exemplarValue = parseNumber(take(cursor, /[^ ]+/y))
  take(cursor, / /y)
  const timestampSeconds = parseNumber(take(cursor, /[^ ]+$/y))
  return { name, labels, value, exemplar: { labels: exemplarLabels, value: exemplarValue, timestampSeconds } }
}

function parseLabels(cursor: { text: string; at: number }): Record<string, string> {
  const labels: Record<string, string> = {}
  take(cursor, /\{/y)
  while (cursor.text[cursor.at] !== '}') {
    if (Object.keys(labels).length > 0) take(cursor, /,/y)
    const name = take(cursor, /[a-zA-Z_][a-zA-Z0-9_]*/y)
    if (name in labels) throw new Error(`label ${name} twice: ${cursor.text}`)
    take(cursor, /="/y)
    const escaped = take(cursor, /(?:[^"\\]|\\[\\n"])*/sy)
    take(cursor, /"/y)
    labels[name] = escaped.replace(/\\([\\n"])/g, (_, c: string) => (c === 'n' ? '\n' : c))
  }
  cursor.at++
  return labels
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Infinity
  if (text === 'NaN') return NaN
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error(`not a number: ${text}`)
  return Number(text)
}

function take(cursor: { text: string; at: number }, pattern: RegExp): string {
  pattern.lastIndex = cursor.at
  const match = pattern.exec(cursor.text)
  if (match === null) throw new Error(`expected ${pattern.source} at ${cursor.at} of: ${cursor.text}`)
  cursor.at += match[0].length
  return match[0]
}
