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
      const words = this.#newBlock(row)
      const n = Math.min(Records.FINGERPRINTS, count - from)
      for (let k = 0; k < n; k++) words[k] = prints[from + k]!
      words[Records.FINGERPRINTS] = n
    }
  }

  /** Adds a span of a remembered request. False: it was there. */
  add(row: number, idHi: number, idLo: number): boolean {
    const records = this.#records
    const print = fingerprint(idHi, idLo)
    const first = this.#requests.ints[(row << 5) + Row.seen]!
    for (let block = first; block >= 0; block = records.next[block]!) {
      const words = records.fingerprints(block)
      for (let i = 0; i < words[Records.FINGERPRINTS]!; i++) if (words[i] === print) return false
    }
    let words = first < 0 ? undefined : records.fingerprints(first)
    if (words === undefined || words[Records.FINGERPRINTS]! >= Records.FINGERPRINTS) {
      if (records.room <= LEFT) return true
      words = this.#newBlock(row)
    }
    words[words[Records.FINGERPRINTS]!++] = print
    return true
  }

  forget(row: number): void {
    for (let block = this.#requests.ints[(row << 5) + Row.seen]!; block >= 0;) {
      const next = this.#records.next[block]!
      this.#records.releaseFingerprints(block)
      block = next
    }
  }

  #newBlock(row: number): Int32Array {
    const block = this.#records.takeBlock(-1)
    const words = this.#records.fingerprints(block)
    words[Records.FINGERPRINTS] = 0
    this.#records.next[block] = this.#requests.ints[(row << 5) + Row.seen]!
    this.#requests.ints[(row << 5) + Row.seen] = block
    return words
  }
}

function fingerprint(idHi: number, idLo: number): number {
  return Math.imul(idHi, 0x9e3779b1) ^ idLo
}
