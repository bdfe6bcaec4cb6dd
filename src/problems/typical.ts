/**
 * What a step usually costs in a request of its agent, requests without it included, so that one that costs more than that stands out
 * beside one that is always dear. A mean that forgets, and that no single request moves by more than two usual ones: a sudden price is
 * not usual at once.
 */
import type { StringTable } from '../spans/strings.ts'
import type { Settled } from '../traces/settled.ts'

/** Steps by agent, kind and name that are remembered. */
const MOST_STEPS = 20_000
/** A request counts one in so many, and more while there have been fewer. */
const MEMORY = 64
/** One request in so many is learned from, once the memory is full. */
const EVERY = 8

interface Usual {
  usd: number
  /** The agent's request that it was last seen in. */
  at: number
}

interface Agent {
  requests: number
  readonly total: Usual
  readonly steps: Map<number, Usual>
}

export class TypicalCost {
  readonly #strings: StringTable
  readonly #agents = new Map<number, Agent>()
  #size = 0
  #generation = 0
  #turn = 0

  constructor(strings: StringTable) {
    this.#strings = strings
  }

  /** USD a request, 0 for a step that this agent has not had. */
  of(agent: number, step: number): number {
    const known = this.#agents.get(agent)
    const usual = known?.steps.get(step)
    return known === undefined || usual === undefined ? 0 : usual.usd * kept(usual.at, known.requests)
  }

  /** Whether this request is to be learned from. */
  wants(agent: number): boolean {
    if (this.#generation !== this.#strings.generation || this.#size > MOST_STEPS) {
      this.#generation = this.#strings.generation
      this.#agents.clear()
      this.#size = 0
    }
    const known = this.#agents.get(agent)
    return known === undefined || known.requests < MEMORY || ++this.#turn % EVERY === 0
  }

  /** `costUsd`: by group of steps. */
  learn({ agent, totalUsd, groups }: Settled, costUsd: Float64Array): void {
    let known = this.#agents.get(agent)
    if (known === undefined) this.#agents.set(agent, (known = { requests: 0, total: { usd: 0, at: 0 }, steps: new Map() }))
    const n = ++known.requests
    const most = known.total.usd * 2
    const part = n === 1 || totalUsd <= most ? 1 : most / totalUsd
    add(known.total, totalUsd * part, n)
    for (let group = 0; group < groups.size; group++) {
      const usd = costUsd[group]!
      if (!(usd > 0)) continue
      const step = groups.key(group)
      let usual = known.steps.get(step)
      if (usual === undefined) {
        known.steps.set(step, (usual = { usd: 0, at: n }))
        this.#size++
      }
      add(usual, usd * part, n)
    }
  }
}

function add(usual: Usual, usd: number, n: number): void {
  usual.usd = usual.usd * kept(usual.at, n) + usd / Math.min(n, MEMORY)
  usual.at = n
}

/** What is left at request n of a mean that was told last at request `at`. */
function kept(at: number, n: number): number {
  if (n <= MEMORY) return n === 0 ? 0 : at / n
  return (Math.min(at, MEMORY) / MEMORY) * (1 - 1 / MEMORY) ** (n - Math.max(at, MEMORY))
}
