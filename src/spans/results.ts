/**
 * What a tool's result tells though its span says that all went well: that it is an error, that it is old, that it is a page about an error,
 * that it breaks off. Only where results are read at all, and only their beginning and end.
 */
import { causeOf } from './errors.ts'
import { Cause, MOST_WORDS, type Reason } from './names.ts'

const HEAD_BYTES = 1024
const TAIL_BYTES = 256
/** A longer text may have been cut on its way: at the limits of SDKs, which are round, and by tools that say so. */
const MOST_CUT_BYTES = 4000
const CUT_BY_OTHERS = /(?:\.\.\.|…|\btruncated\b.{0,20})$/i

export const RESULT_RULES = {
  'result.error': 'The result says that it is an error (`isError`, `is_error`), as the results of MCP do; what kind of error its words tell.',
  'result.stale': 'The result says that it is stale (`stale: true`).',
  'result.page': 'The result is a page in HTML whose title is an HTTP status of 4xx or 5xx.',
  'result.cut': 'The result begins as JSON and breaks off, and is not of the length of a limit.',
} as const

/** undefined: nothing is wrong with it, as far as its shape tells. */
export function reasonInResult(bytes: Uint8Array): Reason | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).toString('utf8')
  const tail = bytes.length <= HEAD_BYTES ? text : Buffer.from(bytes.buffer, bytes.byteOffset + bytes.length - TAIL_BYTES, TAIL_BYTES).toString('utf8')
  const both = `${text}\n${tail}`
  const isError = /"is_?[Ee]rror" ?: ?true\b/.exec(both)
  if (isError !== null) {
    const told = causeOf({ statusMessage: '', errorType: '', errorMessage: text, exceptionType: '', exceptionMessage: '', httpStatus: 0 })
    return told.cause === Cause.unknown ? { cause: Cause.unknown, rule: 'result.error', words: isError[0] } : told
  }
  const stale = /"(?:is_)?stale" ?: ?true\b/.exec(both)
  if (stale !== null) return { cause: Cause.staleData, rule: 'result.stale', words: stale[0] }
  const page = /^\s{0,40}<(?:!doctype html|html)\b[^]{0,400}?<title>\s{0,20}(([45])\d\d[^<]{0,60})/i.exec(text)
  if (page !== null) return { cause: page[2] === '5' ? Cause.toolUnavailable : Cause.toolClientError, rule: 'result.page', words: page[1]!.trim().slice(0, MOST_WORDS) }
  if (isCut(text.trimStart(), tail.trimEnd(), bytes.length)) return { cause: Cause.toolMalformed, rule: 'result.cut', words: tail.trimEnd().slice(-1) === ',' ? 'ends with a comma' : 'ends within JSON' }
  return undefined
}

function isCut(text: string, tail: string, length: number): boolean {
  if (!/^(?:\{\s*"|\[\s*[{["\d])/.test(text) || length > MOST_CUT_BYTES) return false
  if (length % 1000 === 0 || length % 1024 === 0 || (length & (length - 1)) === 0 || CUT_BY_OTHERS.test(tail)) return false
  return !tail.endsWith(text.startsWith('{') ? '}' : ']')
}
