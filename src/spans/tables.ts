import { KeyTable } from './keys.ts'
import { SERVICE_TIERS } from './names.ts'
import type { Span } from './span.ts'
import { OVERFLOW, type StringTable } from './strings.ts'
import {
  Content, Evidence, Num, OWN, Text,
  type AttributeRule, type Dialect, type Fields, type NameRule, type Trait,
} from './dialect.ts'

/** Rule codes the scanner switches on. */
export const Rule = { kind: 0, present: 1, text: 2, number: 3, responseId: 4, evidence: 5, failed: 6, messages: 7, parse: 8, responseIdIn: 9, tier: 10, content: 11, inputHash: 12, conversation: 13 } as const

/** One attribute rule, compiled. `next` chains the rules of one key. */
export interface CompiledRule {
  readonly code: number
  readonly field: number
  readonly rank: number
  readonly scale: number
  readonly integerScale: number
  /** Kind by number of the value, -1 for none; values are pinned, so their numbers are small. */
  readonly values: Int8Array
  readonly read: ((text: string, fields: Fields) => void) | undefined
  readonly headBytes: number
  readonly next: CompiledRule | undefined
}

export const TRAITS: readonly Trait[] = ['joinsLinks', 'exceptionIsFailure', 'nativeSdk', 'attemptsAreSpans', 'namesAreText', 'toolsAreWrappers', 'judges', 'streamTwins', 'tellsScores', 'namesOverrule']
export function traitBit(trait: Trait): number {
  return 1 << TRAITS.indexOf(trait)
}

export const EventKind = { exception: 1, firstToken: 2, evaluation: 3, input: 4, output: 5, compacted: 6 } as const

/** All dialects in one: what the scanner looks attributes up in. */
export class DialectTables {
  readonly keys: KeyTable
  readonly rules: readonly CompiledRule[]
  /** 1 for a key of whose value only the number of its string is asked. */
  readonly textOnly: Uint8Array
  readonly events: KeyTable
  readonly eventKinds: readonly number[]
  /** Of keys with an index: first those of messages, then, from `scorePrefix` on, those of scores. */
  readonly indexedPrefixes: readonly Uint8Array[]
  readonly scorePrefix: number
  /** Numbers up to here are no values: '', `__overflow__`, `None`, `null`, `undefined`. */
  readonly lastNothing: number
  readonly withContent: boolean
  readonly #dialects: readonly Dialect[]
  readonly #traits = new Map<string, number>()

  /** `withContent`: the scanner is to tell where the content of steps is. `withHashes`: and which inputs are the same. */
  constructor(dialects: readonly Dialect[], strings: StringTable, withContent = false, withHashes = false) {
    this.#dialects = dialects
    this.withContent = withContent
    for (const nothing of ['None', 'null', 'undefined', '{}', '[]']) strings.pin(nothing)
    this.lastNothing = strings.pin('nil')

    const byKey = new Map<string, AttributeRule[]>()
    for (const dialect of dialects) {
      const content = Object.entries(withContent ? dialect.content ?? {} : {})
      const said = content.map(([key, side]): [string, AttributeRule] => [key, { do: 'content', side, rank: dialect.contentRank ?? OWN }])
      const hashed = Object.entries(withHashes ? dialect.content ?? {} : {}).filter(([, side]) => side === 'input').map(([key]): [string, AttributeRule] => [key, { do: 'inputHash', ofContent: true }])
      for (const [key, rule] of [...Object.entries(dialect.attributes ?? {}), ...said, ...hashed]) {
        const rules = byKey.get(key)
        if (rules === undefined) byKey.set(key, [rule])
        else if (!rules.some((known) => sameRule(known, rule))) rules.push(rule)
      }
    }
    this.keys = new KeyTable([...byKey.keys()])
    this.rules = [...byKey.values()].map((rules) => rules.reduceRight<CompiledRule | undefined>((next, rule) => compile(rule, strings, next), undefined)!)
    this.textOnly = Uint8Array.from(this.rules, (first) => (takesText(first) ? 1 : 0))

    const events = new Map(dialects.flatMap((d) => Object.entries(d.events ?? {}).filter(([, kind]) => withContent || (kind !== 'input' && kind !== 'output'))))
    this.events = new KeyTable([...events.keys()])
    this.eventKinds = [...events.values()].map((kind) => EventKind[kind])
    const ofMessages = dialects.flatMap((d) => d.messagePrefixes ?? [])
    this.scorePrefix = ofMessages.length
    this.indexedPrefixes = [...ofMessages, ...dialects.flatMap((d) => d.scorePrefixes ?? [])].map((prefix) => new TextEncoder().encode(prefix))
  }

  /** Applies the rules of a key, of which all take strings, to the string of this number. */
  applyTexts(span: Span, first: CompiledRule, id: number): void {
    for (let rule: CompiledRule | undefined = first; rule !== undefined; rule = rule.next) this.applyText(span, rule, id)
  }

