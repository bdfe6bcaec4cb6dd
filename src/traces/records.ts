/**
 * What is kept of each span of an open request: 32 bytes, and 20 to 56 more for a model call. Records live
 * in blocks of eight, a list of blocks per request, in arrays allocated once: the operating system
 * gives them memory as they are touched, so an idle bridge is small and a full one has a limit.
 * Within a block the fields are columns, so looking for a span id among eight touches one cache line.
 */
import type { Reason } from '../spans/names.ts'

export const BLOCK = 8
const SHIFT = 6 // a block is 64 words

/** Columns of a record. */
const ID_LO = 0, ID_HI = 8, PARENT = 16, START = 24, SECONDS = 32, NAME = 40, PACKED = 48, CALL = 56

/** Columns of a call, and of what only some calls tell. */
const CALL_WORDS = 5
const DETAIL_WORDS = 9

export const Flag = {
  arrived: 1 << 9,
  failed: 1 << 10,
  native: 1 << 11,
  attempt: 1 << 12,
  /** The same call is counted in another request. */
  twin: 1 << 13,
  localRoot: 1 << 14,
} as const

export class Records {
  readonly blockCapacity: number
  /** Next block of the request, -1 at the end. */
  readonly next: Int32Array
  /** Row of the request whose records a block holds; -1: free, or fingerprints. */
  readonly owner: Int32Array
  /** Scratch while a request is read: the place of a block's first record in it. */
  readonly ordinal: Int32Array
  /** Why spans failed, by record, until their request settles. */
  readonly reasons = new Map<number, Reason>()
  /** Records of spans that tell of a compressed history, until their request settles. */
  readonly compacted = new Set<number>()
  readonly #words: Int32Array
  readonly #floats: Float32Array
  readonly #calls: Pool
  readonly #details: Pool
  readonly #detailFloats: Float32Array
  #freeBlock = -1
  #fresh = 0
  blocksUsed = 0

  constructor(blockCapacity: number) {
    this.blockCapacity = blockCapacity
    this.next = new Int32Array(blockCapacity)
    this.ordinal = new Int32Array(blockCapacity)
    this.owner = new Int32Array(blockCapacity).fill(-1)
    const buffer = new ArrayBuffer(blockCapacity << (SHIFT + 2))
    this.#words = new Int32Array(buffer)
    this.#floats = new Float32Array(buffer)
    this.#calls = new Pool(blockCapacity * BLOCK, CALL_WORDS)
    this.#details = new Pool(blockCapacity * BLOCK, DETAIL_WORDS)
    this.#detailFloats = new Float32Array(this.#details.words.buffer)
  }

  /** Blocks that can still be had. */
  get room(): number {
    return this.blockCapacity - this.blocksUsed
  }

  /** A block for the records of a request, or with -1 for fingerprints. */
  takeBlock(row: number): number {
    let block = this.#freeBlock
    if (block >= 0) this.#freeBlock = this.next[block]!
    else block = this.#fresh++
    this.next[block] = -1
    this.owner[block] = row
    this.blocksUsed++
    const calls = (block << SHIFT) + CALL
    for (let slot = 0; slot < BLOCK; slot++) this.#words[calls + slot] = 0
    return block
  }

  /** Gives back a block and the calls of its records. */
  freeBlock(block: number): void {
    const at = block << SHIFT
    for (let slot = 0; slot < BLOCK; slot++) {
      const call = this.#words[at + CALL + slot]!
      if (call === 0) continue
      const detail = this.#calls.words[(call - 1) * CALL_WORDS + 4]!
      if (detail !== 0) this.#details.free(detail - 1)
      this.#calls.free(call - 1)
      this.#words[at + CALL + slot] = 0
    }
    this.owner[block] = -1
    this.next[block] = this.#freeBlock
    this.#freeBlock = block
    this.blocksUsed--
  }

  /** Slot of a span id in a block's first `fill` records, -1 when it is not there. */
  find(block: number, fill: number, idHi: number, idLo: number): number {
    const words = this.#words
    const at = block << SHIFT
    // Nearly always it is in none of a full block's.
    if (fill === BLOCK && words[at] !== idLo && words[at + 1] !== idLo && words[at + 2] !== idLo && words[at + 3] !== idLo
      && words[at + 4] !== idLo && words[at + 5] !== idLo && words[at + 6] !== idLo && words[at + 7] !== idLo) return -1
    for (let slot = 0; slot < fill; slot++) if (words[at + slot] === idLo && words[at + ID_HI + slot] === idHi) return slot
    return -1
  }

