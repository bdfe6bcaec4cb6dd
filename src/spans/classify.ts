import { Content, Evidence, Num, Text } from './dialect.ts'
import { DeclaredErrors } from './declared.ts'
import { causeOf } from './errors.ts'
import { Kind, NO_REASON, type Reason } from './names.ts'
import { reasonInResult } from './results.ts'
import { Scales } from './scale.ts'
import { signalled } from './signals.ts'
import { MAX_SCORES, type Span } from './span.ts'
import { EMPTY, hashBytes, type StringTable } from './strings.ts'
import { traitBit, type DialectTables } from './tables.ts'

/** Name rules and causes are remembered by what they were derived from; the memory starts again when it is this large. */
const MAX_REMEMBERED = 50_000
/** A longer message list is not counted: scanning it would cost more than the span. */
const MAX_MESSAGES_BYTES = 1 << 20
const MAX_EVIDENCE_BYTES = 8_192

const EXCEPTION_IS_FAILURE = traitBit('exceptionIsFailure')
const NAMES_ARE_TEXT = traitBit('namesAreText')
const TOOLS_ARE_WRAPPERS = traitBit('toolsAreWrappers')
const NAMES_OVERRULE = traitBit('namesOverrule')
const STREAM_TWINS = traitBit('streamTwins')
const AGES = (1 << Num.ageSeconds) | (1 << Num.dataTimeSeconds)
const CLIENT = 3
const ERROR = 2

/** What a span's scope and name say. */
interface NamedSpan {
  readonly kind: number
  /** Number of what the rule captured of the name; 0: nothing. */
  readonly captured: number
  /** The name says more than the attributes. */
  readonly overrules: boolean
}

/** Turns what the dialects found on a span into a step: its kind, its name, whether and why it failed. */
export class Classifier {
  readonly #tables: DialectTables
  readonly #strings: StringTable
  readonly #declared: DeclaredErrors
  /** By scope and span name. */
  readonly #byName = new Map<number, NamedSpan>()
  readonly #reasons = new Map<number, Reason>()
  readonly #staleAfterSeconds: number
  readonly #scales: Scales
  #generation = 0

  /** `staleAfterSeconds`: how old may be what a retrieval or a tool finds, where nobody says; 0: as old as it likes. */
  constructor(tables: DialectTables, strings: StringTable, declared: DeclaredErrors = new DeclaredErrors([]), staleAfterSeconds = 0, scales = new Scales()) {
    this.#staleAfterSeconds = staleAfterSeconds
    this.#scales = scales
    this.#tables = tables
    this.#strings = strings
    this.#declared = declared
  }

  classify(span: Span): void {
    const overruled = (span.traits & NAMES_OVERRULE) !== 0 && this.#nameRule(span).overrules
    if (overruled || span.kind === Kind.unknown || (span.kind === Kind.client && span.spanKind !== CLIENT)) this.#kindByName(span)
    else span.name = this.#stepName(span, EMPTY)
    if (span.kind === Kind.tool && (span.traits & TOOLS_ARE_WRAPPERS) !== 0) span.kind = Kind.chain
    span.failed = span.status === ERROR || span.saysFailed || (span.hasException && (span.traits & EXCEPTION_IS_FAILURE) !== 0)
    if (span.failed || span.tells(AGES)) this.#reason(span)
    if (!span.failed && span.kind === Kind.tool && span.contentEnd[Content.output] !== 0) this.#readResult(span)
    if (span.failed) {
      if (span.name === EMPTY) span.name = this.#spanName(span)
    }
    if (span.kind === Kind.model && (span.traits & STREAM_TWINS) !== 0 && !span.failed && span.numRank[Num.input] === 255 && span.numRank[Num.durationSeconds] === 255) span.kind = Kind.chain
    if (span.numRank[Num.score] !== 255 || span.text[Text.scoreLabel] !== EMPTY) {
      span.tellScore(span.text[Text.evaluator]!, span.numRank[Num.score] === 255 ? NaN : span.num[Num.score]!, span.text[Text.scoreLabel]!)
    }
    if (span.scoreParts.length > 0) wholeScores(span)
    if (span.toldScores.length > 0) this.#scores(span)
    if (span.firstTokenMs > span.startMs) span.setNumber(Num.firstTokenSeconds, (span.firstTokenMs - span.startMs) / 1000, 30)
    if (span.kind === Kind.model) {
      if (span.messageIndex >= 0) span.setNumber(Num.messages, span.messageIndex + 1, 10)
      else if (span.messagesLength > 0 && span.messagesLength <= MAX_MESSAGES_BYTES) {
        const messages = countMessages(span.body, span.messagesStart, span.messagesLength)
        if (messages > 0) span.setNumber(Num.messages, messages, 10)
      }
    }
  }

