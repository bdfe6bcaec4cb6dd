import { describe, expect, test } from 'vitest'
import { play, recordings, series, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'
import { transcode } from '../../src/otlp/json.ts'
import { anyValueText } from '../../src/spans/anyvalue.ts'
import { Content } from '../../src/spans/dialect.ts'
import { Kind } from '../../src/spans/names.ts'
import { CONTENT_LIMITS, type ContentOptions } from '../../src/traces/content.ts'
import type { Settled } from '../../src/traces/settled.ts'
import { START_MS } from './scenario.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const id = (n: number) => n.toString(16).padStart(16, '0')
const span = (n: number, parent: number, attributes: SpanSpec['attributes'] = {}, rest: Partial<SpanSpec> = {}): SpanSpec =>
  ({ trace: TRACE, id: id(n), ...(parent > 0 && { parent: id(parent) }), name: 'step', startMs: START_MS + n, endMs: START_MS + n + 1, attributes, ...rest })

/** What each settled request said, by step. */
function said(spans: readonly SpanSpec[], limits: Partial<Omit<ContentOptions, 'wants'>> = {}, wants: () => number = () => 3) {
  const found: { root: (string | undefined)[]; steps: (string | undefined)[][]; whole: boolean[] }[] = []
  const engine = testEngine({
    content: { wants, ...CONTENT_LIMITS, ...limits },
    onSettled: ({ content, steps }: Settled) => {
      const texts = Array.from({ length: steps }, (_, i) => [content?.step(i, Content.input), content?.step(i, Content.output)])
      found.push({ root: [content?.root(Content.input), content?.root(Content.output)], steps: texts, whole: texts.map((_, i) => content?.whole(i, Content.output) ?? false) })
    },
  })
  engine.traces(tracesBody(spans), START_MS)
  const held = engine.assembler.content!.bytes
  engine.finish(START_MS + 100_000)
  expect(engine.assembler.content!.bytes).toBe(0)
  return { found, held, dropped: engine.assembler.content!.dropped }
}

const agent = span(1, 0, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.input.messages': '"where is my order?"', 'gen_ai.output.messages': '"on its way"' })
const tool = span(2, 1, { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'lookup', 'gen_ai.tool.call.arguments': '{"order":7}', 'gen_ai.tool.call.result': '{"state":"sent"}' })

test('a step has what went in and came out, the root what was asked and answered', () => {
  expect(said([agent, tool]).found).toEqual([{ root: ['"where is my order?"', '"on its way"'], steps: [['{"order":7}', '{"state":"sent"}']], whole: [true] }])
})

test('where the root does not tell, the first model call was asked and the last one answered', () => {
  const bare = span(1, 0, { 'gen_ai.operation.name': 'invoke_agent' })
  const last = span(3, 1, { 'gen_ai.operation.name': 'chat', 'gen_ai.completion.0.content': 'sent' })
  const before = span(2, 1, { 'gen_ai.operation.name': 'chat', 'gen_ai.prompt.0.content': 'where?', 'gen_ai.completion.0.content': 'looking' })
  expect(said([last, { ...tool, id: id(9) }, before, bare]).found[0]!.root).toEqual(['where?', 'sent'])
})

test('of messages under a prefix the last one went in; events tell too', () => {
  const indexed = span(2, 0, { 'gen_ai.operation.name': 'chat', 'gen_ai.prompt.0.content': 'be brief', 'gen_ai.prompt.1.role': 'user', 'gen_ai.prompt.1.content': 'hello', 'gen_ai.prompt.1.tool': 'no' })
  expect(said([indexed]).found[0]!.steps).toEqual([['hello', undefined]])
  const events = [{ name: 'gen_ai.user.message', timeMs: START_MS, attributes: { content: 'hi' } }, { name: 'gen_ai.content.completion', timeMs: START_MS, attributes: { 'gen_ai.completion': 'ho' } }]
  expect(said([span(2, 0, { 'gen_ai.operation.name': 'chat' }, { events })]).found[0]!.steps).toEqual([['hi', 'ho']])
})

test('a call told of twice has the words of the account that has any', () => {
  const framework = span(2, 1, { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.output.messages': 'sent' })
  const sdk = span(3, 2, { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.input.messages': 'where?' })
  expect(said([agent, framework, sdk]).found[0]!.steps).toEqual([['where?', 'sent']])
})

test('only what is wanted is kept', () => {
  expect(said([agent, tool], {}, () => 2).found[0]!.steps).toEqual([[undefined, '{"state":"sent"}']])
  expect(said([agent, tool], {}, () => 0)).toMatchObject({ held: 0, found: [{ root: [undefined, undefined] }] })
})

test('of a long text the beginning and the end stay, and no character is cut in two', () => {
  const long = span(1, 0, { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 't', 'gen_ai.tool.call.result': `${'é'.repeat(100)}` })
  const { found, held, dropped } = said([long], { textLimitBytes: 11 })
  expect(found[0]).toMatchObject({ steps: [[undefined, 'éé … 189 bytes left out … ééé']], whole: [false] })
  expect({ held, dropped }).toEqual({ held: 11, dropped: { text: 1, request: 0, total: 0, late: 0 } })
})

test('what finds no room is counted, and nothing but content is lost', () => {
  const results = Array.from({ length: 10 }, (_, i) => span(i + 2, 1, { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 't', 'gen_ai.tool.call.result': 'x'.repeat(100) }))
  const request = said([agent, ...results], { requestLimitBytes: 532 })
  expect(request).toMatchObject({ held: 532, dropped: { text: 0, request: 5, total: 0, late: 0 } })
  expect(request.found[0]!.steps).toHaveLength(10)
  expect(said([agent, ...results], { totalLimitBytes: 232 })).toMatchObject({ held: 232, dropped: { text: 0, request: 0, total: 8, late: 0 } })
})

test('a list or an object is JSON, a strange one empty', () => {
  const pair = (key: string, value: number[]) => [10, key.length, ...Buffer.from(key), 18, value.length, ...value]
  const ok = pair('ok', [16, 1])
  const list = [42, 2 * 5 + 4, 10, 2, 24, 7, 10, 8, 50, 6 + 4, ...[]]
  expect(anyValueText(Uint8Array.from([50, ok.length + 2, 10, ok.length, ...ok]))).toBe('{"ok":true}')
  expect(anyValueText(Uint8Array.from([42, 8, 10, 2, 24, 7, 10, 2, 16, 0]))).toBe('[7,false]')
  expect(() => anyValueText(Uint8Array.from(list))).toThrow()
})

describe('content in log records', () => {
  const record = (spanId: string, eventName: string, body: unknown, attributes: Record<string, unknown> = {}, traceId = TRACE) => ({
    traceId, spanId, eventName, ...(body === undefined ? {} : { body: anyValue(body) }), attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) })),
  })
  const anyValue = (value: unknown): object => (typeof value === 'string' ? { stringValue: value } : { kvlistValue: { values: Object.entries(value as object).map(([key, inner]) => ({ key, value: anyValue(inner) })) } })
  const logs = (...records: object[]) => Uint8Array.from(transcode('logs', Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] }))).bytes)
  const call = tracesBody([span(1, 0, { 'gen_ai.operation.name': 'chat' })])
  const choice = (said: string, traceId = TRACE) => record(id(1), 'gen_ai.choice', { finish_reason: 'stop', message: { role: 'assistant', content: said } }, {}, traceId)

  function open(content: Partial<ContentOptions> = {}) {
    const found: (string | undefined)[][] = []
    const engine = testEngine({ content: { wants: () => 3, ...CONTENT_LIMITS, ...content }, onSettled: ({ content, isRequest }: Settled) => { if (isRequest) found.push([content?.root(Content.input), content?.root(Content.output)]) } })
    return { engine, found, store: engine.assembler.content! }
  }

  test('are told of a span before or after it, the newest stays, and what the span tells itself goes before', () => {
    const told = logs(record(id(1), 'gen_ai.system.message', { content: 'be brief' }), record(id(1), 'gen_ai.user.message', { content: 'hello' }), record(id(1), 'gen_ai.user.message', { content: 'where?' }), choice('sent'))
    const expected = [['{"content":"where?"}', '{"finish_reason":"stop","message":{"role":"assistant","content":"sent"}}']]
    for (const order of ['logs first', 'spans first']) {
      const { engine, found, store } = open()
      if (order === 'logs first') engine.logs(told, START_MS)
      engine.traces(call, START_MS)
      if (order === 'spans first') engine.logs(told, START_MS)
      engine.finish(START_MS + 100_000)
      expect([found, store.bytes, store.dropped.late], order).toEqual([expected, 0, 0])
    }
    const { engine, found } = open()
    engine.logs(told, START_MS)
    engine.traces(tracesBody([span(1, 0, { 'gen_ai.operation.name': 'chat', 'gen_ai.output.messages': 'mine' })]), START_MS)
    engine.finish(START_MS + 100_000)
    expect(found[0]![1]).toBe('mine')
  })

  test('in one event with both sides', () => {
    const { engine, found } = open()
    engine.logs(logs(record(id(1), 'gen_ai.client.inference.operation.details', undefined, { 'gen_ai.input.messages': 'where?', 'gen_ai.output.messages': 'sent', other: 'x' })), START_MS)
    engine.traces(call, START_MS)
    engine.finish(START_MS + 100_000)
    expect(found).toEqual([['where?', 'sent']])
  })

  test('are kept only where they are wanted, within the limits, and not for ever', () => {
    const unwanted = open({ wants: () => 1 })
    unwanted.engine.logs(logs(choice('sent')), START_MS)
    expect(unwanted.store.bytes).toBe(0)
    const small = open({ requestLimitBytes: 100 })
    small.engine.logs(logs(record(id(1), 'gen_ai.choice', 'x'.repeat(60)), record(id(2), 'gen_ai.choice', 'y'), choice('other', '1'.repeat(32))), START_MS)
    expect([small.store.bytes, small.store.dropped.request]).toEqual([60 + '{"finish_reason":"stop","message":{"role":"assistant","content":"other"}}'.length, 1])
    small.engine.tick(START_MS + 10_001)
    expect([small.store.bytes, small.store.dropped.late]).toEqual([0, 2])
  })

  test('come too late for a request that has settled, and none for a span that never came', () => {
    const { engine, store } = open()
    engine.logs(logs(record(id(7), 'gen_ai.choice', 'x')), START_MS)
    engine.traces(call, START_MS)
    engine.tick(START_MS + 2000)
    expect(store.dropped.late).toBe(1)
    engine.logs(logs(choice('sent')), START_MS + 2000)
    expect([store.bytes, store.dropped.late]).toEqual([0, 2])
  })
})

