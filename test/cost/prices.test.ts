import { calcPrice, waitForUpdate } from '@pydantic/genai-prices'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cost, type ModelPrice, type TokenCounts } from '../../src/cost/price.ts'
import { PriceBook } from '../../src/cost/prices.ts'

const AT = Date.UTC(2026, 0, 15, 12)
const book = new PriceBook()
const counts = (input: number, output: number, rest: Partial<TokenCounts> = {}): TokenCounts => ({ input, output, cachedInput: 0, cacheWrite: 0, reasoning: 0, ...rest })
const priced = (provider: string, model: string, atMs = AT): ModelPrice => {
  const price = book.modelPrice(provider, model, atMs)
  if (price === undefined) throw new Error(`no price for ${provider} ${model}`)
  return price
}

describe('cost', () => {
  it('takes cached and written input out of the input, and each only once', () => {
    // claude-sonnet-4-5: 3 in, 15 out, 0.30 read, 3.75 written, USD per million.
    const usd = cost(priced('anthropic', 'claude-sonnet-4-5'), counts(10_000, 1_000, { cachedInput: 4_000, cacheWrite: 1_000 }), 0)
    expect(usd).toBeCloseTo((5_000 * 3 + 4_000 * 0.3 + 1_000 * 3.75 + 1_000 * 15) / 1e6, 12)
  })

  it('charges reasoning as the output it is part of', () => {
    const price = priced('openai', 'o3', AT)
    expect(cost(price, counts(100, 500, { reasoning: 400 }), 0)).toBe(cost(price, counts(100, 500), 0))
    expect(cost(price, counts(0, 500), 0)).toBeCloseTo((500 * 8) / 1e6, 12)
  })

  it('prices a long context as a whole at the higher tier', () => {
    const price = priced('google', 'gemini-2.5-pro')
    expect(cost(price, counts(200_000, 1_000), 0)).toBeCloseTo((200_000 * 1.25 + 1_000 * 10) / 1e6, 12)
    expect(cost(price, counts(200_001, 1_000), 0)).toBeCloseTo((200_001 * 2.5 + 1_000 * 15) / 1e6, 12)
  })

  it('never charges a subset beyond what it is part of, whatever the span says', () => {
    const price = priced('anthropic', 'claude-sonnet-4-5')
    const number = fc.oneof(fc.integer({ min: -10, max: 1_000_000 }), fc.constant(NaN))
    fc.assert(
      fc.property(number, number, number, number, number, (input, output, cachedInput, cacheWrite, reasoning) => {
        const usd = cost(price, { input, output, cachedInput, cacheWrite, reasoning }, 0)
        const most = (Math.max(input || 0, 0) * 7.5 + Math.max(output || 0, 0) * 22.5) / 1e6
        expect(usd).toBeGreaterThanOrEqual(0)
        expect(usd).toBeLessThanOrEqual(most + 1e-12)
      }),
    )
  })
})

