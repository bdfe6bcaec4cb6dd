/**
 * What a step usually costs in a request of its agent, so that one that costs more than that stands out beside one that is always dear.
 * A mean that forgets, and that no single request moves by more than what is usual again: a sudden price is not usual at once.
 */
import type { StringTable } from '../spans/strings.ts'

/** Steps by agent, kind and name that are remembered. */
const MOST_STEPS = 20_000
/** A request counts this much, and more while there are few. */
const WEIGHT = 1 / 64
/** One request in so many is learned from, once there have been as many as the weight is worth. */
const EVERY = 8

interface Usual {
  usd: number
  requests: number
}

export class TypicalCost {
  readonly #strings: StringTable
  readonly #usual = new Map<number, Map<number, Usual>>()
  #size = 0
  #generation = 0
  #turn = 0

  constructor(strings: StringTable) {
    this.#strings = strings
  }

  /** USD a request, 0 for a step that this agent has not had. */
  of(agent: number, step: number): number {
    return this.#usual.get(agent)?.get(step)?.usd ?? 0
  }

  /** Whether the next request is to be learned from. */
  next(): boolean {
    if (this.#generation !== this.#strings.generation || this.#size > MOST_STEPS) {
      this.#generation = this.#strings.generation
      this.#usual.clear()
      this.#size = 0
      this.#turn = 0
    }
    return this.#turn++ < 1 / WEIGHT || this.#turn % EVERY === 0
  }

  learn(agent: number, step: number, usd: number): void {
    let steps = this.#usual.get(agent)
    if (steps === undefined) this.#usual.set(agent, (steps = new Map()))
    const usual = steps.get(step)
    if (usual === undefined) {
      steps.set(step, { usd, requests: 1 })
      this.#size++
      return
    }
    usual.requests++
    usual.usd += (Math.min(usd, usual.usd * 2) - usual.usd) * Math.max(WEIGHT, 1 / usual.requests)
  }
}
