import { describe, expect, it } from 'vitest'
import { checkPricing } from '../../src/config/pricing.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { cost, type ModelPrice } from '../../src/cost/price.ts'
import { PriceBook } from '../../src/cost/prices.ts'
import { ServiceTier } from '../../src/spans/names.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { settleAll } from '../traces/delivery.ts'
import { tracesBody, type Attributes } from '../otlpbuilder.ts'

const day = (text: string) => Date.parse(`${text}T12:00:00Z`)
const AT = day('2026-06-15')
const book = new PriceBook({ pricing: checkPricing(parseYaml('pricing.yaml', `
exchangeRates:
  - {currency: EUR, usd: 1.10}
  - {currency: EUR, usd: 1.20, from: 2026-06-01}
aliases:
  our-assistant: gpt-x
  "fine-tuned:*": gpt-x
serviceTiers:
  - {tier: flex, factor: 0.25, match: gpt-x}
  - {tier: priority, factor: 3, provider: azure}
models:
  - {match: gpt-x, inputPerMillion: 4, outputPerMillion: 8}
  - {match: gpt-x, inputPerMillion: 2, outputPerMillion: 8, from: 2026-05-01}
  - {match: gpt-x, provider: azure, inputPerMillion: 5, outputPerMillion: 5}
  - {match: gpt-x, serviceTier: batch, inputPerMillion: 1, outputPerMillion: 1}
  - {match: "gpt-?-*", inputPerMillion: 90}
  - {match: "gpt-x-*", inputPerMillion: 91}
  - {match: euro, currency: EUR, inputPerMillion: 10, perRequest: 0.01}
  - match: long
    inputPerMillion: 1
    outputPerMillion: 2
    cachedInputPerMillion: 0.1
    tiers:
      - {aboveInputTokens: 1000, inputPerMillion: 3}
      - {aboveInputTokens: 5000, outputPerMillion: 9, cachedInputPerMillion: 0.2}
  - {match: gpt-4o, inputPerMillion: 77, from: 2027-01-01}
tools:
  - {match: search, perCall: 0.01}
  - {match: search, perCall: 0.02, from: 2026-05-01}
  - {match: sandbox, perSecond: 0.001, currency: EUR}
`)) })
const priced = (provider: string, model: string, atMs = AT, tier: number = ServiceTier.standard): ModelPrice => book.modelPrice(provider, model, atMs, tier)!
const input = (price: ModelPrice) => price.tiers[0].input

describe('the price in force', () => {
  it('is that of the time of the call', () => {
    expect(input(priced('', 'gpt-x', day('2026-04-30')))).toBe(4)
    expect(input(priced('', 'gpt-x', day('2026-05-01')))).toBe(2)
    const before = book.quote('', 'gpt-x', day('2026-04-30'))
    expect(new Date(before.validUntilMs).toISOString()).toBe('2026-05-01T00:00:00.000Z')
    expect(book.quote('', 'gpt-x', before.validUntilMs).validFromMs).toBe(before.validUntilMs)
  })

  it('of the list ends where an own one begins', () => {
    expect(priced('openai', 'gpt-4o')).toMatchObject({ source: 'list' })
    expect(book.quote('openai', 'gpt-4o', AT).validUntilMs).toBe(Date.UTC(2027, 0, 1))
    expect(input(priced('openai', 'gpt-4o', day('2027-01-01')))).toBe(77)
  })

  it('is found by the name without its date, after all exact names and before globs', () => {
    for (const model of ['gpt-x-2026-05-01', 'gpt-x-20260501', 'gpt-x@20260501', 'openai/gpt-x-2026-05-01', 'gpt-x-latest']) expect(priced('', model).id, model).toBe('gpt-x')
    expect(priced('', 'gpt-x-mini').id).toBe('gpt-?-*')
    expect(priced('openai', 'claude-haiku-4-5-20991231').id).toBe('claude-haiku-4-5')
  })

  it('is that of the model an alias names', () => {
    expect(priced('house', 'our-assistant')).toMatchObject({ id: 'gpt-x' })
    expect(priced('azure', 'our-assistant').tiers[0].input).toBe(5)
    expect(priced('ollama', 'fine-tuned:v7')).toMatchObject({ id: 'gpt-x' })
  })

  it('is that of the provider where there is one', () => {
    expect(input(priced('azure_openai', 'gpt-x'))).toBe(5)
    expect(input(priced('openai', 'gpt-x'))).toBe(2)
  })

  it('is in USD at the rate of the day, the first rate holding before it too', () => {
    expect(input(priced('', 'euro', day('2020-01-01')))).toBeCloseTo(11, 12)
    expect(input(priced('', 'euro', day('2026-06-01')))).toBeCloseTo(12, 12)
    expect(priced('', 'euro').perRequest).toBeCloseTo(0.012, 12)
    expect(book.quote('', 'euro', day('2026-05-31')).validUntilMs).toBe(Date.UTC(2026, 5, 1))
  })

  it('of a long context is the whole call at the tier, which inherits what it does not name', () => {
    const price = priced('', 'long')
    const of = (tokens: number) => cost(price, { input: tokens, output: 100, cachedInput: 100, cacheWrite: 0, reasoning: 0 }, 0) * 1e6
    expect(of(1000)).toBeCloseTo(900 * 1 + 100 * 0.1 + 100 * 2, 9)
    expect(of(1001)).toBeCloseTo(901 * 3 + 100 * 0.1 + 100 * 2, 9)
    expect(of(5001)).toBeCloseTo(4901 * 3 + 100 * 0.2 + 100 * 9, 9)
  })

  it('says which others of the file fit alike', () => {
    expect(book.quote('', 'gpt-x-mini', AT)).toMatchObject({ rivals: ['gpt-x-*'] })
    expect(book.quote('', 'gpt-x', AT).rivals).toEqual([])
  })
})

