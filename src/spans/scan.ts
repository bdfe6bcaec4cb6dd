/**
 * The hot path: one pass over the bytes of an ExportTraceServiceRequest, calling `onSpan` for each span
 * with the one `Span` record filled. Speed outranks plainness here and nowhere else:
 *
 * - the position is a local variable, and the one-byte varint is the case written out; longer ones go
 *   through `long`, which leaves the new position in `this.pos`;
 * - an attribute is first taken for the one that followed the last time, which only a comparison has to confirm (memo.ts);
 * - nothing is allocated per span; strings become numbers (`StringTable`), evidence stays a byte range.
 *
 * Every length is checked against the end of what contains it, where it is read. Reading a typed array
 * past its end gives `undefined`, which no loop here survives on, so a truncated varint ends in `bad`
 * rather than in a crash. A span that cannot be read is counted and skipped by its own length; the
 * others of the batch are kept.
 *
 * Quoted from opentelemetry/proto/trace/v1/trace.proto, the fields read:
 *   TracesData.resource_spans=1 · ResourceSpans.resource=1 scope_spans=2 · Resource.attributes=1
 *   ScopeSpans.scope=1 spans=2 · InstrumentationScope.name=1
 *   Span.trace_id=1 span_id=2 trace_state=3 parent_span_id=4 name=5 kind=6 start=7 end=8 attributes=9
 *        dropped_attributes_count=10 events=11 links=13 status=15 flags=16
 *   Event.time=1 name=2 attributes=3 · Link.trace_id=1 · Status.message=2 code=3
 *   KeyValue.key=1 value=2 · AnyValue.string=1 bool=2 int=3 double=4 array=5 kvlist=6 bytes=7
 */
import { crc32 } from 'node:zlib'
import { Content, Evidence, GUESS, Num, OWN, Text, type Fields, type NumField, type TextField } from './dialect.ts'
import { EMPTY, hashTwice, hashView, OVERFLOW, type StringTable } from './strings.ts'
import { MAX_LINKS, RESOURCE_RANK, Span } from './span.ts'
import { EventKind, needless, Rule, type CompiledRule, type DialectTables } from './tables.ts'
import { KeyTable, sameBytes } from './keys.ts'
import { AttributeMemo, trailAfter, trailOf } from './memo.ts'
import { CONVERSATION, INTEGER, RANK_SHIFT, RESPONSE } from './image.ts'
import { HAS_FLAGS, HAS_KIND, PIECE_WORDS, REMOTE, Stencils } from './stencils.ts'
import { samplingWeight } from './sampling.ts'

const TWO32 = 4294967296
const TWO63 = 9223372036854775808
const decoder = new TextDecoder()
/** Past this many bytes node's CRC-32, of some gigabytes a second, is sooner done than a hash of our own, for all that calling it costs. */
const SHORT_BYTES = 512
/** Longest document a `parse` rule is given. */
const MAX_DOCUMENT_BYTES = 65_536
/** How far into an answer its id is looked for, and how ids of answers begin: OpenAI's two interfaces, Anthropic's. */
const ANSWER_HEAD_BYTES = 4096
const ID_BEGINNINGS = ['"chatcmpl-', '"resp_', '"msg_'].map((beginning) => Buffer.from(beginning))
/** Between STANDARD and OWN. */
const PARSED_RANK = 9
const EVENT_KEYS = new KeyTable([
  'exception.type', 'exception.message', 'gen_ai.evaluation.name', 'gen_ai.evaluation.score.value', 'gen_ai.evaluation.score.label',
  'content', 'message', 'gen_ai.prompt', 'gen_ai.completion', 'gen_ai.input.messages', 'gen_ai.output.messages',
])
/** Of these keys the first that holds content, and the first that says itself which side it is of; from there they alternate. */
const CONTENT_KEY = 5, SIDED_KEY = 7
const CONTENT_SUFFIX = Buffer.from('.message.content')
const MESSAGE_CONTENT = CONTENT_SUFFIX.length, CONTENT = '.content'.length

export interface ScanResult {
  spans: number
  rejected: number
  /** Names the first thing that could not be read, '' when all was well. */
  error: string
}

export class Scanner {
  readonly span = new Span()
  private readonly tables: DialectTables
  private readonly strings: StringTable
  private readonly onSpan: (span: Span) => void
  private view: DataView = new DataView(new ArrayBuffer(0))
  private pos = 0
  /** What is wrong with the span in hand; '' while nothing is. */
  private bad = ''
  private readonly resourceText = new Int32Array(this.span.text.length)
  /** More than its service. */
  private resourceTells = false
  private readonly hash = new Int32Array(2)
  private readonly fields: Fields
  private readonly memo: AttributeMemo
  private readonly stencils: Stencils
  /** What the next attribute is guessed by: the attribute before it, and the span's name. */
  private trail = 0
  private nameTrail = 0
  /** Of this body: where the last id of a conversation is, and its hash. */
  private conversationStart = 0
  private conversationLength = 0
  private conversationHi = 0
  private conversationLo = 0

