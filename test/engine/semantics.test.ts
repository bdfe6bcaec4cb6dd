import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine.ts'
import { tracesBody, tracesJson, type SpanSpec } from '../otlpbuilder.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { transcode } from '../../src/otlp/json.ts'
import { counted, deliver, deliverWhole, delivery, observations, settleAll, total } from '../traces/delivery.ts'
import { scenario, spansOf, START_MS, traffic } from '../traces/scenario.ts'

const TRACE = '0102030405060708090a0b0c0d0e0f10'
const id = (n: number) => n.toString(16).padStart(16, '0')
const NOW = START_MS + 5_000

function span(n: number, parent: number, spec: Partial<SpanSpec> & { operation: string }): SpanSpec {
  const { operation, attributes, ...rest } = spec
  return {
    trace: TRACE, id: id(n), ...(parent === 0 ? {} : { parent: id(parent) }), name: operation, startMs: START_MS + n, endMs: START_MS + n + 10,
    scope: 'opentelemetry.instrumentation.openai_v2', resource: { 'service.name': 'shop' },
    attributes: { 'gen_ai.operation.name': operation, ...attributes }, ...rest,
  }
}
const agent = (n: number, parent: number, spec: Partial<SpanSpec> = {}) => span(n, parent, { operation: 'invoke_agent', ...spec, attributes: { 'gen_ai.agent.name': 'triage', 'tenant.id': 'acme', 'project.id': 'support', ...spec.attributes } })
const model = (n: number, parent: number, spec: Partial<SpanSpec> = {}) => span(n, parent, { operation: 'chat', ...spec, attributes: { 'gen_ai.request.model': 'gpt-4o', ...spec.attributes } })
const tokens = { 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 }
const failure = (message: string): Pick<SpanSpec, 'status'> => ({ status: { code: 2, message } })

function sent(engine: Engine, spans: SpanSpec[], nowMs = NOW): Engine {
  engine.traces(tracesBody(spans), nowMs)
  return engine
}

describe('cost', () => {
  test('the cost of the steps is the cost of the requests, to the last digit', () => {
    fc.assert(fc.property(traffic, delivery, (scenarios, way) => {
      const engine = deliver(scenarios.flatMap(spansOf), way)
      expect(total(engine, 'agent_cost_usd_total')).toBe(total(engine, 'agent_request_cost_usd'))
    }), { numRuns: 30 })
  })

  test('costs are whole multiples of 2^-36 USD and durations of 2^-20 s, which is why their sums are exact', () => {
    fc.assert(fc.property(scenario, (one) => {
      const engine = deliverWhole(spansOf({ ...one, threshold: undefined }))
      for (const { value } of [...series(engine, 'agent_cost_usd_total'), ...series(engine, 'agent_request_cost_usd')]) expect(Number.isInteger(value * 2 ** 36)).toBe(true)
      for (const { value } of [...series(engine, 'agent_step_duration_seconds'), ...series(engine, 'agent_request_duration_seconds')]) expect(Number.isInteger(value * 2 ** 20)).toBe(true)
    }), { numRuns: 30 })
  })

  test('it settles on the tenant and project of the root, whatever its steps say', () => {
    fc.assert(fc.property(scenario, delivery, (one, way) => {
      fc.pre(one.shape !== 'rootless' && one.tenant !== '' && one.project !== '')
      const engine = deliver(spansOf(one), way)
      for (const { labels } of series(engine, 'agent_cost_usd_total')) expect([labels['tenant_id'], labels['project_id']]).toEqual([one.tenant, one.project])
    }), { numRuns: 30 })
  })

  test('cached and reasoning tokens are parts of input and output, and a sub-agent repeats what its calls used', () => {
    const engine = settleAll(sent(testEngine(), [
      agent(1, 0, { attributes: { 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 } }),
      agent(2, 1, { attributes: { 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 } }),
      model(3, 2, { attributes: { ...tokens, 'gen_ai.usage.cache_read.input_tokens': 600, 'gen_ai.usage.reasoning.output_tokens': 40 } }),
    ]))
    const of = (type: string) => total(engine, 'agent_tokens_total', { type })
    expect([of('input'), of('output'), of('cached_input'), of('reasoning')]).toEqual([1000, 100, 600, 40])
    // gpt-4o: 2.50, cached 1.25, and 10.00 USD a million.
    expect(total(engine, 'agent_cost_usd_total')).toBeCloseTo((400 * 2.5 + 600 * 1.25 + 100 * 10) / 1e6, 10)
  })

  test.each([
    ['no tokens told', {}, 'no_tokens'],
    ['a negative number of tokens', { 'gen_ai.usage.input_tokens': -1, 'gen_ai.usage.output_tokens': -5 }, 'no_tokens'],
    ['a model that nobody has a price for', { ...tokens, 'gen_ai.request.model': 'no-such-model' }, 'no_price'],
  ])('%s is unknown and counted as such, not free', (_, attributes, reason) => {
    const engine = settleAll(sent(testEngine(), [agent(1, 0), model(2, 1, { attributes: attributes as Record<string, number | string> })]))
    expect(series(engine, 'agent_unpriced_calls_total').map(({ labels, value }) => [labels['reason'], value])).toEqual([[reason, 1]])
    expect(series(engine, 'agent_cost_usd_total')).toEqual([])
  })

  test('a cost that only the root tells is shared by its model calls', () => {
    const engine = settleAll(sent(testEngine(), [agent(1, 0, { attributes: { 'gen_ai.usage.cost': 0.5 } }), model(2, 1), model(3, 1)]))
    expect(series(engine, 'agent_cost_usd_total').map(({ labels, value }) => [labels['basis'], value])).toEqual([['shared', 0.5]])
  })

  test('a report beyond belief is not believed', () => {
    const engine = settleAll(sent(testEngine(), [agent(1, 0), model(2, 1, { attributes: { 'gen_ai.usage.cost': { double: 1e300 }, ...tokens } })]))
    expect(series(engine, 'agent_cost_usd_total').map(({ labels }) => labels['basis'])).toEqual(['tokens'])
    expect(observations(engine, 'agent_request_cost_usd')).toBe(1)
  })

  test('a late span of a request without times does not spoil the price of its model for others', () => {
    const engine = sent(testEngine(), [agent(1, 0, { startMs: 0, endMs: 0 })])
    engine.tick(NOW + 2_000)
    sent(engine, [model(2, 1, { startMs: 0, endMs: 0, attributes: { 'gen_ai.request.model': 'o3', ...tokens } })], NOW + 3_000)
    sent(engine, [{ ...model(3, 0, { attributes: { 'gen_ai.request.model': 'o3', ...tokens } }), trace: 'ff'.repeat(16) }], NOW + 3_000)
    expect(series(settleAll(engine), 'agent_unpriced_calls_total')).toEqual([])
  })
})

