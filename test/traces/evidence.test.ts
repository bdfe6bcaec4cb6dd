/** What decides beside the words of an error: codes, finish reasons, deadlines, ages, and the shape of the run. */
import { describe, expect, test } from 'vitest'
import { CODE_RULES } from '../../src/spans/codes.ts'
import { ERROR_TYPES, MOST_WORDS } from '../../src/spans/names.ts'
import { SIGNAL_RULES } from '../../src/spans/signals.ts'
import { CONTENT_LIMITS } from '../../src/traces/content.ts'
import { STRUCTURE_RULES } from '../../src/traces/structure.ts'
import { testEngine } from '../conformance/recordings.ts'
import { attributes as attributeFields, bytes, message, spanMessage, text, tracesBody, type Attributes, type SpanSpec } from '../otlpbuilder.ts'
import { settleAll } from './delivery.ts'
import { START_MS } from './scenario.ts'

const TRACE = '0102030405060708090a0b0c0d0e0f10'
const id = (n: number) => n.toString(16).padStart(16, '0')
const failed = (message = ''): Pick<SpanSpec, 'status'> => ({ status: { code: 2, message } })

function step(n: number, operation: string, name: string, seconds: number, attributes: Attributes = {}, spec: Partial<SpanSpec> = {}): SpanSpec {
  const key = { chat: 'gen_ai.request.model', execute_tool: 'gen_ai.tool.name', invoke_agent: 'gen_ai.agent.name', retrieval: 'gen_ai.data_source.id' }[operation]!
  return {
    trace: TRACE, id: id(n), ...(n === 1 ? {} : { parent: id(1) }), name: `${operation} ${name}`, scope: 'gen_ai', resource: { 'service.name': 'shop' },
    startMs: START_MS + n * 100, endMs: START_MS + n * 100 + seconds * 1000, attributes: { 'gen_ai.operation.name': operation, [key]: name, ...attributes }, ...spec,
  }
}

function told(spans: SpanSpec[], options: Parameters<typeof testEngine>[0] = {}) {
  const seen: { errors: string[]; rootCause: string | undefined }[] = []
  const engine = testEngine({
    ...options,
    onSettled: ({ errors, rootCause }) => {
      const words = (error: (typeof errors)[number]) => `${ERROR_TYPES[error.type]!.type} at ${engine.strings.text(error.name)} by ${error.rule}: ${error.words}`
      seen.push({ errors: errors.map(words), rootCause: rootCause && words(rootCause) })
    },
  })
  engine.traces(tracesBody(spans), START_MS)
  settleAll(engine)
  return seen[0]!
}

const root = (spec: Partial<SpanSpec> = {}, seconds = 1) => step(1, 'invoke_agent', 'support', seconds, {}, spec)

