/**
 * Strings as small integers. Every label value, span name and scope that the bridge keeps is
 * interned here once; series, open requests and lookup tables hold the number. Two equal strings
 * have one number and two different ones never share it, so a tuple of numbers is an injective key.
 *
 * Strings come from strangers: they are cut at `maxLengthBytes`, made valid UTF-8, and their number
 * is limited. What no longer fits becomes `OVERFLOW`, which is counted. `sweep` frees what nothing
 * refers to any more, so that a week of new names does not grow the table.
 */
import { sameBytes } from './keys.ts'

export const EMPTY = 0
export const OVERFLOW = 1
export const OVERFLOW_TEXT = '__overflow__'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

export interface StringTableOptions {
  /** Most strings held at once. */
  readonly capacity?: number
  /** A longer string is cut here, at a character boundary. */
  readonly maxLengthBytes?: number
}

export class StringTable {
  readonly capacity: number
  readonly maxLengthBytes: number
  /** Strings that found no room since the start. */
  overflowed = 0
  /** Grows with every sweep: a cache keyed by numbers is stale when this has changed. */
  generation = 0

  #slots: Int32Array // open addressing: number + 1, 0 is free
  #mask: number
  readonly #hash: Int32Array
  readonly #offset: Int32Array
  readonly #length: Int32Array
  readonly #text: (string | undefined)[]
  #arena = new Uint8Array(1 << 16)
  #arenaView = new DataView(this.#arena.buffer)
  #lastBytes: Uint8Array = this.#arena
  #lastView: DataView = this.#arenaView
  #used = 0
  #next = 0
  #free: number[] = []
  #pinned = new Set<number>()

  constructor(options: StringTableOptions = {}) {
    this.capacity = options.capacity ?? 1 << 17
    this.maxLengthBytes = options.maxLengthBytes ?? 128
    let slots = 1
    while (slots < this.capacity * 2) slots *= 2
    this.#slots = new Int32Array(slots)
    this.#mask = slots - 1
    this.#hash = new Int32Array(this.capacity)
    this.#offset = new Int32Array(this.capacity)
    this.#length = new Int32Array(this.capacity)
    this.#text = new Array<string | undefined>(this.capacity)
    this.pin('')
    this.pin(OVERFLOW_TEXT)
  }

  /** Strings held now. */
  get size(): number {
    return this.#next - this.#free.length
  }

