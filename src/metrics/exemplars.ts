/**
 * Exemplars: for each bucket of each series (each series, of a counter) at most one trace that shows what was counted.
 * An error says more than a success, a larger value more than a smaller one, and after five minutes any trace says
 * more than an old one. Their number is limited over all metrics; past it, old ones give way and the rest is counted.
 */
import { grown } from './series.ts'

export type ExemplarReason = 'error' | 'slow' | 'last'

export interface Exemplar {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  readonly value: number
  readonly timestampMs: number
}

const STALE_AFTER_MS = 5 * 60_000

/** The room that all tables share. Numbers of places start at 1: 0 in a table means no exemplar. */
export class ExemplarPool {
  readonly capacity: number
  /** Exemplars held now. */
  size = 0
  /** Exemplars that found no room since the start. */
  dropped = 0

  // Columns, not private: ExemplarTable is the other half of this class.
  readonly trace: Int32Array
  readonly value: Float64Array
  readonly timestampMs: Float64Array
  readonly rank: Uint8Array
  readonly #owner: (ExemplarTable | undefined)[] = []
  readonly #slot: Int32Array
  readonly #free: number[] = []
  #next = 1
  #hand = 1

  constructor(capacity: number = 50_000) {
    this.capacity = capacity
    this.trace = new Int32Array((capacity + 1) * 4)
    this.value = new Float64Array(capacity + 1)
    this.timestampMs = new Float64Array(capacity + 1)
    this.rank = new Uint8Array(capacity + 1)
    this.#slot = new Int32Array(capacity + 1)
  }

  /** A place for a table's slot, 0 when there is none. */
  take(owner: ExemplarTable, slot: number, nowMs: number): number {
    let place = this.#free.pop() ?? (this.#next <= this.capacity ? this.#next++ : 0)
    if (place === 0) {
      place = this.#takeStale(nowMs)
      if (place === 0) {
        this.dropped++
        return 0
      }
    } else this.size++
    this.#owner[place] = owner
    this.#slot[place] = slot
    return place
  }

  release(place: number): void {
    this.#owner[place] = undefined
    this.#free.push(place)
    this.size--
  }

  /** One look a call, the next place each time: a full pool stays cheap to ask. */
  #takeStale(nowMs: number): number {
    if (this.capacity === 0) return 0
    const place = this.#hand
    this.#hand = place === this.capacity ? 1 : place + 1
    if (nowMs - this.timestampMs[place]! <= STALE_AFTER_MS) return 0
    this.#owner[place]?.forget(this.#slot[place]!)
    return place
  }
}

/** The exemplars of one metric: `width` slots a row. */
export class ExemplarTable {
  readonly #pool: ExemplarPool
  readonly #width: number
  /** Place in the pool of each slot. Grows to the highest slot in use, so a metric without exemplars has none. */
  #places = new Int32Array(0)

  constructor(pool: ExemplarPool, width: number) {
    this.#pool = pool
    this.#width = width
  }

  offer(slot: number, value: number, t0: number, t1: number, t2: number, t3: number, timestampMs: number, reason: ExemplarReason): void {
    if (slot >= this.#places.length) this.#places = grown(this.#places, new Int32Array(Math.max(64, slot + 1, this.#places.length * 2)))
    const pool = this.#pool
    const rank = reason === 'error' ? 2 : reason === 'slow' ? 1 : 0
    let place = this.#places[slot]!
    if (place === 0) {
      place = pool.take(this, slot, timestampMs)
      if (place === 0) return
      this.#places[slot] = place
    } else if (timestampMs - pool.timestampMs[place]! <= STALE_AFTER_MS) {
      if (rank < pool.rank[place]! || (rank === pool.rank[place]! && value < pool.value[place]!)) return
    }
    pool.rank[place] = rank
    pool.value[place] = value
    pool.timestampMs[place] = timestampMs
    const trace = pool.trace
    trace[place * 4] = t0
    trace[place * 4 + 1] = t1
    trace[place * 4 + 2] = t2
    trace[place * 4 + 3] = t3
  }

  get(slot: number): Exemplar | undefined {
    const place = slot < this.#places.length ? this.#places[slot]! : 0
    if (place === 0) return undefined
    const { trace, value, timestampMs } = this.#pool
    return { traceId: hexOf(trace, place * 4), value: value[place]!, timestampMs: timestampMs[place]! }
  }

  /** Gives back all exemplars of a row that is no more. */
  releaseRow(row: number): void {
    const end = Math.min(this.#places.length, (row + 1) * this.#width)
    for (let slot = row * this.#width; slot < end; slot++) {
      if (this.#places[slot] === 0) continue
      this.#pool.release(this.#places[slot]!)
      this.#places[slot] = 0
    }
  }

  /** The pool has given this slot's place to another. */
  forget(slot: number): void {
    this.#places[slot] = 0
  }
}

function hexOf(words: Int32Array, start: number): string {
  let hex = ''
  for (let i = start; i < start + 4; i++) hex += (words[i]! >>> 0).toString(16).padStart(8, '0')
  return hex
}
