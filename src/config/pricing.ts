/** The user's own prices: a `pricing.yaml` over the list prices. */
import { z } from 'zod'
import { readAmount, readCurrency, readDate, reading, readOneOf, readText } from './values.ts'
import { refused, type Path } from './problems.ts'
import { readYaml, type YamlFile } from './yaml.ts'

export const SERVICE_TIER_NAMES = ['batch', 'flex', 'priority'] as const
export type ServiceTierName = (typeof SERVICE_TIER_NAMES)[number]

/** Per million tokens. One that is absent is that of the set the tokens are part of: cached input costs as input, reasoning as output. */
export interface OwnTokenPrices {
  readonly inputPerMillion?: number | undefined
  readonly outputPerMillion?: number | undefined
  readonly cachedInputPerMillion?: number | undefined
  readonly cacheWritePerMillion?: number | undefined
  readonly reasoningPerMillion?: number | undefined
}

/** What all prices have. */
interface OwnPrice {
  /** A name, or a glob of `*` and `?`; case does not matter. */
  readonly match: string
  /** Unix time from which the price holds; undefined: always. */
  readonly from?: number | undefined
  /** Undefined: that of the file. */
  readonly currency?: string | undefined
}

export interface OwnModelPrice extends OwnPrice, OwnTokenPrices {
  /** Only calls to this provider. */
  readonly provider?: string | undefined
  /** Only calls that the provider served so. */
  readonly serviceTier?: ServiceTierName | undefined
  /** Prices of calls with more input than this; ascending. What a tier does not name is as below it. */
  readonly tiers?: readonly (OwnTokenPrices & { readonly aboveInputTokens: number })[] | undefined
  readonly perRequest?: number | undefined
  readonly perSecond?: number | undefined
}

export interface OwnCallPrice extends OwnPrice {
  readonly perCall?: number | undefined
  readonly perSecond?: number | undefined
}

/** A service tier's prices as a multiple of the standard ones. */
export interface ServiceTierFactor {
  readonly tier: ServiceTierName
  readonly factor: number
  readonly match?: string | undefined
  readonly provider?: string | undefined
}

/** USD for one unit of a currency, from a time on; the first one also before it. */
export interface ExchangeRate {
  readonly currency: string
  readonly usd: number
  readonly from?: number | undefined
}

export interface Pricing {
  readonly currency?: string
  readonly exchangeRates?: readonly ExchangeRate[]
  /** A name or glob of models, and the model they are priced as. */
  readonly aliases?: Readonly<Record<string, string>>
  readonly serviceTiers?: readonly ServiceTierFactor[]
  readonly models: readonly OwnModelPrice[]
  readonly tools: readonly OwnCallPrice[]
  readonly retrievals: readonly OwnCallPrice[]
}

/** Throws `ConfigError` with every problem at once, each with its line. */
export function loadPricing(name: string): Pricing {
  return checkPricing(readYaml(name))
}

export function checkPricing(file: YamlFile): Pricing {
  const parsed = schema.safeParse(file.value, { reportInput: true })
  if (parsed.success) return parsed.data as Pricing
  throw refused(file, parsed.error, keysAt)
}

const read = <T>(reader: (value: unknown) => T) => z.unknown().transform(reading(reader))
const amount = read(readAmount)
const text = read(readText)
const date = read(readDate)
const currency = read(readCurrency)
const serviceTier = read((value) => readOneOf(value, SERVICE_TIER_NAMES))
const MOST_ENTRIES = 10_000
const list = <T extends z.ZodType>(item: T) => z.array(item).max(MOST_ENTRIES, `expected at most ${MOST_ENTRIES} entries`).default([])

const tokenPrices = {
  inputPerMillion: amount.optional(),
  outputPerMillion: amount.optional(),
  cachedInputPerMillion: amount.optional(),
  cacheWritePerMillion: amount.optional(),
  reasoningPerMillion: amount.optional(),
}
const price = { match: text, from: date.optional(), currency: currency.optional() }