  is(record: number, idHi: number, idLo: number): boolean {
    const at = place(record)
    return this.#words[at] === idLo && this.#words[at + ID_HI] === idHi
  }

  /** A record with nothing but its id: a place for a span that has not come. */
  setId(record: number, idHi: number, idLo: number): void {
    const at = place(record)
    this.#words[at + ID_LO] = idLo
    this.#words[at + ID_HI] = idHi
    this.#words[at + PACKED] = 0
    this.#words[at + PARENT] = 0
    this.#words[at + NAME] = 0
  }

  /** `startTicks`: tens of microseconds from the request's base; `packed`: see `pack`. */
  set(record: number, parent: number, startTicks: number, seconds: number, name: number, packed: number): void {
    const at = place(record)
    this.#words[at + PARENT] = parent + 1
    this.#words[at + START] = startTicks
    this.#floats[at + SECONDS] = seconds
    this.#words[at + NAME] = name
    this.#words[at + PACKED] = packed
  }

  /** Tokens are -1 where the span does not tell. */
  setCall(record: number, provider: number, input: number, output: number, response: number): number {
    const call = this.#calls.take()
    const at = call * CALL_WORDS
    const words = this.#calls.words
    words[at] = provider
    words[at + 1] = input
    words[at + 2] = output
    words[at + 3] = response
    words[at + 4] = 0
    this.#words[place(record) + CALL] = call + 1
    return call
  }

  /** What only some calls tell; -1 where the span does not. */
  setDetail(call: number, cached: number, cacheWrite: number, reasoning: number, messages: number, firstTokenSeconds: number, costUsd: number, tier: number, inputHash: number): void {
    const detail = this.#details.take()
    const at = detail * DETAIL_WORDS
    const words = this.#details.words
    words[at] = cached
    words[at + 1] = cacheWrite
    words[at + 2] = reasoning
    words[at + 3] = messages
    this.#detailFloats[at + 4] = firstTokenSeconds
    COST[0] = costUsd
    words[at + 5] = COST_WORDS[0]!
    words[at + 6] = COST_WORDS[1]!
    words[at + 7] = tier
    words[at + 8] = inputHash
    this.#calls.words[call * CALL_WORDS + 4] = detail + 1
  }