describe('list prices', () => {
  it("are those of genai-prices' own calculation, for every model it lists", async () => {
    const compared: string[] = []
    const tokens = counts(250_000, 7_000, { cachedInput: 100_000, cacheWrite: 20_000, reasoning: 3_000 })
    for (const provider of (await waitForUpdate()) ?? []) {
      for (const { id } of provider.models) {
        const usage = { input_tokens: 250_000, cache_read_tokens: 100_000, cache_write_tokens: 20_000, output_tokens: 7_000, output_reasoning_tokens: 3_000 }
        const theirs = calcPrice(usage, id, { providerId: provider.id, timestamp: new Date(AT) })
        const tokenPriced = theirs !== null && ['input_mtok', 'output_mtok', 'requests_kcount'].some((key) => theirs.model_price[key] !== undefined)
        if (!tokenPriced) continue
        const ours = book.modelPrice(provider.id, id, AT)
        expect(ours, `${provider.id} ${id}`).toBeDefined()
        expect(cost(ours!, tokens, 1), `${provider.id} ${id}`).toBeCloseTo(theirs.total_price, 9)
        compared.push(id)
      }
    }
    expect(compared.length).toBeGreaterThan(1_000)
  })

  it.each([
    ['openai', 'gpt-4o-mini-2024-07-18', 'gpt-4o-mini', 0.15],
    ['OpenAI', 'gpt-4o', 'gpt-4o', 2.5],
    ['openai.chat', 'gpt-4o-mini', 'gpt-4o-mini', 0.15],
    ['openai.responses', 'gpt-4.1-mini', 'gpt-4.1-mini', 0.4],
    ['azure_openai', 'gpt-4o', 'gpt-4o', 2.5],
    ['az.ai.openai', 'gpt-4o', 'gpt-4o', 2.5],
    ['anthropic', 'claude-sonnet-4-5', 'claude-sonnet-4-5', 3],
    ['Anthropic', 'claude-3-5-sonnet-20241022', 'claude-3-5-sonnet', 3],
    ['aws.bedrock', 'anthropic.claude-3-5-sonnet-20241022-v2:0', 'regional.anthropic.claude-3-5-sonnet-20241022-v2:0', 3],
    ['AWS', 'us.anthropic.claude-3-5-sonnet-20241022-v2:0', 'regional.anthropic.claude-3-5-sonnet-20241022-v2:0', 3],
    ['', 'arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0', 'amazon.nova-pro-v1:0', 0.8],
    ['gcp.gemini', 'models/gemini-2.5-flash', 'gemini-2.5-flash', 0.3],
    ['google_genai', 'gemini-2.5-flash', 'gemini-2.5-flash', 0.3],
    ['gcp.vertex_ai', 'publishers/google/models/gemini-2.5-flash', 'gemini-2.5-flash', 0.3],
    ['vertex_ai', 'claude-sonnet-4-5@20250929', 'claude-sonnet-4-5', 3],
    ['', 'openai/gpt-4o', 'gpt-4o', 2.5],
    ['openai', 'openai/gpt-4o', 'gpt-4o', 2.5],
    ['openai', 'anthropic/claude-3-haiku', 'claude-3-haiku', 0.25],
    ['litellm', 'openai/gpt-4o', 'gpt-4o', 2.5],
    ['langchain', 'gpt-4o', 'gpt-4o', 2.5],
    ['', 'openai:gpt-4o', 'gpt-4o', 2.5],
    ['xai', 'grok-4', 'grok-4-0709', 3],
    ['mistral_ai', 'mistral-large-latest', 'mistral-large', 2],
    ['openai', 'text-embedding-3-small', 'text-embedding-3-small', 0.02],
    ['', 'text-embedding-3-small', 'text-embedding-3-small', 0.02],
    ['llamaindex', 'text-embedding-ada-002', 'text-embedding-ada-002', 0.1],
  ])('%s %s is %s', (provider, model, id, inputPerMillion) => {
    const price = priced(provider, model)
    expect(price).toMatchObject({ id, source: 'list', basis: 'tokens', needsTokens: true })
    expect(price.tiers[0].input).toBe(inputPerMillion)
  })

  it.each([
    ['openai', 'gpt-99'],
    ['openai', ''],
    ['', 'my-own-model'],
    ['ollama', 'deepseek-r1'],
    ['openai', 'deepseek-r1:8b'],
    ['openai', 'whisper-1'],
    ['openai', `gpt-4o${'-'.repeat(10_000)}x`],
  ])('%s %s has none', (provider, model) => {
    expect(book.modelPrice(provider, model, AT)).toBeUndefined()
  })

  it('change by date, and say until when they hold', () => {
    const before = priced('openai', 'o3', Date.UTC(2025, 4, 1))
    expect(before.tiers[0].input).toBe(10)
    const after = priced('openai', 'o3', before.validUntilMs)
    expect(after.tiers[0].input).toBe(2)
    expect(after.validFromMs).toBe(before.validUntilMs)
    expect(priced('openai', 'o3', before.validUntilMs - 1).tiers[0].input).toBe(10)
  })

  it('hold for the whole time they say, by the time of day too', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(2025, 2, 1), max: Date.UTC(2025, 11, 1) }), fc.double({ min: 0, max: 1, noNaN: true }), (atMs, part) => {
        const price = priced('deepseek', 'deepseek-chat', atMs)
        const until = Math.min(price.validUntilMs, atMs + 1e9)
        const within = Math.min(Math.floor(atMs + (until - atMs) * part), until - 1)
        expect(priced('deepseek', 'deepseek-chat', within).tiers).toEqual(price.tiers)
      }),
    )
    const [day, night] = [priced('deepseek', 'deepseek-chat', Date.UTC(2025, 5, 1, 8)), priced('deepseek', 'deepseek-chat', Date.UTC(2025, 5, 1, 20))]
    expect(day.tiers[0].input).toBeGreaterThan(night.tiers[0].input)
  })
})

