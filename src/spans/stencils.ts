/**
 * The spans of one kind from one SDK are alike: all but ids, times, numbers and answers are the same bytes in the same places. So once
 * its name is read, a span is held against an earlier one of that name and length. Where the two agree in all that says what is what
 * (tags, lengths, keys, and the texts that repeat), only the holes between are read, by the same rules as attribute by attribute, and what
 * the texts that repeat come to is laid on the span at once (image.ts). What is compared is all that decides how the rest is read, so a
 * stencil changes nothing but the time it takes.
 */
import { imageOf, STATUS, type Hole, type Part } from './image.ts'
import { type AttributeMemo, trailAfter } from './memo.ts'
import type { DialectTables } from './tables.ts'

const SLOTS = 1 << 10
/** Longest that is kept, from the length of the name to the end of the span. */
const BYTES_SHIFT = 10
const MOST_BYTES = 1 << BYTES_SHIFT
const OFFSETS_SHIFT = 8
const PIECES_SHIFT = 5
export const PIECE_WORDS = 4
const HEAD_SHIFT = 4
/** Of a head: the length, 0 where there is nothing; where the times are; the SpanKind; where the lists end; and the kind of step, with its rank. */
const LENGTH = 0, START = 1, END = 2, KIND = 3, EIGHTS = 4, FOURS = 5, ONES = 6, TEXTS = 7, PIECES = 8, STEP = 9, RANK = 10
/** One is made for every so many spans that have none, so that spans with nothing in common cost little. */
const PATIENCE = 63
/** Beside a SpanKind: whether there is one; whether there are flags, and they say that the parent is remote. */
export const HAS_KIND = 256, HAS_FLAGS = 512, REMOTE = 128

export class Stencils {
  /** Of each what its texts tell, and then what is to be read (image.ts). */
  readonly pieces = new Int32Array(SLOTS * PIECE_WORDS << PIECES_SHIFT)
  readonly #tables: DialectTables
  readonly #memo: AttributeMemo
  readonly #head = new Int32Array(SLOTS << HEAD_SHIFT)
  readonly #bytes = new Uint8Array(SLOTS << BYTES_SHIFT)
  readonly #view = new DataView(this.#bytes.buffer)
  /** Where to compare eight bytes, a multiple of four such places, then where four, then where one. */
  readonly #offsets = new Int16Array(SLOTS << OFFSETS_SHIFT)
  #misses = 0

  constructor(tables: DialectTables, memo: AttributeMemo) {
    this.#tables = tables
    this.#memo = memo
  }

  /** To be called when numbers of strings have changed their meaning. */
  clear(): void {
    this.#head.fill(0)
  }