const tier = z.strictObject({ aboveInputTokens: amount, ...tokenPrices })
const model = z
  .strictObject({ ...price, provider: text.optional(), serviceTier: serviceTier.optional(), ...tokenPrices, tiers: z.array(tier).max(100, 'expected at most 100 tiers').optional(), perRequest: amount.optional(), perSecond: amount.optional() })
  .check((context) => {
    const { inputPerMillion, outputPerMillion, perRequest, perSecond, tiers = [] } = context.value
    const fail = (message: string, path: PropertyKey[] = []) => context.issues.push({ code: 'custom', input: context.value, message, path })
    if ([inputPerMillion, outputPerMillion, perRequest, perSecond].every((value) => value === undefined)) fail('expected a price: inputPerMillion, outputPerMillion, perRequest or perSecond')
    tiers.forEach(({ aboveInputTokens, ...prices }, i) => {
      if (i > 0 && aboveInputTokens <= tiers[i - 1]!.aboveInputTokens) fail(`expected more than the tier before (${tiers[i - 1]!.aboveInputTokens}), got ${aboveInputTokens}`, ['tiers', i, 'aboveInputTokens'])
      if (Object.values(prices).every((value) => value === undefined)) fail('expected a price', ['tiers', i])
    })
  })

const calls = z.strictObject({ ...price, perCall: amount.optional(), perSecond: amount.optional() }).check((context) => {
  if (context.value.perCall === undefined && context.value.perSecond === undefined) context.issues.push({ code: 'custom', input: context.value, message: 'expected a price: perCall or perSecond' })
})
const factor = z.strictObject({ tier: serviceTier, factor: amount, match: text.optional(), provider: text.optional() })
const rate = z.strictObject({ currency, usd: amount, from: date.optional() }).check((context) => {
  if (context.value.usd === 0) context.issues.push({ code: 'custom', input: context.value, message: 'expected a number above 0, got 0', path: ['usd'] })
})

const schema = z
  .strictObject({
    currency: currency.default('USD'),
    exchangeRates: list(rate),
    aliases: z.record(z.string(), text).default({}),
    serviceTiers: list(factor),
    models: list(model),
    tools: list(calls),
    retrievals: list(calls),
  })
  .check((context) => {
    const { value } = context
    const fail = (message: string, path: PropertyKey[]) => context.issues.push({ code: 'custom', input: value, message, path })
    const known = new Set(['USD', ...value.exchangeRates.map((one) => one.currency)])
    if (!known.has(value.currency)) fail(`no rate in exchangeRates for ${value.currency}`, ['currency'])
    if (value.exchangeRates.some((one) => one.currency === 'USD')) fail('USD is what others are exchanged to', ['exchangeRates', value.exchangeRates.findIndex((one) => one.currency === 'USD')])
    for (const [name, target] of Object.entries(value.aliases)) {
      if (target.toLowerCase() in lowered(value.aliases)) fail(`${target} is itself an alias`, ['aliases', name])
    }
    for (const section of ['models', 'tools', 'retrievals'] as const) {
      const seen = new Map<string, number>()
      value[section].forEach((one, i) => {
        if (one.currency !== undefined && !known.has(one.currency)) fail(`no rate in exchangeRates for ${one.currency}`, [section, i, 'currency'])
        const { match, from, provider, serviceTier } = one as OwnModelPrice
        const key = JSON.stringify([match.toLowerCase(), from, provider?.toLowerCase(), serviceTier])
        const before = seen.get(key)
        if (before !== undefined) fail(`a second price for what ${section}[${before}] has one for`, [section, i, 'match'])
        seen.set(key, before ?? i)
      })
    }
  })

const lowered = (aliases: Readonly<Record<string, string>>) => Object.fromEntries(Object.keys(aliases).map((name) => [name.toLowerCase(), true]))

const KEYS: Readonly<Record<string, object>> = { models: model.shape, tools: calls.shape, retrievals: calls.shape, exchangeRates: rate.shape, serviceTiers: factor.shape }

function keysAt(path: Path): readonly string[] {
  if (path.length === 0) return Object.keys(schema.shape)
  return Object.keys(path.includes('tiers') ? tier.shape : (KEYS[String(path[0])] ?? {}))
}
