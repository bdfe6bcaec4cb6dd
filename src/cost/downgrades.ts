/**
 * Cheaper models that the configuration names as good enough for an agent and a step. They are told of only while the agent's quality objective
 * is met: who is below it has no quality to spare. What is looked at is the running mean of each evaluator of the agent, of which the lowest decides.
 */
import type { Downgrade } from '../config/config.ts'
import { globOf } from '../glob.ts'
import type { StringTable } from '../spans/strings.ts'
import type { Settled } from '../traces/settled.ts'
import type { ModelPrice } from './price.ts'
import type { PriceBook } from './prices.ts'

/** Scores that make a mean, and how much of it the newest is. */
const LEAST_SCORES = 5
const NEWEST_PART = 1 / 20
/** Agents by tenant whose scores are remembered. */
const MOST_AGENTS = 10_000
const MOST_MODELS = 10_000

interface Mean {
  value: number
  scores: number
}

export interface Cheaper {
  readonly price: ModelPrice
  /** A number of the string table. */
  readonly name: number
}

export class Downgrades {
  readonly #rules: readonly { readonly agent: RegExp; readonly step: RegExp; readonly from: RegExp; readonly rule: Downgrade }[]
  readonly #book: PriceBook
  readonly #strings: StringTable
  readonly #limit: (tenant: string, agent: string) => number | undefined
  readonly #means = new Map<string, Map<string, Mean>>()
  /** By request's agent, step's agent and model. */
  readonly #chosen = new Map<string, Downgrade | undefined>()

  constructor(rules: readonly Downgrade[], book: PriceBook, strings: StringTable, limit: (tenant: string, agent: string) => number | undefined) {
    this.#rules = rules.map((rule) => ({ agent: globOf(rule.agent ?? '*'), step: globOf(rule.step ?? '*'), from: globOf(rule.from), rule }))
    this.#book = book
    this.#strings = strings
    this.#limit = limit
  }

  get any(): boolean {
    return this.#rules.length > 0
  }

  /** Takes in the scores of a request, or those that came after it. */
  scored(settled: Settled): void {
    if (!this.any) return
    const key = this.#agentKey(settled)
    let means = this.#means.get(key)
    if (means === undefined) {
      if (this.#means.size >= MOST_AGENTS) this.#means.clear()
      this.#means.set(key, means = new Map())
    }
    for (const { evaluator, value } of settled.scores) {
      const name = this.#strings.text(evaluator)
      const mean = means.get(name)
      if (mean === undefined) means.set(name, { value, scores: 1 })
      else {
        mean.scores++
        mean.value += (value - mean.value) * Math.max(NEWEST_PART, 1 / mean.scores)
      }
    }
  }

  /** The cheaper model for a step of a request; undefined where none is named, it has no price, or quality forbids. */
  of(settled: Settled, i: number): Cheaper | undefined {
    const rule = this.#rule(settled, i)
    if (rule === undefined || !this.#permits(settled, rule)) return undefined
    const provider = this.#strings.text(settled.provider[i]!)
    const atMs = settled.stepStartMs[i]!
    const price = this.#book.quote(provider, rule.to, atMs, settled.tier[i]!).price ?? this.#book.quote('', rule.to, atMs, settled.tier[i]!).price
    return price === undefined ? undefined : { price, name: this.#strings.internText(rule.to) }
  }

  /** Numbers of strings have changed their meaning; here only texts are kept. */
  refresh(): void {
    if (this.#chosen.size > MOST_MODELS) this.#chosen.clear()
  }

  #rule(settled: Settled, i: number): Downgrade | undefined {
    const [agent, step, model] = [this.#strings.text(settled.agent), this.#strings.text(settled.stepAgent[i]!), this.#strings.text(settled.name[i]!)]
    const key = JSON.stringify([agent, step, model])
    if (!this.#chosen.has(key)) {
      this.refresh()
      this.#chosen.set(key, this.#rules.find((one) => one.agent.test(agent) && one.step.test(step) && one.from.test(model))?.rule)
    }
    return this.#chosen.get(key)
  }

  #permits(settled: Settled, rule: Downgrade): boolean {
    const means = [...(this.#means.get(this.#agentKey(settled))?.values() ?? [])].filter(({ scores }) => scores >= LEAST_SCORES)
    if (means.length === 0) return rule.withoutScores
    const limit = this.#limit(this.#strings.text(settled.tenant), this.#strings.text(settled.agent))
    return limit === undefined || means.every(({ value }) => value > limit)
  }

  #agentKey(settled: Settled): string {
    return JSON.stringify([this.#strings.text(settled.tenant), this.#strings.text(settled.agent)])
  }
}
