/**
 * Finds the record of a span of a request by its id. Most requests have a few dozen spans: looking at each, eight in a cache line, is
 * sooner done than any index. Large ones have a map.
 */
import { BLOCK, type Records } from './records.ts'
import { Row, type Requests } from './requests.ts'

/** Past this many records a request's span ids are looked up in a map instead of by looking at each. */
const BIG = 64

export class SpanIndex {
  readonly #requests: Requests
  readonly #records: Records
  readonly #big = new Map<number, Map<number, number>>()

  constructor(requests: Requests, records: Records) {
    this.#requests = requests
    this.#records = records
  }

  /** The record of a span, -1 when there is none. */
  find(row: number, idHi: number, idLo: number): number {
    const requests = this.#requests
    const records = this.#records
    if (requests.ints[(row << 5) + Row.records]! >= BIG) {
      const record = this.#big.get(row)!.get(idKey(idHi, idLo))
      if (record === undefined) return -1
      // Some tracers count their ids up in the bits that the key leaves out.
      if (records.is(record, idHi, idLo)) return record
    }
    const last = requests.ints[(row << 5) + Row.lastBlock]!
    for (let block = requests.ints[(row << 5) + Row.firstBlock]!; block >= 0; block = records.next[block]!) {
      const slot = records.find(block, block === last ? requests.ints[(row << 5) + Row.fill]! : BLOCK, idHi, idLo)
      if (slot >= 0) return block * BLOCK + slot
    }
    return -1
  }

  /** A record for a span that has none. The caller has seen to it that there is a block. */
  add(row: number, idHi: number, idLo: number): number {
    const records = this.#records
    const { ints } = this.#requests
    const i = row << 5
    let fill = ints[i + Row.fill]!
    let block = ints[i + Row.lastBlock]!
    if (block < 0 || fill === BLOCK) {
      const fresh = records.takeBlock(row)
      if (block < 0) ints[i + Row.firstBlock] = fresh
      else records.next[block] = fresh
      ints[i + Row.lastBlock] = block = fresh
      fill = 0
    }
    const record = block * BLOCK + fill
    ints[i + Row.fill] = fill + 1
    const count = ints[i + Row.records]! + 1
    ints[i + Row.records] = count
    records.setId(record, idHi, idLo)
    if (count >= BIG) this.#addBig(row, count, record, idHi, idLo)
    return record
  }

  /** The request has settled. */
  forget(row: number): void {
    if (this.#requests.ints[(row << 5) + Row.records]! >= BIG) this.#big.delete(row)
  }

  /** The records of `from`, if it has any, become records of `to`; `ticks`: how much later the base of its times is. */
  append(to: number, from: number, ticks: number): void {
    const records = this.#records
    const { ints } = this.#requests
    const first = ints[(from << 5) + Row.firstBlock]!
    if (ints[(from << 5) + Row.records] === 0) return
    this.forget(from)
    const wasBig = ints[(to << 5) + Row.records]! >= BIG
    this.#retire(to)
    for (let block = first; block >= 0; block = records.next[block]!) {
      records.owner[block] = to
      for (let slot = 0; slot < BLOCK; slot++) records.shiftStart(block * BLOCK + slot, ticks)
    }
    const last = ints[(to << 5) + Row.lastBlock]!
    if (last < 0) ints[(to << 5) + Row.firstBlock] = first
    else records.next[last] = first
    ints[(to << 5) + Row.lastBlock] = ints[(from << 5) + Row.lastBlock]!
    ints[(to << 5) + Row.fill] = ints[(from << 5) + Row.fill]!
    ints[(to << 5) + Row.records]! += ints[(from << 5) + Row.records]!
    if (wasBig) this.#indexFrom(to, first)
    else if (ints[(to << 5) + Row.records]! >= BIG) this.#indexAll(to)
  }

  /** Marks the unused slots of a row's last block, before another row's blocks come after it. */
  #retire(row: number): void {
    const { ints } = this.#requests
    const block = ints[(row << 5) + Row.lastBlock]!
    if (block < 0) return
    const fill = ints[(row << 5) + Row.fill]!
    for (let slot = fill; slot < BLOCK; slot++) this.#records.setId(block * BLOCK + slot, 0, 0)
    ints[(row << 5) + Row.records]! += BLOCK - fill
  }

  #addBig(row: number, count: number, record: number, idHi: number, idLo: number): void {
    if (count === BIG) this.#indexAll(row)
    else this.#big.get(row)!.set(idKey(idHi, idLo), record)
  }

  #indexAll(row: number): void {
    this.#big.set(row, new Map())
    this.#indexFrom(row, this.#requests.ints[(row << 5) + Row.firstBlock]!)
  }

  /** Puts a request's records into its map, from a block to the last. */
  #indexFrom(row: number, block: number): void {
    const records = this.#records
    const index = this.#big.get(row)!
    for (; block >= 0; block = records.next[block]!) {
      const fill = this.#requests.fillOf(row, block)
      for (let slot = 0; slot < fill; slot++) index.set(idKey(records.idHi(block * BLOCK + slot), records.idLo(block * BLOCK + slot)), block * BLOCK + slot)
    }
  }
}

/** 53 of a span id's 64 bits: enough to tell the spans of one request apart. */
function idKey(idHi: number, idLo: number): number {
  return (idLo >>> 0) + (idHi & 0x1fffff) * 4294967296
}
