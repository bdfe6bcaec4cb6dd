/** What a call costs: the user's own prices over the list prices, by model, tool and collection. */
import type { LatencyPricing } from '../config/config.ts'
import type { Pricing } from '../config/pricing.ts'
import { listPrice, loadListPrices } from './list.ts'
import { candidates, undated } from './names.ts'
import { OwnPrices } from './own.ts'
import { scaled, type CallPrice, type ModelPrice, type TokenPrices, type Validity } from './price.ts'
import { publishedFactor } from './servicetiers.ts'

export interface PriceBookOptions {
  readonly pricing?: Pricing | undefined
  readonly latencyPricing?: LatencyPricing | undefined
}

/** How a model came by its price. */
export interface Quote extends Validity {
  readonly price: ModelPrice | undefined
  /** Prices of the file that fit as well, and that the order of the file decided against. */
  readonly rivals: readonly string[]
  /** The service tier has no price of its own that is known: it is priced as the standard one. */
  readonly tierUnknown: boolean
}

export class PriceBook {
  /** The price of a call that tells no tokens, where time is priced. */
  readonly withoutTokens: ModelPrice | undefined
  readonly #own: OwnPrices
  readonly #latencyForAll: boolean

  constructor({ pricing, latencyPricing }: PriceBookOptions = {}) {
    this.#own = new OwnPrices(pricing ?? { models: [], tools: [], retrievals: [] })
    this.withoutTokens = latencyPricing === undefined ? undefined : latencyPrice(latencyPricing.usdPerSecond)
    this.#latencyForAll = latencyPricing?.applyTo === 'all'
  }

  /** Reads the list prices (some 30 ms), which the first `modelPrice` does otherwise. */
  warm(): void {
    loadListPrices()
  }

  /**
   * The price in force at `atMs` for a model as a span names it, with its provider ('' when it tells none) and its `ServiceTier`; undefined
   * when nobody knows it, which is not free.
   */
  modelPrice(provider: string, model: string, atMs: number, tier = 0): ModelPrice | undefined {
    return this.quote(provider, model, atMs, tier).price
  }

  /** Takes some 10 µs to 1 ms: cache it, as long as it is valid. */
  quote(provider: string, model: string, atMs: number, tier = 0): Quote {
    if (model === '') return { price: this.withoutTokens, rivals: [], tierUnknown: false, ...ALWAYS }
    const written = candidates(provider, model)
    const alias = this.#own.alias([model, ...written.map(([, name]) => name)])
    const pairs = alias === undefined ? written : [...candidates(provider, alias), ...candidates('', alias)]
    const asked = [alias ?? model, ...pairs.map(([, name]) => name)]
    const names = [...asked, ...asked.map(undated)]
    const own = this.#own.model(provider, names, tier, atMs)
    const listed = own.price !== undefined || this.#latencyForAll ? undefined : listedPrice(pairs, atMs)
    const price = own.price ?? listed ?? this.withoutTokens
    const hasTiers = tier !== 0 && price !== undefined && !own.isOfTier && price.basis !== 'latency'
    const factor = hasTiers ? (this.#own.factor(provider, names, tier) ?? factorOf(pairs, tier)) : 1
    return {
      price: price && scaled(price, factor ?? 1), rivals: own.rivals, tierUnknown: factor === undefined,
      validFromMs: Math.max(own.validFromMs, listed?.validFromMs ?? -Infinity), validUntilMs: Math.min(own.validUntilMs, listed?.validUntilMs ?? Infinity),
    }
  }

  /** What a call of a tool costs; nothing where the user set no price: tools have no list price. */
  toolPrice(tool: string, atMs: number): CallPrice {
    return this.#own.tool(tool, atMs)
  }

  /** What a retrieval from a collection costs. */
  retrievalPrice(collection: string, atMs: number): CallPrice {
    return this.#own.retrieval(collection, atMs)
  }
}

/** What is not listed with its date is priced as what is listed without. */
function listedPrice(pairs: readonly (readonly [string, string])[], atMs: number): ModelPrice | undefined {
  for (const name of [(model: string) => model, undated]) {
    for (const [vendor, model] of pairs) {
      const price = listPrice(vendor, name(model), atMs)
      if (price !== undefined) return price
    }
  }
  return undefined
}

/** Who is named as the provider is paid: whose model it is matters only where nobody is. */
function factorOf(pairs: readonly (readonly [string, string])[], tier: number): number | undefined {
  const named = pairs.filter(([vendor]) => vendor !== '')
  for (const [vendor, name] of named.length > 0 ? named : pairs) {
    const factor = publishedFactor(vendor, name, tier)
    if (factor !== undefined) return factor
  }
  return undefined
}

const ALWAYS = { validFromMs: -Infinity, validUntilMs: Infinity }
const NO_TOKENS: TokenPrices = { aboveInputTokens: 0, input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 }

function latencyPrice(usdPerSecond: number): ModelPrice {
  return {
    id: 'latency', source: 'latency', basis: 'latency', needsTokens: false, tiers: [NO_TOKENS],
    perRequest: 0, perSecond: usdPerSecond, ...ALWAYS,
  }
}
