/** What a call costs: the user's own prices over the list prices, by model, tool and collection. */
import type { LatencyPricing } from '../config/config.ts'
import type { OwnCallPrice, OwnModelPrice, Pricing } from '../config/pricing.ts'
import { listPrice, loadListPrices } from './list.ts'
import { candidates, providerOf } from './names.ts'

/** USD per million tokens, in force for calls with more than `aboveInputTokens`. */
export interface TokenPrices {
  readonly aboveInputTokens: number
  readonly input: number
  readonly output: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly reasoning: number
}

export interface ModelPrice {
  /** The model's name in the price table. */
  readonly id: string
  readonly source: 'own' | 'list' | 'latency'
  /** `basis` of agent_cost_usd_total. */
  readonly basis: 'tokens' | 'latency'
  /** False when a call without token counts can be priced: per request, per second, or free. */
  readonly needsTokens: boolean
  /** Ascending by `aboveInputTokens`; the first holds from no tokens on. */
  readonly tiers: readonly [TokenPrices, ...TokenPrices[]]
  /** USD. */
  readonly perRequest: number
  readonly perSecond: number
  /** The price is that of calls in [from, until): list prices change by date, and some by the time of day. */
  readonly validFromMs: number
  readonly validUntilMs: number
}

/** `input` includes `cachedInput` and `cacheWrite`, `output` includes `reasoning`. */
export interface TokenCounts {
  readonly input: number
  readonly output: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly reasoning: number
}

/** USD of one call. Subsets are taken out of what they are part of, and never exceed it, whatever the span says. */
export function cost(price: ModelPrice, tokens: TokenCounts, durationSeconds: number): number {
  const input = tokens.input > 0 ? tokens.input : 0
  const output = tokens.output > 0 ? tokens.output : 0
  const cached = within(tokens.cachedInput, input)
  const write = within(tokens.cacheWrite, input - cached)
  const reasoning = within(tokens.reasoning, output)
  let tier = price.tiers[0]
  for (let i = 1; i < price.tiers.length && input > price.tiers[i]!.aboveInputTokens; i++) tier = price.tiers[i]!
  const perMillion =
    (input - cached - write) * tier.input + cached * tier.cachedInput + write * tier.cacheWrite +
    (output - reasoning) * tier.output + reasoning * tier.reasoning
  return perMillion / 1e6 + price.perRequest + price.perSecond * (durationSeconds > 0 ? durationSeconds : 0)
}

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

function within(part: number, whole: number): number {
  return part > 0 ? Math.min(part, whole) : 0
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
