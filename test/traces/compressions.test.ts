import { describe, expect, test } from 'vitest'
import { series, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type Attributes, type SpanSpec } from '../otlpbuilder.ts'
import { settleAll } from './delivery.ts'
import { START_MS } from './scenario.ts'

const id = (n: number) => n.toString(16).padStart(16, '0')
const trace = (n: number) => n.toString(16).padStart(32, '0')

/** A request of the agent `support`: a model call for each number of messages, one after the other. */
function request(n: number, calls: readonly number[], { conversation, agent = 'support', model = 'gpt-4o', rest = () => ({}) }: { conversation?: string; agent?: string; model?: string; rest?: (i: number) => Partial<SpanSpec> & { attributes?: Attributes } } = {}): SpanSpec[] {
  const at = START_MS + n * 1000
  const root: SpanSpec = { trace: trace(n), id: id(n * 1000), name: 'invoke_agent', startMs: at, endMs: at + 900, attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent, ...(conversation === undefined ? {} : { 'gen_ai.conversation.id': conversation }) } }
  return [root, ...calls.map((messages, i): SpanSpec => {
    const { attributes, ...more } = rest(i)
    const said = JSON.stringify(Array.from({ length: messages }, () => ({ role: 'user' })))
    return { trace: trace(n), id: id(n * 1000 + i + 1), parent: id(n * 1000), name: 'chat', startMs: at + 10 * i + 1, endMs: at + 10 * i + 9, attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': model, 'gen_ai.input.messages': said, ...attributes }, ...more }
  })]
}

function found(...requests: readonly SpanSpec[][]): string[] {
  const engine = testEngine()
  for (const spans of requests) {
    engine.traces(tracesBody(spans), START_MS)
    engine.tick(START_MS + 5000)
  }
  settleAll(engine)
  return series(engine, 'agent_recoveries_total').map(({ labels, value }) => `${labels['agent']} ${labels['name']} ${labels['action']} ${labels['result']} ${value}`)
}

const compacted = { events: [{ name: 'gen_ai.conversation.compacted', timeMs: START_MS }] }
const overflow = { status: { code: 2, message: "This model's maximum context length is 128000 tokens" } } as const

describe('a compressed history is a recovery', () => {
  test('that an event tells, on a call or on the agent; with a fall in messages beside it, it is one', () => {
    expect(found(request(1, [60, 8, 10], { rest: (i) => (i === 0 ? compacted : {}) }))).toEqual(['support gpt-4o compression recovered 1'])
    const [root, ...calls] = request(1, [8])
    expect(found([{ ...root!, ...compacted }, ...calls])).toEqual(['support gpt-4o compression recovered 1'])
    expect(found(request(1, [8], { rest: () => ({ attributes: { 'gen_ai.conversation.compacted': true } }) }))).toEqual(['support gpt-4o compression recovered 1'])
    expect(found(request(1, [8], { rest: () => ({ attributes: { 'gen_ai.conversation.compacted': false } }) }))).toEqual([])
  })

  test('that a fall in messages shows, whatever order the spans come in', () => {
    const spans = request(1, [40, 42, 12, 14])
    for (const order of [spans, spans.toReversed()]) expect(found(order)).toEqual(['support gpt-4o compression recovered 1'])
  })

  test.each([
    ['a short history', [19, 2]], ['a message or two left out', [30, 28]], ['a third', [30, 21]], ['a call on the side', [40, 2, 42]], ['a history that grows', [20, 40, 60]],
  ])('not %s', (_, calls) => {
    expect(found(request(1, calls))).toEqual([])
  })

  test('not another model asked about something else', () => {
    expect(found(request(1, [40, 2, 2], { rest: (i) => (i > 0 ? { attributes: { 'gen_ai.request.model': 'gpt-4o-mini' } } : {}) }))).toEqual([])
  })

  test('exhausted when the next call overflows all the same', () => {
    expect(found(request(1, [60, 30], { rest: (i) => (i === 0 ? compacted : overflow) }))).toEqual(['support gpt-4o compression exhausted 1'])
  })

  test('counted once where a call that overflowed is made again with less', () => {
    expect(found(request(1, [60, 10], { rest: (i) => (i === 0 ? overflow : {}) }))).toEqual(['support gpt-4o compression recovered 1'])
  })

  test('that lies between two requests of one conversation', () => {
    const of = (conversation: string, agent = 'support') => ({ conversation, agent })
    expect(found(request(1, [50, 52], of('c')), request(2, [10, 12], of('c')))).toEqual(['support gpt-4o compression recovered 1'])
    expect(found(request(1, [50], of('c')), request(2, [48], of('c')))).toEqual([])
    expect(found(request(1, [50], of('c')), request(2, [10], of('d')))).toEqual([])
    expect(found(request(1, [50], of('c')), request(2, [10], of('c', 'other')))).toEqual([])
    // Told by the first already, and seen once, however long it goes on.
    expect(found(request(1, [50], { ...of('c'), rest: () => compacted }), request(2, [10], of('c')))).toEqual(['support gpt-4o compression recovered 1'])
    expect(found(request(1, [50], of('c')), request(2, [10], of('c')), request(3, [12], of('c')))).toEqual(['support gpt-4o compression recovered 1'])
  })
})

describe('what the length of the context does', () => {
  const tokens = (input: number) => () => ({ attributes: { 'gen_ai.usage.input_tokens': input, 'gen_ai.usage.output_tokens': 1000 } })
  const rows = (engine: ReturnType<typeof testEngine>, name: 'agent_context_requests_total' | 'agent_context_cost_usd_total' | 'agent_quality_by_context' | 'agent_quality_by_tokens') =>
    series(engine, name).filter(({ value, count }) => value > 0 || count > 0).map(({ labels, value }) => [...Object.values(labels).slice(1), value].join(' '))

  test('requests, their outcome and their cost are counted by the longest context of a call, in messages and in tokens', () => {
    const engine = testEngine()
    const failed = request(2, [51], { rest: tokens(64_001) })
    engine.traces(tracesBody([...request(1, [10, 3], { rest: tokens(4000) }), { ...failed[0]!, ...overflow }, ...failed.slice(1), ...request(3, [200], { rest: tokens(500_000) })]), START_MS)
    settleAll(engine)
    expect(rows(engine, 'agent_context_requests_total')).toEqual(['messages 0-10 success 1', 'tokens 0-4k success 1', 'messages 51-100 error 1', 'tokens 64k-200k error 1', 'messages 101+ success 1', 'tokens 200k+ success 1'])
    // All outcomes begin at 0 together.
    expect(series(engine, 'agent_context_requests_total')).toHaveLength(6 * 3)
    const cost = (context: string) => series(engine, 'agent_context_cost_usd_total').filter(({ labels }) => labels['context'] === context).reduce((sum, { value }) => sum + value, 0)
    const total = series(engine, 'agent_request_cost_usd').reduce((sum, { value }) => sum + value, 0)
    expect([cost('messages'), cost('tokens')]).toEqual([total, total])
  })

  test('scores too', () => {
    const engine = testEngine()
    engine.traces(tracesBody(request(1, [30], { rest: tokens(20_000) })), START_MS)
    expect(engine.score(trace(1), { evaluator: 'helpful', value: 0.5, layer: 'judge' }, START_MS)).toBe(true)
    settleAll(engine)
    expect([rows(engine, 'agent_quality_by_context'), rows(engine, 'agent_quality_by_tokens')]).toEqual([['26-50 0.5'], ['16k-64k 0.5']])
  })
})
