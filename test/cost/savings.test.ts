import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { inputHash } from '../../src/spans/dialect.ts'
import { PriceBook } from '../../src/cost/prices.ts'
import type { SavingsOptions } from '../../src/cost/savings.ts'
import type { Engine, EngineOptions } from '../../src/engine.ts'
import { ALL_SAVINGS as ALL, series, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type Attributes, type SpanSpec } from '../otlpbuilder.ts'
import { deliver, delivery, settleAll, total } from '../traces/delivery.ts'
import { spansOf, START_MS, traffic } from '../traces/scenario.ts'

const HASHED = [...DIALECTS, { name: 'hashed', attributes: { 'app.prompt_hash': inputHash } }]
const book = new PriceBook({ pricing: { models: [
  { match: 'big', inputPerMillion: 1000, outputPerMillion: 2000, cachedInputPerMillion: 100 },
  { match: 'writes', inputPerMillion: 1000, outputPerMillion: 2000, cachedInputPerMillion: 100, cacheWritePerMillion: 1250 },
  { match: 'small', inputPerMillion: 100, outputPerMillion: 200 },
], tools: [{ match: 'paid_tool', perCall: 0.25 }], retrievals: [] } })

const engineWith = (savings: Partial<SavingsOptions> = {}, more: Partial<EngineOptions> = {}) =>
  testEngine({ prices: book, dialects: HASHED, savings: { ...ALL, ...savings }, maxOpenRequests: 100, strings: { capacity: 1 << 13 }, ...more })

let traces = 0
interface Call { at?: number; seconds?: number; model?: string; input?: number; output?: number; cached?: number; messages?: number; hash?: string; failed?: boolean; tool?: boolean; cost?: number }

/** A request of `support` with these calls, one a second unless they say when. */
function request(calls: readonly Call[], { failed = false, rootless = false, tenant = 'acme', agent = 'support', at = 0, score = undefined as number | undefined } = {}): SpanSpec[] {
  const trace = (++traces).toString(16).padStart(32, '0')
  const base = { trace, scope: 'opentelemetry.instrumentation.openai_v2', resource: { 'service.name': 'shop' } }
  const error = { status: { code: 2, message: 'the frobnicator is upset' } }
  const root: SpanSpec = {
    ...base, id: '1'.padStart(16, '0'), name: 'invoke_agent', startMs: START_MS + at, endMs: START_MS + at + 60_000,
    attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent, 'tenant.id': tenant }, ...(failed && error),
    ...(score !== undefined && { events: [{ name: 'gen_ai.evaluation.result', timeMs: START_MS, attributes: { 'gen_ai.evaluation.name': 'judge', 'gen_ai.evaluation.score.value': { double: score } } }] }),
  }
  const spans = calls.map((call, i): SpanSpec => {
    const startMs = START_MS + at + (call.at ?? i) * 1000
    const attributes: Record<string, Attributes[string]> = call.tool === true ? { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'paid_tool' } : {
      'gen_ai.operation.name': 'chat', 'gen_ai.request.model': call.model ?? 'big', 'gen_ai.usage.input_tokens': call.input ?? 1000, 'gen_ai.usage.output_tokens': call.output ?? 0,
      ...(call.cached !== undefined && { 'gen_ai.usage.cache_read.input_tokens': call.cached }), ...(call.hash !== undefined && { 'app.prompt_hash': call.hash }), ...(call.cost !== undefined && { 'gen_ai.usage.cost': { double: call.cost } }),
      ...(call.messages !== undefined && { 'gen_ai.input.messages': JSON.stringify(Array.from({ length: call.messages }, () => ({ role: 'user', content: 'x' }))) }),
    }
    return { ...base, id: (i + 2).toString(16).padStart(16, '0'), parent: '1'.padStart(16, '0'), name: 'x', startMs, endMs: startMs + (call.seconds ?? 0.5) * 1000, attributes, ...(call.failed === true && error) }
  })
  return rootless ? spans : [...spans, root]
}

