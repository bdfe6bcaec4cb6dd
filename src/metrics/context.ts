/** What the length of the context does: requests, their outcome, their cost and their scores by the longest context of one of their model calls. */
import type { StringTable } from '../spans/strings.ts'
import { OUTCOMES, type Settled } from '../traces/settled.ts'
import type { Family } from './family.ts'
import type { SeriesStore } from './store.ts'

/** The most that belongs to each size. */
const MESSAGES: readonly (readonly [number, string])[] = [[10, '0-10'], [25, '11-25'], [50, '26-50'], [100, '51-100'], [Infinity, '101+']]
const TOKENS: readonly (readonly [number, string])[] = [[4000, '0-4k'], [16_000, '4k-16k'], [64_000, '16k-64k'], [200_000, '64k-200k'], [Infinity, '200k+']]
/** Rows of one agent and size: each outcome's, then the cost's. */
const ROWS = OUTCOMES.length + 1

interface Context {
  readonly name: number
  readonly most: readonly number[]
  readonly sizes: readonly number[]
  readonly quality: Family
}

export class ByContext {
  readonly #requests: Family
  readonly #cost: Family
  readonly #outcomes: readonly number[]
  readonly #messages: Context
  readonly #tokens: Context
  /** Rows by agent and size, of this second: looked up again once a second they stay touched. */
  readonly #rows = new Map<number, Int32Array>()
  #second = 0

  constructor(store: SeriesStore, strings: StringTable) {
    const context = (name: string, sizes: typeof MESSAGES, quality: Family): Context =>
      ({ name: strings.pin(name), most: sizes.map(([most]) => most), sizes: sizes.map(([, text]) => strings.pin(text)), quality })
    this.#requests = store.family('agent_context_requests_total')
    this.#cost = store.family('agent_context_cost_usd_total')
    this.#outcomes = OUTCOMES.map((outcome) => strings.pin(outcome))
    this.#messages = context('messages', MESSAGES, store.family('agent_quality_by_context'))
    this.#tokens = context('tokens', TOKENS, store.family('agent_quality_by_tokens'))
  }

  /** Numbers of strings or rows have changed their meaning. */
  clear(): void {
    this.#rows.clear()
  }

  request(settled: Settled, totalUsd: number, second: number): void {
    if (second !== this.#second) {
      this.#rows.clear()
      this.#second = second
    }
    if (settled.messages >= 0) this.#count(settled, totalUsd, this.#messages, settled.messages, 0)
    if (settled.tokens >= 0) this.#count(settled, totalUsd, this.#tokens, settled.tokens, 8)
  }

  /** `sum`: the value with its weight. */
  score({ agent, weight, messages, tokens }: Settled, value: number, sum: number): void {
    for (const [context, much] of [[this.#messages, messages], [this.#tokens, tokens]] as const) {
      if (much >= 0) context.quality.observe(context.quality.at(agent, context.sizes[sizeOf(context, much)]!), value, weight, sum)
    }
  }

  #count({ agent, outcome, weight }: Settled, totalUsd: number, context: Context, much: number, offset: number): void {
    const size = sizeOf(context, much)
    const key = agent * 16 + offset + size
    let rows = this.#rows.get(key)
    if (rows === undefined) {
      // All outcomes begin at 0 together, so that the first failure is a rise.
      rows = Int32Array.from({ length: ROWS }, (_, i) => (i < OUTCOMES.length ? this.#requests.at(agent, context.name, context.sizes[size]!, this.#outcomes[i]!) : this.#cost.at(agent, context.name, context.sizes[size]!)))
      this.#rows.set(key, rows)
    }
    this.#requests.add(rows[outcome]!, weight)
    this.#cost.add(rows[OUTCOMES.length]!, totalUsd)
  }
}

function sizeOf({ most }: Context, much: number): number {
  let size = 0
  while (much > most[size]!) size++
  return size
}
