/** The user's own prices: which entry holds for a call, and what it comes to in USD at the time of the call. */
import type { OwnCallPrice, OwnModelPrice, OwnTokenPrices, Pricing, ServiceTierName } from '../config/pricing.ts'
import { globOf } from '../glob.ts'
import { providerOf } from './names.ts'
import type { CallPrice, ModelPrice, TokenPrices, Validity } from './price.ts'

/** By `ServiceTier`. */
const TIER_NAMES: readonly (ServiceTierName | undefined)[] = [undefined, 'batch', 'flex', 'priority']

interface Compiled<T> {
  readonly pattern: RegExp
  readonly isGlob: boolean
  readonly entry: T
}

export interface OwnFound extends Validity {
  /** Undefined: no entry holds at this time, one may at another. */
  readonly price: ModelPrice | undefined
  /** The price is that of the tier asked for, so that nothing is to be taken off it. */
  readonly isOfTier: boolean
  /** Other names or globs of the file that fit just as well. */
  readonly rivals: readonly string[]
}

export class OwnPrices {
  readonly #pricing: Pricing
  readonly #models: readonly Compiled<OwnModelPrice>[]
  readonly #tools: readonly Compiled<OwnCallPrice>[]
  readonly #retrievals: readonly Compiled<OwnCallPrice>[]
  readonly #aliases: readonly Compiled<{ readonly match: string; readonly target: string }>[]
  readonly #factors: readonly { readonly pattern: RegExp; readonly provider: string | undefined; readonly tier: ServiceTierName; readonly factor: number }[]

  constructor(pricing: Pricing) {
    this.#pricing = pricing
    this.#models = compile(pricing.models)
    this.#tools = compile(pricing.tools)
    this.#retrievals = compile(pricing.retrievals)
    this.#aliases = compile(Object.entries(pricing.aliases ?? {}).map(([match, target]) => ({ match, target })))
    this.#factors = (pricing.serviceTiers ?? []).map(({ match = '*', provider, tier, factor }) => ({ pattern: globOf(match), provider, tier, factor }))
  }

  /** The model that this one is priced as, by the first of its names that has an alias. */
  alias(names: readonly string[]): string | undefined {
    return this.#first(this.#aliases, names)[0]?.entry.target
  }

