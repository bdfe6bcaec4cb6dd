/**
 * The rows that a step counts into, remembered by what the step is: most steps of a second are like one of a few
 * thousand, and looking up four families for each was half of the cost of counting. An entry is good for the
 * second it was made in: looked up again once a second its rows stay touched, and a row that expires
 * has not been in use for a day. One entry to a place; another step takes it over.
 */
const PLACES = 1 << 13
const KEY = 9

export class StepRows {
  /** Rows of all entries, in the order in which who looks them up keeps them; -1 is not looked up yet. */
  readonly rows: Int32Array
  readonly #width: number
  readonly #keys = new Int32Array(PLACES * KEY).fill(-1)

  /** `width`: rows of an entry. */
  constructor(width: number) {
    this.#width = width
    this.rows = new Int32Array(PLACES * width)
  }

  /** Place of the rows of this kind of step: `rows[place]` and those after it. */
  find(second: number, a: number, b: number, c: number, d: number, e: number, f: number, g: number, packed: number): number {
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f)
    h ^= Math.imul(e, 0x165667b1) ^ Math.imul(f, 0x2c1b3c6d) ^ Math.imul(g, 0x297a2d39) ^ Math.imul(packed, 0x1b56c4e9)
    const place = (h ^ (h >>> 15)) & (PLACES - 1)
    const keys = this.#keys
    const k = place * KEY
    if (keys[k] !== a || keys[k + 1] !== b || keys[k + 2] !== c || keys[k + 3] !== d || keys[k + 4] !== e || keys[k + 5] !== f || keys[k + 6] !== g || keys[k + 7] !== packed || keys[k + 8] !== second) {
      keys[k] = a
      keys[k + 1] = b
      keys[k + 2] = c
      keys[k + 3] = d
      keys[k + 4] = e
      keys[k + 5] = f
      keys[k + 6] = g
      keys[k + 7] = packed
      keys[k + 8] = second
      for (let i = 0; i < this.#width; i++) this.rows[place * this.#width + i] = -1
    }
    return place * this.#width
  }

  /** Forgets all: numbers of strings or rows have changed their meaning. */
  clear(): void {
    this.#keys.fill(-1)
  }
}