test('recorded runs tell what their agents answered and their tools gave back, and count the same', () => {
  const silent = { tools: new Set<string>(), answers: new Set<string>() }
  for (const { bodies, dialect } of recordings().filter(({ scenario }) => scenario === 'ok')) {
    const engine = testEngine({
      maxOpenRequests: 100, strings: { capacity: 1 << 14 }, content: { wants: () => 3, ...CONTENT_LIMITS },
      onSettled: ({ content, isRequest, kind, steps }: Settled) => {
        if (isRequest && content?.root(Content.output) === undefined) silent.answers.add(dialect)
        for (let i = 0; i < steps; i++) if (kind[i] === Kind.tool && content?.step(i, Content.output) === undefined) silent.tools.add(dialect)
      },
    })
    play(bodies, engine)
    const plain = play(bodies)
    for (const name of ['agent_requests_total', 'agent_cost_usd_total', 'agent_tokens_total', 'agent_context_messages', 'agent_errors_total'] as const) expect(series(engine, name), dialect).toEqual(series(plain, name))
  }
  // On the wire these say nothing: AutoGen tells messages between its agents, the tools of the others are bare spans, and one run was recorded without its log records.
  expect([...silent.tools]).toEqual(['autogen-native', 'autogen-openinference', 'logfire-openai'])
  expect([...silent.answers]).toEqual(['autogen-native', 'openai-otel-v2-legacy'])
})
