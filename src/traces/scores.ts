/**
 * Quality scores on their way to a request: those it will be counted with, and those whose trace nothing has come of yet.
 * Whatever finds no room or waits in vain is counted by itself.
 */
import type { Score } from '../spans/span.ts'

/** Traces for which scores wait that no span of has come yet. */
const MAX_WAITING = 10_000
/** Scores held for one request; what comes past them is counted one by one. */
const MAX_HELD = 1000

export class Scores {
  readonly #held = new Map<number, Score[]>()
  /** By trace id, in the order of their deadlines. */
  readonly #waiting = new Map<string, { readonly scores: Score[]; readonly deadlineMs: number }>()
  readonly #countLate: (row: number, scores: readonly Score[]) => void
  readonly #countNobodys: (scores: readonly Score[], crowded: boolean) => void

  /** `countLate` counts scores for the tenant of a request, `countNobodys` for none: they have waited in vain, or there was no room to wait. */
  constructor(countLate: (row: number, scores: readonly Score[]) => void, countNobodys: (scores: readonly Score[], crowded: boolean) => void) {
    this.#countLate = countLate
    this.#countNobodys = countNobodys
  }

  /** Holds a score until its request settles. */
  hold(row: number, score: Score): void {
    const scores = this.#held.get(row)
    if (scores === undefined) this.#held.set(row, [score])
    else if (scores.length < MAX_HELD) scores.push(score)
    else this.#countLate(row, [score])
  }

  /** Hands over what is held for a request, undefined when nothing is. */
  take(row: number): Score[] | undefined {
    const scores = this.#held.get(row)
    if (scores !== undefined) this.#held.delete(row)
    return scores
  }

  /** Holds a score for a trace that may come until `deadlineMs`. */
  await(trace: Int32Array, score: Score, deadlineMs: number): void {
    const key = trace.join()
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) {
      if (this.#waiting.size >= MAX_WAITING) this.#giveUpFirst(true)
      this.#waiting.set(key, { scores: [score], deadlineMs })
    } else if (waiting.scores.length < MAX_HELD) waiting.scores.push(score)
    else this.#countNobodys([score], true)
  }

  /** The first span of a trace has come: what waited for it is its request's. */
  arrived(trace: Int32Array, row: number): void {
    if (this.#waiting.size === 0) return
    const key = trace.join()
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return
    this.#waiting.delete(key)
    for (const score of waiting.scores) this.hold(row, score)
  }

  /** Counts what has waited past its deadline; with Infinity all that waits. */
  giveUp(nowMs: number): void {
    for (const { deadlineMs } of this.#waiting.values()) {
      if (deadlineMs > nowMs) break
      this.#giveUpFirst(false)
    }
  }

  markLive(live: Uint8Array): void {
    for (const scores of this.#held.values()) for (const score of scores) live[score.evaluator] = 1
    for (const { scores } of this.#waiting.values()) for (const score of scores) live[score.evaluator] = 1
  }

  #giveUpFirst(crowded: boolean): void {
    for (const [key, { scores }] of this.#waiting) {
      this.#waiting.delete(key)
      return this.#countNobodys(scores, crowded)
    }
  }
}
