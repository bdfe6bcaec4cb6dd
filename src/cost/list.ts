/** List prices of @pydantic/genai-prices: which models there are, their prices, tiers and dates. No network. */
import { createRequire } from 'node:module'
import type { ConditionalPrice, ModelInfo, ModelPrice as ListedPrices } from '@pydantic/genai-prices'
import type { ModelPrice, TokenPrices } from './price.ts'

type Library = typeof import('@pydantic/genai-prices')

let library: Library | undefined

/** The CommonJS build, on first use: 25 ms here, where importing the ES one is 100 ms of every start. */
export function loadListPrices(): Library {
  return (library ??= createRequire(import.meta.url)('@pydantic/genai-prices') as Library)
}

/** `provider` '' goes by the model's name. Undefined for a model that is not listed, or that is not priced by tokens or requests. */
export function listPrice(provider: string, model: string, atMs: number): ModelPrice | undefined {
  const { calcPrice, findProvider } = loadListPrices()
  if (provider !== '' && findProvider({ providerId: provider }) === undefined) return undefined
  let found: ReturnType<Library['calcPrice']>
  try {
    found = calcPrice({}, model, { ...(provider === '' ? {} : { providerId: provider }), timestamp: new Date(atMs) })
  } catch {
    // An entry that the library itself finds inconsistent is one without a price.
    return undefined
  }
  if (found === null) return undefined
  const prices = found.model_price
  if (prices['input_mtok'] === undefined && prices['output_mtok'] === undefined && prices['requests_kcount'] === undefined) return undefined
  const tiers = tiersOf(prices)
  return {
    id: found.model.id, source: 'list', basis: 'tokens', tiers, perSecond: 0,
    perRequest: priceAt(prices, 'requests_kcount', 0, 0) / 1000,
    needsTokens: tiers.some(({ aboveInputTokens: _, ...rest }) => Object.values(rest).some((price) => price > 0)),
    ...validity(found.model, atMs),
  }
}

function tiersOf(prices: ListedPrices): readonly [TokenPrices, ...TokenPrices[]] {
  const starts = Object.values(prices).flatMap((price) => (typeof price === 'object' ? price.tiers.map((tier) => tier.start) : []))
  const later = [...new Set(starts)].sort((a, b) => a - b).map((start) => tierAbove(prices, start))
  return [tierAbove(prices, -1), ...later]
}

/** The prices of a call with one token more than `start`. */
function tierAbove(prices: ListedPrices, start: number): TokenPrices {
  const input = priceAt(prices, 'input_mtok', start + 1, 0)
  const output = priceAt(prices, 'output_mtok', start + 1, 0)
  return {
    aboveInputTokens: Math.max(0, start),
    input,
    output,
    cachedInput: priceAt(prices, 'cache_read_mtok', start + 1, input),
    cacheWrite: priceAt(prices, 'cache_write_mtok', start + 1, input),
    reasoning: priceAt(prices, 'output_reasoning_mtok', start + 1, output),
  }
}

function priceAt(prices: ListedPrices, key: string, inputTokens: number, fallback: number): number {
  const price = prices[key]
  if (price === undefined || typeof price === 'number') return price ?? fallback
  let reached = price.base
  for (const tier of [...price.tiers].sort((a, b) => a.start - b.start)) if (inputTokens > tier.start) reached = tier.price
  return reached
}

const DAY_MS = 86_400_000

/** From the last change of any of the model's prices to the next, by date and by time of day. */
function validity(model: ModelInfo, atMs: number): { validFromMs: number; validUntilMs: number } {
  const changes = Array.isArray(model.prices) ? model.prices.flatMap((price) => changesAround(price, atMs)) : []
  return {
    validFromMs: Math.max(-Infinity, ...changes.filter((ms) => ms <= atMs)),
    validUntilMs: Math.min(Infinity, ...changes.filter((ms) => ms > atMs)),
  }
}

function changesAround({ constraint }: ConditionalPrice, atMs: number): number[] {
  if (constraint === undefined) return []
  if (constraint.type === 'start_date') return [Date.parse(constraint.start_date)]
  const midnight = Math.floor(atMs / DAY_MS) * DAY_MS
  return [constraint.start_time, constraint.end_time].flatMap((time) => {
    const ofDay = Date.parse(`1970-01-01T${time}`)
    return Number.isNaN(ofDay) ? [] : [-1, 0, 1, 2].map((day) => midnight + day * DAY_MS + ofDay)
  })
}
