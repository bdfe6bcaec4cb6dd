/** Whether a content is as it is expected. Contents are strangers' data: whatever is in them, the answer comes soon and is one of four. */
import { isDeepStrictEqual } from 'node:util'
import type { Check, Expectation } from '../../config/expectations.ts'
import type { Mismatch } from '../../config/jsonschema.ts'
import { CheckResult } from '../../traces/settled.ts'
import type { Readings } from './envelope.ts'

export interface CheckVerdict {
  /** One of `CheckResult`. */
  readonly result: number
  /** Of a check that failed: what was not as expected, without the content. */
  readonly why: string
}

export const NO_CONTENT: CheckVerdict = { result: CheckResult.noContent, why: '' }
export const TOO_LONG: CheckVerdict = { result: CheckResult.tooLong, why: '' }
const PASS: CheckVerdict = { result: CheckResult.pass, why: '' }
const MOST_WHY = 120

export function verdictOn(check: Check, readings: Readings): CheckVerdict {
  let wrong: Mismatch | undefined
  try {
    wrong = check.pointer.length === 0 ? wholly(check.expects, readings) : partly(check, readings)
  } catch (error) {
    // A value so deep that looking at it exhausts the stack.
    wrong = mismatch((error as Error).message)
  }
  if (wrong === undefined) return PASS
  if (wrong.tooLong) return TOO_LONG
  return { result: CheckResult.fail, why: `${check.pointer.map((token) => `/${token}`).join('')} ${wrong.why}`.trim().slice(0, MOST_WHY) }
}

/** Text is the innermost one; a structure may be in any layer, and then the one that comes nearest to what is expected tells. */
function wholly(expects: Expectation, { values, text }: Readings): Mismatch | undefined {
  switch (expects.is) {
    case 'matches':
    case 'matchesNot': return matched(expects, text)
    case 'range': return inRange(expects, text)
    case 'equals':
      if (typeof expects.value === 'string' && text.trim() === expects.value.trim()) return undefined
      return values.some((value) => isDeepStrictEqual(value, expects.value)) ? undefined : mismatch('is not equal')
    case 'schema': {
      let last: Mismatch | undefined
      // A text around a structure is how the structure was told.
      for (const value of values.filter((value, i) => typeof value !== 'string' || i === values.length - 1)) {
        last = expects.validate(value)
        if (last === undefined || last.tooLong) return last
      }
      return last
    }
  }
}

/** The part is looked for from the outside in. */
function partly({ pointer, expects }: Check, { values }: Readings): Mismatch | undefined {
  for (const value of values) {
    const found = resolve(value, pointer)
    if (found === undefined) continue
    switch (expects.is) {
      case 'matches':
      case 'matchesNot': return matched(expects, typeof found === 'string' ? found : JSON.stringify(found))
      case 'range': return inRange(expects, found)
      case 'equals': return isDeepStrictEqual(found, expects.value) ? undefined : mismatch('is not equal')
      case 'schema': return expects.validate(found)
    }
  }
  return mismatch('is not there')
}

/** What a pattern finds in the beginning it has found; that it finds nothing is known of short texts alone. */
function matched({ is, pattern, longest }: Extract<Expectation, { pattern: RegExp }>, text: string): Mismatch | undefined {
  const found = pattern.test(text.slice(0, longest))
  if (!found && text.length > longest) return { why: '', tooLong: true }
  if (is === 'matches') return found ? undefined : mismatch('does not match')
  return found ? mismatch('matches what it should not') : undefined
}

function inRange({ min, max }: Extract<Expectation, { min: number }>, value: unknown): Mismatch | undefined {
  const number = typeof value === 'string' && value.length < 64 && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : value
  if (typeof number !== 'number' || Number.isNaN(number)) return mismatch('is not a number')
  return number < min ? mismatch(`is below ${min}`) : number > max ? mismatch(`is above ${max}`) : undefined
}

function mismatch(why: string): Mismatch {
  return { why, tooLong: false }
}

/** JSON within a text counts as its value, as tools are often told of. */
function resolve(value: unknown, pointer: readonly string[]): unknown {
  let here = value
  for (const token of pointer) {
    if (typeof here === 'string') here = parsed(here)
    if (Array.isArray(here)) here = /^(0|[1-9]\d*)$/.test(token) ? here[Number(token)] : undefined
    else if (typeof here === 'object' && here !== null && Object.hasOwn(here, token)) here = (here as Record<string, unknown>)[token]
    else return undefined
  }
  return here
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
