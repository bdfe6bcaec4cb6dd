/**
 * One model call can leave two spans in two traces: a provider's SDK, or a second instrumentation, tells of it in a
 * trace of its own. The two share the response id; where one has none (a failed call has no response, OpenInference
 * writes none) they are told by time: one inside the other, in one service, by two instrumentations, one of them
 * a trace of a single span, and with the same tokens where both tell them.
 *
 * The memory is a fixed table: a call is forgotten when another takes its place, about a quarter of a million calls later: a larger one is out of the cache, and every call pays for that.
 */
import type { Span } from '../spans/span.ts'
import { Num, Text } from '../spans/dialect.ts'
import { Flag, type Records } from './records.ts'
import { Row, RowFlag, type Requests } from './requests.ts'

const SLOTS = 1 << 18
/** A span may start or end this much outside of its twin: clocks of one process, taken at different moments. */
const SLACK_MS = 5
/** Calls without a twin by response id that are looked through for one: those of the last moments. */
const MAX_SILENT = 256
/** Spans that tell of one call; more are mischief, and are not counted. */
const MAX_TWINS = 64

export class Responses {
  /** Four words a slot: two of hash and the record, so that a look touches one cache line. */
  readonly #slots = new Int32Array(SLOTS * 4)
  /** A byte of each slot's hash. It stays in the cache, where the slots do not, and answers nearly every look. */
  readonly #tags = new Uint8Array(SLOTS)
  /** Calls to look up: two words of hash and the record. */
  readonly #waiting = new Int32Array(3 * 4096)
  #pending = 0
  /** The records of open requests that tell of one call, by each of them. */
  readonly #twins = new Map<number, number[]>()
  /** Calls that are a trace of their own, and calls inside a request: a pair has at least one of the first. */
  readonly #alone = new Recent()
  readonly #inside = new Recent()