describe('own prices', () => {
  const own = new PriceBook({
    pricing: {
      models: [
        { match: 'gpt-*', provider: 'azure', inputPerMillion: 1, outputPerMillion: 2 },
        { match: 'gpt-4o', inputPerMillion: 2, outputPerMillion: 4, cachedInputPerMillion: 0.5, reasoningPerMillion: 8 },
        { match: 'house-?b', perSecond: 0.001 },
        { match: 'free', inputPerMillion: 0 },
        { match: 'flat', perRequest: 0.02 },
      ],
      tools: [{ match: 'web_*', perCall: 0.01 }, { match: 'web_search', perCall: 0.02 }],
      retrievals: [{ match: 'docs', perCall: 0.001 }],
    },
  })

  it('come before list prices, exact names before globs', () => {
    expect(own.modelPrice('openai', 'GPT-4o', AT)).toMatchObject({ source: 'own', id: 'gpt-4o' })
    expect(own.modelPrice('azure_openai', 'gpt-4.1', AT)).toMatchObject({ source: 'own', id: 'gpt-*' })
    expect(own.modelPrice('openai', 'gpt-4.1', AT)).toMatchObject({ source: 'list' })
    expect(own.modelPrice('', 'openai/gpt-4o', AT)).toMatchObject({ source: 'own', id: 'gpt-4o' })
  })

  it('price the subsets that they name', () => {
    const usd = cost(own.modelPrice('openai', 'gpt-4o', AT)!, counts(1_000, 100, { cachedInput: 400, cacheWrite: 100, reasoning: 60 }), 3)
    expect(usd).toBeCloseTo((500 * 2 + 400 * 0.5 + 100 * 2 + 40 * 4 + 60 * 8) / 1e6, 12)
  })

  it('know per second, per request and free, which need no tokens', () => {
    const seconds = own.modelPrice('vllm', 'house-7b', AT)!
    expect(seconds).toMatchObject({ basis: 'latency', needsTokens: false })
    expect(cost(seconds, counts(0, 0), 2.5)).toBeCloseTo(0.0025, 12)
    expect(own.modelPrice('', 'flat', AT)).toMatchObject({ basis: 'tokens', needsTokens: false })
    expect(cost(own.modelPrice('', 'flat', AT)!, counts(5, 5), 9)).toBe(0.02)
    expect(own.modelPrice('', 'free', AT)).toMatchObject({ needsTokens: false })
  })

  it('price tools and retrievals by call, and nothing that is not named', () => {
    expect(own.toolPrice('web_search', AT)).toMatchObject({ match: 'web_search', perCall: 0.02 })
    expect(own.toolPrice('web_fetch', AT)).toMatchObject({ match: 'web_*', perCall: 0.01 })
    expect(own.toolPrice('lookup_order', AT)).toMatchObject({ perCall: 0, perSecond: 0 })
    expect(own.retrievalPrice('docs', AT).perCall).toBe(0.001)
    expect(own.retrievalPrice('docs2', AT).perCall).toBe(0)
  })
})

describe('the per-second mode', () => {
  it('prices what has no other price, or everything but own prices', () => {
    const rest = new PriceBook({ latencyPricing: { usdPerSecond: 0.5, applyTo: 'unpriced' } })
    expect(rest.modelPrice('ollama', 'llama3', AT)).toMatchObject({ source: 'latency', basis: 'latency', perSecond: 0.5 })
    expect(rest.modelPrice('openai', 'gpt-4o', AT)).toMatchObject({ source: 'list' })
    const all = new PriceBook({ pricing: { models: [{ match: 'o3', inputPerMillion: 1 }], tools: [], retrievals: [] }, latencyPricing: { usdPerSecond: 0.5, applyTo: 'all' } })
    expect(cost(all.modelPrice('openai', 'gpt-4o', AT)!, counts(1000, 1000), 3)).toBe(1.5)
    expect(all.modelPrice('openai', 'o3', AT)).toMatchObject({ source: 'own' })
    expect(book.withoutTokens).toBeUndefined()
    expect(rest.withoutTokens).toMatchObject({ perSecond: 0.5 })
  })
})
