/** Which step is named when a request is slow, expensive or badly answered, and what was in the bad ones. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ObjectiveRow } from '../../src/config/objectives.ts'
import { PROBLEMS } from '../../src/traces/settled.ts'
import { STEP_NAMES } from '../../src/spans/names.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'
import { settleAll } from '../traces/delivery.ts'
import { START_MS } from '../traces/scenario.ts'

const id = (n: number) => n.toString(16).padStart(16, '0')
const KEYS: Readonly<Record<string, string>> = { chat: 'gen_ai.request.model', execute_tool: 'gen_ai.tool.name', invoke_agent: 'gen_ai.agent.name', retrieval: 'gen_ai.data_source.id' }
const ROWS: readonly ObjectiveRow[] = (['latency_p99', 1, 'cost_per_request', 0.01, 'quality_score', 0.85] as const).reduce<ObjectiveRow[]>((rows, value, i, all) => (i % 2 === 0 ? [...rows, { objective: String(value), tenant_id: '', agent: '', value: Number(all[i + 1]) }] : rows), [])

/** `what` is an operation and a name, '' an HTTP client, `turn` structure; from and to are seconds. */
interface Step { readonly what: string; readonly from: number; readonly to: number; readonly in?: number; readonly usd?: number; readonly failed?: string; readonly score?: number }

let traces = 0
function spans(steps: readonly Step[], tenant = 'acme', version = '1.0.0'): SpanSpec[] {
  const trace = (++traces).toString(16).padStart(32, '0')
  return steps.map(({ what, from, to, in: parent = 0, usd, failed, score }, n) => {
    const [operation, name] = what.split(' ')
    return {
      trace, id: id(n + 1), ...(n === 0 ? {} : { parent: id(parent + 1) }), name: what, scope: 'gen_ai', resource: { 'service.name': 'shop', 'service.version': version },
      startMs: START_MS + from * 1000, endMs: START_MS + to * 1000, ...(failed !== undefined && { status: { code: 2, message: failed } }),
      attributes: { ...(KEYS[operation!] !== undefined ? { 'gen_ai.operation.name': operation!, [KEYS[operation!]!]: name! } : operation === 'turn' ? { 'gen_ai.operation.name': 'chain' } : { 'http.request.method': 'GET' }), ...(n === 0 && { 'tenant.id': tenant }), ...(usd !== undefined && { 'gen_ai.usage.cost': { double: usd } }) },
      ...(operation === 'http' && { kind: 3 }),
      ...(score !== undefined && { events: [{ name: 'gen_ai.evaluation.result', timeMs: START_MS, attributes: { 'gen_ai.evaluation.name': 'helpful', 'gen_ai.evaluation.score.value': { double: score } } }] }),
    }
  })
}

function problemsOf(...requests: readonly (readonly Step[])[]): string[] {
  let last: string[] = []
  const engine = testEngine({
    objectives: ROWS,
    onSettled: ({ problems }) => { last = problems.map(({ problem, kind, name, amount, share }) => `${PROBLEMS[problem]}: ${STEP_NAMES[kind]} ${engine.strings.text(name)}, ${amount.toFixed(3)}, ${Math.round(share * 100)} %`) },
  })
  for (const steps of requests) {
    engine.traces(tracesBody(spans(steps)), START_MS)
    engine.finish(START_MS)
  }
  return last
}

const root = (to: number, more: Partial<Step> = {}): Step => ({ what: 'invoke_agent support', from: 0, to, ...more })

