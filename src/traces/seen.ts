/**
 * Of a settled request only which spans it had is kept, four bytes each, for as long as it is remembered: a span that comes
 * again is a repetition, any other is late. The fingerprints lie in the blocks where the records were, 63 to a block.
 */
import { BLOCK, Flag, Records } from './records.ts'
import { Row, type Requests } from './requests.ts'

/** Blocks that are left for the spans of open requests. */
const LEFT = 2

export class SeenSpans {
  readonly #requests: Requests
  readonly #records: Records
  #prints = new Int32Array(64)

  constructor(requests: Requests, records: Records) {
    this.#requests = requests
    this.#records = records
  }

  /** Exchanges the records of a request for their fingerprints. */
  remember(row: number): void {
    const records = this.#records
    const { ints } = this.#requests
    const i = row << 5
    if (this.#prints.length < ints[i + Row.records]!) this.#prints = new Int32Array(ints[i + Row.records]! * 2)
    const prints = this.#prints
    let count = 0
    for (let block = ints[i + Row.firstBlock]!; block >= 0;) {
      const next = records.next[block]!
      const fill = this.#requests.fillOf(row, block)
      for (let slot = 0; slot < fill; slot++) {
        const record = block * BLOCK + slot
        if ((records.packed(record) & Flag.arrived) !== 0) prints[count++] = fingerprint(records.idHi(record), records.idLo(record))
      }
      records.freeBlock(block)
      block = next
    }
    ints[i + Row.seen] = -1
    for (let from = 0; from < count && records.room > LEFT; from += Records.FINGERPRINTS) {
      const block = this.#newBlock(row)
      const n = Math.min(Records.FINGERPRINTS, count - from)
      for (let k = 0; k < n; k++) records.setPrint(block, k, prints[from + k]!)
      records.setPrint(block, Records.FINGERPRINTS, n)
    }
  }

  /** Adds a span of a remembered request. False: it was there. */
  add(row: number, idHi: number, idLo: number): boolean {
    const records = this.#records
    const print = fingerprint(idHi, idLo)
    const first = this.#requests.ints[(row << 5) + Row.seen]!
    for (let block = first; block >= 0; block = records.next[block]!) {
      const prints = records.print(block, Records.FINGERPRINTS)
      for (let i = 0; i < prints; i++) if (records.print(block, i) === print) return false
    }
    let block = first
    if (block < 0 || records.print(block, Records.FINGERPRINTS) >= Records.FINGERPRINTS) {
      if (records.room <= LEFT) return true
      block = this.#newBlock(row)
    }
    const prints = records.print(block, Records.FINGERPRINTS)
    records.setPrint(block, prints, print)
    records.setPrint(block, Records.FINGERPRINTS, prints + 1)
    return true
  }

  forget(row: number): void {
    for (let block = this.#requests.ints[(row << 5) + Row.seen]!; block >= 0;) {
      const next = this.#records.next[block]!
      this.#records.releaseFingerprints(block)
      block = next
    }
  }

  #newBlock(row: number): number {
    const records = this.#records
    const block = records.takeBlock(-1)
    records.setPrint(block, Records.FINGERPRINTS, 0)
    records.next[block] = this.#requests.ints[(row << 5) + Row.seen]!
    this.#requests.ints[(row << 5) + Row.seen] = block
    return block
  }
}

function fingerprint(idHi: number, idLo: number): number {
  return Math.imul(idHi, 0x9e3779b1) ^ idLo
}