  /** Notes a model call that may be told of elsewhere too. Those with a response id are looked up together, by `flush`. */
  note(span: Span, row: number, record: number, requests: Requests, records: Records): void {
    const alone = (span.parentHi | span.parentLo) === 0
    if (span.responseHi !== 0) {
      if (this.#pending + 3 > this.#waiting.length) this.flush(requests, records)
      const at = this.#pending
      const waiting = this.#waiting
      waiting[at] = span.responseLo
      waiting[at + 1] = span.responseHi
      waiting[at + 2] = record
      this.#pending = at + 3
    }
    let recent = this.#alone
    let twin = recent.find(span, row, records)
    if (twin < 0 && alone) twin = (recent = this.#inside).find(span, row, records)
    if (twin < 0) (alone ? this.#alone : this.#inside).push(span, record)
    else this.#pair(record, recent.take(twin, records), requests, records)
  }

  /**
   * Looks up the calls noted since the last time. The table is larger than the cache, and a look in it alone waits for memory; in a
   * loop with nothing else in it the processor waits for many at once. To be called after each push and before anything settles.
   */
  flush(requests: Requests, records: Records): void {
    const waiting = this.#waiting
    const end = this.#pending
    this.#pending = 0
    for (let at = 0; at < end; at += 3) {
      this.#sameResponse(waiting[at]!, waiting[at + 1]!, waiting[at + 2]!, requests, records)
    }
  }

  /** Whether a call has been told of in another span; if not, it has now: for a span that is counted by itself. */
  known(span: Span): boolean {
    const index = span.responseLo & (SLOTS - 1)
    const slot = index * 4
    const slots = this.#slots
    const tag = span.responseHi >>> 24
    if (this.#tags[index] === tag && slots[slot] === span.responseLo && slots[slot + 1] === span.responseHi) return true
    this.#tags[index] = tag
    slots[slot] = span.responseLo
    slots[slot + 1] = span.responseHi
    slots[slot + 2] = 0
    return false
  }

  /** What the last calls are compared by stays a number of the same string. */
  markLive(live: Uint8Array): void {
    this.#alone.markLive(live)
    this.#inside.markLive(live)
  }

  /** All records that tell of this one's call, itself among them; undefined when it is the only one. */
  twinsOf(record: number): readonly number[] | undefined {
    return this.#twins.get(record)
  }

  /** A request settles, and its record is one of the twins no more. */
  forget(record: number): void {
    const twins = this.#twins.get(record)
    if (twins === undefined) return
    this.#twins.delete(record)
    twins.splice(twins.indexOf(record), 1)
    if (twins.length === 1) this.#twins.delete(twins[0]!)
  }

  #sameResponse(lo: number, hi: number, record: number, requests: Requests, records: Records): void {
    const slots = this.#slots
    const index = lo & (SLOTS - 1)
    const slot = index * 4
    const tag = hi >>> 24
    if (this.#tags[index] === tag && slots[slot] === lo && slots[slot + 1] === hi) {
      const other = slots[slot + 2]! - 1
      return this.#pair(record, other !== record && records.tells(other, lo) ? other : -1, requests, records)
    }
    this.#tags[index] = tag
    slots[slot] = lo
    slots[slot + 1] = hi
    slots[slot + 2] = record + 1
  }

  /** `other` -1: the request in which the call was told of before has settled, and counted it. */
  #pair(record: number, other: number, requests: Requests, records: Records): void {
    const twins = this.#twins.get(other)
    if (other < 0 || (twins !== undefined && twins.length >= MAX_TWINS)) {
      records.setPacked(record, records.packed(record) | Flag.twin)
      return
    }
    // A call may have been paired by time before its id is looked up.
    const mine = this.#twins.get(record)
    const group = twins ?? mine ?? []
    for (const one of mine === undefined || mine === group ? [other, record] : [other, ...mine]) {
      if (!group.includes(one)) group.push(one)
      this.#twins.set(one, group)
    }
    requests.ints[(records.rowOf(record) << 5) + Row.flags]! |= RowFlag.twins
    requests.ints[(records.rowOf(other) << 5) + Row.flags]! |= RowFlag.twins
  }
}

/** Words of a call in `Recent`: a cache line's half, for one is noted for every call and hardly ever read. */
const SCOPE = 0, SERVICE = 1, INPUT = 2, OUTPUT = 3, MARKS = 4, RECORD = 5, ID_HI = 6, ID_LO = 7
const WORDS_SHIFT = 3
const FAILED = 1
/** Calls that both tell a response id are one when the ids are, and only then. */
const IDENTIFIED = 2

/** The last calls of a kind, in the order of their arrival. */
class Recent {
  /** The record is -1 for what is not a call, or has found its twin. */
  readonly #words = new Int32Array(MAX_SILENT << WORDS_SHIFT)
  /** When each began and ended, in ms. */
  readonly #times = new Float64Array(MAX_SILENT * 2)
  #at = 0
  /** While all calls are told by one instrumentation there is nothing to look for. */
  #scope = 0
  #changes = 0

  constructor() {
    for (let i = 0; i < MAX_SILENT; i++) this.#words[(i << WORDS_SHIFT) + RECORD] = -1
  }

  push(span: Span, record: number): void {
    if (span.scope !== this.#scope) {
      this.#scope = span.scope
      this.#changes++
    }
    const i = this.#at
    this.#at = (i + 1) & (MAX_SILENT - 1)
    const words = this.#words
    const at = i << WORDS_SHIFT
    words[at + SCOPE] = span.scope
    words[at + SERVICE] = span.text[Text.service]!
    words[at + INPUT] = span.told(Num.input)
    words[at + OUTPUT] = span.told(Num.output)
    words[at + MARKS] = marksOf(span)
    words[at + RECORD] = record
    words[at + ID_HI] = span.idHi
    words[at + ID_LO] = span.idLo
    this.#times[i * 2] = span.startMs
    this.#times[i * 2 + 1] = span.endMs
  }

  /** Place of the call in another request that this span tells of too, -1 when there is none. */
  find(span: Span, row: number, records: Records): number {
    if (this.#changes === 0 || (this.#changes === 1 && this.#scope === span.scope)) return -1
    const words = this.#words
    const marks = marksOf(span)
    let best = -1
    for (let i = 0; i < MAX_SILENT; i++) {
      const at = i << WORDS_SHIFT
      const its = words[at + MARKS]!
      if (words[at + RECORD]! < 0 || (its & marks & IDENTIFIED) !== 0 || ((its ^ marks) & FAILED) !== 0 || words[at + SCOPE] === span.scope || words[at + SERVICE] !== span.text[Text.service]) continue
      const start = this.#times[i * 2]!
      const end = this.#times[i * 2 + 1]!
      const inside = span.startMs >= start - SLACK_MS && span.endMs <= end + SLACK_MS
      const around = start >= span.startMs - SLACK_MS && end <= span.endMs + SLACK_MS
      if ((!inside && !around) || differ(span.told(Num.input), words[at + INPUT]!) || differ(span.told(Num.output), words[at + OUTPUT]!)) continue
      if (this.#isOpen(at, records) && records.rowOf(words[at + RECORD]!) === row) continue
      if (best < 0 || Math.abs(start - span.startMs) < Math.abs(this.#times[best * 2]! - span.startMs)) best = i
    }
    return best
  }

  markLive(live: Uint8Array): void {
    live[this.#scope] = 1
    for (let at = 0; at < this.#words.length; at += 1 << WORDS_SHIFT) live[this.#words[at + SCOPE]!] = live[this.#words[at + SERVICE]!] = 1
  }

  /** Its record, -1 when its request has settled. */
  take(i: number, records: Records): number {
    const at = i << WORDS_SHIFT
    const record = this.#isOpen(at, records) ? this.#words[at + RECORD]! : -1
    this.#words[at + RECORD] = -1
    return record
  }

  #isOpen(at: number, records: Records): boolean {
    const record = this.#words[at + RECORD]!
    return records.rowOf(record) >= 0 && records.is(record, this.#words[at + ID_HI]!, this.#words[at + ID_LO]!)
  }
}

function marksOf(span: Span): number {
  return (span.failed ? FAILED : 0) | (span.responseHi === 0 ? 0 : IDENTIFIED)
}

function differ(a: number, b: number): boolean {
  return a >= 0 && b >= 0 && a !== b
}
