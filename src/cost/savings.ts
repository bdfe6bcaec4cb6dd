/**
 * Finds what of a settled request's cost need not have been, by reason, each with its evidence. Every estimate is held low, and no dollar is
 * told of twice: the reasons are asked in the order of `AVOIDABLE`, each of what those before it have left of a step's cost.
 */
import type { Savings as SavingsConfig } from '../config/config.ts'
import { Kind } from '../spans/names.ts'
import type { StringTable } from '../spans/strings.ts'
import { Avoidable, AVOIDABLE, Basis, floorUsd, Outcome, type Settled } from '../traces/settled.ts'
import type { CostAttribution } from './attribute.ts'
import { Downgrades } from './downgrades.ts'
import { RecentCalls } from './recentcalls.ts'
import { cost, type ModelPrice } from './price.ts'
import type { PriceBook } from './prices.ts'

/** Providers cache no shorter prefix, and this many tokens at a time (OpenAI; Anthropic's least is as much or more, by model). */
const LEAST_PREFIX = 1024
const PREFIX_STEP = 128
/** Evidence kept of one request; what is past it is in the sums. */
const MOST_EVIDENCE = 20
/** Services that are known to tell how their requests end; nothing is claimed of others. */
const MOST_SERVICES = 100_000

export interface SavingsOptions extends SavingsConfig {
  /** The quality objective in force; undefined where there is none. */
  readonly qualityLimit: (tenant: string, agent: string) => number | undefined
}

export class Savings {
  readonly #cost: CostAttribution
  readonly #options: SavingsOptions
  readonly #on: readonly boolean[]
  readonly #recent: RecentCalls
  readonly #downgrades: Downgrades
  readonly #strings: StringTable
  /** Services whose roots have come, by hashes of their names, since which hour: of a request in an earlier hour, so that it does not matter which of two comes first. */
  readonly #rooted = new Map<number, number>()
  #generation = 0
  /** What is left of each step's cost. */
  #left = new Float64Array(64)
  /** Steps in the order of their start. */
  readonly #order: number[] = []
  /** Whether any of them tells what it read from the cache, or what it was asked; and whether one is long, or failed and was paid. */
  #tellCached = false
  #tellHash = false
  #anyLong = false
  #anyFailed = false
  /** By agent and model: the call before, and how much of its beginning would have been written to the cache for it. */
  readonly #last = new Map<number, number>()
  readonly #written = new Map<number, number>()
  readonly #counts = { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 }

  constructor(cost: CostAttribution, book: PriceBook, strings: StringTable, options: SavingsOptions) {
    this.#cost = cost
    this.#options = options
    this.#strings = strings
    this.#on = AVOIDABLE.map((reason) => options.reasons.includes(reason))
    this.#recent = new RecentCalls(options.duplicateWindowSeconds * 1000)
    this.#downgrades = new Downgrades(options.downgrades, book, strings, options.qualityLimit)
  }