  /** The number of the bytes `bytes[start, start+length)`, which are UTF-8 from the wire. Allocates only for a new string. */
  intern(bytes: Uint8Array, start: number, length: number): number {
    if (length > this.maxLengthBytes) length = cutAtCharacter(bytes, start, this.maxLengthBytes)
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes
      this.#lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const view = this.#lastView
    const hash = hashView(view, start, length)
    const slots = this.#slots
    const mask = this.#mask
    let slot = hash & mask
    for (;;) {
      const id = slots[slot]! - 1
      if (id < 0) break
      if (this.#hash[id] === hash && this.#length[id] === length && sameBytes(this.#arenaView, this.#offset[id]!, view, start, length)) return id
      slot = (slot + 1) & mask
    }
    return this.#insert(bytes, start, length, hash)
  }

  /** The number of a string of our own or of the configuration. */
  internText(text: string): number {
    const bytes = encoder.encode(text)
    return this.intern(bytes, 0, bytes.length)
  }

  /** Like `internText`, and the string is never swept. */
  pin(text: string): number {
    const id = this.internText(text)
    this.#pinned.add(id)
    return id
  }

  text(id: number): string {
    let text = this.#text[id]
    if (text === undefined) {
      const offset = this.#offset[id]!
      text = decoder.decode(this.#arena.subarray(offset, offset + this.#length[id]!))
      this.#text[id] = text
    }
    return text
  }

  /** True when it is time to sweep: three quarters full. */
  get crowded(): boolean {
    return this.size > this.capacity * 0.75
  }

  /**
   * Frees every string that `mark` does not mark. `mark` sets `live[id] = 1` for each number still referred to.
   * Numbers of live strings do not change; freed ones are given to new strings.
   */
  sweep(mark: (live: Uint8Array) => void): void {
    const live = new Uint8Array(this.capacity)
    for (const id of this.#pinned) live[id] = 1
    mark(live)
    const arena = new Uint8Array(this.#arena.length)
    let used = 0
    const free: number[] = []
    this.#slots.fill(0)
    for (let id = 0; id < this.#next; id++) {
      if (live[id] === 0) {
        this.#text[id] = undefined
        this.#length[id] = -1
        free.push(id)
        continue
      }
      const offset = this.#offset[id]!
      const length = this.#length[id]!
      arena.set(this.#arena.subarray(offset, offset + length), used)
      this.#offset[id] = used
      used += length
      this.#place(id, this.#hash[id]!)
    }
    this.#arena = arena
    this.#arenaView = new DataView(arena.buffer)
    this.#used = used
    this.#free = free
    this.generation++
  }

  /** A number of the text itself, the same for as long as the process runs: numbers of strings change their meaning when the table is swept. */
  hashOf(id: number): number {
    return this.#hash[id]!
  }

  #insert(bytes: Uint8Array, start: number, length: number, hash: number): number {
    const raw = bytes.subarray(start, start + length)
    const text = decoder.decode(raw)
    if (text.includes('\uFFFD') || encoderLength(text) !== length) {
      // Not valid UTF-8: two such byte strings can read alike, so the repaired text is what has a number.
      const repaired = encoder.encode(text)
      if (!same(repaired, raw)) return this.intern(repaired, 0, repaired.length)
    }
    const id = this.#free.pop() ?? (this.#next < this.capacity ? this.#next++ : -1)
    if (id < 0) {
      this.overflowed++
      return OVERFLOW
    }
    if (this.#used + length > this.#arena.length) {
      const grown = new Uint8Array(Math.max(this.#arena.length * 2, this.#used + length))
      grown.set(this.#arena)
      this.#arena = grown
      this.#arenaView = new DataView(grown.buffer)
    }
    this.#arena.set(raw, this.#used)
    this.#offset[id] = this.#used
    this.#length[id] = length
    this.#hash[id] = hash
    this.#text[id] = undefined
    this.#used += length
    this.#place(id, hash)
    return id
  }

  #place(id: number, hash: number): void {
    let slot = hash & this.#mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot] = id + 1
  }
}

export function hashBytes(bytes: Uint8Array, start: number, length: number): number {
  return hashView(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, length)
}

/** Four bytes at a time; ids and labels are short, so this is most of the cost of interning. */
export function hashView(view: DataView, start: number, length: number): number {
  let h = Math.imul(length, 0x9e3779b1) ^ SEED
  const end = start + length
  let i = start
  for (; i + 4 <= end; i += 4) {
    h = Math.imul(h ^ view.getInt32(i, true), 0x85ebca6b)
    h ^= h >>> 13
  }
  for (; i < end; i++) h = Math.imul(h ^ view.getUint8(i), 0x01000193)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 12)
}

/** Two hashes in one pass, of every other four bytes each: neither waits for the other. What is left at the end is read with what is before it. */
export function hashTwice(view: DataView, start: number, length: number, to: Int32Array): void {
  let a = Math.imul(length, 0x9e3779b1) ^ SEED
  let b = ~a
  const last = start + length - 8
  for (let i = start; i < last; i += 8) {
    a = Math.imul(a ^ view.getInt32(i, true), 0x85ebca6b)
    a ^= a >>> 13
    b = Math.imul(b ^ view.getInt32(i + 4, true), 0xc2b2ae35)
    b ^= b >>> 15
  }
  if (length < 8) a ^= hashView(view, start, length)
  else {
    a = Math.imul(a ^ view.getInt32(last, true), 0x85ebca6b)
    b = Math.imul(b ^ view.getInt32(last + 4, true), 0xc2b2ae35)
  }
  // A last digit only reaches the bits above it: both are folded, and each takes in the other, in a way that could be undone.
  a = Math.imul((a ^ (a >>> 16)) + Math.imul(b ^ (b >>> 15), 0x9e3779b1), 0x85ebca6b)
  a ^= a >>> 13
  b = Math.imul(b ^ (b >>> 16) ^ a, 0x27d4eb2f)
  a = Math.imul(a, 0xc2b2ae35)
  to[0] = a ^ (a >>> 16)
  to[1] = b ^ (b >>> 15)
}

/** Another one in every process, so that nobody can send strings that are known to collide. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0

function cutAtCharacter(bytes: Uint8Array, start: number, limit: number): number {
  let length = limit
  while (length > limit - 4 && length > 0 && (bytes[start + length]! & 0xc0) === 0x80) length--
  return length
}

function encoderLength(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