  /** Scores on our scale; what has no place on it is counted. */
  #scores(span: Span): void {
    const { toldScores } = span
    if (toldScores.length > MAX_SCORES) this.#scales.rejected.too_many++
    for (let i = 0; i < toldScores.length && i < MAX_SCORES; i++) {
      const { evaluator, value, label, layer } = toldScores[i]!
      const scaled = this.#scales.counted(this.#strings.text(evaluator), value, this.#strings.text(label))
      if (!Number.isNaN(scaled)) span.scores.push({ evaluator, value: scaled, layer })
    }
  }

  #kindByName(span: Span): void {
    const rule = this.#nameRule(span)
    span.kind = rule.kind
    span.name = this.#stepName(span, rule.captured)
  }

  #nameRule(span: Span): NamedSpan {
    if (this.#generation !== this.#strings.generation || this.#byName.size > MAX_REMEMBERED) {
      this.#byName.clear()
      this.#generation = this.#strings.generation
    }
    const name = this.#strings.intern(span.body, span.nameStart, span.nameLength)
    const key = span.scope * this.#strings.capacity + name
    let known = this.#byName.get(key)
    if (known === undefined) {
      const found = this.#tables.nameRule(this.#strings.text(span.scope), this.#strings.text(name))
      known = { kind: found?.rule.kind ?? Kind.unknown, overrules: found?.rule.overrules === true, captured: found?.captured === undefined ? EMPTY : this.#strings.internText(found.captured) }
      this.#byName.set(key, known)
    }
    return known
  }

  #stepName(span: Span, captured: number): number {
    const text = span.text
    switch (span.kind) {
      case Kind.model:
      case Kind.embedding:
        return text[Text.model]! || text[Text.responseModel]! || captured
      case Kind.tool:
        return text[Text.tool]! || text[Text.entity]! || captured || this.#capturedFromName(span)
      case Kind.retrieval:
        return text[Text.collection]! || text[Text.entity]! || captured || this.#spanName(span)
      case Kind.agent:
        return text[Text.agent]! || text[Text.entity]! || captured || this.#capturedFromName(span)
      case Kind.evaluation:
        return text[Text.evaluator]! || text[Text.entity]! || captured || this.#spanName(span)
      case Kind.state:
      case Kind.guardrail:
        return text[Text.entity]! || captured || this.#spanName(span)
      default:
        return EMPTY
    }
  }

  /** A name rule may know the step's name although an attribute already told the kind: `execute_tool search` is `search`. */
  #capturedFromName(span: Span): number {
    return this.#nameRule(span).captured || this.#spanName(span)
  }

  #spanName(span: Span): number {
    if ((span.traits & NAMES_ARE_TEXT) !== 0) return EMPTY
    return this.#strings.intern(span.body, span.nameStart, span.nameLength)
  }

  /** Words first, then what else the span tells, which may be of one that has not failed. */
  #reason(span: Span): void {
    const told = (field: number) => (span.numRank[field] === 255 ? -1 : span.num[field]!)
    const age = told(Num.ageSeconds)
    const from = told(Num.dataTimeSeconds)
    const most = told(Num.mostAgeSeconds)
    const reason = signalled({
      kind: span.kind, failed: span.failed, reason: span.failed ? this.#said(span) : NO_REASON, seconds: span.seconds,
      deadlineSeconds: told(Num.deadlineSeconds), grpcStatus: told(Num.grpcStatus),
      ageSeconds: age >= 0 || from < 0 || span.startMs === 0 ? age : span.startMs / 1000 - from,
      mostAgeSeconds: most >= 0 ? most : this.#staleAfterSeconds, finish: span.failed ? evidenceText(span, Evidence.finishReason) : '',
    })
    if (reason === undefined) return
    span.failed = true
    span.reason = reason
    span.cause = reason.cause
  }

  #readResult(span: Span): void {
    const bytes = textIn(span.body, span.contentStart[Content.output]!, span.contentEnd[Content.output]!)
    const reason = bytes && reasonInResult(bytes)
    if (reason === undefined) return
    span.failed = true
    span.reason = reason
    span.cause = reason.cause
  }

  /** The same words mean the same cause: regular expressions run once per message, not once per span. */
  #said(span: Span): Reason {
    const { body, evidence } = span
    let hash = span.numRank[Num.httpStatus] === 255 ? 0 : span.num[Num.httpStatus]!
    let high = 0
    for (let i = 0; i < evidence.length; i += 2) {
      const length = Math.min(evidence[i + 1]!, MAX_EVIDENCE_BYTES)
      hash = Math.imul(hash, 31) + hashBytes(body, evidence[i]!, length)
      high = Math.imul(high, 17) + length
    }
    // Declared errors may be of one kind of step only.
    const key = ((hash >>> 0) * 65_536 + (high & 0xffff)) * 16 + (this.#declared.any ? span.kind : 0)
    let reason = this.#reasons.get(key)
    if (reason === undefined) {
      if (this.#reasons.size > MAX_REMEMBERED) this.#reasons.clear()
      const failure = {
        statusMessage: evidenceText(span, Evidence.statusMessage),
        errorType: evidenceText(span, Evidence.errorType),
        errorMessage: evidenceText(span, Evidence.errorMessage),
        exceptionType: evidenceText(span, Evidence.exceptionType),
        exceptionMessage: evidenceText(span, Evidence.exceptionMessage),
        errorCode: evidenceText(span, Evidence.errorCode),
        httpStatus: span.numRank[Num.httpStatus] === 255 ? 0 : span.num[Num.httpStatus]!,
      }
      reason = this.#declared.reason(failure, span.kind) ?? causeOf(failure)
      this.#reasons.set(key, reason)
    }
    return reason
  }
}

