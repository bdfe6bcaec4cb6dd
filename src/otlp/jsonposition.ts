/**
 * Where `text` stops being JSON: the index of the first character that cannot be there, or `text.length` when it ends too
 * early. V8's own message tells the position of some errors only. Linear, and without recursion: the text is a stranger's.
 */
export function jsonErrorPosition(text: string): number {
  const end = text.length
  /** The closing bracket of each open one. */
  const open: string[] = []
  let at = 0
  /** What may come: a value; a value or `]`; a key or `}`; a key; or what follows a value. */
  let next: 'value' | 'value or ]' | 'key or }' | 'key' | 'after' = 'value'
  for (;;) {
    at = skip(text, at, SPACE)
    if (at === end) return at
    const c = text[at]!
    if (next === 'after') {
      const close = open.at(-1)
      if (c === ',' && close !== undefined) next = close === '}' ? 'key' : 'value'
      else if (c === close) open.pop()
      else return at
      at++
    } else if (next === 'key' || next === 'key or }') {
      if (c === '}' && next === 'key or }') {
        open.pop()
        next = 'after'
        at++
        continue
      }
      if (c !== '"') return at
      const { ok, to } = string(text, at)
      if (!ok) return to
      at = skip(text, to, SPACE)
      if (text[at] !== ':') return at
      at++
      next = 'value'
    } else if (c === ']' && next === 'value or ]') {
      open.pop()
      next = 'after'
      at++
    } else if (c === '{' || c === '[') {
      open.push(c === '{' ? '}' : ']')
      next = c === '{' ? 'key or }' : 'value or ]'
      at++
    } else {
      const { ok, to } = c === '"' ? string(text, at) : scalar(text, at)
      if (!ok) return to
      at = to
      next = 'after'
    }
  }
}

const SPACE = /[ \t\r\n]*/y
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const SCALAR = /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/y

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

function string(text: string, at: number): { ok: boolean; to: number } {
  at++
  for (;;) {
    at = skip(text, at, PLAIN)
    if (text[at] === '"') return { ok: true, to: at + 1 }
    const to = skip(text, at, ESCAPE)
    if (to === at) return { ok: false, to: at }
    at = to
  }
}

function scalar(text: string, at: number): { ok: boolean; to: number } {
  const to = skip(text, at, SCALAR)
  return { ok: to > at, to }
}
