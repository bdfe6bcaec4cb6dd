/**
 * The requests the bridge has in hand, as rows of typed arrays: which traces belong to one, where its
 * records are, and what its root said. A row is open, then rooted, then settled (remembered for late
 * spans), then free. All rows exist from the start, so their number is a limit.
 */
import { BLOCK } from './records.ts'

/** What is known of a row besides its state. */
export const RowFlag = { joined: 1, agentSeen: 2, twins: 4, failed: 8, compacted: 16 } as const

export const State = { free: 0, open: 1, rooted: 2, settled: 3 } as const

export class Requests {
  readonly capacity: number
  /** Grows when a row is freed: an entry of a queue that names an older one is stale. */
  readonly generation: Int32Array
  readonly state: Uint8Array
  /** 128 bytes a row, two cache lines: first the doubles, then the integers, at the places in `Row`. */
  readonly doubles: Float64Array
  readonly ints: Int32Array
  #free: Int32Array
  #freeCount: number

  readonly #traces: TraceTable

  constructor(capacity: number) {
    this.capacity = capacity
    const ints = () => new Int32Array(capacity)
    this.generation = ints()
    this.state = new Uint8Array(capacity)
    this.doubles = new Float64Array(capacity * 16)
    this.ints = new Int32Array(this.doubles.buffer)
    this.#free = ints()
    this.#freeCount = capacity
    for (let i = 0; i < capacity; i++) this.#free[i] = capacity - 1 - i
    this.#traces = new TraceTable(capacity + (capacity >> 2))
  }

  get used(): number {
    return this.capacity - this.#freeCount
  }

  get full(): boolean {
    return this.#freeCount === 0 || this.#traces.full
  }

  /** The row of a trace, -1 when it has none. */
  find(trace: Int32Array, at = 0): number {
    return this.#traces.find(trace[at]!, trace[at + 1]!, trace[at + 2]!, trace[at + 3]!)
  }

  /** A row for a trace that has none. The caller has made room. */
  open(trace: Int32Array, nowMs: number): number {
    const row = this.#free[--this.#freeCount]!
    this.#traces.add(trace[0]!, trace[1]!, trace[2]!, trace[3]!, row)
    this.state[row] = State.open
    const i = row << 5
    const { ints } = this
    ints[i + Row.firstBlock] = -1
    ints[i + Row.lastBlock] = -1
    ints[i + Row.fill] = 0
    ints[i + Row.records] = 0
    ints[i + Row.root] = -1
    ints[i + Row.lastParent] = -1
    ints[i + Row.flags] = 0
    ints[i + Row.service] = 0
    const d = row << 4
    const { doubles } = this
    doubles[d + Row.baseMs] = 0
    doubles[d + Row.startMs] = Infinity
    doubles[d + Row.endMs] = 0
    doubles[d + Row.seenMs] = nowMs
    doubles[d + Row.weight] = 1
    doubles[d + Row.costUsd] = 0
    for (let which = 0; which < TOLD; which++) {
      ints[i + Row.told + which] = 0
      doubles[d + Row.toldRank + which] = Infinity
    }
    return row
  }

  /** Another trace of the same request. */
  alias(trace: Int32Array, at: number, row: number): void {
    this.#traces.add(trace[at]!, trace[at + 1]!, trace[at + 2]!, trace[at + 3]!, row)
  }

  /** The traces of `from` become traces of `to`, and `from` is free. */
  merge(from: number, to: number): void {
    this.#traces.rename(from, to)
    this.release(from)
  }

  /** What the spans of `from` told of their request is told of `to`. */
  adopt(to: number, from: number): void {
    const { ints, doubles } = this
    const i = to << 5, d = to << 4
    const j = from << 5, e = from << 4
    if (ints[i + Row.root]! < 0 && ints[j + Row.root]! >= 0) {
      ints[i + Row.root] = ints[j + Row.root]!
      ints[i + Row.service] = ints[j + Row.service]!
    }
    doubles[d + Row.startMs] = Math.min(doubles[d + Row.startMs]!, doubles[e + Row.startMs]!)
    doubles[d + Row.endMs] = Math.max(doubles[d + Row.endMs]!, doubles[e + Row.endMs]!)
    doubles[d + Row.seenMs] = Math.max(doubles[d + Row.seenMs]!, doubles[e + Row.seenMs]!)
    doubles[d + Row.weight] = Math.max(doubles[d + Row.weight]!, doubles[e + Row.weight]!)
    doubles[d + Row.costUsd]! += doubles[e + Row.costUsd]!
    ints[i + Row.flags]! |= ints[j + Row.flags]!
    for (let which = 0; which < TOLD; which++) {
      const text = this.toldOf(from, which)
      if (text !== 0) this.tell(to, which, text, this.toldRankOf(from, which), ints[j + Row.toldId + which]!)
    }
  }

  /** The first trace id of a row, into `out`. */
  traceOf(row: number, out: Int32Array): void {
    this.#traces.idOf(row, out)
  }

  /** Visits all traces of a row: each is four words of `ids` from `at` on. */
  eachTrace(row: number, visit: (ids: Int32Array, at: number) => void): void {
    this.#traces.each(row, visit)
  }

  free(row: number): void {
    this.#traces.remove(row)
    this.release(row)
  }

  private release(row: number): void {
    this.state[row] = State.free
    this.generation[row] = (this.generation[row]! + 1) | 0
    this.#free[this.#freeCount++] = row
  }