/** USD by reason, of requests that come one after the other. */
function found(requests: readonly SpanSpec[][], engine: Engine = engineWith()): Record<string, number> {
  requests.forEach((spans, i) => {
    engine.traces(tracesBody(spans), START_MS + i * 10_000)
    engine.tick(START_MS + i * 10_000 + 5_000)
  })
  settleAll(engine)
  const usd = new Map<string, number>()
  for (const { labels, value } of series(engine, 'agent_avoidable_cost_usd_total')) usd.set(labels['reason']!, (usd.get(labels['reason']!) ?? 0) + value)
  return Object.fromEntries([...usd].filter(([, value]) => value > 0).map(([reason, value]) => [reason, Number(value.toFixed(6))]))
}

test('every reason begins at 0 with the first request of an agent, so that its first dollar is an increase', () => {
  const engine = engineWith({ reasons: ['abandoned', 'cache_miss'] })
  expect(found([request([{}])], engine)).toEqual({})
  expect(series(engine, 'agent_avoidable_cost_usd_total').map(({ labels, value }) => [labels['agent'], labels['reason'], value])).toEqual([['support', 'abandoned', 0], ['support', 'cache_miss', 0]])
})

describe('retry waste', () => {
  it('is what failed calls cost, of models and of tools', () => {
    expect(found([request([{ failed: true }, {}, { tool: true, failed: true }, { tool: true }])])).toEqual({ retry_waste: 1.25 })
  })
  it('is nothing where a failed call cost nothing', () => {
    expect(found([request([{ failed: true, input: 0 }, {}])])).toEqual({})
  })
})

describe('a duplicate', () => {
  it('is the same input again, in the request or the window, once the first was answered', () => {
    expect(found([request([{ hash: 'a' }, { hash: 'b' }, { hash: 'a' }]), request([{ hash: 'b' }], { at: 60_000 })])).toEqual({ duplicate_call: 2 })
  })
  it.each<[string, SpanSpec[][]]>([
    ['beside the first', [request([{ hash: 'a', seconds: 9 }, { hash: 'a', at: 1 }])]],
    ['after one that failed and cost nothing', [request([{ hash: 'a', failed: true, input: 0 }, { hash: 'a' }])]],
    ['for another tenant', [request([{ hash: 'a' }]), request([{ hash: 'a' }], { at: 60_000, tenant: 'globex' })]],
    ['by another agent', [request([{ hash: 'a' }]), request([{ hash: 'a' }], { at: 60_000, agent: 'writer' })]],
    ['of another model', [request([{ hash: 'a' }, { hash: 'a', model: 'small' }])]],
    ['past the window', [request([{ hash: 'a' }]), request([{ hash: 'a' }], { at: 301_000 })]],
    ['of which no hash is told, however alike', [request([{}, {}, {}])]],
  ])('is not one %s', (_, requests) => {
    expect(found(requests)).toEqual({})
  })
})

describe('the input itself', () => {
  const messages = (question: string, rest = ']') => `[{"role": "system", "content": "${'Be brief. '.repeat(80)}"}, {"role": "user", "content": "${question}"}${rest}`
  const asked = (key: string, ...texts: string[]) => request(texts.map(() => ({}))).map((span, i) => (i < texts.length ? { ...span, attributes: { ...span.attributes, [key]: texts[i]! } } : span))

  it.each(['gen_ai.input.messages', 'input.value', 'ai.prompt.messages', 'langfuse.observation.input'])('is the same in %s', (key) => {
    expect(found([asked(key, messages('where is order 1?'), messages('where is order 2?'), messages('where is order 1?'))])).toEqual({ duplicate_call: 1 })
  })
  it('is not known where it was cut off', () => {
    expect(found([asked('input.value', messages('where', ''), messages('where', ''))])).toEqual({})
  })
  it('is not read where duplicates are not asked for', () => {
    const engine = engineWith({ reasons: ['abandoned'] })
    expect(found([asked('input.value', messages('a'), messages('a'))], engine)).toEqual({})
  })
})

