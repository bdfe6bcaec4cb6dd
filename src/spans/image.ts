/**
 * What a stencil knows before a span is there. Texts that repeat always come to the same: their kind and fields are worked out once, by the
 * rules themselves, and laid on each span as they are. Of what does change, it is known which rules can still say something beside them, and
 * mostly that is one: how it reads a value of this type is then chosen here, not for every span.
 *
 * Rules keep the lowest rank and of equal ones the first, and the model that answered counts only where none was asked for before it. So
 * texts go first only where no value before them could have been in their way; otherwise all are applied one after the other.
 */
import { Num, Text } from './dialect.ts'
import { Span } from './span.ts'
import { Rule, type CompiledRule, type DialectTables } from './tables.ts'

/** In place of a rule: the span's status; a number in an integer; the id of a response; that of a conversation. */
export const STATUS = -1, INTEGER = -2, RESPONSE = -3, CONVERSATION = -4
/** Beside a number's field: its rank, from 0. */
export const RANK_SHIFT = 8

/** Something of a span that is read: a text that repeats, or a value that may be another each time. */
export interface Part {
  /** Index of its rules, or `STATUS`. */
  readonly rule: number
  /** Number of the text, -1 for a value. */
  readonly text: number
  /** Where the value is, an AnyValue or a Status. */
  readonly from: number
  readonly to: number
  /** What of the bytes is not compared. */
  readonly hole: Hole | undefined
}

export interface Hole {
  from: number
  to: number
}

export interface Image {
  readonly kind: number
  readonly kindRank: number
  /** Field, number of the text, rank and nothing, of each. */
  readonly texts: readonly number[]
  /** What is left to read of each: rules, the number of a text or what the rule takes, and from where to where. */
  readonly pieces: readonly number[]
}

/** `b`: the bytes that the places of the parts count from. Narrows the holes of values of which type and length are taken as given. */
export function imageOf(tables: DialectTables, parts: readonly Part[], b: Uint8Array): Image {
  const said = new Span()
  for (const { rule, text } of parts) if (text >= 0) tables.applyTexts(said, tables.rules[rule]!, text)
  if (inTheWay(tables, parts, said)) {
    return { kind: 0, kindRank: 255, texts: [], pieces: parts.flatMap(({ rule, text, from, to }) => [rule, text, from, to]) }
  }
  const told = [...said.text.keys()].filter((field) => said.text[field] !== 0)
  return {
    kind: said.kind,
    kindRank: said.kindRank,
    texts: told.flatMap((field) => [field, said.text[field]!, said.textRank[field]!, 0]),
    pieces: [
      // What they say besides kind and fields is rare, and saying the rest again changes nothing.
      ...parts.filter(({ rule, text }) => text >= 0 && chain(tables, rule).some(({ code }) => code === Rule.tier || code === Rule.failed)).flatMap(({ rule, text, from, to }) => [rule, text, from, to]),
      ...parts.filter(({ text }) => text < 0).flatMap((part) => pieceOf(tables, part, said, b)),
    ],
  }
}

/** Whether a value before a text may have a say in what the text says. */
function inTheWay(tables: DialectTables, parts: readonly Part[], said: Span): boolean {
  const before: CompiledRule[] = []
  for (const { rule, text } of parts) {
    const rules = chain(tables, rule)
    if (text < 0) before.push(...rules)
    else if (rules.some((of) => before.some((value) => clash(value, of, said)))) return true
  }
  // A document may say anything, and whether it is read depends on the scope.
  return before.some(({ code }) => code === Rule.parse)
}

function clash(a: CompiledRule, b: CompiledRule, said: Span): boolean {
  const aTarget = target(a), bTarget = target(b)
  if (aTarget === NOTHING || bTarget === NOTHING) return false
  if (aTarget !== bTarget) return a.code === Rule.text && b.code === Rule.text && isModel(a.field) && isModel(b.field)
  return a.rank === b.rank && a.rank === rankOf(a, said)
}

function isModel(field: number): boolean {
  return field === Text.model || field === Text.responseModel
}

const NOTHING = -1, KIND = 0, TEXT = 100, NUMBER = 200

/** What the rule fills, if ranks decide who does. */
function target(rule: CompiledRule): number {
  switch (rule.code) {
    case Rule.kind:
    case Rule.present:
      return KIND
    case Rule.text:
      return TEXT + rule.field
    case Rule.tier:
    case Rule.number:
      return NUMBER + rule.field
    default:
      return NOTHING
  }
}

/** The rank by which what this rule fills is told. */
function rankOf(rule: CompiledRule, said: Span): number {
  const fills = target(rule)
  return fills === KIND ? said.kindRank : fills >= NUMBER ? said.numRank[rule.field]! : said.textRank[rule.field]!
}

/** How a value is read, nothing where it cannot say anything any more. */
function pieceOf(tables: DialectTables, { rule, from, to, hole }: Part, said: Span, b: Uint8Array): number[] {
  if (rule === STATUS) return [STATUS, -1, from, to]
  const left = chain(tables, rule).filter((one) => target(one) === NOTHING || (one.rank < rankOf(one, said) && !(one.code === Rule.text && one.field === Text.responseModel && said.text[Text.model] !== 0)))
  if (left.length === 0) return []
  const one = left[0]!
  if (left.length === 1 && hole !== undefined) {
    if (one.code === Rule.number && b[from] === 24 && to > from + 1 && one.integerScale === 1 && one.field !== Num.score && one.field !== Num.costUsd && one.rank >= 0) {
      hole.from = from + 1
      return [INTEGER, one.field | (one.rank << RANK_SHIFT), from + 1, to]
    }
    const start = b[from + 1]! < 128 ? from + 2 : from + 3
    const length = b[from + 1]! < 128 ? b[from + 1]! : (b[from + 1]! & 127) | (b[from + 2]! << 7)
    if ((one.code === Rule.responseId || one.code === Rule.conversation) && b[from] === 10 && length > 0 && start + length === to) {
      hole.from = start
      return [one.code === Rule.responseId ? RESPONSE : CONVERSATION, -1, start, to]
    }
  }
  return [rule, -1, from, to]
}

function chain(tables: DialectTables, rule: number): CompiledRule[] {
  const rules: CompiledRule[] = []
  for (let one = rule < 0 ? undefined : tables.rules[rule]; one !== undefined; one = one.next) rules.push(one)
  return rules
}
