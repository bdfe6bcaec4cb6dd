/**
 * Gives every step of a settled request its cost, and the request the sum of them. What a span reports
 * comes first, then tokens times price; a cost known only for the whole is shared by the steps.
 */
import type { CostSharing } from '../config/config.ts'
import { Kind } from '../spans/names.ts'
import type { StringTable } from '../spans/strings.ts'
import { Basis, quantize, type Settled } from '../traces/settled.ts'
import { cost, type CallPrice, type ModelPrice } from './price.ts'
import type { PriceBook, Quote } from './prices.ts'

/** A report of more than this for one call is damage, and would drown every other cost in a counter. */
const MAX_REPORTED_USD = 10_000
/** Prices looked up are remembered for this many (provider, model) pairs. */
const MAX_PRICES = 20_000

const RECENT = 256
/** Of `ServiceTier`. */
const TIERS = 4

export interface Unpriced {
  /** Why a model call has no cost, by step; read by the recorder. */
  readonly noPrice: number[]
  readonly noTokens: number[]
}

export class CostAttribution {
  readonly #book: PriceBook
  readonly #strings: StringTable
  readonly #sharing: CostSharing
  /** By provider and then model with service tier: keys that stay small integers, which a map is fast for. */
  readonly #quotes = new Map<number, Map<number, Quote>>()
  #quoteCount = 0
  /** The quotes last asked for, in front of the maps: most requests are of a few models. */
  readonly #recent: { provider: number; model: number; quote: Quote }[] = []
  readonly #calls = new Map<number, CallPrice>()
  #generation = 0
  /** Steps of the last request whose cost is unknown. */
  readonly unpriced: Unpriced = { noPrice: [], noTokens: [] }

  constructor(book: PriceBook, strings: StringTable, sharing: CostSharing = 'duration') {
    this.#book = book
    this.#sharing = sharing
    this.#strings = strings
  }

  attribute(settled: Settled): void {
    this.#refresh()
    const { unpriced } = this
    if (unpriced.noPrice.length > 0) unpriced.noPrice.length = 0
    if (unpriced.noTokens.length > 0) unpriced.noTokens.length = 0
    let total = 0
    for (let i = 0; i < settled.steps; i++) {
      const kind = settled.kind[i]!
      if (kind === Kind.model || kind === Kind.embedding) this.#call(settled, i)
      else if (kind === Kind.tool || kind === Kind.retrieval) this.#flat(settled, i, kind)
      total += settled.costUsd[i]!
    }
    if (total === 0 && settled.sharedCostUsd > 0 && settled.sharedCostUsd <= MAX_REPORTED_USD && settled.steps > 0) total = share(settled, this.#sharing)
    settled.totalUsd = total
  }

  /** The price of a model call; undefined where nobody knows it. */
  priceOf(settled: Settled, i: number): ModelPrice | undefined {
    return this.#price(settled.provider[i]!, settled.name[i]!, settled.tier[i]!, settled.stepStartMs[i]!)
  }

  #call(settled: Settled, i: number): void {
    const reported = settled.reportedUsd[i]!
    if (reported > 0 && reported <= MAX_REPORTED_USD) {
      settled.costUsd[i] = quantize(reported)
      settled.basis[i] = Basis.reported
      return
    }
    const input = settled.input[i]!
    const output = settled.output[i]!
    const told = input >= 0 || output >= 0
    const price = this.priceOf(settled, i)
    if (price === undefined || (!told && price.needsTokens)) {
      const instead = told ? undefined : this.#book.withoutTokens
      if (instead === undefined) {
        // A call that failed was answered with nothing, and costs nothing.
        if (settled.failed[i] === 0 || told) (told || price === undefined ? this.unpriced.noPrice : this.unpriced.noTokens).push(i)
        return
      }
      settled.costUsd[i] = quantize(cost(instead, NO_TOKENS, settled.stepSeconds[i]!))
      settled.basis[i] = Basis.latency
      return
    }
    counts.input = input
    counts.output = output
    counts.cachedInput = settled.cachedInput[i]!
    counts.cacheWrite = settled.cacheWrite[i]!
    counts.reasoning = settled.reasoning[i]!
    settled.costUsd[i] = quantize(cost(price, counts, settled.stepSeconds[i]!))
    settled.basis[i] = price.basis === 'latency' ? Basis.latency : Basis.tokens
  }