test.each([
  ['what the agent says', { 'service.version': '1.4.0' }, { 'gen_ai.agent.version': '2.3.1' }, '2.3.1'],
  ['else what its service says', { 'service.version': '1.4.0' }, {}, '1.4.0'],
  ['nothing, where nobody says it', {}, {}, ''],
])('the version of a request is %s', (_, resource, attributes, version) => {
  const versions: string[] = []
  const engine = testEngine({ onSettled: (settled) => versions.push(engine.strings.text(settled.version)) })
  const tool = span(2, 1, { operation: 'execute_tool', resource: { 'service.name': 'tools', 'service.version': '9.9.9' } })
  settleAll(sent(engine, [tool, agent(1, 0, { resource: { 'service.name': 'shop', ...resource }, attributes: attributes as Record<string, string> })]))
  expect(versions).toEqual([version])
})

describe('time', () => {
  test('a late span counts for the tenant of its request and is shown as late, and a late repetition does not', () => {
    const engine = sent(testEngine(), [agent(1, 0)])
    engine.tick(NOW + 2_000)
    const late = model(2, 1, { attributes: { ...tokens, 'tenant.id': 'intruder' } })
    for (let i = 0; i < 3; i++) sent(engine, [late], NOW + 3_000 + i)
    sent(engine, [agent(1, 0)], NOW + 3_010)
    settleAll(engine)
    expect(engine.assembler.counts).toMatchObject({ late: 1, duplicates: 3 })
    expect(series(engine, 'agent_cost_usd_total').map(({ labels }) => labels['tenant_id'])).toEqual(['acme'])
    expect(total(engine, 'agent_requests_total')).toBe(1)
    expect(total(engine, 'agent_cost_usd_total')).toBe(total(engine, 'agent_request_cost_usd'))
  })

  test('a late account of a call that has been counted is not another call', () => {
    const engine = sent(testEngine(), [agent(1, 0), model(2, 1, { attributes: { ...tokens, 'gen_ai.response.id': 'chatcmpl-1' } })])
    engine.tick(NOW + 2_000)
    sent(engine, [model(3, 2, { attributes: { ...tokens, 'gen_ai.response.id': 'chatcmpl-1' } })], NOW + 3_000)
    settleAll(engine)
    expect(engine.assembler.counts.late).toBe(1)
    expect(observations(engine, 'agent_step_duration_seconds', { step: 'model' })).toBe(1)
  })

  test('a request whose root never comes is unfinished after the idle time, and not before', () => {
    const engine = sent(testEngine({ idleTimeoutMs: 10_000 }), [model(2, 1)])
    engine.tick(NOW + 9_999)
    expect(total(engine, 'agent_requests_total')).toBe(0)
    engine.tick(NOW + 10_000)
    expect(series(engine, 'agent_requests_total').filter(({ value }) => value > 0).map(({ labels, value }) => [labels['outcome'], value])).toEqual([['unfinished', 1]])
  })

  test('sampled spans count with their adjusted weight: every number is twice that of the same spans unsampled at one half', () => {
    fc.assert(fc.property(scenario, (one) => {
      const plain = counted(deliverWhole(spansOf({ ...one, threshold: undefined })))
      const half = counted(deliverWhole(spansOf({ ...one, threshold: '8' })))
      const twice = Object.fromEntries(Object.entries(plain).map(([name, rows]) => [name, Object.fromEntries(Object.entries(rows).map(([key, values]) => [key, values.map((value) => value * 2)]))]))
      expect(half).toEqual(twice)
    }), { numRuns: 25 })
  })
})

