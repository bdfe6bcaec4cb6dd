/**
 * Regular expressions of the user's own, for a matcher that backtracks. What could take longer than a bounded time is refused at the
 * start: each repeat of variable length multiplies the ways to divide a text among the repeats, and a choice inside of a repeat doubles
 * them with every round. Without those the work is at most that product for each position of a text that is cut.
 */
import { globOf } from '../glob.ts'
import { brief } from './problems.ts'

const LONGEST = 200
/** A `*` or `+`: as long as the text that is looked at. */
const UNBOUNDED = 2048
const MOST_WAYS = 32_768
const MOST_PATTERNS = 50
/** Each of them multiplies the ways to divide a name. */
const MOST_STARS = 3
/** Longest text that a pattern is tried on where time matters, in UTF-16 units. */
export const LONGEST_MATCHED = 4096

/** Matched without regard to case; `^` and `$` are the ends of a line. */
export function readPattern(value: unknown): RegExp {
  if (typeof value !== 'string' || value === '') throw new Error(`expected a regular expression, got ${brief(value)}`)
  if (value.length > LONGEST) throw new Error(`expected a regular expression of at most ${LONGEST} characters, got ${value.length}`)
  let pattern: RegExp
  try {
    pattern = new RegExp(value, 'im')
  } catch (error) {
    throw new Error(`expected a regular expression: ${(error as Error).message}`)
  }
  refuseCostly(value)
  if (pattern.test('')) throw new Error(`expected a regular expression that does not match every text, got ${brief(value)}`)
  return pattern
}

/** Throws what could make it slow. */
export function refuseCostly(source: string): void {
  const reason = tooCostly(source)
  if (reason !== undefined) throw new Error(`expected a regular expression that is fast on any text: ${reason}, in ${brief(source)}`)
}

/** A list of patterns; a text by itself is one. */
export function readPatterns(value: unknown): RegExp[] {
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list)) throw new Error(`expected a list of regular expressions, got ${brief(value)}`)
  if (list.length > MOST_PATTERNS) throw new Error(`expected at most ${MOST_PATTERNS} regular expressions, got ${list.length}`)
  return list.map(readPattern)
}

/** A name, or a glob of `*` and `?`. Case does not matter. */
export function readGlob(value: unknown): RegExp {
  if (typeof value !== 'string' || value.trim() === '' || value.length > LONGEST) throw new Error(`expected a name or a glob, got ${brief(value)}`)
  const glob = value.trim().replace(/\*+/g, '*')
  if (glob.split('*').length > MOST_STARS + 1) throw new Error(`expected a glob with at most ${MOST_STARS} *, got ${brief(value)}`)
  return globOf(glob)
}

interface Group {
  /** Something in it can match in more than one way. */
  varies: boolean
}

function tooCostly(source: string): string | undefined {
  let ways = 1
  const open: Group[] = [{ varies: false }]
  /** The group that has just been closed, if a repeat that follows would be the group's. */
  let closed: Group | undefined
  for (let i = 0; i < source.length;) {
    const group = open.at(-1)!
    const repeat = repeatAt(source, i)
    if (repeat !== undefined) {
      if (closed?.varies === true && repeat.most > 1) return 'a repeat or a choice inside of a repeat'
      if (repeat.most > repeat.least) {
        ways *= repeat.most - repeat.least + 1
        group.varies = true
      }
      if (repeat.most > UNBOUNDED) return `a repeat of more than ${UNBOUNDED} times`
      closed = undefined
      i += repeat.length
      continue
    }
    closed = undefined
    if (source[i] === '\\') {
      if (/[1-9k]/.test(source[i + 1] ?? '')) return 'a reference to a group'
      i += 2
    } else if (source[i] === '[') i = endOfClass(source, i)
    else if (source[i] === '(') {
      if (/^\(\?(?!:)/.test(source.slice(i, i + 3))) return 'a group that begins with (? and is not (?:'
      open.push({ varies: false })
      i += source[i + 1] === '?' ? 3 : 1
    } else if (source[i] === ')') {
      closed = open.pop()!
      open.at(-1)!.varies ||= closed.varies
      i++
    } else {
      if (source[i] === '|') group.varies = true
      i++
    }
  }
  return ways > MOST_WAYS ? 'more than one * or +, or too many repeats of variable length; .{0,60} is a gap with an end' : undefined
}

function repeatAt(source: string, at: number): { least: number; most: number; length: number } | undefined {
  const found = /^(?:([*+?])|\{(\d{1,6})(,?)(\d{0,6})\})\??/.exec(source.slice(at, at + 20))
  if (found === null) return undefined
  const [whole, sign, least, comma, most] = found
  if (sign !== undefined) return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : UNBOUNDED, length: whole.length }
  return { least: Number(least), most: comma === '' ? Number(least) : most === '' ? UNBOUNDED : Number(most), length: whole.length }
}

function endOfClass(source: string, at: number): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === '\\') i++
    else if (source[i] === ']') return i + 1
  }
  return source.length
}
