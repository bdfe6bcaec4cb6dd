/**
 * Finds a known key among the bytes of a span. Most attribute keys are of no interest and must cost
 * next to nothing: eight bytes and the length choose a bucket, which is nearly always empty for them,
 * and only what is in it is compared in full.
 */
const BUCKETS = 1 << 13

export class KeyTable {
  readonly #first = new Int16Array(BUCKETS).fill(-1)
  readonly #next: Int16Array
  readonly #start: Int32Array
  readonly #length: Int32Array
  readonly #view: DataView

  constructor(keys: readonly string[]) {
    const bytes = new TextEncoder().encode(keys.join(''))
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#next = new Int16Array(keys.length).fill(-1)
    this.#start = new Int32Array(keys.length)
    this.#length = Int32Array.from(keys, (key) => Buffer.byteLength(key))
    let start = 0
    for (let i = 0; i < keys.length; i++) {
      const length = this.#length[i]!
      this.#start[i] = start
      const bucket = bucketOf(this.#view, start, length)
      start += length
      this.#next[i] = this.#first[bucket]!
      this.#first[bucket] = i
    }
  }

  /** Index of the key at `[start, start+length)` in the list given, -1 when it is not there. */
  find(view: DataView, start: number, length: number): number {
    if (length === 0) return -1
    let i = this.#first[bucketOf(view, start, length)]!
    while (i >= 0) {
      if (this.#length[i] === length && sameBytes(this.#view, this.#start[i]!, view, start, length)) return i
      i = this.#next[i]!
    }
    return -1
  }
}

/** Compares eight or four bytes at a time, the last of them perhaps twice. Both ranges lie within their views. */
export function sameBytes(a: DataView, at: number, b: DataView, start: number, length: number): boolean {
  if (length > 8) {
    const last = length - 8
    for (let k = 0; k < last; k += 8) if (a.getBigInt64(at + k, true) !== b.getBigInt64(start + k, true)) return false
    return a.getBigInt64(at + last, true) === b.getBigInt64(start + last, true)
  }
  if (length < 4) {
    for (let k = 0; k < length; k++) if (a.getUint8(at + k) !== b.getUint8(start + k)) return false
    return true
  }
  const last = length - 4
  for (let k = 0; k < last; k += 4) if (a.getInt32(at + k) !== b.getInt32(start + k)) return false
  return a.getInt32(at + last) === b.getInt32(start + last)
}

/** Eight bytes of the key, in two loads: its last four, and four of its middle. */
function bucketOf(view: DataView, start: number, length: number): number {
  if (length < 8) return (Math.imul(length, 0x2f) ^ (view.getUint8(start) << 4) ^ view.getUint8(start + length - 1)) & (BUCKETS - 1)
  const h = Math.imul(view.getInt32(start + length - 4) ^ Math.imul(length, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(view.getInt32(start + (length >> 1) - 2), 0xc2b2ae35)
  return (h ^ (h >>> 15)) & (BUCKETS - 1)
}
