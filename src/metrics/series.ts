/**
 * From a tuple of label numbers to a row: open addressing over Int32Array. A hit compares all six numbers,
 * so two series never share a row, whatever their label values say.
 *
 * Keys are six wide whatever the metric has, because comparing six integers costs less than a loop that
 * knows how many there are. A freed row is given to a later series.
 */
export const KEY_WIDTH = 6

export class SeriesIndex {
  /** Series held now. */
  size = 0
  /** Rows ever handed out: every live row is below this. */
  rows = 0
  /** Room for rows in the columns; doubles when `rows` reaches it. */
  capacity = 64
  /** Second of the last lookup of each row. */
  touched = new Uint32Array(this.capacity)
  /** Number of the scrape before which each row was created, 0 for a row that is free. */
  born = new Uint32Array(this.capacity)
  /** 1 for a series made past the limit, in the room reserved for overflow. */
  reserved = new Uint8Array(this.capacity)

  #keys = new Int32Array(this.capacity * KEY_WIDTH)
  #slots = new Int32Array(this.capacity * 2) // row + 1, 0 is free
  #mask = this.capacity * 2 - 1
  #free: number[] = []

  /** The row of a series, -1 when there is none. */
  find(a: number, b: number, c: number, d: number, e: number, f: number): number {
    const slots = this.#slots
    const keys = this.#keys
    const mask = this.#mask
    let slot = hashOf(a, b, c, d, e, f) & mask
    for (;;) {
      const row = slots[slot]! - 1
      if (row < 0) return -1
      const k = row * KEY_WIDTH
      if (
        keys[k] === a && keys[k + 1] === b && keys[k + 2] === c &&
        keys[k + 3] === d && keys[k + 4] === e && keys[k + 5] === f
      ) return row
      slot = (slot + 1) & mask
    }
  }

  /** The row of a series that `find` did not find. The caller's columns must have room for `capacity` rows afterwards. */
  insert(a: number, b: number, c: number, d: number, e: number, f: number, born: number, second: number): number {
    const row = this.#free.pop() ?? this.#append()
    const k = row * KEY_WIDTH
    const keys = this.#keys
    keys[k] = a
    keys[k + 1] = b
    keys[k + 2] = c
    keys[k + 3] = d
    keys[k + 4] = e
    keys[k + 5] = f
    this.born[row] = born
    this.touched[row] = second
    this.reserved[row] = 0
    this.#place(row)
    this.size++
    return row
  }

  /** Frees a row. What probed past it moves back, so no tombstones gather over weeks of expiry. */
  remove(row: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let hole = this.#home(row)
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask
    let slot = hole
    for (;;) {
      slot = (slot + 1) & mask
      const next = slots[slot]! - 1
      if (next < 0) break
      // Distance from its home to where it sits, against the distance to the hole: it may move if the hole is not before its home.
      if (((slot - this.#home(next)) & mask) < ((slot - hole) & mask)) continue
      slots[hole] = next + 1
      hole = slot
    }
    slots[hole] = 0
    this.born[row] = 0
    this.#free.push(row)
    this.size--
  }

  /** The number of one label of a row. */
  label(row: number, column: number): number {
    return this.#keys[row * KEY_WIDTH + column]!
  }

  #append(): number {
    if (this.rows === this.capacity) this.#grow()
    return this.rows++
  }

  #grow(): void {
    this.capacity *= 2
    this.touched = grown(this.touched, new Uint32Array(this.capacity))
    this.born = grown(this.born, new Uint32Array(this.capacity))
    this.reserved = grown(this.reserved, new Uint8Array(this.capacity))
    this.#keys = grown(this.#keys, new Int32Array(this.capacity * KEY_WIDTH))
    this.#slots = new Int32Array(this.capacity * 2)
    this.#mask = this.capacity * 2 - 1
    for (let row = 0; row < this.rows; row++) if (this.born[row] !== 0) this.#place(row)
  }

  #place(row: number): void {
    const slots = this.#slots
    let slot = this.#home(row)
    while (slots[slot] !== 0) slot = (slot + 1) & this.#mask
    slots[slot] = row + 1
  }

  #home(row: number): number {
    const keys = this.#keys
    const k = row * KEY_WIDTH
    return hashOf(keys[k]!, keys[k + 1]!, keys[k + 2]!, keys[k + 3]!, keys[k + 4]!, keys[k + 5]!) & this.#mask
  }
}

/** `to` with the values of `from` at its start. */
export function grown<T extends Uint8Array | Int32Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Six independent products, so that the processor does them side by side; then one mixing of the sum. */
function hashOf(a: number, b: number, c: number, d: number, e: number, f: number): number {
  let h =
    (Math.imul(a, 0x9e3779b1) + Math.imul(b, 0x85ebca6b) + Math.imul(c, 0xc2b2ae35) +
      Math.imul(d, 0x27d4eb2f) + Math.imul(e, 0x165667b1) + Math.imul(f, 0x2c1b3c6d)) | 0
  h ^= h >>> 16
  h = Math.imul(h, 0x7feb352d)
  return h ^ (h >>> 15)
}