describe('a span tells', () => {
  test.each<[string, SpanSpec, string | undefined]>([
    ['a code of its provider', step(2, 'chat', 'gpt-4o', 0.1, { 'error.type': 'insufficient_quota' }, failed('no')), 'rate_limit at gpt-4o by openai.code.insufficient_quota: insufficient_quota'],
    ['a code in an attribute of its own', step(2, 'chat', 'gpt-4o', 0.1, { 'gen_ai.error.code': 'DeploymentNotFound' }, failed('no')), 'model_unavailable at gpt-4o by azure.code.DeploymentNotFound: DeploymentNotFound'],
    ['a code inside of JSON', step(2, 'chat', 'gpt-4o', 0.1, {}, failed('{"error":{"type":"overloaded_error","message":"later"}}')), 'model_unavailable at gpt-4o by anthropic.code.overloaded_error: overloaded_error'],
    ['a code of Node, on a tool', step(2, 'execute_tool', 'search', 0.1, { 'error.type': 'ECONNREFUSED' }, failed('no')), '5xx at search by node.code.ECONNREFUSED: ECONNREFUSED'],
    ['a status of gRPC', step(2, 'execute_tool', 'search', 0.1, { 'rpc.grpc.status_code': 14 }, failed()), '5xx at search by grpc.status.UNAVAILABLE: grpc.status.UNAVAILABLE'],
    ['that its deadline passed', step(2, 'execute_tool', 'search', 30.01, { timeout_seconds: 30 }, failed()), 'timeout at search by deadline.passed: 30 s of 30 s'],
    ['that it was cancelled at its deadline', step(2, 'chat', 'gpt-4o', 5, { deadline_ms: 5000, 'error.type': 'CancelledError' }, failed()), 'timeout_inference at gpt-4o by deadline.passed: 5.00 s of 5.00 s'],
    ['that it failed before its deadline', step(2, 'execute_tool', 'search', 3, { timeout_seconds: 30 }, failed()), 'unclassified at search by none: '],
    ['a finish reason as a text', step(2, 'chat', 'gpt-4o', 1, { 'llm.finish_reason': 'length' }, failed('Unterminated string in JSON at position 37')), 'validation_failed at gpt-4o by finish.length: length'],
    ['a filter of content', step(2, 'chat', 'gemini', 1, { 'gen_ai.response.finish_reason': 'SAFETY' }, failed()), 'validation_failed at gemini by finish.refused: SAFETY'],
    ['a tool call that cannot be read', step(2, 'chat', 'gemini', 1, { 'gen_ai.response.finish_reason': 'MALFORMED_FUNCTION_CALL' }, failed()), 'validation_failed at gemini by finish.tool-call: MALFORMED_FUNCTION_CALL'],
    ['that the provider broke off', step(2, 'chat', 'gpt-4o', 1, { 'ai.response.finishReason': 'error' }, failed()), 'model_unavailable at gpt-4o by finish.error: error'],
    ['a finish reason, and has not failed', step(2, 'chat', 'gpt-4o', 1, { 'llm.finish_reason': 'content_filter' }), undefined],
    ['its age and how old it may be', step(2, 'retrieval', 'faq', 0.1, { 'data.age_seconds': 864_000, 'data.max_age_seconds': 86_400 }), 'stale_data at faq by age.stale: 10 days old, 24.0 h allowed'],
    ['an age that it may have', step(2, 'retrieval', 'faq', 0.1, { 'data.age_seconds': 86_400, 'data.max_age_seconds': 86_400 }), undefined],
    ['an age, and nobody says how old it may be', step(2, 'retrieval', 'faq', 0.1, { 'data.age_seconds': 864_000 }), undefined],
  ])('%s', (_, span, error) => {
    expect(told([root(), span]).errors).toEqual(error === undefined ? [] : [error])
  })

  test('the date of its first document, which is older than the configuration lets it be', () => {
    const metadata = (date: string) => step(2, 'retrieval', 'faq', 0.1, { 'retrieval.documents.0.document.metadata': `{"source":"faq.md","updated_at":"${date}"}` })
    const old = new Date(START_MS - 40 * 86_400_000).toISOString()
    expect(told([root(), metadata(old)], { staleAfterSeconds: 30 * 86_400 }).errors).toEqual(['stale_data at faq by age.stale: 40 days old, 30 days allowed'])
    expect(told([root(), metadata(old)], { staleAfterSeconds: 50 * 86_400 }).errors).toEqual([])
    expect(told([root(), metadata('yesterday')], { staleAfterSeconds: 1 }).errors).toEqual([])
  })

  test('its finish reasons as a list, which the convention has', () => {
    const span = step(2, 'chat', 'gpt-4o', 1, {}, failed())
    const list = message([bytes(5, message(['stop', 'content_filter'].map((reason) => bytes(1, text(1, reason)))))])
    const withList = message([spanMessage(span), bytes(9, message([text(1, 'gen_ai.response.finish_reasons'), bytes(2, list)]))])
    const body = message([bytes(1, message([bytes(1, message(attributeFields(1, { 'service.name': 'shop' }))), bytes(2, message([bytes(1, text(1, 'gen_ai')), bytes(2, withList)]))]))])
    const rules: string[] = []
    const engine = testEngine({ onSettled: ({ errors }) => rules.push(...errors.map(({ rule }) => rule)) })
    engine.traces(tracesBody([root()]), START_MS)
    engine.traces(body, START_MS)
    settleAll(engine)
    expect(rules).toEqual(['finish.refused'])
  })

  test('an ancestor what its own span does not', () => {
    expect(told([root(failed('Error code: 429 - slow down')), step(2, 'chat', 'gpt-4o', 0.1, {}, failed())]).rootCause).toBe('rate_limit at gpt-4o by http-429: HTTP 429')
  })
})

describe('the result of a tool tells', () => {
  const json = JSON.stringify({ order_id: '1042', status: 'shipped', carrier: 'UPS' })
  test.each<[string, string, string | undefined]>([
    ['that it is an error, of which kind', '{"isError": true, "content": [{"type": "text", "text": "Server error: 503 Service Unavailable"}]}', '5xx at lookup by http-5xx: HTTP 503'],
    ['that it is an error, and not of which kind', '{"is_error":true,"content":"it did not work"}', 'unclassified at lookup by result.error: "is_error":true'],
    ['that it is old', '{"order_id":"1042","as_of":"2023-01-04","stale":true}', 'stale_data at lookup by result.stale: "stale":true'],
    ['that it is a page about an error', '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>', '5xx at lookup by result.page: 502 Bad Gateway'],
    ['that it breaks off', json.slice(0, -9), 'malformed_response at lookup by result.cut: ends within JSON'],
    ['nothing, when it is whole', json, undefined],
    ['nothing, when it says no', '{"isError":false,"stale":false}', undefined],
    ['nothing, when an SDK cut it at its limit', `{"rows":["${'x'.repeat(1014)}`, undefined],
    ['nothing, when it says that it was cut', `${json.slice(0, -9)}... [truncated]`, undefined],
    ['nothing, when it is a page that was asked for', '<html><head><title>Shipping</title></head></html>', undefined],
    ['nothing, when it is a sentence', '{ braces } and such', undefined],
  ])('%s', (_, result, error) => {
    const spans = [root(), step(2, 'execute_tool', 'lookup', 0.1, { 'gen_ai.tool.call.result': result })]
    const content = { ...CONTENT_LIMITS, wants: () => 0 }
    expect(told(spans, { content }).errors).toEqual(error === undefined ? [] : [error])
    expect(told(spans).errors, 'nobody reads content').toEqual([])
  })
})