/** The text of an AnyValue at [start, end), undefined where it is none. */
function textIn(body: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (body[start] !== 10) return undefined
  let at = start + 1
  while (at < end && body[at]! > 127) at++
  return body.subarray(at + 1, end)
}

/** The words of a failure, cut; '' when the span has none. */
function evidenceText(span: Span, field: number): string {
  const start = span.evidence[field * 2]!
  const length = Math.min(span.evidence[field * 2 + 1]!, MAX_EVIDENCE_BYTES)
  return length === 0 ? '' : Buffer.from(span.body.buffer, span.body.byteOffset + start, length).toString('utf8')
}

/** Objects in the outermost array of a JSON text; 0 when it is not an array. Strings are skipped, nothing is parsed. */
function countMessages(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length
  if (bytes[start] !== 0x5b) return 0
  let depth = 0
  let objects = 0
  for (let i = start; i < end; i++) {
    switch (bytes[i]) {
      case 0x22: // a string: to its closing quote
        for (i++; i < end && bytes[i] !== 0x22; i++) if (bytes[i] === 0x5c) i++
        break
      case 0x7b:
        if (depth === 1) objects++
        depth++
        break
      case 0x5b:
        depth++
        break
      case 0x7d:
      case 0x5d:
        if (--depth === 0) return objects // more of the document may follow
    }
  }
  return objects
}

/** One without a name, or with nothing but an explanation, is no score; and the same in both of a dialect's forms is one. */
function wholeScores(span: Span): void {
  for (const { evaluator, value, label, layer } of span.scoreParts) {
    if (evaluator === EMPTY || (Number.isNaN(value) && label === EMPTY)) continue
    if (!span.toldScores.some((one) => one.evaluator === evaluator && Object.is(one.value, value) && one.label === label && one.layer === layer)) span.tellScore(evaluator, value, label, layer)
  }
}