  /** The stencil that fits the rest of a span, from the length of its name at `start`; -1. `trail`: of the name. */
  find(view: DataView, start: number, end: number, trail: number): number {
    const length = end - start
    const slot = slotOf(trail, length)
    if (this.#fits(slot, view, start, length)) return slot
    return this.#fits(slot ^ 1, view, start, length) ? slot ^ 1 : -1
  }

  startOf(slot: number): number { return this.#head[(slot << HEAD_SHIFT) + START]! }
  endOf(slot: number): number { return this.#head[(slot << HEAD_SHIFT) + END]! }
  /** The SpanKind, with the bits above. */
  kindOf(slot: number): number { return this.#head[(slot << HEAD_SHIFT) + KIND]! }
  firstPiece(slot: number): number { return slot * PIECE_WORDS << PIECES_SHIFT }
  lastText(slot: number): number { return this.#head[(slot << HEAD_SHIFT) + TEXTS]! }
  /** The kind of step that its texts tell, and by what rank. */
  stepOf(slot: number): number { return this.#head[(slot << HEAD_SHIFT) + STEP]! }
  rankOf(slot: number): number { return this.#head[(slot << HEAD_SHIFT) + RANK]! }
  lastPiece(slot: number): number { return this.#head[(slot << HEAD_SHIFT) + PIECES]! }

  #fits(slot: number, view: DataView, start: number, length: number): boolean {
    const head = this.#head
    const at = slot << HEAD_SHIFT
    if (head[at + LENGTH] !== length) return false
    const kept = this.#view
    const offsets = this.#offsets
    const bytes = slot << BYTES_SHIFT
    let i = slot << OFFSETS_SHIFT
    for (const last = head[at + EIGHTS]!; i < last; i += 4) {
      const a = offsets[i]!, b = offsets[i + 1]!, c = offsets[i + 2]!, d = offsets[i + 3]!
      if (kept.getBigInt64(bytes + a, true) !== view.getBigInt64(start + a, true)) return false
      if (kept.getBigInt64(bytes + b, true) !== view.getBigInt64(start + b, true)) return false
      if (kept.getBigInt64(bytes + c, true) !== view.getBigInt64(start + c, true)) return false
      if (kept.getBigInt64(bytes + d, true) !== view.getBigInt64(start + d, true)) return false
    }
    for (const last = head[at + FOURS]!; i < last; i++) {
      const offset = offsets[i]!
      if (kept.getInt32(bytes + offset) !== view.getInt32(start + offset)) return false
    }
    for (const last = head[at + ONES]!; i < last; i++) {
      const offset = offsets[i]!
      if (kept.getUint8(bytes + offset) !== view.getUint8(start + offset)) return false
    }
    return true
  }

  /** Makes one of a span that has none, if it is time for one and the span is of a form that can be kept. To be called before its attributes are read: what repeats is told by the memo. */
  learn(b: Uint8Array, view: DataView, start: number, end: number, nameTrail: number): void {
    const length = end - start
    if ((++this.#misses & PATIENCE) !== 0 || length > MOST_BYTES) return
    const likely = slotOf(nameTrail, length)
    const slot = this.#head[likely << HEAD_SHIFT] !== 0 && (this.#head[(likely ^ 1) << HEAD_SHIFT] === 0 || (this.#misses & (PATIENCE + 1)) !== 0) ? likely ^ 1 : likely
    const draft = new Draft(start, end)
    this.#head[slot << HEAD_SHIFT] = 0
    if (!this.#read(draft, b, view, nameTrail)) return
    const image = imageOf(this.#tables, draft.parts, b.subarray(start, end))
    const pieces = [...image.texts, ...image.pieces]
    if (!draft.compare() || pieces.length > PIECE_WORDS << PIECES_SHIFT) return
    this.#bytes.set(b.subarray(start, end), slot << BYTES_SHIFT)
    const offset = slot << OFFSETS_SHIFT
    const eights = offset + draft.eights.length
    const fours = eights + draft.fours.length
    const first = this.firstPiece(slot)
    this.#offsets.set([...draft.eights, ...draft.fours, ...draft.ones], offset)
    this.pieces.set(pieces, first)
    this.#head.set([
      length, draft.startTime, draft.endTime, draft.kind, eights, fours, fours + draft.ones.length,
      first + image.texts.length, first + pieces.length, image.kind, image.kindRank,
    ], slot << HEAD_SHIFT)
  }

  /** False: it has something that is read in another way. */
  #read(draft: Draft, b: Uint8Array, view: DataView, nameTrail: number): boolean {
    const { start, end } = draft
    let trail = nameTrail
    if (b[start]! > 127) return false
    for (let p = start + 1 + b[start]!; p < end;) {
      const tag = b[p]!
      if (tag === 74 || tag === 122) {
        const from = afterLength(b, p + 1)
        const to = from + lengthAt(b, p + 1)
        if (from < 0 || to > end) return false
        if (tag === 74) {
          const place = this.#attribute(draft, b, view, from, to, trail)
          if (place === REFUSED) return false
          if (place >= 0) trail = trailAfter(nameTrail, place)
        } else if (to > from) {
          draft.part(STATUS, -1, from, to, draft.hole(from, to))
        }
        p = to
      } else if (tag === 48) {
        if (p + 2 > end || b[p + 1]! > 127) return false
        draft.kind = (draft.kind & ~127) | b[p + 1]! | HAS_KIND
        p += 2
      } else if (tag === 57 || tag === 65) {
        if (p + 9 > end) return false
        if (tag === 57) draft.startTime = p + 1 - start
        else draft.endTime = p + 1 - start
        draft.hole(p + 1, p + 9)
        p += 9
      } else if (tag === 133 && b[p + 1] === 1 && p + 6 <= end) {
        draft.kind = (draft.kind & 127) | (draft.kind & HAS_KIND) | HAS_FLAGS | ((b[p + 3]! & 3) === 3 ? REMOTE : 0)
        p += 6
      } else return false
    }
    return draft.startTime >= 0 && draft.endTime >= 0
  }

  /** Its place in the memo, -1 where it has none, or `REFUSED`. */
  #attribute(draft: Draft, b: Uint8Array, view: DataView, from: number, to: number, trail: number): number {
    const keyLength = b[from + 1]!
    const after = from + 2 + keyLength
    if (b[from] !== 10 || keyLength > 127 || after + 1 >= to || b[after] !== 18) return REFUSED
    const value = afterLength(b, after + 1)
    if (value < 0 || value + lengthAt(b, after + 1) !== to) return REFUSED
    const isText = b[after + 2] === 10 && after + 4 + b[after + 3]! === to && b[after + 1]! < 128
    const place = this.#memo.find(view, from, to, keyLength + 3, isText)
    const text = place < 0 ? -1 : this.#memo.value[place]!
    // A text that was the last one's too, in the same place of a span of this name.
    if (text >= 0 && this.#memo.guess(view, from, to, trail) === place) {
      draft.part(this.#memo.key[place]!, text, from, to)
      return place
    }
    const found = this.#tables.keys.find(view, from + 2, keyLength)
    if (found < 0 && this.#tables.indexedPrefixes.some((prefix) => prefix.every((byte, i) => b[from + 2 + i] === byte))) return REFUSED
    const hole = draft.hole(value, to)
    if (found >= 0 && to > value) draft.part(found, -1, value, to, hole)
    return place
  }
}

const REFUSED = -2

/** A stencil in the making. Places are counted from its start. */
class Draft {
  readonly start: number
  readonly end: number
  readonly parts: Part[] = []
  readonly eights: number[] = []
  readonly fours: number[] = []
  readonly ones: number[] = []
  startTime = -1
  endTime = -1
  kind = 0
  readonly #holes: Hole[] = []

  constructor(start: number, end: number) {
    this.start = start
    this.end = end
  }

  hole(from: number, to: number): Hole {
    const hole = { from: from - this.start, to: to - this.start }
    this.#holes.push(hole)
    return hole
  }

  part(rule: number, text: number, from: number, to: number, hole?: Hole): void {
    this.parts.push({ rule, text, from: from - this.start, to: to - this.start, hole })
  }

  /** Lists what is to be compared: all between the holes. False: more than there is room for. */
  compare(): boolean {
    let from = 0
    for (const hole of [...this.#holes, { from: this.end - this.start, to: 0 }]) {
      const to = hole.from
      const length = to - from
      if (length >= 8) for (let at = from; at < to; at += 8) this.eights.push(Math.min(at, to - 8))
      else if (length >= 4) this.fours.push(from, to - 4)
      else for (let at = from; at < to; at++) this.ones.push(at)
      from = hole.to
    }
    while (this.eights.length % 4 !== 0) this.eights.push(this.eights.at(-1)!)
    return this.eights.length + this.fours.length + this.ones.length <= 1 << OFFSETS_SHIFT
  }
}

function slotOf(trail: number, length: number): number {
  return ((trail ^ Math.imul(length, 0x9e3779b1) >>> 20) << 1) & (SLOTS - 1)
}

/** Where what has its length at `at` begins, -1 where the length has more than two bytes. */
function afterLength(b: Uint8Array, at: number): number {
  return b[at]! < 128 ? at + 1 : b[at + 1]! < 128 ? at + 2 : -1
}

function lengthAt(b: Uint8Array, at: number): number {
  return b[at]! < 128 ? b[at]! : (b[at]! & 127) | (b[at + 1]! << 7)
}
