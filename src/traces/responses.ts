/**
 * One model call can leave two spans in two traces: a provider's SDK traces itself beside the framework,
 * and the two know nothing of each other. They share the response id; where one has none (a failed call
 * has no response) they overlap in time, one inside the other, in one service, and one is the SDK's own.
 *
 * The memory is a fixed table: a call is forgotten when another takes its place, about a million calls later.
 */
import type { Span } from '../spans/span.ts'
import { Text } from '../spans/dialect.ts'
import { traitBit } from '../spans/tables.ts'
import { Flag, type Records } from './records.ts'
import { State, type Requests } from './requests.ts'

const SLOTS = 1 << 20
const NATIVE = traitBit('nativeSdk')
/** A span may start or end this much outside of its twin: clocks of one process, taken at different moments. */
const SLACK_MS = 5
/** Calls without a response id looked through for a twin: those of the last moments. */
const MAX_SILENT = 512

/** A call without a response id that may have a twin. */
interface SilentCall {
  readonly native: boolean
  readonly service: number
  readonly startMs: number
  readonly endMs: number
  readonly row: number
  readonly generation: number
  readonly record: number
  matched: boolean
}

export interface Place {
  readonly row: number
  readonly record: number
}

export class Responses {
  readonly #hash = new Int32Array(SLOTS)
  readonly #check = new Int32Array(SLOTS)
  readonly #record = new Int32Array(SLOTS)
  readonly #row = new Int32Array(SLOTS)
  /** Where else a call is told of, both ways, while both requests are open. */
  readonly #twins = new Map<number, Place>()
  readonly #silent: SilentCall[] = []
  #silentAt = 0
  #nativeSeen = false

  /** Notes a model call. True when it is told of elsewhere too: in an open request, or in one that has settled (then it is flagged as a twin). */
  note(span: Span, row: number, record: number, requests: Requests, records: Records): boolean {
    const native = (span.traits & NATIVE) !== 0
    this.#nativeSeen ||= native
    if (span.responseHi !== 0) {
      const slot = span.responseLo & (SLOTS - 1)
      const other = this.#record[slot]! - 1
      if (this.#hash[slot] === span.responseLo && this.#check[slot] === span.responseHi && other !== record) {
        const call = other < 0 ? -1 : records.call(other)
        const open = call >= 0 && records.responseLo(call) === span.responseLo && records.responseHi(call) === span.responseHi
        if (open) this.#pair({ row, record }, { row: this.#row[slot]!, record: other })
        else records.setPacked(record, records.packed(record) | Flag.twin)
        return true
      }
      this.#hash[slot] = span.responseLo
      this.#check[slot] = span.responseHi
      this.#record[slot] = record + 1
      this.#row[slot] = row
    }
    return (native || span.responseHi === 0) && this.#noteSilent(span, native, row, record, requests, records)
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

  #pair(a: Place, b: Place): void {
    this.#twins.set(a.record, b)
    this.#twins.set(b.record, a)
  }

  #noteSilent(span: Span, native: boolean, row: number, record: number, requests: Requests, records: Records): boolean {
    const own: SilentCall = {
      native, service: span.text[Text.service]!, startMs: span.startMs, endMs: span.endMs,
      row, generation: requests.generation[row]!, record, matched: false,
    }
    const best = this.#nativeSeen ? this.#overlapping(own) : undefined
    if (best === undefined) {
      this.#silent[this.#silentAt++ % MAX_SILENT] = own
      return false
    }
    best.matched = true
    const open = requests.generation[best.row] === best.generation && (requests.state[best.row] === State.open || requests.state[best.row] === State.rooted)
    if (open) this.#pair({ row, record }, { row: best.row, record: best.record })
    else records.setPacked(record, records.packed(record) | Flag.twin)
    return true
  }

  #overlapping(own: SilentCall): SilentCall | undefined {
    let best: SilentCall | undefined
    for (const call of this.#silent) {
      if (call.matched || call.native === own.native || call.service !== own.service || call.row === own.row) continue
      const [inner, outer] = own.native ? [own, call] : [call, own]
      if (inner.startMs < outer.startMs - SLACK_MS || inner.endMs > outer.endMs + SLACK_MS) continue
      if (best === undefined || Math.abs(call.startMs - own.startMs) < Math.abs(best.startMs - own.startMs)) best = call
    }
    return best
  }
}