  idLo(record: number): number { return this.#words[place(record) + ID_LO]! }
  idHi(record: number): number { return this.#words[place(record) + ID_HI]! }
  /** -1: a root. */
  parent(record: number): number { return this.#words[place(record) + PARENT]! - 1 }
  start(record: number): number { return this.#words[place(record) + START]! }
  seconds(record: number): number { return this.#floats[place(record) + SECONDS]! }
  name(record: number): number { return this.#words[place(record) + NAME]! }
  packed(record: number): number { return this.#words[place(record) + PACKED]! }
  setPacked(record: number, packed: number): void { this.#words[place(record) + PACKED] = packed }
  /** -1: not a call. */
  call(record: number): number { return this.#words[place(record) + CALL]! - 1 }

  provider(call: number): number { return this.#calls.words[call * CALL_WORDS]! }
  input(call: number): number { return this.#calls.words[call * CALL_WORDS + 1]! }
  output(call: number): number { return this.#calls.words[call * CALL_WORDS + 2]! }
  /** Half of the hash of the response id, 0 where there is none. */
  response(call: number): number { return this.#calls.words[call * CALL_WORDS + 3]! }
  /** -1: nothing more is known of the call. */
  detail(call: number): number { return this.#calls.words[call * CALL_WORDS + 4]! - 1 }
  /** cached, cache write, reasoning, messages by `which` 0–3; -1 where the span does not tell. */
  detailAt(detail: number, which: number): number { return this.#details.words[detail * DETAIL_WORDS + which]! }
  /** -1: the span does not tell. */
  firstTokenSeconds(detail: number): number { return this.#detailFloats[detail * DETAIL_WORDS + 4]! }
  /** Reported cost in USD, -1 where the span does not tell. */
  costUsd(detail: number): number {
    COST_WORDS[0] = this.#details.words[detail * DETAIL_WORDS + 5]!
    COST_WORDS[1] = this.#details.words[detail * DETAIL_WORDS + 6]!
    return COST[0]!
  }

  /** One of `ServiceTier`. */
  tier(detail: number): number { return this.#details.words[detail * DETAIL_WORDS + 7]! }

  inputHash(detail: number): number { return this.#details.words[detail * DETAIL_WORDS + 8]! }

  /** Row of the request that a record belongs to, -1 when its request has settled. */
  rowOf(record: number): number { return this.owner[record >> 3]! }
  /** Whether a record is that of an open request's call with this response. */
  tells(record: number, response: number): boolean {
    if (record < 0 || this.rowOf(record) < 0) return false
    const call = this.call(record)
    return call >= 0 && this.response(call) === response
  }

  /** Takes over what another record tells of the same call: all of it, or only what this one does not tell. */
  adopt(record: number, from: number, all: boolean): void {
    const a = this.call(record)
    const b = this.call(from)
    if (a < 0 || b < 0) return
    const words = this.#calls.words
    const at = a * CALL_WORDS
    const of = b * CALL_WORDS
    if (words[of + 1]! >= 0 && (all || words[at + 1]! < 0)) {
      words[at + 1] = words[of + 1]!
      words[at + 2] = words[of + 2]!
      // Cached and reasoning tokens belong to the counts they are parts of.
      const detail = this.detail(b)
      if (detail >= 0) {
        const own = this.detail(a)
        if (own >= 0) for (let i = 0; i < 3; i++) this.#details.words[own * DETAIL_WORDS + i] = this.detailAt(detail, i)
        else this.setDetail(a, this.detailAt(detail, 0), this.detailAt(detail, 1), this.detailAt(detail, 2), this.detailAt(detail, 3), this.firstTokenSeconds(detail), this.costUsd(detail), this.tier(detail), this.inputHash(detail))
      }
    }
    if (words[at] === 0) words[at] = words[of]!
  }

  shiftStart(record: number, ticks: number): void {
    const at = place(record) + START
    this.#words[at] = clampTicks(this.#words[at]! + ticks)
  }

  /** A settled request keeps only which spans it had: 63 fingerprints and, behind them, their number in one block. */
  static readonly FINGERPRINTS = 63
  print(block: number, place: number): number { return this.#words[(block << SHIFT) + place]! }
  setPrint(block: number, place: number, print: number): void { this.#words[(block << SHIFT) + place] = print }
  releaseFingerprints(block: number): void {
    this.next[block] = this.#freeBlock
    this.#freeBlock = block
    this.blocksUsed--
  }
}

const COST = new Float64Array(1)
const COST_WORDS = new Int32Array(COST.buffer)

/** To 2^-20 s, about a microsecond, so that a sum of durations is exact and does not depend on its order. */
export function roundSeconds(seconds: number): number {
  return Math.round(seconds * 1_048_576) / 1_048_576
}

/** Six hours each way: what is further from its request's first span is damage, and is only told to be far. */
export function clampTicks(ticks: number): number {
  return Math.max(-0x7fffffff, Math.min(0x7fffffff, ticks))
}

function place(record: number): number {
  return ((record >> 3) << SHIFT) + (record & 7)
}

/** kind in 4 bits, cause in 5, flags in 7, the service's place in the assembler's list in 16. */
export function pack(kind: number, cause: number, flags: number, source: number): number {
  return kind | (cause << 4) | flags | (source << 16)
}
export const kindOf = (packed: number): number => packed & 15
export const causeIn = (packed: number): number => (packed >> 4) & 31
export const sourceOf = (packed: number): number => packed >>> 16

/** Rows of equal length with a free list. The capacity is an upper bound that is only touched as it is used. */
class Pool {
  readonly words: Int32Array
  readonly #width: number
  #free = -1
  #fresh = 0

  constructor(capacity: number, width: number) {
    this.words = new Int32Array(capacity * width)
    this.#width = width
  }

  take(): number {
    if (this.#free < 0) return this.#fresh++
    const row = this.#free
    this.#free = this.words[row * this.#width]!
    return row
  }

  free(row: number): void {
    this.words[row * this.#width] = this.#free
    this.#free = row
  }
}