  applyText(span: Span, rule: CompiledRule, id: number): void {
    switch (rule.code) {
      case Rule.kind:
        if (id < 1024 && rule.values[id]! >= 0) span.setKind(rule.values[id]!, rule.rank)
        break
      case Rule.present:
        span.setKind(rule.field, rule.rank)
        break
      case Rule.text:
        if ((id > this.lastNothing || id === OVERFLOW) && !needless(rule, span)) span.setText(rule.field, id, rule.rank)
        break
      case Rule.tier:
        if (id < 1024 && rule.values[id]! >= 0) span.setNumber(rule.field, rule.values[id]!, rule.rank)
        break
      case Rule.failed:
        if (id < 1024 && rule.values[id] === 1) span.saysFailed = true
    }
  }

  /** The traits of a scope as bits, by the dialects that claim it. */
  traitsOf(scope: string): number {
    let bits = this.#traits.get(scope)
    if (bits === undefined) {
      bits = 0
      for (const dialect of this.#dialects) {
        if (dialect.scopes?.test(scope) !== true) continue
        for (const trait of dialect.traits ?? []) bits |= traitBit(trait)
        if (dialect.names?.some((rule) => rule.overrules) === true) bits |= traitBit('namesOverrule')
      }
      if (this.#traits.size > 10_000) this.#traits.clear()
      this.#traits.set(scope, bits)
    }
    return bits
  }

  /** The first name rule that fits, and what it captured. */
  nameRule(scope: string, name: string): { rule: NameRule; captured: string | undefined } | undefined {
    for (const dialect of this.#dialects) {
      if (dialect.names === undefined || (dialect.scopes !== undefined && !dialect.scopes.test(scope))) continue
      for (const rule of dialect.names) {
        const match = rule.name.exec(name)
        if (match !== null) return { rule, captured: match[1] }
      }
    }
    return undefined
  }

  /** The dialect that claims this scope, for `doctor`. */
  dialectOf(scope: string): string | undefined {
    return this.#dialects.find((d) => d.scopes?.test(scope))?.name
  }
}

/** The model that answered names the call only where the one asked for is not told. */
export function needless(rule: CompiledRule, span: Span): boolean {
  return rule.field === Text.responseModel && span.text[Text.model] !== 0
}

function sameRule(a: AttributeRule, b: AttributeRule): boolean {
  if (a.do === 'parse') return b.do === 'parse' && a.read === b.read
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Of the rules that ask for no value. */
const NO_VALUES = new Int8Array(1024).fill(-1)

function compile(rule: AttributeRule, strings: StringTable, next: CompiledRule | undefined): CompiledRule {
  const values = rule.do === 'kind' || rule.do === 'tier' || rule.do === 'failed' ? new Int8Array(1024).fill(-1) : NO_VALUES
  const compiled = { code: Rule[rule.do === 'kind' ? 'kind' : rule.do], field: 0, rank: 0, scale: 1, integerScale: 1, values, read: undefined, headBytes: 0, next }
  switch (rule.do) {
    case 'kind':
      for (const [value, kind] of Object.entries(rule.values)) values[pinSmall(strings, value)] = kind
      return { ...compiled, rank: rule.rank }
    case 'present':
      return { ...compiled, field: rule.kind, rank: rule.rank }
    case 'text':
      return { ...compiled, field: Text[rule.field], rank: rule.rank }
    case 'number':
      return { ...compiled, field: Num[rule.field], rank: rule.rank, scale: rule.scale, integerScale: rule.integerScale }
    case 'inputHash':
      return { ...compiled, field: rule.ofContent === true ? 1 : 0 }
    case 'tier':
      for (const [value, served] of Object.entries(SERVICE_TIERS)) values[pinSmall(strings, value)] = served
      return { ...compiled, field: Num.tier, rank: rule.rank }
    case 'evidence':
      return { ...compiled, field: Evidence[rule.field] }
    case 'content':
      return { ...compiled, field: Content[rule.side], rank: rule.rank }
    case 'failed':
      for (const value of rule.values) values[pinSmall(strings, value)] = 1
      return { ...compiled, field: rule.values.includes('true') ? 1 : 0 }
    case 'parse':
      return { ...compiled, read: rule.read, field: rule.limits.trait === undefined ? 0 : traitBit(rule.limits.trait), headBytes: rule.limits.headBytes ?? 0 }
    default:
      return compiled
  }
}

function takesText(rule: CompiledRule | undefined): boolean {
  return rule === undefined || ((rule.code === Rule.kind || rule.code === Rule.present || rule.code === Rule.text || rule.code === Rule.failed || rule.code === Rule.tier) && takesText(rule.next))
}

function pinSmall(strings: StringTable, value: string): number {
  const id = strings.pin(value)
  if (id >= 1024) throw new Error(`cannot compile dialects: more than 1024 pinned values before ${JSON.stringify(value)}`)
  return id
}