  /** `names` in the order to try. An exact name outranks a glob, whichever name it fits; then who names the provider; then who names the tier; then the latest `from`. */
  model(provider: string, names: readonly string[], tier: number, atMs: number): OwnFound {
    const tierName = TIER_NAMES[tier]
    const models = this.#models.filter(({ entry }) => isOf(provider, entry.provider) && (entry.serviceTier === undefined || entry.serviceTier === tierName))
    const all = this.#first(models, names)
    const fitting = all.filter(({ entry }) => (entry.from ?? -Infinity) <= atMs)
    const changes = all.map((one) => one.entry.from ?? -Infinity)
    const best = fitting[0]
    if (best === undefined) return { price: undefined, isOfTier: false, rivals: [], ...around(changes, atMs) }
    const { entry } = best
    const validity = around([...changes, ...this.#rateTimes(entry.currency)], atMs)
    const rivals = fitting.filter((other) => other !== best && other.isGlob === best.isGlob && rankOf(other.entry) === rankOf(entry) && (other.entry.from ?? 0) === (entry.from ?? 0))
    return { price: ownPrice(entry, this.#rate(entry.currency, atMs), validity), isOfTier: tierName !== undefined && entry.serviceTier === tierName, rivals: rivals.map((other) => other.entry.match), ...validity }
  }

  /** What the file says a tier costs against the standard one. */
  factor(provider: string, names: readonly string[], tier: number): number | undefined {
    return this.#factors.find((one) => one.tier === TIER_NAMES[tier] && isOf(provider, one.provider) && names.some((name) => one.pattern.test(name)))?.factor
  }

  tool(name: string, atMs: number): CallPrice {
    return this.#call(this.#tools, name, atMs)
  }

  retrieval(name: string, atMs: number): CallPrice {
    return this.#call(this.#retrievals, name, atMs)
  }

  #call(entries: readonly Compiled<OwnCallPrice>[], name: string, atMs: number): CallPrice {
    const all = this.#first(entries, [name])
    const entry = all.find((one) => (one.entry.from ?? -Infinity) <= atMs)?.entry
    const usd = entry === undefined ? 1 : this.#rate(entry.currency, atMs)
    return {
      ...(entry !== undefined && { match: entry.match }), perCall: (entry?.perCall ?? 0) * usd, perSecond: (entry?.perSecond ?? 0) * usd,
      ...around([...all.map((one) => one.entry.from ?? -Infinity), ...(entry === undefined ? [] : this.#rateTimes(entry.currency))], atMs),
    }
  }

  /** All that fit, the best first. */
  #first<T extends { readonly match: string }>(entries: readonly Compiled<T>[], names: readonly string[]): Compiled<T>[] {
    const found: Compiled<T>[] = []
    for (const isGlob of [false, true]) {
      for (const name of new Set(names)) {
        const fitting = entries.filter((one) => one.isGlob === isGlob && !found.includes(one) && one.pattern.test(name))
        found.push(...fitting.sort((a, b) => rankOf(b.entry) - rankOf(a.entry) || fromOf(b.entry) - fromOf(a.entry)))
      }
    }
    return found
  }

  /** USD for one unit of the currency at a time. */
  #rate(currency: string | undefined, atMs: number): number {
    const rates = this.#rates(currency)
    return (rates.findLast((rate) => (rate.from ?? -Infinity) <= atMs) ?? rates[0])?.usd ?? 1
  }

  #rateTimes(currency: string | undefined): number[] {
    return this.#rates(currency).slice(1).map((rate) => rate.from!)
  }

  #rates(currency = this.#pricing.currency ?? 'USD') {
    return (this.#pricing.exchangeRates ?? []).filter((rate) => rate.currency === currency).sort((a, b) => (a.from ?? -Infinity) - (b.from ?? -Infinity) || 0)
  }
}

function isOf(provider: string, wanted: string | undefined): boolean {
  if (wanted === undefined || wanted.toLowerCase() === provider.toLowerCase()) return true
  const vendor = providerOf(provider)
  return vendor !== '' && providerOf(wanted) === vendor
}

function rankOf(entry: object): number {
  const { provider, serviceTier } = entry as Partial<OwnModelPrice>
  return (provider === undefined ? 0 : 2) + (serviceTier === undefined ? 0 : 1)
}

function fromOf(entry: object): number {
  return (entry as Partial<OwnModelPrice>).from ?? Number.MIN_SAFE_INTEGER
}

function compile<T extends { readonly match: string }>(entries: readonly T[]): Compiled<T>[] {
  return entries.map((entry) => ({ entry, isGlob: /[*?]/.test(entry.match), pattern: globOf(entry.match) }))
}

/** From the last change to the next. */
function around(changes: readonly number[], atMs: number): Validity {
  return { validFromMs: Math.max(-Infinity, ...changes.filter((ms) => ms <= atMs)), validUntilMs: Math.min(Infinity, ...changes.filter((ms) => ms > atMs)) }
}

function ownPrice(own: OwnModelPrice, usd: number, validity: Validity): ModelPrice {
  const base = tierOf({ ...own, aboveInputTokens: 0 }, undefined, usd)
  const tiers: [TokenPrices, ...TokenPrices[]] = [base]
  let below: OwnTokenPrices = own
  for (const tier of own.tiers ?? []) {
    tiers.push(tierOf(tier, below, usd))
    below = { ...below, ...told(tier) }
  }
  const hasTokens = own.inputPerMillion !== undefined || own.outputPerMillion !== undefined
  return {
    id: own.match, source: 'own', basis: !hasTokens && own.perSecond !== undefined ? 'latency' : 'tokens',
    needsTokens: tiers.some(({ aboveInputTokens: _, ...rest }) => Object.values(rest).some((price) => price > 0)), tiers,
    perRequest: (own.perRequest ?? 0) * usd, perSecond: (own.perSecond ?? 0) * usd, ...validity,
  }
}

/** What a tier does not name is as below it; what neither names is as the set it is part of. */
function tierOf(tier: OwnTokenPrices & { readonly aboveInputTokens: number }, below: OwnTokenPrices | undefined, usd: number): TokenPrices {
  const all = { ...below, ...told(tier) }
  const input = all.inputPerMillion ?? 0
  const output = all.outputPerMillion ?? 0
  return {
    aboveInputTokens: tier.aboveInputTokens, input: input * usd, output: output * usd,
    cachedInput: (all.cachedInputPerMillion ?? input) * usd, cacheWrite: (all.cacheWritePerMillion ?? input) * usd, reasoning: (all.reasoningPerMillion ?? output) * usd,
  }
}

function told(prices: OwnTokenPrices): OwnTokenPrices {
  return Object.fromEntries(Object.entries(prices).filter(([, value]) => value !== undefined))
}