describe('a slow request waited longest for', () => {
  test.each<[string, readonly Step[], string]>([
    ['its longest step', [root(4), { what: 'chat gpt-4o', from: 0, to: 1 }, { what: 'execute_tool search', from: 1, to: 4 }], 'tool search, 3.000, 75 %'],
    ['a step that it called again and again', [root(4), ...[0, 1, 2].map((from) => ({ what: 'execute_tool search', from, to: from + 0.8 })), { what: 'chat gpt-4o', from: 3, to: 4 }], 'tool search, 2.400, 60 %'],
    ['the slowest of those at the same time', [root(4), { what: 'execute_tool fast', from: 0, to: 3 }, { what: 'execute_tool slow', from: 0, to: 3.5 }], 'tool slow, 3.500, 88 %'],
    ['what it waited for, and not what took most time in all', [root(4), { what: 'execute_tool long', from: 0, to: 2.5 }, { what: 'chat a', from: 0, to: 2 }, { what: 'chat a', from: 2.5, to: 4 }], 'tool long, 2.500, 63 %'],
    ['what is inside of a sub-agent', [root(4), { what: 'invoke_agent writer', from: 0, to: 4 }, { what: 'chat gpt-4o', from: 0.5, to: 3.5, in: 1 }], 'model gpt-4o, 3.000, 75 %'],
    ['the sub-agent itself, between its calls', [root(4), { what: 'invoke_agent writer', from: 0, to: 4 }, { what: 'chat gpt-4o', from: 0, to: 1, in: 1 }], 'agent writer, 3.000, 75 %'],
    ['nothing but its own code', [root(4), { what: 'chat gpt-4o', from: 0, to: 1 }], 'agent support, 3.000, 75 %'],
    ['a tool around the client that it calls with', [root(4), { what: 'execute_tool search', from: 0, to: 3 }, { what: 'http', from: 0.5, to: 3, in: 1 }], 'tool search, 3.000, 75 %'],
    ['a tool in a turn', [root(4), { what: 'turn', from: 0, to: 4 }, { what: 'execute_tool search', from: 1, to: 4, in: 1 }], 'tool search, 3.000, 75 %'],
    ['a child that outlives it, as far as it waited', [root(2), { what: 'chat gpt-4o', from: 0, to: 0.5 }, { what: 'execute_tool audit', from: 0.5, to: 100 }], 'tool audit, 1.500, 75 %'],
  ])('%s', (_, steps, cause) => {
    expect(problemsOf(steps)).toEqual([`slow: ${cause}`])
    const engine = testEngine({ objectives: ROWS })
    engine.traces(tracesBody(spans(steps).reverse()), START_MS)
    settleAll(engine)
    expect(series(engine, 'agent_problem_causes_total').map(({ labels }) => `${labels['step']} ${labels['name']}`)).toEqual([cause.split(',')[0]])
  })

  test('whose parts add up to the request, however its calls lie', () => {
    const time = fc.integer({ min: 0, max: 2000 })
    fc.assert(fc.property(fc.array(fc.record({ a: time, b: time, in: fc.nat(), name: fc.constantFrom('a', 'b', 'c') }), { maxLength: 40 }), (calls) => {
      const steps = [root(2), ...calls.map(({ a, b, in: parent, name }, i) => ({ what: `execute_tool ${name}`, from: Math.min(a, b) / 1000, to: Math.max(a, b) / 1000, in: parent % (i + 1) }))]
      const [, , seconds, share] = /: (.+), ([\d.]+), (\d+) %/.exec(problemsOf(steps)[0]!)!
      expect(Number(seconds) / 2).toBeCloseTo(Number(share) / 100, 1)
      expect(Number(seconds)).toBeLessThanOrEqual(2)
    }), { numRuns: 40 })
  })

  test('and one within its limit is not slow', () => expect(problemsOf([root(1)])).toEqual([]))
})