describe('a service tier', () => {
  const tier = (provider: string, model: string, which: keyof typeof ServiceTier) => input(priced(provider, model, AT, ServiceTier[which]))

  it('has its own price, else the factor of the file, else the published one', () => {
    expect(tier('', 'gpt-x', 'batch')).toBe(1)
    expect(tier('', 'gpt-x', 'flex')).toBe(0.5)
    expect(tier('azure', 'gpt-x', 'priority')).toBe(15)
    expect(tier('openai', 'gpt-4o-mini', 'batch')).toBe(0.075)
    expect(tier('anthropic', 'claude-sonnet-4-5', 'batch')).toBe(1.5)
    expect(tier('openai', 'gpt-4o', 'priority')).toBe(4.25)
    expect(tier('', 'gpt-4o', 'priority')).toBe(4.25)
    expect(tier('openai', 'gpt-4.1-2025-04-14', 'priority')).toBe(3.5)
  })

  it('that nobody prices costs as the standard one, and says so', () => {
    expect(book.quote('', 'euro', AT, ServiceTier.priority)).toMatchObject({ tierUnknown: true })
    expect(tier('', 'euro', 'priority')).toBe(tier('', 'euro', 'standard'))
    expect(book.quote('openai', 'gpt-4o', AT, ServiceTier.batch).tierUnknown).toBe(false)
  })

  it.each<[string, Attributes, number]>([
    ['told by the answer', { 'openai.response.service_tier': 'flex' }, 0.5],
    ['told by the answer, the older way', { 'gen_ai.openai.response.service_tier': 'batch' }, 0.5],
    ['asked for, and no answer tells', { 'openai.request.service_tier': 'priority' }, 1.7],
    ['asked for and not given', { 'gen_ai.openai.request.service_tier': 'flex', 'gen_ai.openai.response.service_tier': 'default' }, 1],
    ['left to the provider', { 'openai.request.service_tier': 'auto' }, 1],
    ['of a name that nobody knows', { 'openai.response.service_tier': 'turbo' }, 1],
  ])('%s', (_, attributes, factor) => {
    const engine = testEngine()
    engine.traces(tracesBody([{
      trace: '01'.repeat(16), id: '02'.repeat(8), name: 'chat gpt-4o', startMs: AT, endMs: AT + 10, scope: 'opentelemetry.instrumentation.openai_v2', resource: {},
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.input_tokens': 4096, 'gen_ai.usage.output_tokens': 0, ...attributes },
    }]), AT)
    settleAll(engine)
    expect(series(engine, 'agent_cost_usd_total')[0]!.value).toBeCloseTo((4096 * 2.5 * factor) / 1e6, 9)
  })
})

describe('tools', () => {
  it('have prices by call and by second, by date and in a currency', () => {
    expect(book.toolPrice('search', day('2026-04-01'))).toMatchObject({ perCall: 0.01, validUntilMs: Date.UTC(2026, 4, 1) })
    expect(book.toolPrice('search', AT).perCall).toBe(0.02)
    expect(book.toolPrice('sandbox', AT).perSecond).toBeCloseTo(0.0012, 12)
  })
})

describe('a cost that is known for the whole request alone', () => {
  const span = (n: number, spec: { seconds: number; attributes: Attributes; root?: boolean }) => ({
    trace: '07'.repeat(16), id: n.toString(16).padStart(16, '0'), ...(spec.root === true ? {} : { parent: '1'.padStart(16, '0') }), name: 'x', startMs: AT, endMs: AT + spec.seconds * 1000,
    scope: 'opentelemetry.instrumentation.openai_v2', resource: {}, attributes: spec.attributes,
  })
  const body = tracesBody([
    span(1, { root: true, seconds: 9, attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.usage.cost': 0.5 } }),
    span(2, { seconds: 1, attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'no-such-a', 'gen_ai.usage.input_tokens': 300, 'gen_ai.usage.output_tokens': 300 } }),
    span(3, { seconds: 3, attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'no-such-b', 'gen_ai.usage.input_tokens': 200, 'gen_ai.usage.output_tokens': 0 } }),
    span(4, { seconds: 4, attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'free' } }),
  ])

  it.each([['duration', 0.125, 0.375], ['tokens', 0.375, 0.125], ['equal', 0.25, 0.25]] as const)('is shared by %s', (costSharing, a, b) => {
    const engine = testEngine({ costSharing })
    engine.traces(body, AT)
    settleAll(engine)
    expect(Object.fromEntries(series(engine, 'agent_cost_usd_total').map(({ labels, value }) => [labels['name'], [labels['basis'], value]]))).toEqual({ 'no-such-a': ['shared', a], 'no-such-b': ['shared', b] })
    expect(series(engine, 'agent_request_cost_usd')[0]!.value).toBe(0.5)
  })
})
