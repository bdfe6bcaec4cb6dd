/**
 * Whose a settled request was, for scores that come minutes to hours later: a ring of the newest traces, found by trace id.
 * Numbers in typed arrays, allocated at their limit at the start: 74 bytes a trace at 200,000 of them.
 */
import type { Settled } from './settled.ts'

export interface MemoryOptions {
  readonly rememberMs: number
  readonly maxTraces: number
}

/** Tenant, project, agent, service, version, messages, when it settled in seconds, and tokens. */
const INTS = 8

export class TraceMemory {
  /** Traces forgotten before their time, for newer ones. */
  crowded = 0
  readonly #rememberSeconds: number
  readonly capacity: number
  /** Where a trace is in the ring, + 1; 0 is empty. */
  readonly #slots: Int32Array
  readonly #ids: Int32Array
  readonly #ints: Int32Array
  /** Weight, and when it began (Unix time in ms). */
  readonly #doubles: Float64Array
  #first = 0
  #size = 0

  constructor({ rememberMs, maxTraces }: MemoryOptions) {
    let slots = 2
    while (slots < maxTraces * 2) slots *= 2
    this.#rememberSeconds = rememberMs / 1000
    this.capacity = maxTraces
    this.#slots = new Int32Array(slots)
    this.#ids = new Int32Array(maxTraces * 4)
    this.#ints = new Int32Array(maxTraces * INTS)
    this.#doubles = new Float64Array(maxTraces * 2)
  }

  get size(): number {
    return this.#size
  }

  /** Takes note of a request by one of its traces, four words of `ids`. One that is noted again keeps its place and tells the newer things. */
  note(ids: Int32Array, first: number, settled: Settled, nowMs: number): void {
    let at = this.#find(ids, first)
    if (at < 0) {
      if (this.#size === this.capacity) {
        this.crowded++
        this.#forgetFirst()
      }
      at = this.#wrapped(this.#first + this.#size++)
      for (let word = 0; word < 4; word++) this.#ids[at * 4 + word] = ids[first + word]!
      let slot = this.#home(at)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1)
      this.#slots[slot] = at + 1
      this.#ints[at * INTS + 6] = nowMs / 1000
    }
    const i = at * INTS
    this.#ints[i] = settled.tenant
    this.#ints[i + 1] = settled.project
    this.#ints[i + 2] = settled.agent
    this.#ints[i + 3] = settled.service
    this.#ints[i + 4] = settled.version
    this.#ints[i + 5] = settled.messages
    this.#ints[i + 7] = settled.tokens
    this.#doubles[at * 2] = settled.weight
    this.#doubles[at * 2 + 1] = settled.startMs
  }

  /** Fills in whose the request of a trace was; false when it is not remembered. */
  recall(trace: Int32Array, settled: Settled): boolean {
    const at = this.#find(trace, 0)
    if (at < 0) return false
    const i = at * INTS
    settled.tenant = this.#ints[i]!
    settled.project = this.#ints[i + 1]!
    settled.agent = this.#ints[i + 2]!
    settled.service = this.#ints[i + 3]!
    settled.version = this.#ints[i + 4]!
    settled.messages = this.#ints[i + 5]!
    settled.tokens = this.#ints[i + 7]!
    settled.weight = this.#doubles[at * 2]!
    settled.startMs = this.#doubles[at * 2 + 1]!
    settled.trace.set(trace)
    return true
  }

  /** To be called now and then. */
  expire(nowMs: number): void {
    while (this.#size > 0 && nowMs / 1000 - this.#ints[this.#first * INTS + 6]! > this.#rememberSeconds) this.#forgetFirst()
  }

  markLive(live: Uint8Array): void {
    for (let n = 0; n < this.#size; n++) {
      const i = this.#wrapped(this.#first + n) * INTS
      for (let which = 0; which < 5; which++) live[this.#ints[i + which]!] = 1
    }
  }

  #find(trace: Int32Array, first: number): number {
    const ids = this.#ids
    for (let slot = hash(trace, first) & (this.#slots.length - 1); ; slot = (slot + 1) & (this.#slots.length - 1)) {
      const at = this.#slots[slot]! - 1
      if (at < 0) return -1
      const i = at * 4
      if (ids[i] === trace[first] && ids[i + 1] === trace[first + 1] && ids[i + 2] === trace[first + 2] && ids[i + 3] === trace[first + 3]) return at
    }
  }

  #forgetFirst(): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = this.#home(this.#first)
    while (slots[hole] !== this.#first + 1) hole = (hole + 1) & mask
    // What was put further on because of this one moves up, so that there are no gaps to search over.
    for (let probe = (hole + 1) & mask; slots[probe] !== 0; probe = (probe + 1) & mask) {
      if (((probe - this.#home(slots[probe]! - 1)) & mask) < ((probe - hole) & mask)) continue
      slots[hole] = slots[probe]!
      hole = probe
    }
    slots[hole] = 0
    this.#first = this.#wrapped(this.#first + 1)
    this.#size--
  }

  #wrapped(at: number): number {
    return at < this.capacity ? at : at - this.capacity
  }

  #home(at: number): number {
    return hash(this.#ids, at * 4) & (this.#slots.length - 1)
  }
}

function hash(ids: Int32Array, at: number): number {
  let h = Math.imul(ids[at]!, 0x9e3779b1) ^ Math.imul(ids[at + 1]!, 0x85ebca6b) ^ Math.imul(ids[at + 2]!, 0xc2b2ae35) ^ Math.imul(ids[at + 3]!, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}
