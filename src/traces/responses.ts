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
import { RowFlag, State, type Requests } from './requests.ts'

const SLOTS = 1 << 18
/** A span may start or end this much outside of its twin: clocks of one process, taken at different moments. */
const SLACK_MS = 5
/** Calls without a twin by response id that are looked through for one: those of the last moments. */
const MAX_SILENT = 256

export interface Place {
  readonly row: number
  readonly record: number
}

export class Responses {
  /** Four words a slot: two of hash, the record and the row, so that a look touches one cache line. */
  readonly #slots = new Int32Array(SLOTS * 4)
  /** A byte of each slot's hash. It stays in the cache, where the slots do not, and answers nearly every look. */
  readonly #tags = new Uint8Array(SLOTS)
  /** Where else a call is told of, both ways, while both requests are open. */
  readonly #twins = new Map<number, Place>()
  /** Calls that are a trace of their own, and calls inside a request: a pair has at least one of the first. */
  readonly #alone = new Recent()
  readonly #inside = new Recent()

  /** Notes a model call that may be told of elsewhere too; if it is in a request that has settled it is flagged as a twin. */
  note(span: Span, row: number, record: number, requests: Requests, records: Records): void {
    if (span.responseHi !== 0 && this.#sameResponse(span, row, record, requests, records)) return
    const alone = (span.parentHi | span.parentLo) === 0
    const generation = requests.generation[row]!
    let ring = this.#alone
    let twin = ring.find(span, row)
    if (twin < 0 && alone) twin = (ring = this.#inside).find(span, row)
    if (twin < 0) (alone ? this.#alone : this.#inside).push(span, row, generation, record)
    else {
      const other = ring.take(twin)
      const open = requests.generation[other.row] === other.generation && (requests.state[other.row] === State.open || requests.state[other.row] === State.rooted)
      if (open) this.#pair({ row, record }, other, requests)
      else records.setPacked(record, records.packed(record) | Flag.twin)
    }
  }

  twinOf(record: number): Place | undefined {
    return this.#twins.get(record)
  }

  forget(record: number): void {
    const twin = this.#twins.get(record)
    if (twin === undefined) return
    this.#twins.delete(record)
    this.#twins.delete(twin.record)
  }

  /** True when the same response was seen in another span. */
  #sameResponse(span: Span, row: number, record: number, requests: Requests, records: Records): boolean {
    const slots = this.#slots
    const index = span.responseLo & (SLOTS - 1)
    const slot = index * 4
    const tag = span.responseHi >>> 24
    if (this.#tags[index] === tag && slots[slot] === span.responseLo && slots[slot + 1] === span.responseHi && slots[slot + 2] !== record + 1) {
      const other = slots[slot + 2]! - 1
      const call = other < 0 ? -1 : records.call(other)
      const open = call >= 0 && records.responseLo(call) === span.responseLo && records.responseHi(call) === span.responseHi
      if (open) this.#pair({ row, record }, { row: slots[slot + 3]!, record: other }, requests)
      else records.setPacked(record, records.packed(record) | Flag.twin)
      return true
    }
    this.#tags[index] = tag
    slots[slot] = span.responseLo
    slots[slot + 1] = span.responseHi
    slots[slot + 2] = record + 1
    slots[slot + 3] = row
    return false
  }

  #pair(a: Place, b: Place, requests: Requests): void {
    this.#twins.set(a.record, b)
    this.#twins.set(b.record, a)
    requests.flags[a.row]! |= RowFlag.twins
    requests.flags[b.row]! |= RowFlag.twins
  }
}

/** The last calls of a kind, in columns, in the order of their arrival. */
class Recent {
  readonly #scopes = new Int32Array(MAX_SILENT)
  readonly #services = new Int32Array(MAX_SILENT)
  readonly #inputs = new Int32Array(MAX_SILENT)
  readonly #outputs = new Int32Array(MAX_SILENT)
  readonly #failed = new Uint8Array(MAX_SILENT)
  readonly #startMs = new Float64Array(MAX_SILENT)
  readonly #endMs = new Float64Array(MAX_SILENT)
  /** -1: not a call, or one that has found its twin. */
  readonly #rows = new Int32Array(MAX_SILENT).fill(-1)
  readonly #generations = new Int32Array(MAX_SILENT)
  readonly #records = new Int32Array(MAX_SILENT)
  #at = 0
  /** While all calls are told by one instrumentation there is nothing to look for. */
  #scope = 0
  #changes = 0

  push(span: Span, row: number, generation: number, record: number): void {
    if (span.scope !== this.#scope) {
      this.#scope = span.scope
      this.#changes++
    }
    const at = this.#at
    this.#at = (at + 1) & (MAX_SILENT - 1)
    this.#scopes[at] = span.scope
    this.#services[at] = span.text[Text.service]!
    this.#inputs[at] = told(span, Num.input)
    this.#outputs[at] = told(span, Num.output)
    this.#failed[at] = span.failed ? 1 : 0
    this.#startMs[at] = span.startMs
    this.#endMs[at] = span.endMs
    this.#rows[at] = row
    this.#generations[at] = generation
    this.#records[at] = record
  }

  /** Place of the call in another request that this span tells of too, -1 when there is none. */
  find(span: Span, row: number): number {
    if (this.#changes === 0 || (this.#changes === 1 && this.#scope === span.scope)) return -1
    const failed = span.failed ? 1 : 0
    let best = -1
    for (let i = 0; i < MAX_SILENT; i++) {
      if (this.#rows[i]! < 0 || this.#rows[i] === row || this.#scopes[i] === span.scope || this.#services[i] !== span.text[Text.service] || this.#failed[i] !== failed) continue
      const start = this.#startMs[i]!
      const end = this.#endMs[i]!
      const inside = span.startMs >= start - SLACK_MS && span.endMs <= end + SLACK_MS
      const around = start >= span.startMs - SLACK_MS && end <= span.endMs + SLACK_MS
      if ((!inside && !around) || differ(told(span, Num.input), this.#inputs[i]!) || differ(told(span, Num.output), this.#outputs[i]!)) continue
      if (best < 0 || Math.abs(start - span.startMs) < Math.abs(this.#startMs[best]! - span.startMs)) best = i
    }
    return best
  }

  take(i: number): Place & { readonly generation: number } {
    const place = { row: this.#rows[i]!, record: this.#records[i]!, generation: this.#generations[i]! }
    this.#rows[i] = -1
    return place
  }
}

function differ(a: number, b: number): boolean {
  return a >= 0 && b >= 0 && a !== b
}

function told(span: Span, field: number): number {
  return span.numRank[field] === 255 ? -1 : span.num[field]!
}
