import { describe, expect, test } from 'vitest'
import { checkExpectations, type Expectations } from '../../src/config/expectations.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import type { EngineOptions } from '../../src/engine.ts'
import { readingsOf } from '../../src/quality/checks/envelope.ts'
import { verdictOn } from '../../src/quality/checks/verdict.ts'
import { CHECK_RESULTS, type Settled } from '../../src/traces/settled.ts'
import { play, recordings, series, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type Attributes, type SpanSpec } from '../otlpbuilder.ts'
import { START_MS } from '../traces/scenario.ts'

const read = (text: string): Expectations => checkExpectations(parseYaml('expectations.yaml', text))

/** How one check, written in YAML, ends on a content. */
function result(check: string, content: string): string {
  const { tools } = read(`tools: [{match: t, checks: [{name: c, ${check}}]}]`)
  const { result, why } = verdictOn(tools[0]!.checks[0]!, readingsOf(content))
  return why === '' ? CHECK_RESULTS[result]! : why
}

describe('a check', () => {
  test.each([
    ['equals: sent', 'sent', 'pass'],
    ['equals: sent', ' "sent"\n', 'pass'],
    ['equals: sent', 'Sent', 'is not equal'],
    ['equals: {state: sent, n: 1}', '{"n":1,"state":"sent"}', 'pass'],
    ['equals: {state: sent}', '{"n":1,"state":"sent"}', 'is not equal'],
    ['equals: null, at: /error', '{"error":null}', 'pass'],
    ['equals: null, at: /error', '{"error":"late"}', '/error is not equal'],
    ['equals: 2, at: /items/1', '{"items":[1,2]}', 'pass'],
    ['equals: 2, at: /items/01', '{"items":[1,2]}', '/items/01 is not there'],
    ['equals: 3, at: /a~1b/~0', '{"a/b":{"~":3}}', 'pass'],
    ['equals: 1, at: /__proto__', '{"a":1}', '/__proto__ is not there'],
    ['matches: "^ord-[0-9]{4}$", at: /id', '{"id":"ORD-1042"}', 'pass'],
    ['matches: "^ord-[0-9]{4}$", at: /id', '{"id":"1042"}', '/id does not match'],
    ['matches: "refund"', 'You get a Refund.', 'pass'],
    ['matchesNot: "as an ai"', 'As an AI I cannot', 'matches what it should not'],
    ['matchesNot: "as an ai"', 'Sent.', 'pass'],
    ['min: 0.5, max: 2', '2', 'pass'],
    ['min: 0.5, max: 2', '2.0001', 'is above 2'],
    ['min: 0.5, max: 2', '0.4', 'is below 0.5'],
    ['min: 0.5', 'many', 'is not a number'],
    ['max: 10, at: /eta', '{"eta":"7"}', 'pass'],
    ['max: 10, at: /eta', '{"eta":[]}', '/eta is not a number'],
    ['max: 10, at: /eta', 'no JSON', '/eta is not there'],
    ['schema: {type: object, required: [id], properties: {id: {type: string}}}', '{"id":"7"}', 'pass'],
    ['schema: {type: object, required: [id], properties: {id: {type: string}}}', '{"id":7}', '/id must be string'],
    ['schema: {type: object, required: [id]}', 'sorry', 'must be object'],
    ['schema: {type: string, maxLength: 5}', 'sorry', 'pass'],
    ['schema: {const: null}, at: /error', '{"error":"late"}', '/error must be equal to constant'],
    ['schema: {type: [string, "null"]}, at: /error', '{"error":null}', 'pass'],
    ['schema: {properties: {id: {pattern: "^a+$"}}}', `{"id":"${'a'.repeat(4097)}"}`, 'too_long'],
    ['matches: "b"', `b${'a'.repeat(5000)}`, 'pass'],
    ['matches: "b"', `${'a'.repeat(5000)}b`, 'too_long'],
    ['matchesNot: "b"', `${'a'.repeat(5000)}b`, 'too_long'],
  ])('%#: %s', (check, content, expected) => {
    expect(result(check, content)).toBe(expected)
  })

  test('of what is nested without end, or made to be slow, ends soon', () => {
    const deep = '['.repeat(8000) + ']'.repeat(8000)
    const started = performance.now()
    expect(result('schema: {$id: "x", items: {$ref: "#"}, type: array}', deep)).toMatch(/pass|stack/)
    expect(result('matches: "a", at: /0', deep)).toMatch(/does not match|stack/)
    expect(result('matches: "a{0,6}[^]*b"', 'a'.repeat(4096))).toBe('does not match')
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('reads through what instrumentations put around a result or an answer', () => {
    const sent = '{"state": "sent"}'
    const told: readonly unknown[] = [
      JSON.stringify(sent), { output: sent }, { result: sent },
      { lc: 1, type: 'constructor', id: ['langchain', 'ToolMessage'], kwargs: { content: sent, type: 'tool' } },
      { type: 'tool', data: { content: sent } }, { content: sent, type: 'tool', tool_call_id: 'c' }, { role: 'tool', content: [{ type: 'text', text: sent }] },
      { content: [{ type: 'text', text: sent }] }, { tool_name: 't', raw_output: sent, is_error: false },
      { tool_messages: [{ content: [{ tool_call_result: { result: sent } }] }] }, { id: 'a', name: 't', response: { result: sent } },
    ]
    for (const one of told) expect(result('equals: sent, at: /state', JSON.stringify(one)), JSON.stringify(one)).toBe('pass')
    expect(result('equals: sent, at: /state', `content='${sent}' name='t' tool_call_id='c'`)).toBe('pass')
  })

  test('does not take a result of the user\'s own for an envelope', () => {
    expect(readingsOf('[{"id":"kb-1","text":"a"},{"id":"kb-2","text":"b"}]').values).toHaveLength(2)
    expect(readingsOf('{"type":"invoice","content":"x","total":3}').values).toHaveLength(2)
    expect(result('schema: {required: [output]}', '{"output":"x"}')).toBe('pass')
  })
})

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const id = (n: number) => n.toString(16).padStart(16, '0')
const span = (n: number, parent: number, attributes: Attributes, rest: Partial<SpanSpec> = {}): SpanSpec =>
  ({ trace: TRACE, id: id(n), ...(parent > 0 && { parent: id(parent) }), name: 'step', startMs: START_MS + n, endMs: START_MS + n + 1, attributes, ...rest })
const agent = (answer: string | undefined, rest: Partial<SpanSpec> = {}) => span(1, 0, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', ...(answer === undefined ? {} : { 'gen_ai.output.messages': answer }) }, { endMs: START_MS + 100, ...rest })
const tool = (n: number, result: string | undefined, rest: Partial<SpanSpec> = {}) => span(n, 1, { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'lookup', ...(result === undefined ? {} : { 'gen_ai.tool.call.result': result }) }, rest)
const expectations = read(`
tools:
  - match: look*
    checks:
      - {name: has a state, at: /state, matches: "^(sent|lost)$"}
      - {name: price, at: /price, min: 0, max: 100}
  - match: lookup
    agent: sales
    checks:
      - {name: of sales, equals: 1}
agents:
  - match: support
    checks:
      - {name: no excuses, matchesNot: "as an ai"}
`)

function run(spans: readonly SpanSpec[], options: Partial<EngineOptions> = {}) {
  const failed: [number, string, string, string][] = []
  const engine = testEngine({
    expectations, ...options,
    onSettled: ({ checks }: Settled) => { for (const one of checks) failed.push([one.step, engine.strings.text(one.name), engine.strings.text(one.check), one.why]) },
  })
  engine.traces(tracesBody(spans), START_MS)
  engine.finish(START_MS + 100_000)
  const counted = series(engine, 'agent_quality_checks_total').filter(({ value }) => value > 0).map(({ labels, value }) => `${labels['agent']} ${labels['name']} ${labels['check']} ${labels['result']} ${value}`).sort()
  const scores = series(engine, 'agent_quality_score').map(({ labels, value, count }) => `${labels['layer']} ${labels['evaluator']} ${value} ${count}`)
  return { failed, counted, scores, engine }
}

test('a request has the checks of its tools and of its answer, and a score: the share that passed', () => {
  const { failed, counted, scores } = run([agent('Sent!'), tool(2, '{"state":"sent","price":7}'), tool(3, '{"state":"sent","price":700}')])
  expect(counted).toEqual(['support lookup has a state pass 2', 'support lookup price fail 1', 'support lookup price pass 1', 'support support no excuses pass 1'])
  expect(scores).toEqual(['unit checks 0.8 1'].map((score) => score.replace('0.8', String(Math.round(0.8 * 2 ** 36) / 2 ** 36))))
  expect(failed).toEqual([[1, 'lookup', 'price', '/price is above 100']])
})

test('failed checks are in the order of time, the answer last, whatever order the spans came in', () => {
  const spans = [agent('As an AI'), tool(5, '{"price":1}'), tool(3, '{"price":-1}')]
  for (const order of [spans, spans.toReversed()]) {
    expect(run(order).failed.map(([, name, check, why]) => [name, check, why])).toEqual([
      ['lookup', 'has a state', '/state is not there'], ['lookup', 'price', '/price is below 0'], ['lookup', 'has a state', '/state is not there'], ['support', 'no excuses', 'matches what it should not'],
    ])
  }
})

test('what is not told or not kept whole is counted, and is no score', () => {
  const { failed, counted, scores } = run([agent(undefined), tool(2, undefined), tool(3, `{"state":"${'x'.repeat(20_000)}"}`)])
  expect(counted).toEqual(['support lookup has a state no_content 1', 'support lookup has a state too_long 1', 'support lookup price no_content 1', 'support lookup price too_long 1', 'support support no excuses no_content 1'])
  expect([failed, scores]).toEqual([[], []])
})

test('all results of a check begin at 0 with its first', () => {
  const { engine } = run([agent('Sent!')])
  expect(series(engine, 'agent_quality_checks_total').map(({ labels, value }) => [labels['result'], value])).toEqual([['pass', 1], ['fail', 0], ['no_content', 0], ['too_long', 0]])
})

test('a tool that failed gave no result, a request that failed no answer; a message that only calls tools is no answer', () => {
  const error = { status: { code: 2, message: 'HTTP 503' } } as const
  expect(run([agent('As an AI', error), tool(2, '{"price":-1}', error)]).counted).toEqual([])
  expect(run([agent('[{"role":"assistant","parts":[{"type":"tool_call","id":"a","name":"lookup","arguments":{}}]}]')]).counted).toEqual([])
})

test('the answer of an agent inside of another is checked as its own', () => {
  const inner = span(2, 1, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', 'gen_ai.output.messages': 'As an AI' })
  const outer = span(1, 0, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'triage', 'gen_ai.output.messages': 'As an AI' })
  expect(run([outer, inner])).toMatchObject({ counted: ['triage support no excuses fail 1'], failed: [[0, 'support', 'no excuses', 'matches what it should not']] })
})

test('an agent that tells nothing of its own answered what its last model call did', () => {
  const call = (n: number, said: string) => span(n, 2, { 'gen_ai.operation.name': 'chat', 'gen_ai.agent.name': 'support', 'gen_ai.output.messages': said })
  const outer = span(1, 0, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'triage', 'gen_ai.output.messages': 'fine' })
  const inner = span(2, 1, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support' }, { endMs: START_MS + 20 })
  expect(run([outer, inner, call(9, 'Sent.'), call(5, 'As an AI')]).counted).toEqual(['triage support no excuses pass 1'])
  expect(run([outer, inner, call(5, 'Sent.'), call(9, 'As an AI')]).counted).toEqual(['triage support no excuses fail 1'])
})

test('an agent of the name of its request answers for it', () => {
  const root = span(1, 0, { 'gen_ai.agent.name': 'support' }, { name: 'POST /chat', endMs: START_MS + 100 })
  const inner = span(2, 1, { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', 'gen_ai.output.messages': 'Sent.' }, { endMs: START_MS + 50 })
  const call = span(3, 2, { 'gen_ai.operation.name': 'chat', 'gen_ai.output.messages': 'As an AI' })
  expect(run([root, inner, call]).counted).toEqual(['support support no excuses pass 1'])
})

test('only what has expectations is kept', () => {
  const other = span(3, 1, { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'other', 'gen_ai.tool.call.result': 'x'.repeat(1000) })
  const engine = testEngine({ expectations })
  engine.traces(tracesBody([tool(2, '{"state":"sent"}'), other]), START_MS)
  expect(engine.assembler.content!.bytes).toBe('{"state":"sent"}'.length)
  expect(testEngine().assembler.content).toBeUndefined()
})

test('another who wants content gets it beside the checks', () => {
  const engine = testEngine({ expectations, content: { wants: () => 1, textLimitBytes: 100, requestLimitBytes: 1000, totalLimitBytes: 1000 } })
  engine.traces(tracesBody([span(2, 1, { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'lookup', 'gen_ai.tool.call.arguments': '1234567', 'gen_ai.tool.call.result': '{}' })]), START_MS)
  expect(engine.assembler.content!.bytes).toBe(9)
})

test('recorded runs pass what is true of them, through every dialect that tells content', () => {
  const truth = read(`
tools:
  - match: lookup_order
    checks:
      - {name: shape, schema: {type: object, required: [order_id, status], properties: {order_id: {type: string, pattern: "^[0-9]+$"}, status: {enum: [shipped, lost]}, eta_days: {type: integer}}}}
      - {name: id, at: /order_id, equals: "1042"}
      - {name: eta, at: /eta_days, min: 1, max: 3}
  - match: search_kb
    checks:
      - {name: policy, matches: "return policy"}
agents:
  - match: "*"
    checks:
      - {name: answers, matches: "^your order 1042 has shipped[^]{0,80}30 days"}
`)
  const passed: Record<string, Set<string>> = { tools: new Set(), answers: new Set() }
  const others: Record<string, string[]> = {}
  for (const { bodies, dialect } of recordings().filter(({ scenario }) => scenario === 'ok')) {
    const engine = play(bodies, testEngine({ maxOpenRequests: 100, strings: { capacity: 1 << 14 }, expectations: truth }))
    const results = series(engine, 'agent_quality_checks_total').filter(({ value }) => value > 0)
    for (const { labels: { check, result } } of results) {
      const whose = check === 'answers' ? 'answers' : 'tools'
      if (result === 'pass') passed[whose]!.add(dialect)
      else if (!others[`${whose} ${result}`]?.includes(dialect)) (others[`${whose} ${result}`] ??= []).push(dialect)
    }
  }
  expect([passed['tools']!.size, passed['answers']!.size]).toEqual([25, 40])
  expect(others).toEqual({
    // On the wire these say nothing, as test/traces/content.test.ts has it; the task of a crew has no words of its own.
    'tools no_content': ['autogen-native', 'autogen-openinference', 'logfire-openai'],
    'answers no_content': ['autogen-native', 'crewai-traceloop', 'openai-otel-v2-legacy'],
    // Haystack's root says {}, LlamaIndex's the beginning of what Python prints of its event.
    'answers fail': ['haystack2-native', 'llamaindex-openinference'],
  })
})