  /** Tools and retrievals cost only what the user's own price list says. */
  #flat(settled: Settled, i: number, kind: number): void {
    const name = settled.name[i]!
    const key = name * 16 + kind
    const atMs = settled.stepStartMs[i]!
    let price = this.#calls.get(key)
    if (price === undefined || atMs < price.validFromMs || atMs >= price.validUntilMs) {
      if (this.#calls.size > MAX_PRICES) this.#calls.clear()
      const text = this.#strings.text(name)
      price = kind === Kind.tool ? this.#book.toolPrice(text, atMs) : this.#book.retrievalPrice(text, atMs)
      this.#calls.set(key, price)
    }
    const usd = price.perCall + price.perSecond * settled.stepSeconds[i]!
    if (!(usd > 0)) return
    settled.costUsd[i] = quantize(usd)
    settled.basis[i] = price.perCall > 0 ? Basis.tokens : Basis.latency
  }

  #price(provider: number, name: number, tier: number, atMs: number): ModelPrice | undefined {
    const model = name * TIERS + tier
    const place = (Math.imul(provider, 31) + model) & (RECENT - 1)
    const recent = this.#recent[place]
    if (recent !== undefined && recent.provider === provider && recent.model === model && atMs >= recent.quote.validFromMs && atMs < recent.quote.validUntilMs) return recent.quote.price
    const quote = this.#lookUp(provider, model, atMs)
    this.#recent[place] = { provider, model, quote }
    return quote.price
  }

  #lookUp(provider: number, model: number, atMs: number): Quote {
    let models = this.#quotes.get(provider)
    if (models === undefined) this.#quotes.set(provider, models = new Map())
    let quote = models.get(model)
    if (quote === undefined || atMs < quote.validFromMs || atMs >= quote.validUntilMs) {
      if (++this.#quoteCount > MAX_PRICES) {
        this.#quotes.clear()
        this.#quotes.set(provider, models = new Map())
        this.#quoteCount = 1
      }
      quote = this.#book.quote(this.#strings.text(provider), this.#strings.text(Math.floor(model / TIERS)), atMs, model % TIERS)
      models.set(model, quote)
    }
    return quote
  }

  /** Numbers of strings change their meaning with a sweep. */
  #refresh(): void {
    if (this.#generation === this.#strings.generation) return
    this.#quotes.clear()
    this.#recent.length = 0
    this.#calls.clear()
    this.#generation = this.#strings.generation
  }
}

const counts = { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 }
const NO_TOKENS = { input: -1, output: -1, cachedInput: -1, cacheWrite: -1, reasoning: -1 }

/** What a step takes of a cost that is known for the whole request alone. Where no step has any of it, they take alike. */
const PARTS: Readonly<Record<CostSharing, (settled: Settled, i: number) => number>> = {
  duration: (settled, i) => settled.stepSeconds[i]!,
  tokens: (settled, i) => (settled.kind[i] === Kind.model || settled.kind[i] === Kind.embedding ? Math.max(0, settled.input[i]!) + Math.max(0, settled.output[i]!) : 0),
  equal: () => 1,
}

/** Shares the request's cost among its model calls, or among all steps where there is none. */
function share(settled: Settled, sharing: CostSharing): number {
  const models = settled.kind.subarray(0, settled.steps).includes(Kind.model)
  const takes = (i: number) => !models || settled.kind[i] === Kind.model
  const part = PARTS[sharing]
  let whole = 0
  let takers = 0
  for (let i = 0; i < settled.steps; i++) {
    if (!takes(i)) continue
    whole += part(settled, i)
    takers++
  }
  let total = 0
  for (let i = 0; i < settled.steps; i++) {
    if (!takes(i)) continue
    settled.costUsd[i] = quantize(settled.sharedCostUsd * (whole > 0 ? part(settled, i) / whole : 1 / takers))
    settled.basis[i] = Basis.shared
    total += settled.costUsd[i]!
  }
  return total
}