  constructor(tables: DialectTables, strings: StringTable, onSpan: (span: Span) => void) {
    this.tables = tables
    this.strings = strings
    this.onSpan = onSpan
    this.memo = new AttributeMemo(strings)
    this.stencils = new Stencils(tables, this.memo)
    const span = this.span
    this.fields = {
      kind: (kind) => span.setKind(kind, PARSED_RANK),
      text: (field: TextField, value: string) => { if (value !== '') span.setText(Text[field], strings.internText(value), PARSED_RANK) },
      number: (field: NumField, value: number) => span.setNumber(Num[field], value, PARSED_RANK),
      score: (evaluator, value) => span.tellScore(strings.internText(evaluator), value),
      firstToken: (unixMs) => { if (span.firstTokenMs === 0) span.firstTokenMs = unixMs },
      failed: () => { span.saysFailed = true },
    }
  }

  scan(body: Uint8Array): ScanResult {
    const result: ScanResult = { spans: 0, rejected: 0, error: '' }
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    this.span.body = body
    this.conversationLength = 0
    if (this.memo.refresh()) this.stencils.clear()
    const end = body.length
    let p = 0
    let resource = 0
    while (p < end) {
      const at = p
      const tag = this.varint(body, p, end)
      p = this.pos
      if (tag === 10) {
        const length = this.varint(body, p, end)
        p = this.pos
        if (p + length > end) { fail(result, `resourceSpans[${resource}]`, tooLong(length, p, end)); break }
        this.resourceSpans(body, p, p + length, resource++, result)
        p += length
      } else {
        p = this.skip(body, p, end, tag)
        if (p < 0) { fail(result, `byte ${at}`, this.bad); break }
      }
    }
    this.span.body = EMPTY_BODY
    return result
  }