describe('errors', () => {
  test('a failure is counted once, where it happened, whatever echoes it', () => {
    const gone = failure("Client error '404 Not Found' for url")
    const engine = settleAll(sent(testEngine(), [agent(1, 0, gone), agent(2, 1, gone), span(3, 2, { operation: 'execute_tool', attributes: { 'gen_ai.tool.name': 'search' }, ...gone })]))
    expect(series(engine, 'agent_errors_total').map(({ labels, value }) => [labels['step'], labels['name'], value])).toEqual([['tool', 'search', 1]])
    expect(series(engine, 'agent_root_causes_total').map(({ labels, value }) => [labels['class'], labels['name'], value])).toEqual([['tool', 'search', 1]])
  })

  test('an error that a retry healed is a recovery and not the cause of the failure that followed', () => {
    const engine = settleAll(sent(testEngine(), [
      agent(1, 0, failure('Server error 503: unavailable')),
      span(2, 1, { operation: 'execute_tool', attributes: { 'gen_ai.tool.name': 'search' }, endMs: START_MS + 3, ...failure('Read timed out') }),
      span(20, 1, { operation: 'execute_tool', attributes: { 'gen_ai.tool.name': 'search' } }),
      span(40, 1, { operation: 'execute_tool', attributes: { 'gen_ai.tool.name': 'book' }, ...failure('Server error 503: unavailable') }),
    ]))
    expect(series(engine, 'agent_recoveries_total').map(({ labels, value }) => [labels['name'], labels['result'], value])).toEqual([['search', 'recovered', 1]])
    expect(series(engine, 'agent_root_causes_total').map(({ labels }) => labels['name'])).toEqual(['book'])
  })
})