describe('the shape of a run tells', () => {
  const turns = (names: readonly string[], between: (n: number) => SpanSpec[] = () => []) => names.flatMap((name, i) => [step(2 + 2 * i, 'invoke_agent', name, 0.1), ...between(3 + 2 * i)])
  const rounds = ['writer', 'critic', 'writer', 'critic', 'writer', 'critic']
  const without = (spans: SpanSpec[]) => spans.filter(({ id: own }) => own !== id(1))

  test.each<[string, SpanSpec[], string | undefined]>([
    ['two agents that take turns until the run fails', [root(failed('it did not work out'), 3), ...turns(rounds)], 'deadlock at critic by cycle.agents: writer and critic took 6 turns'],
    ['two agents that take turns, and the root never comes', turns(rounds), 'deadlock at critic by cycle.agents: writer and critic took 6 turns'],
    ['too few turns', [root(failed('it did not work out'), 3), ...turns(rounds.slice(1))], 'unclassified at support by none: '],
    ['a tool had a result in between', [root(failed('it did not work out'), 3), ...turns(rounds, (n) => (n === 7 ? [step(n, 'execute_tool', 'search', 0.01)] : []))], 'unclassified at support by none: '],
    ['a third agent came in', [root(failed('it did not work out'), 3), ...turns([...rounds.slice(0, 4), 'editor', ...rounds.slice(0, 4)])], 'unclassified at support by none: '],
    ['words know better', [root(failed('Error code: 429 - slow down'), 3), ...turns(rounds)], 'rate_limit at support by http-429: HTTP 429'],
    ['the run came to an end', [root({}, 3), ...turns(rounds)], undefined],
    ['one tool again and again', [root(failed('enough'), 3), ...Array.from({ length: 8 }, (_, i) => step(2 + i, 'execute_tool', 'search', 0.01))], 'deadlock at search by cycle.call: search 8 times in a row'],
    ['a long wait for nothing before the end', [root(failed('gone'), 30), step(2, 'chat', 'gpt-4o', 1), step(3, 'execute_tool', 'search', 2)], 'timeout_inference at gpt-4o by gap.model: 28 s without a step before the end'],
    ['somebody who did not want to wait', [root(failed('Request was aborted by the user'), 30), step(2, 'chat', 'gpt-4o', 1)], undefined],
  ])('%s', (_, spans, cause) => {
    expect(told(spans[0]!.id === id(1) ? spans : without(spans)).rootCause).toBe(cause)
  })
})

test('nothing of why spans failed is kept once their request has settled', () => {
  const engine = testEngine()
  const call = (n: number, parent: number, spec: Partial<SpanSpec> = {}) => ({ ...step(n, 'chat', 'gpt-4o', 1, {}, { ...failed('Error code: 429 - slow down'), ...spec }), parent: id(parent) })
  // An answer that could not be used failed outside of the call that fetched it, and is its.
  engine.traces(tracesBody([root(failed('gone')), call(2, 1), { ...call(3, 2), status: { code: 1 } }, call(4, 1), call(5, 4)]), START_MS)
  expect(engine.assembler.records.reasons.size).toBe(4)
  settleAll(engine)
  expect(engine.assembler.records.reasons.size).toBe(0)
})

test('ids of rules are stable names, each once, and what is kept of a stranger’s words is cut', () => {
  const ids = [...CODE_RULES.map((rule) => rule.id), ...SIGNAL_RULES.map((rule) => rule.id), ...Object.keys(STRUCTURE_RULES)]
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.filter((name) => !/^[a-z]+\.[\w.-]+$/.test(name))).toEqual([])
  const name = 'x'.repeat(100)
  const spans = [root(failed('enough'), 3), ...Array.from({ length: 8 }, (_, i) => step(2 + i, 'execute_tool', name, 0.01))]
  expect(told(spans).rootCause!.split(': ')[1]).toHaveLength(MOST_WORDS)
})