  private resourceSpans(b: Uint8Array, p: number, end: number, index: number, result: ScanResult): void {
    // The resource comes first in practice but need not: find it before the spans.
    this.resourceText.fill(0)
    this.resourceTells = false
    const at = this.first(b, p, end)
    if (at >= 0) this.resource(b, at, this.pos)
    let scope = 0
    while (p < end) {
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag === 18) {
        const length = this.varint(b, p, end)
        p = this.pos
        if (p + length > end) { fail(result, `resourceSpans[${index}].scopeSpans[${scope}]`, tooLong(length, p, end)); return }
        this.scopeSpans(b, p, p + length, index, scope++, result)
        p += length
      } else {
        p = this.skip(b, p, end, tag)
        if (p < 0) { fail(result, `resourceSpans[${index}]`, this.bad); return }
      }
    }
  }

  private resource(b: Uint8Array, p: number, end: number): void {
    const span = this.span
    span.reset()
    span.setService(0)
    span.traits = 0
    while (p < end) {
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag === 10) {
        const length = this.varint(b, p, end)
        p = this.pos
        if (p + length > end) return
        this.bad = ''
        this.attribute(b, p, p + length)
        p += length
      } else {
        p = this.skip(b, p, end, tag)
        if (p < 0) return
      }
    }
    this.resourceText.set(span.text)
    this.resourceTells = span.text.some((id, field) => id !== 0 && field !== Text.service)
  }

  private scopeSpans(b: Uint8Array, p: number, end: number, resource: number, index: number, result: ScanResult): void {
    const span = this.span
    span.scope = 0
    span.traits = 0
    if (b[p] !== 10) {
      // The scope comes before its spans in practice but need not.
      const at = this.first(b, p, end)
      if (at >= 0) this.scope(b, at, this.pos)
    }
    let n = 0
    while (p < end) {
      const tag = b[p]!
      if (tag === 18) {
        let length = b[p + 1]!
        if (length < 128) p += 2
        else {
          length = this.varint(b, p + 1, end)
          p = this.pos
        }
        if (!(p + length <= end)) { fail(result, `resourceSpans[${resource}].scopeSpans[${index}].spans[${n}]`, tooLong(length, p, end)); return }
        this.bad = ''
        span.reset()
        if (this.spanFields(b, p, p + length)) {
          result.spans++
          this.onSpan(span)
        } else fail(result, `resourceSpans[${resource}].scopeSpans[${index}].spans[${n}]`, this.bad)
        n++
        p += length
        continue
      }
      const wide = this.varint(b, p, end)
      p = this.pos
      if (wide === 10) {
        const length = this.varint(b, p, end)
        p = this.pos
        if (p + length > end) { fail(result, `resourceSpans[${resource}].scopeSpans[${index}].scope`, tooLong(length, p, end)); return }
        this.scope(b, p, p + length)
        p += length
      } else {
        p = this.skip(b, p, end, wide)
        if (p < 0) { fail(result, `resourceSpans[${resource}].scopeSpans[${index}]`, this.bad); return }
      }
    }
  }

  private scope(b: Uint8Array, p: number, end: number): void {
    const name = this.first(b, p, end)
    if (name < 0) return
    this.span.scope = this.strings.intern(b, name, this.pos - name)
    this.span.traits = this.tables.traitsOf(this.strings.text(this.span.scope))
  }

  /** Where the first field 1 of a message begins, -1 when it has none; its end is then in `this.pos`. */
  private first(b: Uint8Array, p: number, end: number): number {
    while (p >= 0 && p < end) {
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag !== 10) {
        p = this.skip(b, p, end, tag)
        continue
      }
      const length = this.varint(b, p, end)
      const at = this.pos
      if (at + length > end) return -1
      this.pos = at + length
      return at
    }
    return -1
  }

  /** Fills the record from one Span message. False: `this.bad` says what is wrong with it. */
  private spanFields(b: Uint8Array, p: number, end: number): boolean {
    const span = this.span
    const view = this.view
    let startLo = 0, startHi = 0, endLo = 0, endHi = 0
    let hasTrace = false, hasId = false, told = false
    while (p < end) {
      const tag = b[p++]!
      if (tag === 74) { // attributes
        told = true
        let length = b[p++]!
        if (length > 127) { length = this.varint(b, p - 1, end); p = this.pos }
        if (!(p + length <= end)) return this.wrong('attribute longer than its span')
        if (!this.attribute(b, p, p + length)) return false
        p += length
        continue
      }
      switch (tag) {
        case 10: { // trace_id
          if (b[p] !== 16 || p + 17 > end) return this.wrong('traceId is not 16 bytes')
          const t = span.trace
          const t0 = t[0] = view.getInt32(p + 1)
          const t1 = t[1] = view.getInt32(p + 5)
          const t2 = t[2] = view.getInt32(p + 9)
          const t3 = t[3] = view.getInt32(p + 13)
          if ((t0 | t1 | t2 | t3) === 0) return this.wrong('traceId is all zero')
          hasTrace = true
          p += 17
          break
        }
        case 18: { // span_id
          if (b[p] !== 8 || p + 9 > end) return this.wrong('spanId is not 8 bytes')
          span.idHi = view.getInt32(p + 1)
          span.idLo = view.getInt32(p + 5)
          if ((span.idHi | span.idLo) === 0) return this.wrong('spanId is all zero')
          hasId = true
          p += 9
          break
        }
        case 34: { // parent_span_id, may be present and empty
          const length = b[p]!
          if (length === 0) { p++; break }
          if (length !== 8 || p + 9 > end) return this.wrong('parentSpanId is not 8 bytes')
          span.parentHi = view.getInt32(p + 1)
          span.parentLo = view.getInt32(p + 5)
          p += 9
          break
        }
        case 42: { // name
          const from = p
          let length = b[p++]!
          if (length > 127) { length = this.varint(b, p - 1, end); p = this.pos }
          if (!(p + length <= end)) return this.wrong('name longer than its span')
          span.nameStart = p
          span.nameLength = length
          const trail = this.trail = this.nameTrail = trailOf(view, p, length)
          p += length
          // Attributes before the name are not what a stencil is made for.
          if (told) break
          const { stencils } = this
          const stencil = stencils.find(view, from, end, trail)
          if (stencil < 0) {
            stencils.learn(b, view, from, end, trail)
            break
          }
          const startAt = from + stencils.startOf(stencil)
          startLo = view.getUint32(startAt, true)
          startHi = view.getUint32(startAt + 4, true)
          const endAt = from + stencils.endOf(stencil)
          endLo = view.getUint32(endAt, true)
          endHi = view.getUint32(endAt + 4, true)
          const kind = stencils.kindOf(stencil)
          if ((kind & HAS_KIND) !== 0) span.spanKind = kind & 127
          if ((kind & HAS_FLAGS) !== 0) span.remoteParent = (kind & REMOTE) !== 0
          span.lay(stencils.stepOf(stencil), stencils.rankOf(stencil), stencils.pieces, stencils.firstPiece(stencil), stencils.lastText(stencil))
          if (!this.pieces(b, from, stencil)) return false
          p = end
          break
        }
        case 48: // kind
          span.spanKind = b[p++]!
          if (span.spanKind > 127) { span.spanKind = 0; this.varint(b, p - 1, end); p = this.pos }
          break
        case 57: // start_time_unix_nano
          if (p + 8 > end) return this.wrong('startTimeUnixNano is cut off')
          startLo = view.getUint32(p, true)
          startHi = view.getUint32(p + 4, true)
          p += 8
          break
        case 65: // end_time_unix_nano
          if (p + 8 > end) return this.wrong('endTimeUnixNano is cut off')
          endLo = view.getUint32(p, true)
          endHi = view.getUint32(p + 4, true)
          p += 8
          break
        case 122: { // status
          let length = b[p++]!
          if (length > 127) { length = this.varint(b, p - 1, end); p = this.pos }
          if (!(p + length <= end)) return this.wrong('status longer than its span')
          if (length > 0 && !this.status(b, p, p + length)) return false
          p += length
          break
        }
        default: {
          if (tag === 133 && b[p] === 1 && p + 5 <= end) { // flags, a fixed32 with a two-byte tag: bit 8 says that bit 9 (the parent is remote) is known
            span.remoteParent = (b[p + 2]! & 3) === 3
            p += 5
            break
          }
          const wide = this.varint(b, p - 1, end)
          p = this.pos
          if ((wide & 7) === 2 && wide > 7) {
            const length = this.varint(b, p, end)
            p = this.pos
            if (!(p + length <= end)) return this.wrong(`field ${wide >>> 3} longer than its span`)
            const field = wide >>> 3
            let ok = true
            if (field === 11) ok = this.event(b, p, p + length)
            else if (field === 13) ok = this.link(b, p, p + length)
            else if (field === 3 && length > 0) span.weight = samplingWeight(b, p, length)
            if (!ok) return false
            p += length
          } else if (wide === 80) { // dropped_attributes_count
            span.dropped = this.varint(b, p, end)
            p = this.pos
          } else {
            p = this.skip(b, p, end, wide)
            if (p < 0) return false
          }
        }
      }
    }
    if (p !== end) return this.wrong('its last field is cut off')
    if (!hasTrace) return this.wrong('it has no traceId')
    if (!hasId) return this.wrong('it has no spanId')
    span.startMs = (startHi * TWO32 + startLo) / 1e6
    span.endMs = (endHi * TWO32 + endLo) / 1e6
    const seconds = (endHi - startHi) * 4.294967296 + (endLo - startLo) * 1e-9
    span.seconds = seconds > 0 && span.startMs > 0 ? seconds : 0
    if (span.seconds === 0 && span.numRank[Num.durationSeconds] !== 255) {
      span.seconds = span.num[Num.durationSeconds]!
      if (span.endMs > 0) span.startMs = span.endMs - span.seconds * 1000
    }
    const text = span.text
    const resource = this.resourceText
    if (text[Text.service] !== resource[Text.service]) span.setService(resource[Text.service]!)
    if (this.resourceTells) {
      if (resource[Text.tenant] !== 0) span.setText(Text.tenant, resource[Text.tenant]!, RESOURCE_RANK)
      if (resource[Text.project] !== 0) span.setText(Text.project, resource[Text.project]!, RESOURCE_RANK)
      if (resource[Text.agent] !== 0) span.setText(Text.agent, resource[Text.agent]!, RESOURCE_RANK)
      if (resource[Text.version] !== 0) span.setText(Text.version, resource[Text.version]!, RESOURCE_RANK)
    }
    return true
  }

  /** What a stencil says is to be read of a span. */
  private pieces(b: Uint8Array, from: number, stencil: number): boolean {
    const { stencils, tables, span } = this
    const { pieces } = stencils
    const last = stencils.lastPiece(stencil)
    for (let i = stencils.lastText(stencil); i < last; i += PIECE_WORDS) {
      const rule = pieces[i]!
      const text = pieces[i + 1]!
      const start = from + pieces[i + 2]!
      const end = from + pieces[i + 3]!
      if (rule === INTEGER) {
        let value = b[start]!
        if (value > 127) value = start + 1 < end && b[start + 1]! < 128 ? (value & 127) | (b[start + 1]! << 7) : this.varint(b, start, end)
        // Past 2^63 it is a negative one, and nothing that is counted here can be.
        if (value < TWO63) span.setNumber(text & ((1 << RANK_SHIFT) - 1), value, text >> RANK_SHIFT)
      } else if (rule === CONVERSATION) {
        this.conversation(start, end - start)
      } else if (rule === RESPONSE) this.responseId(start, end - start)
      else if (text >= 0) tables.applyTexts(span, tables.rules[rule]!, text)
      else if (rule >= 0) this.apply(tables.rules[rule]!, b, start, end)
      else if (!this.status(b, start, end)) return false
    }
    return true
  }

  /** One KeyValue. Nearly all are `0a keylen key 12 vallen value`; any other order goes the slow way. */
  private attribute(b: Uint8Array, p: number, end: number): boolean {
    const place = this.memo.guess(this.view, p, end, this.trail)
    return place < 0 ? this.newAttribute(b, p, end) : this.keptAttribute(b, p, end, place)
  }

  /** An attribute of which at least the key is known, tags and length included. */
  private keptAttribute(b: Uint8Array, p: number, end: number, place: number): boolean {
    const { memo } = this
    this.trail = trailAfter(this.nameTrail, place)
    const found = memo.key[place]!
    if (found < 0) return true
    const value = memo.value[place]!
    if (value >= 0) this.tables.applyTexts(this.span, this.tables.rules[found]!, value)
    else {
      let start = p + memo.length[place]!
      let length = b[start++]!
      if (length > 127) { length = this.varint(b, start - 1, end); start = this.pos }
      if (!(start + length <= end)) return this.wrong('an attribute value is longer than its attribute')
      if (length > 0) this.apply(this.tables.rules[found]!, b, start, start + length)
    }
    return true
  }

  private newAttribute(b: Uint8Array, p: number, end: number): boolean {
    const keyLength = b[p + 1]!
    const key = p + 2
    const after = key + keyLength
    if (b[p] !== 10 || keyLength > 127 || after >= end || b[after] !== 18) return this.oddAttribute(b, p, end)
    const { memo, view } = this
    const keyBytes = keyLength + 3
    // A string whose length ends it where the attribute ends, both in one byte.
    const isText = b[after + 2] === 10 && after + 4 + b[after + 3]! === end && b[after + 1]! < 128
    let place = memo.find(view, p, end, keyBytes, isText)
    if (place >= 0) {
      memo.follow(this.trail, place)
      return this.keptAttribute(b, p, end, place)
    }
    const found = this.tables.keys.find(view, key, keyLength)
    if (found < 0) {
      // One with an index, of a message or a score, has an effect of its own.
      if (!this.indexedKey(b, key, keyLength, after, end)) place = memo.keep(b, view, p, keyBytes, found, -1)
    } else {
      let start = after + 1
      let length = b[start++]!
      if (length > 127) { length = this.varint(b, start - 1, end); start = this.pos }
      if (!(start + length <= end)) return this.wrong('an attribute value is longer than its attribute')
      const id = length === 0 ? -1 : this.apply(this.tables.rules[found]!, b, start, start + length)
      const whole = isText && id > EMPTY && id !== OVERFLOW && this.tables.textOnly[found] === 1
      place = whole ? memo.keep(b, view, p, end - p, found, id) : memo.keep(b, view, p, keyBytes, found, -1)
    }
    if (place < 0) return true
    memo.follow(this.trail, place)
    this.trail = trailAfter(this.nameTrail, place)
    return true
  }

  private oddAttribute(b: Uint8Array, p: number, end: number): boolean {
    let key = -1, keyLength = 0, value = -1, valueEnd = 0
    while (p < end) {
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag === 10 || tag === 18) {
        const length = this.varint(b, p, end)
        p = this.pos
        if (!(p + length <= end)) return this.wrong('an attribute is cut off')
        if (tag === 10) { key = p; keyLength = length } else { value = p; valueEnd = p + length }
        p += length
      } else {
        p = this.skip(b, p, end, tag)
        if (p < 0) return false
      }
    }
    if (key < 0 || value < 0 || value === valueEnd) return true
    const found = this.tables.keys.find(this.view, key, keyLength)
    if (found >= 0) this.apply(this.tables.rules[found]!, b, value, valueEnd)
    return true
  }

  /** Applies the rules of a known key to the AnyValue at [p, end). A value of a type the rule does not take is ignored. Returns the number of its string, as far as it was needed; -1. */
  private apply(first: CompiledRule, b: Uint8Array, p: number, end: number): number {
    const span = this.span
    const type = b[p]!
    let start = 0, length = 0, num = NaN
    if (type === 10) {
      length = b[p + 1]!
      start = p + 2
      if (length > 127) { length = this.varint(b, p + 1, end); start = this.pos }
      if (!(start + length <= end)) return -1
    } else if (type === 24) {
      if (p + 1 >= end) return -1
      num = b[p + 1]!
      if (num > 127) {
        num = this.varint(b, p + 1, end)
        if (num === Infinity) return -1
        // int64 on the wire as unsigned: what is negative is past 2^63, and nothing that is counted here can be.
        if (num >= TWO63) num = -1
      }
    } else if (type === 33) {
      if (p + 9 > end) return -1
      num = this.view.getFloat64(p + 1, true)
    } else if (type === 42 && first.code === Rule.evidence) { // a list of texts: its bytes hold their words
      length = b[p + 1]!
      start = p + 2
      if (length > 127) { length = this.varint(b, p + 1, end); start = this.pos }
      if (start + length <= end) this.span.setEvidence(first.field, start, length)
      return -1
    } else if (type === 16) num = p + 1 < end && b[p + 1] === 1 ? 1 : 0
    else {
      // A list or an object can only be content.
      for (let rule: CompiledRule | undefined = first; rule !== undefined; rule = rule.next) if (rule.code === Rule.content) span.setContent(rule.field, p, end, rule.rank)
      return -1
    }
    let id = -1
    for (let rule: CompiledRule | undefined = first; rule !== undefined; rule = rule.next) {
      switch (rule.code) {
        case Rule.kind: {
          if (type !== 10 || rule.rank >= span.kindRank) break
          id = this.unquoted(b, start, length)
          this.tables.applyText(span, rule, id)
          break
        }
        case Rule.present:
          span.setKind(rule.field, rule.rank)
          break
        case Rule.text:
          if (type === 10) {
            if (rule.rank >= span.textRank[rule.field]! || needless(rule, span)) break
            id = this.unquoted(b, start, length)
            this.tables.applyText(span, rule, id)
          } else if (type === 24 && (rule.field === Text.tenant || rule.field === Text.project)) {
            span.setText(rule.field, this.strings.internText(int64Text(b, p + 1)), rule.rank)
          }
          break
        case Rule.number: {
          let value = num
          if (type === 10) {
            if (length === 0 || length > 40) break
            value = Number(decoder.decode(b.subarray(start, start + length)).replaceAll('"', ''))
          }
          // Only a score can be less than nothing.
          if (num < 0 && type === 24 && rule.field === Num.score) value = Number(int64Text(b, p + 1))
          // Cost libraries write 0 for a model they have no price for: unknown, not free.
          if (value === 0 && rule.field === Num.costUsd) break
          span.setNumber(rule.field, value * (type === 24 ? rule.integerScale : rule.scale), rule.rank)
          break
        }
        case Rule.responseId:
          if (type === 10 && length > 0) this.responseId(start, length)
          break
        case Rule.inputHash:
          if (type === 10 && length > 0 && (rule.field === 0 || isWholeJson(b, start, length))) {
            // 0 is no hash; of several tellings all have to be the same.
            span.inputHash = (Math.imul(span.inputHash, 31) + (length < SHORT_BYTES ? hashView(this.view, start, length) : crc32(b.subarray(start, start + length)))) | 0 || 1
          }
          break
        case Rule.conversation:
          if (type === 10 && length > 0) this.conversation(start, length)
          break
        case Rule.responseIdIn:
          if (type === 10 && length > 0 && span.responseHi === 0) this.responseIdIn(b, start, Math.min(length, ANSWER_HEAD_BYTES))
          break
        case Rule.evidence:
          if (type === 10) this.span.setEvidence(rule.field, start, length)
          else if (type === 24) this.span.setEvidence(rule.field, p, 0)
          break
        case Rule.failed: {
          if (type === 10) this.tables.applyText(span, rule, (id = this.unquoted(b, start, length)))
          else if (type === 16 && num === 1 && rule.field === 1) span.saysFailed = true
          break
        }
        case Rule.tier:
          if (type === 10) this.tables.applyText(span, rule, (id = this.unquoted(b, start, length)))
          break
        case Rule.content:
          span.setContent(rule.field, p, end, rule.rank)
          break
        case Rule.messages:
          if (type === 10 && length > span.messagesLength) {
            const list = messageList(b, start, start + length)
            span.messagesStart = list
            span.messagesLength = start + length - list
          }
          break
        case Rule.parse:
          if (rule.field !== 0 && (span.traits & rule.field) === 0) break
          if (type === 10 && length > 0) {
            const read = rule.headBytes === 0 ? length : Math.min(length, rule.headBytes)
            if (read <= MAX_DOCUMENT_BYTES) rule.read!(decoder.decode(b.subarray(start, start + read)), this.fields)
          }
      }
    }
    return id
  }

  private responseId(start: number, length: number): void {
    const span = this.span
    if (span.responseHi !== 0) return
    const { hash } = this
    hashTwice(this.view, start, length, hash)
    span.responseLo = hash[0]!
    span.responseHi = hash[1]! | 1
  }

  /** Mostly it is that of the span before, which is sooner compared than hashed. */
  private conversation(start: number, length: number): void {
    const { span, view } = this
    if (span.conversationHi !== 0) return
    if (length !== this.conversationLength || !sameBytes(view, this.conversationStart, view, start, length)) {
      this.conversationStart = start
      this.conversationLength = length
      const half = length >> 1
      this.conversationHi = hashView(view, start, length) | 1
      this.conversationLo = hashView(view, start + half, length - half)
    }
    span.conversationHi = this.conversationHi
    span.conversationLo = this.conversationLo
  }

  /** Looks for a string that begins as the ids of the large providers do: bytes are searched, nothing is decoded. */
  private responseIdIn(b: Uint8Array, start: number, length: number): void {
    const answer = Buffer.from(b.buffer, b.byteOffset + start, length)
    for (const beginning of ID_BEGINNINGS) {
      const quote = answer.indexOf(beginning)
      if (quote < 0) continue
      const end = answer.indexOf(34, quote + 1)
      if (end > 0 && end - quote < 129) this.responseId(start + quote + 1, end - quote - 1)
      return
    }
  }

  /** Some dialects write every value as JSON: `"gpt-4o-mini"` with its quotes. */
  private unquoted(b: Uint8Array, start: number, length: number): number {
    if (length >= 2 && b[start] === 34 && b[start + length - 1] === 34) return this.strings.intern(b, start + 1, length - 2)
    return this.strings.intern(b, start, length)
  }

  /** `llm.input_messages.12.message.role` says that there are at least 13 messages. */
  private indexedKey(b: Uint8Array, key: number, length: number, after: number, end: number): boolean {
    const { indexedPrefixes, scorePrefix } = this.tables
    for (let which = 0; which < indexedPrefixes.length; which++) {
      const prefix = indexedPrefixes[which]!
      const n = prefix.length
      // The dot and a digit where the index would be: nearly no other key has them.
      if (length <= n || b[key + n - 1] !== 46 || b[key + n]! > 57 || b[key] !== prefix[0]) continue
      let i = 1
      while (i < n && b[key + i] === prefix[i]) i++
      if (i < n) continue
      let index = 0
      for (let digit = b[key + i]! - 48; digit >= 0 && digit <= 9 && index < 100_000; digit = b[key + ++i]! - 48) index = index * 10 + digit
      if (which >= scorePrefix) {
        if (i > n) this.scoreKey(b, which, index, key + i, after, end)
        return true
      }
      if (i > n && index > this.span.messageIndex) this.span.messageIndex = index
      if (this.tables.withContent && index === this.span.messageIndex) this.messageContent(b, key + i, after, end)
      return true
    }
    return false
  }

  /** `.content` or `.message.content` after the index of the last message is what went into the call. */
  private messageContent(b: Uint8Array, suffix: number, after: number, end: number): void {
    const length = after - suffix
    if (length !== MESSAGE_CONTENT && length !== CONTENT) return
    for (let i = 0; i < length; i++) if (b[suffix + i] !== CONTENT_SUFFIX[MESSAGE_CONTENT - length + i]) return
    const bytes = this.varint(b, after + 1, end)
    const start = this.pos
    if (start + bytes <= end && bytes > 0) this.span.setContent(Content.input, start, start + bytes, GUESS)
  }

  /** `.evaluation.score` after the index: a part of that score. */
  private scoreKey(b: Uint8Array, form: number, index: number, suffix: number, after: number, end: number): void {
    const length = this.varint(b, after + 1, end)
    const p = this.pos
    if (!(p + length <= end)) return
    const type = b[p]
    let text = 0, number = NaN
    if (type === 10) {
      const bytes = this.varint(b, p + 1, end)
      if (this.pos + bytes <= end) text = this.strings.intern(b, this.pos, bytes)
    } else if (type === 33 && p + 9 <= end) number = this.view.getFloat64(p + 1, true)
    else if (type === 24 && this.varint(b, p + 1, end) < Infinity) number = Number(int64Text(b, p + 1))
    const part = decoder.decode(b.subarray(suffix, after))
    this.span.tellScorePart(form, index, part.slice(part.lastIndexOf('.') + 1), text, number, this.strings)
  }

  private status(b: Uint8Array, p: number, end: number): boolean {
    while (p < end) {
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag === 24) {
        this.span.status = this.varint(b, p, end)
        p = this.pos
        if (p > end) return this.wrong('status code is cut off')
      } else if (tag === 18) {
        const length = this.varint(b, p, end)
        p = this.pos
        if (!(p + length <= end)) return this.wrong('status message is cut off')
        if (length > 0) this.span.setEvidence(Evidence.statusMessage, p, length)
        p += length
      } else {
        p = this.skip(b, p, end, tag)
        if (p < 0) return false
      }
    }
    return true
  }

  private event(b: Uint8Array, p: number, end: number): boolean {
    let kind = 0, timeMs = 0, attributes = -1, evaluator = 0, label = 0, score = NaN
    const start = p
    while (p < end) {
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag === 9) {
        if (p + 8 > end) return this.wrong('event time is cut off')
        timeMs = (this.view.getUint32(p + 4, true) * TWO32 + this.view.getUint32(p, true)) / 1e6
        p += 8
      } else if (tag === 18) {
        const length = this.varint(b, p, end)
        p = this.pos
        if (!(p + length <= end)) return this.wrong('event name is cut off')
        const found = this.tables.events.find(this.view, p, length)
        if (found < 0) return true
        kind = this.tables.eventKinds[found]!
        p += length
      } else if (tag === 26) {
        attributes = attributes < 0 ? p : attributes
        const length = this.varint(b, p, end)
        if (!(this.pos + length <= end)) return this.wrong('event attribute is cut off')
        p = this.pos + length
      } else {
        p = this.skip(b, p, end, tag)
        if (p < 0) return false
      }
    }
    const span = this.span
    if (kind === EventKind.firstToken) {
      if (timeMs > 0 && (span.firstTokenMs === 0 || timeMs < span.firstTokenMs)) span.firstTokenMs = timeMs
      return true
    }
    if (kind === EventKind.compacted) {
      span.setNumber(Num.compacted, 1, 0)
      return true
    }
    if (kind === EventKind.exception) span.hasException = true
    p = start
    while (p < end) { // the lengths were checked above
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag !== 26) { p = this.skip(b, p, end, tag); continue }
      const length = this.varint(b, p, end)
      p = this.pos
      const after = p + length
      if (b[p] === 10 && b[p + 1]! < 128 && p + 2 + b[p + 1]! < after) {
        const key = EVENT_KEYS.find(this.view, p + 2, b[p + 1]!)
        let v = p + 2 + b[p + 1]!
        if (key >= 0 && b[v] === 18) {
          const bytes = this.varint(b, v + 1, after)
          v = this.pos
          if (kind >= EventKind.input && key >= CONTENT_KEY && bytes > 0 && v + bytes <= after) {
            this.span.setContent(key < SIDED_KEY ? kind - EventKind.input : (key - SIDED_KEY) & 1, v, v + bytes, OWN)
          }
          const type = b[v]
          if (type === 10) {
            const n = this.varint(b, v + 1, after)
            if (this.pos + n <= after) {
              if (key === 0) this.span.setEvidence(Evidence.exceptionType, this.pos, n)
              else if (key === 1) this.span.setEvidence(Evidence.exceptionMessage, this.pos, n)
              else if (key === 2) evaluator = this.strings.intern(b, this.pos, n)
              else if (key === 4) label = this.strings.intern(b, this.pos, n)
            }
          } else if (key === 3 && type === 33 && v + 9 <= after) score = this.view.getFloat64(v + 1, true)
          else if (key === 3 && type === 24 && this.varint(b, v + 1, after) < Infinity) score = Number(int64Text(b, v + 1))
        }
      }
      p = after
    }
    if (kind === EventKind.evaluation) span.tellScore(evaluator, score, label)
    return true
  }

  private link(b: Uint8Array, p: number, end: number): boolean {
    const span = this.span
    while (p < end) {
      const tag = this.varint(b, p, end)
      p = this.pos
      if (tag === 10) {
        if (b[p] !== 16 || p + 17 > end) return this.wrong('link traceId is not 16 bytes')
        if (span.linkCount < MAX_LINKS) {
          const links = span.links
          const at = span.linkCount * 4
          for (let w = 0; w < 4; w++) links[at + w] = this.view.getInt32(p + 1 + w * 4, false)
          // All zero is no trace: it would join everything that links to nothing.
          if ((links[at]! | links[at + 1]! | links[at + 2]! | links[at + 3]!) !== 0) span.linkCount++
        }
        p += 17
      } else {
        p = this.skip(b, p, end, tag)
        if (p < 0) return false
      }
    }
    return true
  }

  /** Reads a varint at p; the position after it is in `this.pos`, past `end` when it was cut off. At most ten bytes, as in protobuf. */
  private varint(b: Uint8Array, p: number, end: number): number {
    let byte = b[p++]!
    if (byte < 128 && p <= end) { this.pos = p; return byte }
    let value = byte & 127
    let scale = 128
    for (let i = 1; i < 10 && byte > 127 && p < end; i++) {
      byte = b[p++]!
      value += (byte & 127) * scale
      scale *= 128
    }
    if (byte > 127 || p > end) { this.bad = BAD_NUMBER; this.pos = Infinity; return Infinity }
    this.pos = p
    return value
  }

  /** Position after the field with this tag, -1 when it cannot be skipped. */
  private skip(b: Uint8Array, p: number, end: number, tag: number): number {
    const type = tag & 7
    let next = Infinity
    if (tag > 7 && tag < Infinity) {
      if (type === 0) { this.varint(b, p, end); next = this.pos }
      else if (type === 1) next = p + 8
      else if (type === 2) { const length = this.varint(b, p, end); next = this.pos + length }
      else if (type === 5) next = p + 4
    }
    if (next <= end) return next
    if (tag === Infinity) this.bad = BAD_NUMBER
    else this.bad = tag > 7 && type !== 3 && type !== 4 && type < 6 ? `field ${Math.floor(tag / 8)} is cut off` : `wire type ${type} of field ${Math.floor(tag / 8)} is not protobuf 3`
    return -1
  }

  private wrong(what: string): false {
    this.bad = this.bad === '' ? what : this.bad
    return false
  }
}