describe('what was done about an error', () => {
  const limited = failure('Error code: 429 - Rate limit reached')
  const call = (n: number, name: string, spec: Partial<SpanSpec> = {}) => model(n, 1, { endMs: START_MS + n + 10, ...spec, attributes: { ...tokens, 'gen_ai.request.model': name, ...spec.attributes } })
  const tool = (n: number, name: string, spec: Partial<SpanSpec> = {}) => span(n, 1, { operation: 'execute_tool', endMs: START_MS + n + 10, ...spec, attributes: { 'gen_ai.tool.name': name } })
  const told = (spans: SpanSpec[]) => {
    let attempts: number[] = []
    const engine = settleAll(sent(testEngine({
      escalation: { people: undefined, models: ['gpt-4o-mini', 'gpt-4o'] },
      onSettled: (settled) => { attempts = [...settled.attemptOf.subarray(0, settled.steps)] },
    }), spans))
    const sum = (metric: Parameters<typeof total>[1]) => total(engine, metric)
    return {
      attempts,
      recoveries: series(engine, 'agent_recoveries_total').map(({ labels, value }) => `${labels['action']} ${labels['result']} ${labels['name']} ${value}`),
      outcomes: series(engine, 'agent_requests_total').filter(({ value }) => value > 0).map(({ labels }) => labels['outcome']),
      seconds: sum('agent_recovery_seconds_total'), usd: sum('agent_recovery_cost_usd_total'),
    }
  }

  test('each failed attempt cost the time until the next began, and what was paid for it', () => {
    const { attempts, recoveries, seconds, usd } = told([agent(1, 0), call(10, 'gpt-4o', limited), call(100, 'gpt-4o', limited), call(300, 'gpt-4o')])
    expect(recoveries).toEqual(['retry recovered gpt-4o 2'])
    expect(attempts).toEqual([1, 2, -1])
    expect(seconds).toBeCloseTo(0.29, 4)
    expect(usd).toBeCloseTo(2 * (1000 * 2.5 + 100 * 10) / 1e6, 9)
  })

  test.each([
    ['another model, of which it is not known that it is larger, is a fallback', [call(10, 'gpt-4o', limited), call(100, 'o3')], ['fallback recovered gpt-4o 1'], 'success'],
    ['a larger model is an escalation', [call(10, 'gpt-4o-mini', limited), call(100, 'gpt-4o')], ['fallback escalated gpt-4o-mini 1'], 'success'],
    ['a smaller one is not', [call(10, 'gpt-4o', limited), call(100, 'gpt-4o-mini')], ['fallback recovered gpt-4o 1'], 'success'],
    ['all models failed', [call(10, 'gpt-4o', limited), call(100, 'o3', limited)], ['fallback exhausted gpt-4o 1'], 'error'],
    ['a person was asked at once', [tool(10, 'refund', failure('503 Service Unavailable')), tool(100, 'transfer_to_human')], ['fallback escalated refund 1'], 'success'],
    ['a person was asked after a retry', [tool(10, 'refund', failure('503')), tool(100, 'refund', failure('503')), tool(200, 'escalate')], ['fallback escalated refund 1', 'retry escalated refund 1'], 'success'],
    ['a person who was asked before it failed is no answer to it', [tool(10, 'ask_human'), tool(100, 'refund', failure('503'))], [], 'success'],
    ['a model that stays down while a person takes over ends no run', [call(10, 'gpt-4o', limited), tool(100, 'live_agent')], ['fallback escalated gpt-4o 1'], 'success'],
    ['a context too long was made shorter', [call(10, 'gpt-4o', failure("This model's maximum context length is 128000 tokens")), call(100, 'gpt-4o')], ['compression recovered gpt-4o 1'], 'success'],
    ['at the same time is not afterwards', [tool(10, 'search', failure('503')), tool(11, 'search')], [], 'success'],
    ['the humanities are no person', [tool(10, 'refund', failure('503')), tool(100, 'humanize_text')], [], 'success'],
  ])('%s', (_, spans, recoveries, outcome) => {
    const seen = told([agent(1, 0), ...spans])
    expect([seen.recoveries.sort(), seen.outcomes]).toEqual([recoveries, [outcome]])
  })

  test('a call told of by two layers has one recovery', () => {
    const layered = (n: number, spec: Partial<SpanSpec> = {}) => [call(n, 'gpt-4o', spec), { ...call(n + 1, 'gpt-4o', spec), parent: id(n), endMs: START_MS + n + 9 }]
    expect(told([agent(1, 0), ...layered(10, limited), ...layered(100)]).recoveries).toEqual(['retry recovered gpt-4o 1'])
  })
})

test('the same spans as JSON are counted the same', () => {
  fc.assert(fc.property(traffic, (scenarios) => {
    const spans = scenarios.flatMap(spansOf)
    const engine = testEngine()
    const { bytes, rejected } = transcode('traces', tracesJson(spans))
    engine.traces(bytes, START_MS + 60_000)
    expect(rejected).toBe(0)
    expect(counted(settleAll(engine))).toEqual(counted(deliverWhole(spans)))
  }), { numRuns: 25 })
})

describe('the string table is swept', () => {
  test('and what is counted is the same as in a table with room for all', () => {
    fc.assert(fc.property(fc.array(traffic, { minLength: 3, maxLength: 6 }), (rounds) => {
      const run = (capacity: number) => {
        const engine = testEngine({ strings: { capacity } })
        let nowMs = START_MS + 60_000
        const junk = (n: number) => Array.from({ length: 40 }, (_, i) => ({ ...span(900 + i, 0, { operation: 'plan' }), trace: id(n * 1000 + i + 1).padStart(32, '7'), name: `passing ${n} ${i}`, scope: `scope ${n} ${i}` }))
        rounds.forEach((scenarios, n) => {
          // Of other ids in each round, and never more at once than fit.
          engine.traces(tracesBody(scenarios.flatMap((one, i) => spansOf({ ...one, seed: n * 64 + i }))), nowMs)
          for (let k = 0; k < 8; k++) engine.traces(tracesBody(junk(n * 8 + k)), nowMs += 200)
          engine.tick(nowMs += 12_000)
        })
        engine.finish(nowMs + 20_000)
        return engine
      }
      const small = run(1024)
      const large = run(1 << 17)
      expect(small.strings.overflowed).toBe(0)
      expect(small.strings.generation).toBeGreaterThan(0)
      expect(large.strings.generation).toBe(0)
      expect(counted(small)).toEqual(counted(large))
    }), { numRuns: 8 })
  })
})
