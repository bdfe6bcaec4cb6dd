/**
 * How many lines a second are written. In a meltdown every request has one, most of them alike; what is held back is counted, and the next line of
 * its kind stands for it too. The first line of each kind in an interval always passes, so that a rare failure is seen beside a
 * frequent one, and half of the rate is kept for failures.
 */

/** Kinds remembered in one interval: what bounds the lines that pass whatever the rate. */
const MOST_KINDS = 2_000
const INTERVAL_MS = 60_000

export interface Admitted {
  /** How many requests the line stands for: its own weight and those held back before. */
  readonly requests: number
  /** Whether it is the first of its kind in the interval. */
  readonly first: boolean
}

interface Kind {
  /** Requests held back since the last line. */
  heldBack: number
  seen: boolean
}

export class Throttle {
  readonly #perSecond: number
  readonly #kinds = new Map<string, Kind>()
  #room: number
  #refilledMs = 0
  #intervalMs = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#room = perSecond
  }

  /** undefined: it is held back. */
  admit(kind: string, failed: boolean, weight: number, nowMs: number): Admitted | undefined {
    this.#refill(nowMs)
    const known = this.#kinds.get(kind)
    const first = known === undefined || !known.seen
    const passes = known === undefined ? this.#kinds.size < MOST_KINDS : first
    if (!passes && this.#room < (failed ? 1 : this.#perSecond / 2)) {
      if (known !== undefined) known.heldBack += weight
      return undefined
    }
    // May fall below 0: what passed as the first of its kind is taken off the others.
    this.#room = Math.max(-this.#perSecond, this.#room - 1)
    if (known === undefined) {
      if (passes) this.#kinds.set(kind, { heldBack: 0, seen: true })
      return { requests: weight, first }
    }
    const requests = weight + known.heldBack
    known.heldBack = 0
    known.seen = true
    return { requests, first }
  }

  #refill(nowMs: number): void {
    const elapsed = Math.max(0, nowMs - this.#refilledMs)
    this.#refilledMs = nowMs
    this.#room = Math.min(this.#perSecond, this.#room + (elapsed / 1000) * this.#perSecond)
    if (Math.abs(nowMs - this.#intervalMs) < INTERVAL_MS) return
    this.#intervalMs = nowMs
    // What was held back waits one more interval for a line to be told with.
    for (const [name, kind] of this.#kinds) {
      if (kind.heldBack > 0 && kind.seen) kind.seen = false
      else this.#kinds.delete(name)
    }
  }
}