  /** To be called once the steps have their cost. */
  find(settled: Settled): void {
    if (this.#generation !== this.#strings.generation) {
      this.#generation = this.#strings.generation
      this.#downgrades.refresh()
    }
    if (settled.scores.length > 0) this.#downgrades.scored(settled)
    if (settled.isRequest && settled.outcome !== Outcome.unfinished) this.#noteRoot(settled)
    if (settled.totalUsd <= 0) return
    const abandoned = this.#on[Avoidable.abandoned]! && this.#isAbandoned(settled)
    if (!this.#look(settled) && !abandoned && !(this.#on[Avoidable.modelDowngrade] && this.#downgrades.any)) return
    this.#gather(settled)
    if (this.#anyFailed && this.#on[Avoidable.retryWaste]) this.#retries(settled)
    if (this.#tellHash && this.#on[Avoidable.duplicateCall]) this.#duplicates(settled)
    if (abandoned) {
      for (let i = 0; i < settled.steps; i++) this.#claim(settled, i, Avoidable.abandoned, 1)
    }
    if (this.#tellCached && this.#on[Avoidable.cacheMiss]) this.#cacheMisses(settled)
    if (this.#anyLong && this.#on[Avoidable.contextBloat]) this.#bloat(settled)
    if (this.#on[Avoidable.modelDowngrade] && this.#downgrades.any) this.#cheaper(settled)
  }

  /** Whether there is anything to look for: in most requests there is not. */
  #look(settled: Settled): boolean {
    this.#tellCached = this.#tellHash = this.#anyLong = this.#anyFailed = false
    const { steps, kind, costUsd, failed, cachedInput, inputHash, stepMessages, input } = settled
    const { contextMessages, contextTokens = Infinity } = this.#options
    for (let i = 0; i < steps; i++) {
      if (!(costUsd[i]! > 0)) continue
      if (failed[i] === 1) this.#anyFailed = true
      if (kind[i] !== Kind.model) continue
      if (cachedInput[i]! >= 0) this.#tellCached = true
      if (inputHash[i] !== 0) this.#tellHash = true
      if (stepMessages[i]! > contextMessages || input[i]! > contextTokens) this.#anyLong = true
    }
    return this.#tellCached || this.#tellHash || this.#anyLong || this.#anyFailed
  }

  #gather(settled: Settled): void {
    if (this.#left.length < settled.steps) this.#left = new Float64Array(settled.steps * 2)
    this.#order.length = 0
    for (let i = 0; i < settled.steps; i++) {
      const usd = this.#left[i] = settled.costUsd[i]!
      if (settled.kind[i] === Kind.model && usd > 0) this.#order.push(i)
    }
    const start = settled.stepStartMs
    // By time, and not by arrival; among calls that start together the dearer one is the first.
    for (let k = 1; k < this.#order.length; k++) {
      if (start[this.#order[k - 1]!]! > start[this.#order[k]!]!) {
        this.#order.sort((a, b) => start[a]! - start[b]! || settled.costUsd[b]! - settled.costUsd[a]! || settled.name[a]! - settled.name[b]!)
        break
      }
    }
  }

  /** A share of what is left of a step's cost. */
  #claim(settled: Settled, i: number, reason: number, share: number, tokens = -1, instead = 0): void {
    const usd = floorUsd(this.#left[i]! * Math.min(1, share))
    if (!(usd > 0)) return
    this.#left[i]! -= usd
    settled.avoid(reason, usd)
    if (settled.avoidable.length < MOST_EVIDENCE) settled.avoidable.push({ reason, usd, step: i, tokens, instead })
  }

  #noteRoot({ service, startMs }: Settled): void {
    const hash = this.#strings.hashOf(service)
    const since = this.#rooted.get(hash)
    if (since === undefined ? this.#rooted.size < MOST_SERVICES : hourOf(startMs) < since) this.#rooted.set(hash, hourOf(startMs))
  }

  /** Of a service whose roots never come it is not known how its requests end. */
  #isAbandoned({ isRequest, early, outcome, service, startMs }: Settled): boolean {
    return isRequest && !early && (outcome === Outcome.error || (outcome === Outcome.unfinished && this.#rooted.get(this.#strings.hashOf(service))! < hourOf(startMs)))
  }

  /** A call that failed and was paid all the same. */
  #retries(settled: Settled): void {
    for (let i = 0; i < settled.steps; i++) if (settled.failed[i] === 1 && settled.basis[i] !== Basis.shared) this.#claim(settled, i, Avoidable.retryWaste, 1)
  }

  /** The same input for the same model by the same agent for the same tenant, after the first was answered: the answer was known. */
  #duplicates(settled: Settled): void {
    for (const i of this.#order) {
      const hash = settled.inputHash[i]!
      if (hash === 0 || settled.failed[i] === 1 || settled.basis[i] === Basis.shared) continue
      const startMs = settled.stepStartMs[i]!
      if (this.#recent.answered(hash, this.#strings.hashOf(settled.tenant), this.#strings.hashOf(settled.stepAgent[i]!), this.#strings.hashOf(settled.name[i]!), settled.input[i]!, startMs, startMs + settled.stepSeconds[i]! * 1000)) this.#claim(settled, i, Avoidable.duplicateCall, 1)
    }
  }

  /**
   * A call whose messages are those of an earlier one of this request and more, told to have read less of them from the provider's cache than the
   * earlier one's length. What writing the cache would have cost more is taken off,
   * once for what is read again and again.
   */
  #cacheMisses(settled: Settled): void {
    this.#last.clear()
    this.#written.clear()
    for (const k of this.#order) {
      if (settled.failed[k] === 1 || settled.basis[k] === Basis.shared) continue
      const key = settled.stepAgent[k]! * 2 ** 24 + settled.name[k]!
      const j = this.#last.get(key)
      this.#last.set(key, k)
      if (j !== undefined && !this.#continues(settled, j, k)) this.#written.delete(key)
      const cached = settled.cachedInput[k]!
      // What the span does not tell is unknown, and not 0.
      if (j === undefined || cached < 0) continue
      const prefix = Math.floor(settled.input[j]! / PREFIX_STEP) * PREFIX_STEP
      if (prefix < LEAST_PREFIX || cached >= prefix || settled.input[k]! <= settled.input[j]! || !this.#continues(settled, j, k)) continue
      const price = this.#price(settled, k)
      if (price === undefined) continue
      const computed = cost(price, this.#tokens(settled, k), 0)
      this.#counts.cachedInput = prefix
      const written = this.#written.get(key) ?? 0
      this.#written.set(key, prefix)
      const saved = computed - cost(price, this.#counts, 0) - writing(price, settled.input[j]!, Math.max(0, prefix - written))
      this.#claim(settled, k, Avoidable.cacheMiss, saved / computed, prefix - cached)
    }
  }

  /** The later call begins after the earlier one's answer, within what a cache lives, and has more messages than it. */
  #continues(settled: Settled, j: number, k: number): boolean {
    const waitMs = settled.stepStartMs[k]! - settled.stepStartMs[j]! - settled.stepSeconds[j]! * 1000
    return waitMs >= -1 && waitMs <= this.#options.cacheLifetimeSeconds * 1000 && settled.stepMessages[j]! > 0 && settled.stepMessages[k]! > settled.stepMessages[j]!
  }

  /** Tokens past the compression point, taken for those that were cached first: they are the cheapest. */
  #bloat(settled: Settled): void {
    const { contextMessages, contextTokens } = this.#options
    for (const i of this.#order) {
      const input = settled.input[i]!
      const messages = settled.stepMessages[i]!
      const byMessages = messages > contextMessages ? Math.floor((input * (messages - contextMessages)) / messages) : 0
      const past = Math.max(byMessages, contextTokens === undefined ? 0 : input - contextTokens)
      if (past <= 0 || settled.basis[i] === Basis.shared) continue
      const price = this.#price(settled, i)
      if (price === undefined) continue
      const computed = cost(price, this.#tokens(settled, i), 0)
      const counts = this.#counts
      counts.input -= past
      counts.cachedInput = Math.max(0, counts.cachedInput - past)
      this.#claim(settled, i, Avoidable.contextBloat, 1 - cost(price, counts, 0) / computed, past)
    }
  }

  #cheaper(settled: Settled): void {
    for (const i of this.#order) {
      if (settled.failed[i] === 1 || settled.basis[i] === Basis.shared) continue
      const other = this.#downgrades.of(settled, i)
      const price = other === undefined ? undefined : this.#price(settled, i)
      if (other === undefined || price === undefined) continue
      const tokens = this.#tokens(settled, i)
      this.#claim(settled, i, Avoidable.modelDowngrade, 1 - cost(other.price, tokens, settled.stepSeconds[i]!) / cost(price, tokens, settled.stepSeconds[i]!), -1, other.name)
    }
  }

  /** Of a call that is paid by its tokens. */
  #price(settled: Settled, i: number): ModelPrice | undefined {
    if (settled.input[i]! < 0 && settled.output[i]! < 0) return undefined
    const price = this.#cost.priceOf(settled, i)
    return price?.basis === 'tokens' ? price : undefined
  }

  #tokens(settled: Settled, i: number) {
    const counts = this.#counts
    counts.input = Math.max(0, settled.input[i]!)
    counts.output = Math.max(0, settled.output[i]!)
    counts.cachedInput = Math.max(0, settled.cachedInput[i]!)
    counts.cacheWrite = Math.max(0, settled.cacheWrite[i]!)
    counts.reasoning = Math.max(0, settled.reasoning[i]!)
    return counts
  }
}

/** What it costs more to write this many tokens into the cache than to send them. */
function writing(price: ModelPrice, input: number, tokens: number): number {
  let tier = price.tiers[0]
  for (const one of price.tiers) if (input > one.aboveInputTokens) tier = one
  return (Math.max(0, tier.cacheWrite - tier.input) * tokens) / 1e6
}

function hourOf(ms: number): number {
  return Math.floor(ms / 3_600_000)
}
