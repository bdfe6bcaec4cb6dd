/**
 * Gives every step of a settled request its cost, and the request the sum of them. What a span reports
 * comes first, then tokens times price; a cost known only for the whole is shared by the steps.
 */
import { Kind } from '../spans/names.ts'
import type { StringTable } from '../spans/strings.ts'
import { Basis, quantize, type Settled } from '../traces/settled.ts'
import { cost, type ModelPrice } from './price.ts'
import type { PriceBook } from './prices.ts'

/** A report of more than this for one call is damage, and would drown every other cost in a counter. */
const MAX_REPORTED_USD = 10_000
/** Prices looked up are remembered for this many (provider, model) pairs. */
const MAX_PRICES = 20_000

const RECENT = 256

export interface Unpriced {
  /** Why a model call has no cost, by step; read by the recorder. */
  readonly noPrice: number[]
  readonly noTokens: number[]
}

export class CostAttribution {
  readonly #book: PriceBook
  readonly #strings: StringTable
  /** By provider and then model: keys that stay small integers, which a map is fast for. */
  readonly #prices = new Map<number, Map<number, ModelPrice | undefined>>()
  #priceCount = 0
  /** The prices last asked for, in front of the maps: most requests are of a few models. */
  readonly #recent: { provider: number; model: number; price: ModelPrice }[] = []
  readonly #calls = new Map<number, number | undefined>()
  #generation = 0
  /** Steps of the last request whose cost is unknown. */
  readonly unpriced: Unpriced = { noPrice: [], noTokens: [] }

  constructor(book: PriceBook, strings: StringTable) {
    this.#book = book
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
    if (total === 0 && settled.sharedCostUsd > 0 && settled.sharedCostUsd <= MAX_REPORTED_USD && settled.steps > 0) total = share(settled)
    settled.totalUsd = total
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
    const price = this.#price(settled.provider[i]!, settled.name[i]!, settled.startMs)
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
    let price = this.#calls.get(key)
    if (price === undefined && !this.#calls.has(key)) {
      if (this.#calls.size > MAX_PRICES) this.#calls.clear()
      const text = this.#strings.text(name)
      price = kind === Kind.tool ? this.#book.toolPrice(text) : this.#book.retrievalPrice(text)
      this.#calls.set(key, price)
    }
    if (price === undefined || price <= 0) return
    settled.costUsd[i] = quantize(price)
    settled.basis[i] = Basis.tokens
  }

  #price(provider: number, model: number, atMs: number): ModelPrice | undefined {
    const place = (Math.imul(provider, 31) + model) & (RECENT - 1)
    const recent = this.#recent[place]
    if (recent !== undefined && recent.provider === provider && recent.model === model && atMs >= recent.price.validFromMs && atMs < recent.price.validUntilMs) return recent.price
    const price = this.#lookUp(provider, model, atMs)
    if (price !== undefined) this.#recent[place] = { provider, model, price }
    return price
  }

  #lookUp(provider: number, model: number, atMs: number): ModelPrice | undefined {
    let models = this.#prices.get(provider)
    if (models === undefined) this.#prices.set(provider, models = new Map())
    let price = models.get(model)
    if (price === undefined ? !models.has(model) : atMs < price.validFromMs || atMs >= price.validUntilMs) {
      if (++this.#priceCount > MAX_PRICES) {
        this.#prices.clear()
        this.#prices.set(provider, models = new Map())
        this.#priceCount = 1
      }
      price = this.#book.modelPrice(this.#strings.text(provider), this.#strings.text(model), atMs)
      models.set(model, price)
    }
    return price
  }

  /** Numbers of strings change their meaning with a sweep. */
  #refresh(): void {
    if (this.#generation === this.#strings.generation) return
    this.#prices.clear()
    this.#recent.length = 0
    this.#calls.clear()
    this.#generation = this.#strings.generation
  }
}

const counts = { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 }
const NO_TOKENS = { input: -1, output: -1, cachedInput: -1, cacheWrite: -1, reasoning: -1 }

/** Shares the request's cost among its model calls by their duration, or among all steps where there is none. */
function share(settled: Settled): number {
  const models = settled.kind.subarray(0, settled.steps).includes(Kind.model)
  const takes = (i: number) => !models || settled.kind[i] === Kind.model
  let seconds = 0
  let takers = 0
  for (let i = 0; i < settled.steps; i++) {
    if (!takes(i)) continue
    seconds += settled.stepSeconds[i]!
    takers++
  }
  let total = 0
  for (let i = 0; i < settled.steps; i++) {
    if (!takes(i)) continue
    settled.costUsd[i] = quantize(settled.sharedCostUsd * (seconds > 0 ? settled.stepSeconds[i]! / seconds : 1 / takers))
    settled.basis[i] = Basis.shared
    total += settled.costUsd[i]!
  }
  return total
}
