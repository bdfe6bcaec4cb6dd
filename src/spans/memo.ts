/**
 * Attributes as they were the last time. Spans repeat themselves: the same keys in the same order, and most values are one of a few
 * dozen (an operation, a provider, a model). So what follows an attribute in a span of this name is guessed from what followed it the last
 * time, and a guess is checked by comparing bytes: no hash of the key, and none of the value. A wrong guess costs a comparison.
 *
 * What is kept is either the key alone, or key and value with the number of the value's string.
 */
import type { StringTable } from './strings.ts'

const PLACES = 1 << 12
/** More than places, so that few attributes share a trail: of two that do, each always finds the other's follower. */
const TRAIL_BITS = 15
const WIDTH_SHIFT = 7
const LEAST_BYTES = 8
const MOST_BYTES = 1 << WIDTH_SHIFT
/** A place that is taken is given away only at every so many calls for one, so that two that want the same do not drive each other out. */
const PATIENCE = 15
/** Of `key`: no rule is for it. Of `value`: the key alone is kept. */
const NONE = -1

export class AttributeMemo {
  /** Index of the key's rules, -1 where it has none. */
  readonly key = new Int32Array(PLACES).fill(NONE)
  /** Number of the value's string, -1 where only the key is kept. */
  readonly value = new Int32Array(PLACES).fill(NONE)
  /** Bytes kept: of tags, lengths and key, and of the value if it is kept. 0: nothing. */
  readonly length = new Int32Array(PLACES)
  readonly #strings: StringTable
  readonly #bytes = new Uint8Array(PLACES << WIDTH_SHIFT)
  readonly #view = new DataView(this.#bytes.buffer)
  /** By a trail (an attribute and the span's name): the place of what followed the last time. */
  readonly #next = new Int16Array(1 << TRAIL_BITS)
  #generation = 0
  #calls = 0

  constructor(strings: StringTable) {
    this.#strings = strings
  }

  /** To be called before each body: numbers of strings change their meaning with a sweep. True: they have. */
  refresh(): boolean {
    if (this.#generation === this.#strings.generation) return false
    this.#generation = this.#strings.generation
    this.length.fill(0)
    return true
  }

  /** Where the attribute at `[start, end)` is kept, if it is the one that followed this trail the last time; -1. */
  guess(view: DataView, start: number, end: number, trail: number): number {
    const place = this.#next[trail]!
    return this.#holds(place, view, start, end) ? place : NONE
  }

  /** Where it is kept, whatever came before it; -1 when it is not. `keyBytes`: its tags, length and key. */
  find(view: DataView, start: number, end: number, keyBytes: number, isText: boolean): number {
    if (isText) {
      const place = placeOf(view, start, end - start)
      if (this.#holds(place, view, start, end)) return place
    }
    const place = placeOf(view, start, keyBytes)
    return this.#holds(place, view, start, end) ? place : NONE
  }

  /** Keeps the first `length` bytes: the key alone, or the whole attribute. Its place; -1 when it is not kept. */
  keep(body: Uint8Array, view: DataView, start: number, length: number, key: number, value: number): number {
    if (length < LEAST_BYTES || length > MOST_BYTES) return NONE
    const place = placeOf(view, start, length)
    if (this.length[place] !== 0 && (++this.#calls & PATIENCE) !== 0) return NONE
    this.length[place] = length
    this.key[place] = key
    this.value[place] = value
    this.#bytes.set(body.subarray(start, start + length), place << WIDTH_SHIFT)
    return place
  }

  follow(trail: number, place: number): void {
    this.#next[trail] = place
  }

  #holds(place: number, view: DataView, start: number, end: number): boolean {
    const length = this.length[place]!
    if (length === 0 || (this.value[place]! < 0 ? length >= end - start : length !== end - start)) return false
    const kept = this.#view
    const at = place << WIDTH_SHIFT
    const last = length - 8
    // V8 compares two of these in registers; eight bytes at a time are a tenth of the scan less than four.
    for (let k = 0; k < last; k += 8) if (kept.getBigInt64(at + k, true) !== view.getBigInt64(start + k, true)) return false
    return kept.getBigInt64(at + last, true) === view.getBigInt64(start + last, true)
  }
}

/** Where the trail through a span begins: by the end of its name, which often names the model or the tool. */
export function trailOf(view: DataView, nameStart: number, nameLength: number): number {
  const h = Math.imul(nameLength < 4 ? nameLength : view.getInt32(nameStart + nameLength - 4, true) ^ nameLength, 0x9e3779b1)
  return h >>> (32 - TRAIL_BITS)
}

/** The trail after one more attribute. */
export function trailAfter(name: number, place: number): number {
  return (name + Math.imul(place, 0x2c1b3c6d)) & ((1 << TRAIL_BITS) - 1)
}

/** By eight of its bytes and the length: the last four, and four of the middle. */
function placeOf(view: DataView, start: number, length: number): number {
  if (length < LEAST_BYTES) return 0
  const h = Math.imul(view.getInt32(start + length - 5, true) ^ Math.imul(length, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(view.getInt32(start + (length >> 1) - 2, true), 0xc2b2ae35)
  return (h ^ (h >>> 15)) & (PLACES - 1)
}