describe('abandoned', () => {
  it('is what is left of a request that failed, or whose root never came', () => {
    expect(found([request([{}, { failed: true }], { failed: true }), request([{ input: 3000 }], { rootless: true, at: 3_600_000 })])).toEqual({ retry_waste: 1, abandoned: 4 })
  })
  it('is nothing of a service whose roots never come: how its requests end is not known', () => {
    expect(found([request([{ input: 3000 }], { rootless: true, at: 3_600_000 })])).toEqual({})
    // Roots of the same hour are none yet, whichever of the two settles first.
    expect(found([request([{}]), request([{ input: 3000 }], { rootless: true })])).toEqual({})
  })
  it('is not the work of a request that was settled before its time', () => {
    const engine = engineWith({}, { maxOpenRequests: 1 })
    engine.traces(tracesBody(request([{}], { rootless: true })), START_MS)
    engine.traces(tracesBody(request([{}], { rootless: true })), START_MS)
    engine.finish(START_MS + 1)
    expect(engine.assembler.counts.evicted).toBe(1)
    expect(series(engine, 'agent_avoidable_cost_usd_total').filter(({ value }) => value > 0)).toEqual([])
  })
})

describe('a cache miss', () => {
  it('is the repeated beginning, as far as a provider could have cached it, at the difference of the prices', () => {
    // 2000 tokens of before are 15 x 128 that could have been read for a tenth; 500 were.
    expect(found([request([{ input: 2000, cached: 0, messages: 3 }, { input: 2600, cached: 500, messages: 5 }])])).toEqual({ cache_miss: (1920 - 500) * 900 / 1e6 })
  })
  it('is less what writing the cache would have cost', () => {
    expect(found([request([{ model: 'writes', input: 2048, cached: 0, messages: 3 }, { model: 'writes', input: 2600, cached: 0, messages: 5 }])])).toEqual({ cache_miss: 2048 * (900 - 250) / 1e6 })
    // Read twice, and written once: 2560 of the 2600 are 2048 and 512 more.
    expect(found([request([{ model: 'writes', input: 2048, cached: 0, messages: 3 }, { model: 'writes', input: 2600, cached: 0, messages: 5 }, { model: 'writes', input: 2700, cached: 0, messages: 7 }])]))
      .toEqual({ cache_miss: (2048 * (900 - 250) + 2560 * 900 - 512 * 250) / 1e6 })
  })
  it.each<[string, Call[]]>([
    ['that is not told', [{ input: 2000, messages: 3 }, { input: 2600, messages: 5 }]],
    ['of a short beginning', [{ input: 1023, cached: 0, messages: 3 }, { input: 2600, cached: 0, messages: 5 }]],
    ['that was read in full', [{ input: 2000, cached: 0, messages: 3 }, { input: 2600, cached: 1920, messages: 5 }]],
    ['after what a cache lives', [{ input: 2000, cached: 0, messages: 3 }, { at: 302, input: 2600, cached: 0, messages: 5 }]],
    ['of a call beside it', [{ input: 2000, cached: 0, messages: 3, seconds: 9 }, { input: 2600, cached: 0, messages: 5 }]],
    ['where the messages are not more: another conversation may be as long', [{ input: 2000, cached: 0, messages: 3 }, { input: 2600, cached: 0, messages: 3 }]],
    ['where nobody counts the messages', [{ input: 2000, cached: 0 }, { input: 2600, cached: 0 }]],
    ['of a model without a price for it', [{ model: 'small', input: 2000, cached: 0, messages: 3 }, { model: 'small', input: 2600, cached: 0, messages: 5 }]],
  ])('is none %s', (_, calls) => {
    expect(found([request(calls)])).toEqual({})
  })
})

describe('context bloat', () => {
  it('is the tokens past the fiftieth message, the cached ones first', () => {
    expect(found([request([{ input: 1000, messages: 50 }, { at: 400, input: 1000, messages: 100 }])])).toEqual({ context_bloat: 0.5 })
    expect(found([request([{ input: 1000, cached: 400, messages: 100 }])])).toEqual({ context_bloat: 0.14 })
  })
  it('is those past the tokens that the configuration names', () => {
    expect(found([request([{ input: 1000 }, { input: 700 }])], engineWith({ contextTokens: 700 }))).toEqual({ context_bloat: 0.3 })
  })
})

