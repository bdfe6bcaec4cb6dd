/** What a call costs: the user's own prices over the list prices, by model, tool and collection. */
import type { LatencyPricing } from '../config/config.ts'
import type { OwnCallPrice, OwnModelPrice, Pricing } from '../config/pricing.ts'
import { listPrice, loadListPrices } from './list.ts'
import { candidates, providerOf } from './names.ts'
import type { ModelPrice, TokenPrices } from './price.ts'

export interface PriceBookOptions {
  readonly pricing?: Pricing | undefined
  readonly latencyPricing?: LatencyPricing | undefined
}

export class PriceBook {
  /** The price of a call that tells no tokens, where time is priced. */
  readonly withoutTokens: ModelPrice | undefined
  readonly #models: readonly [RegExp, OwnModelPrice][]
  readonly #tools: readonly [RegExp, OwnCallPrice][]
  readonly #retrievals: readonly [RegExp, OwnCallPrice][]
  readonly #latencyForAll: boolean

  constructor({ pricing, latencyPricing }: PriceBookOptions = {}) {
    this.#models = compile(pricing?.models)
    this.#tools = compile(pricing?.tools)
    this.#retrievals = compile(pricing?.retrievals)
    this.withoutTokens = latencyPricing === undefined ? undefined : latencyPrice(latencyPricing.usdPerSecond)
    this.#latencyForAll = latencyPricing?.applyTo === 'all'
  }

  /** Reads the list prices (some 30 ms), which the first `modelPrice` does otherwise. */
  warm(): void {
    loadListPrices()
  }

  /**
   * The price in force at `atMs` for a model as a span names it, with its provider ('' when it tells none); undefined
   * when nobody knows it, which is not free. Takes some 10 µs to 1 ms: cache it, until `validUntilMs`.
   */
  modelPrice(provider: string, model: string, atMs: number): ModelPrice | undefined {
    if (model === '') return this.withoutTokens
    const names = candidates(provider, model)
    const own = this.#ownPrice(provider, [model, ...names.map(([, name]) => name)])
    if (own !== undefined) return own
    if (this.#latencyForAll) return this.withoutTokens
    for (const [vendor, name] of names) {
      const price = listPrice(vendor, name, atMs)
      if (price !== undefined) return price
    }
    return this.withoutTokens
  }

  /** USD of one call of a tool; undefined where the user set none: tools have no list price. */
  toolPrice(tool: string): number | undefined {
    return this.#tools.find(([pattern]) => pattern.test(tool))?.[1].perCall
  }

  /** USD of one retrieval from a collection. */
  retrievalPrice(collection: string): number | undefined {
    return this.#retrievals.find(([pattern]) => pattern.test(collection))?.[1].perCall
  }

  #ownPrice(provider: string, names: readonly string[]): ModelPrice | undefined {
    const vendor = providerOf(provider)
    for (const name of new Set(names)) {
      for (const [pattern, own] of this.#models) {
        if (!pattern.test(name)) continue
        const same = own.provider === undefined || own.provider.toLowerCase() === provider.toLowerCase() || (vendor !== '' && providerOf(own.provider) === vendor)
        if (same) return ownPrice(own)
      }
    }
    return undefined
  }
}

/** Exact names before globs, otherwise in the order of the file. */
function compile<T extends { readonly match: string }>(entries: readonly T[] = []): [RegExp, T][] {
  const glob = (entry: T): boolean => /[*?]/.test(entry.match)
  return [...entries.filter((entry) => !glob(entry)), ...entries.filter(glob)].map((entry) => {
    const source = entry.match.replace(/\*+/g, '*').replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
    return [new RegExp(`^${source}$`, 'is'), entry]
  })
}

function ownPrice(own: OwnModelPrice): ModelPrice {
  const input = own.inputPerMillion ?? 0
  const output = own.outputPerMillion ?? 0
  const tier: TokenPrices = {
    aboveInputTokens: 0,
    input,
    output,
    cachedInput: own.cachedInputPerMillion ?? input,
    cacheWrite: own.cacheWritePerMillion ?? input,
    reasoning: own.reasoningPerMillion ?? output,
  }
  const tokens = own.inputPerMillion !== undefined || own.outputPerMillion !== undefined
  const needsTokens = Object.values(tier).some((price) => price > 0)
  return {
    id: own.match, source: 'own', basis: !tokens && own.perSecond !== undefined ? 'latency' : 'tokens', needsTokens, tiers: [tier],
    perRequest: own.perRequest ?? 0, perSecond: own.perSecond ?? 0, validFromMs: -Infinity, validUntilMs: Infinity,
  }
}

const NO_TOKENS: TokenPrices = { aboveInputTokens: 0, input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 }

function latencyPrice(usdPerSecond: number): ModelPrice {
  return {
    id: 'latency', source: 'latency', basis: 'latency', needsTokens: false, tiers: [NO_TOKENS],
    perRequest: 0, perSecond: usdPerSecond, validFromMs: -Infinity, validUntilMs: Infinity,
  }
}