/** An SDK cuts long texts off at their end: what is left of two prompts is the same sooner than they are. */
function isWholeJson(b: Uint8Array, start: number, length: number): boolean {
  const last = b[start + length - 1]
  return b[start] === 0x5b ? last === 0x5d : b[start] === 0x7b && last === 0x7d
}

/** Where the list of messages begins in a value that is the list, or an object with `messages` in it, or lists in a list. */
function messageList(b: Uint8Array, start: number, end: number): number {
  let p = start
  if (b[p] === 0x7b) {
    p = Buffer.from(b.buffer, b.byteOffset + start, end - start).indexOf('"messages"')
    if (p < 0) return start
    p += start + 10
    while (p < end && (b[p] === 0x3a || b[p] === 0x20)) p++
  }
  while (b[p] === 0x5b && b[p + 1] === 0x5b && p + 1 < end) p++
  return p
}

const EMPTY_BODY = new Uint8Array(0)
const BAD_NUMBER = 'a number is cut off or longer than ten bytes'

function tooLong(length: number, p: number, end: number): string {
  return length === Infinity ? 'its length is cut off' : `says ${length} bytes, ${Math.max(0, end - p)} are left`
}

/** The varint at p, which has been read before, in full: ids that differ past 2^53 are different tenants. */
function int64Text(b: Uint8Array, p: number): string {
  let value = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = b[p++]!
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return String(BigInt.asIntN(64, value))
  }
}

function fail(result: ScanResult, where: string, what: string): ScanResult {
  result.rejected++
  if (result.error === '') result.error = `${where}: ${what}`
  return result
}