  /** Keeps the best telling of tenant (0), project (1) or agent (2). Equal tellings are decided by span id, so that order does not matter. */
  tell(row: number, which: number, text: number, rank: number, spanId: number): void {
    const i = (row << 5) + which
    const d = (row << 4) + Row.toldRank + which
    const best = this.doubles[d]!
    if (rank < best || (rank === best && spanId < this.ints[i + Row.toldId]!)) {
      this.ints[i + Row.told] = text
      this.doubles[d] = rank
      this.ints[i + Row.toldId] = spanId
    }
  }

  /** Records used in one of a row's blocks: all but the last are full. */
  fillOf(row: number, block: number): number {
    const i = row << 5
    return block === this.ints[i + Row.lastBlock] ? this.ints[i + Row.fill]! : BLOCK
  }

  toldOf(row: number, which: number): number {
    return this.ints[(row << 5) + Row.told + which]!
  }

  toldRankOf(row: number, which: number): number {
    return this.doubles[(row << 4) + Row.toldRank + which]!
  }
}

/** Places in a row: of the doubles in `doubles[row * 16 + …]`, of the integers in `ints[row * 32 + …]`. */
export const Row = {
  baseMs: 0, startMs: 1, endMs: 2, seenMs: 3, weight: 4, costUsd: 5,
  /** How good the telling is, lower is better: a root's before a child's, an earlier span's before a later one's. */
  toldRank: 6,
  firstBlock: 18, lastBlock: 19,
  /** Records used in the last block. */
  fill: 20,
  /** Records in all, placeholders for parents that have not come included. */
  records: 21,
  root: 22, lastParent: 23, flags: 24, service: 25,
  /** Text that the spans tell of the whole request, best told so far: tenant, project, agent. */
  told: 26,
  toldId: 29,
  /** Once settled: the block of its spans' fingerprints, where the records were. */
  seen: 18,
} as const

export const TOLD = 3
export const Told = { tenant: 0, project: 1, agent: 2 } as const

/** Trace id → row, and row → its traces. Open addressing with backward-shift deletion: no tombstones to clean up. */
class TraceTable {
  readonly #slots: Int32Array // entry + 1
  readonly #mask: number
  readonly #ids: Int32Array
  readonly #row: Int32Array
  readonly #next: Int32Array
  readonly #first: Int32Array
  #free = -1
  #fresh = 0
  readonly #capacity: number

  constructor(capacity: number) {
    let slots = 16
    while (slots < capacity * 2) slots *= 2
    this.#capacity = capacity
    this.#slots = new Int32Array(slots)
    this.#mask = slots - 1
    this.#ids = new Int32Array(capacity * 4)
    this.#row = new Int32Array(capacity)
    this.#next = new Int32Array(capacity)
    this.#first = new Int32Array(capacity).fill(-1)
  }

  get full(): boolean {
    return this.#free < 0 && this.#fresh >= this.#capacity - 1
  }

  find(a: number, b: number, c: number, d: number): number {
    const ids = this.#ids
    for (let slot = mix(a, b, c, d) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#slots[slot]! - 1
      if (entry < 0) return -1
      const at = entry * 4
      if (ids[at] === a && ids[at + 1] === b && ids[at + 2] === c && ids[at + 3] === d) return this.#row[entry]!
    }
  }

  add(a: number, b: number, c: number, d: number, row: number): void {
    let entry = this.#free
    if (entry >= 0) this.#free = this.#next[entry]!
    else entry = this.#fresh++
    const at = entry * 4
    this.#ids[at] = a
    this.#ids[at + 1] = b
    this.#ids[at + 2] = c
    this.#ids[at + 3] = d
    this.#row[entry] = row
    // Behind the first, which stays the one that names the request.
    const first = this.#first[row]!
    this.#next[entry] = first < 0 ? -1 : this.#next[first]!
    if (first < 0) this.#first[row] = entry
    else this.#next[first] = entry
    let slot = mix(a, b, c, d) & this.#mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot] = entry + 1
  }

  idOf(row: number, out: Int32Array): void {
    const at = this.#first[row]! * 4
    for (let i = 0; i < 4; i++) out[i] = this.#ids[at + i]!
  }

  each(row: number, visit: (ids: Int32Array, at: number) => void): void {
    for (let entry = this.#first[row]!; entry >= 0; entry = this.#next[entry]!) visit(this.#ids, entry * 4)
  }

  rename(from: number, to: number): void {
    const moved = this.#first[from]!
    if (moved < 0) return
    let last = moved
    for (let entry = moved; entry >= 0; entry = this.#next[entry]!) {
      this.#row[entry] = to
      last = entry
    }
    const first = this.#first[to]!
    this.#next[last] = this.#next[first]!
    this.#next[first] = moved
    this.#first[from] = -1
  }

  remove(row: number): void {
    let entry = this.#first[row]!
    while (entry >= 0) {
      const next = this.#next[entry]!
      this.#unslot(entry)
      this.#next[entry] = this.#free
      this.#free = entry
      entry = next
    }
    this.#first[row] = -1
  }

  #unslot(entry: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let slot = this.#home(entry)
    while (slots[slot] !== entry + 1) slot = (slot + 1) & mask
    let hole = slot
    for (let probe = (slot + 1) & mask; slots[probe] !== 0; probe = (probe + 1) & mask) {
      const home = this.#home(slots[probe]! - 1)
      if (((probe - home) & mask) >= ((probe - hole) & mask)) {
        slots[hole] = slots[probe]!
        hole = probe
      }
    }
    slots[hole] = 0
  }

  #home(entry: number): number {
    const at = entry * 4
    const ids = this.#ids
    return mix(ids[at]!, ids[at + 1]!, ids[at + 2]!, ids[at + 3]!) & this.#mask
  }
}

/** Trace ids are random, but need not be: all four words count, multiplied apart. */
function mix(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}