describe('a cheaper model', () => {
  const downgrades = [{ from: 'bi*', to: 'small', agent: 'support', step: undefined, withoutScores: false }]
  const scored = (score: number, times = 6) => Array.from({ length: times }, (_, i) => request([{ input: 0 }], { at: i, score }))
  it('would have cost less, while the quality objective is met', () => {
    expect(found([...scored(0.9), request([{ output: 100 }])], engineWith({ downgrades }))).toEqual({ model_downgrade: 1.2 * 0.9 })
  })
  it.each<[string, SpanSpec[][]]>([
    ['while quality is low', [...scored(0.8), request([{}])]],
    ['while nobody scores', [request([{}])]],
    ['while few have scored', [...scored(0.9, 4), request([{}])]],
    ['for another agent', [...scored(0.9), request([{}], { agent: 'writer' })]],
    ['of another model', [...scored(0.9), request([{ model: 'writes' }])]],
  ])('is none %s', (_, requests) => {
    expect(found(requests, engineWith({ downgrades }))).toEqual({})
  })
  it('is told without scores where the configuration says so, and not where it would be dearer', () => {
    expect(found([request([{}])], engineWith({ downgrades: [{ ...downgrades[0]!, withoutScores: true }] }))).toEqual({ model_downgrade: 0.9 })
    expect(found([request([{ model: 'small' }])], engineWith({ downgrades: [{ from: 'small', to: 'big', agent: undefined, step: undefined, withoutScores: true }] }))).toEqual({})
  })
})

describe('no dollar is told of twice', () => {
  it('a call that is bloated, a miss and too dear is each of what is left', () => {
    const usd = found([request([{ input: 2048, cached: 0, messages: 60 }, { input: 4096, cached: 0, messages: 100 }])], engineWith({ downgrades: [{ from: 'big', to: 'small', agent: undefined, step: undefined, withoutScores: true }] }))
    expect(Object.keys(usd).sort()).toEqual(['cache_miss', 'context_bloat', 'model_downgrade'])
    expect(usd['cache_miss']).toBeCloseTo(2048 * 900 / 1e6, 5)
    expect(usd['cache_miss']! + usd['context_bloat']! + usd['model_downgrade']!).toBeLessThan(6.144)
  })

  test('the reasons are never more than the cost, request by request, whatever comes', () => {
    let told = 0
    fc.assert(fc.property(traffic, delivery, fc.boolean(), fc.nat(3), (scenarios, way, latency, hashes) => {
      const engine: Engine = testEngine({
        settleGraceMs: 1000, maxOpenRequests: 100, strings: { capacity: 4096 }, dialects: HASHED,
        prices: new PriceBook(latency ? { latencyPricing: { usdPerSecond: 0.5, applyTo: 'unpriced' } } : {}),
        savings: { ...ALL, contextMessages: 1, contextTokens: 500, downgrades: [{ from: '*', to: 'gpt-4o-mini', agent: undefined, step: undefined, withoutScores: true }] },
        onSettled: ({ totalUsd, avoidableUsd, avoidable }) => {
          const sum = avoidableUsd.reduce((a, b) => a + b, 0)
          expect(sum).toBeLessThanOrEqual(totalUsd)
          expect(avoidableUsd.every((usd) => usd >= 0 && Number.isInteger(usd * 2 ** 36))).toBe(true)
          expect(avoidable.reduce((a, { usd }) => a + usd, 0)).toBeLessThanOrEqual(sum)
          told += sum > 0 ? 1 : 0
        },
      })
      const spans = scenarios.flatMap(spansOf).map((span, i) => ({ ...span, attributes: { ...span.attributes, ...(hashes > 0 && { 'app.prompt_hash': `h${i % hashes}` }) } }))
      deliver(spans, way, engine)
      // Sampled requests too, which count with their weight.
      expect(total(engine, 'agent_avoidable_cost_usd_total')).toBeLessThanOrEqual(total(engine, 'agent_cost_usd_total'))
    }), { numRuns: 25 })
    expect(told).toBeGreaterThan(10)
  })
})