describe('an expensive request spent most beyond its usual on', () => {
  const usual: readonly Step[] = [root(0.5), { what: 'chat large', from: 0, to: 0.1, usd: 0.008 }, { what: 'chat small', from: 0.1, to: 0.2, usd: 0.001 }]
  const many = Array.from({ length: 30 }, () => usual)

  test.each<[string, readonly (readonly Step[])[], string]>([
    ['what stands out, not what is always dear', [...many, [root(0.5), { what: 'chat large', from: 0, to: 0.1, usd: 0.009 }, { what: 'chat small', from: 0.1, to: 0.2, usd: 0.006 }]], 'model small, 0.006, 40 %'],
    ['what it called twenty times instead of once', [...many, [root(0.5), { what: 'chat large', from: 0, to: 0.1, usd: 0.008 }, ...Array.from({ length: 20 }, () => ({ what: 'chat small', from: 0.1, to: 0.2, usd: 0.001 }))]], 'model small, 0.020, 71 %'],
    ['a model that it never had before', [...many, [root(0.5), { what: 'chat large', from: 0, to: 0.1, usd: 0.008 }, { what: 'chat huge', from: 0.1, to: 0.2, usd: 0.005 }]], 'model huge, 0.005, 38 %'],
    ['its dearest step, where nothing is usual yet', [[root(0.5), { what: 'chat large', from: 0, to: 0.1, usd: 0.008 }, { what: 'chat small', from: 0.1, to: 0.2, usd: 0.006 }]], 'model large, 0.008, 57 %'],
  ])('%s', (_, requests, cause) => expect(problemsOf(...requests)).toEqual([`expensive: ${cause}`]))

  test('and a new price is not usual at once', () => {
    const dear: readonly Step[] = [root(0.5), { what: 'chat large', from: 0, to: 0.1, usd: 0.009 }, { what: 'chat small', from: 0.1, to: 0.2, usd: 0.005 }]
    expect(problemsOf(...many, ...Array.from({ length: 20 }, () => dear))).toEqual(['expensive: model small, 0.005, 36 %'])
  })
})

describe('a bad answer', () => {
  test('is put down to an error that nobody made up for', () => {
    expect(problemsOf([root(0.5, { score: 0.2 }), { what: 'execute_tool search', from: 0, to: 0.1, failed: '503 Service Unavailable' }, { what: 'chat gpt-4o', from: 0.2, to: 0.4 }])).toEqual(['bad_answer: tool search, 0.200, 100 %'])
  })

  test('and not to one that a retry healed', () => {
    expect(problemsOf([root(0.5, { score: 0.2 }), { what: 'execute_tool search', from: 0, to: 0.1, failed: '503' }, { what: 'execute_tool search', from: 0.2, to: 0.3 }])).toEqual(['bad_answer: evaluation helpful, 0.200, 100 %'])
  })

  test('is one below the limit', () => expect(problemsOf([root(0.5, { score: 0.85 })])).toEqual([]))
})

describe('what was in a request', () => {
  const counted = (requests: readonly SpanSpec[][]) => {
    const engine = testEngine({ objectives: ROWS })
    for (const request of requests) engine.traces(tracesBody(request), START_MS)
    settleAll(engine)
    return series(engine, 'agent_request_features_total').map(({ labels, value }) => `${labels['feature']}=${labels['value']} ${labels['verdict']} ${value}`).sort()
  }

  test('counts once, however often it was in it', () => {
    expect(counted([spans([root(0.5), { what: 'execute_tool search', from: 0, to: 0.1 }, { what: 'execute_tool search', from: 0.1, to: 0.2 }, { what: 'chat gpt-4o', from: 0.2, to: 0.3 }])]))
      .toEqual(['model=gpt-4o good 1', 'tenant_id=acme good 1', 'tool=search good 1', 'version=1.0.0 good 1'])
  })

  test('under the verdict that comes first: failed, slow, expensive, a bad answer', () => {
    expect(counted([
      spans([root(2, { failed: '503 Service Unavailable' }), { what: 'execute_tool search', from: 0, to: 2, failed: '503 Service Unavailable' }]),
      spans([root(2, { score: 0.1 })]), spans([root(0.5), { what: 'chat gpt-4o', from: 0, to: 0.1, usd: 1 }], 'globex', '1.1.0'), spans([root(0.5, { score: 0.1 })]),
    ])).toEqual([
      'error=5xx failed 1', 'model=gpt-4o expensive 1', 'tenant_id=acme bad_answer 1', 'tenant_id=acme failed 1', 'tenant_id=acme slow 1', 'tenant_id=globex expensive 1', 'tool=search failed 1',
      'version=1.0.0 bad_answer 1', 'version=1.0.0 failed 1', 'version=1.0.0 slow 1', 'version=1.1.0 expensive 1',
    ])
  })
})
