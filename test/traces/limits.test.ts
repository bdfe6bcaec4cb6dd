import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'
import { counted, observations, total } from './delivery.ts'
import { START_MS } from './scenario.ts'

const NOW = START_MS + 5_000
const AUTOGEN = 'autogen SingleThreadedAgentRuntime'
const trace = (n: number) => (n + 1).toString(16).padStart(32, '0')
const id = (n: number) => n.toString(16).padStart(16, '0')

function span(traceNumber: number, n: number, parent: number, operation: string, spec: Partial<SpanSpec> = {}): SpanSpec {
  return {
    trace: trace(traceNumber), id: id(n), ...(parent === 0 ? {} : { parent: id(parent) }), name: operation, startMs: START_MS + (n % 1000), endMs: START_MS + (n % 1000) + 5,
    attributes: { 'gen_ai.operation.name': operation, ...(operation === 'chat' ? { 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 1 } : {}) }, ...spec,
  }
}

/** Settles and forgets everything; nothing may be left in use. */
function drained(engine: Engine, nowMs = NOW): Engine {
  engine.tick(nowMs + 30_000)
  engine.tick(nowMs + 100_000)
  engine.finish(nowMs + 100_001)
  expect({ open: engine.assembler.openRequests, rows: engine.assembler.requests.used, blocks: engine.assembler.records.blocksUsed }).toEqual({ open: 0, rows: 0, blocks: 0 })
  return engine
}

const models = (engine: Engine) => observations(engine, 'agent_step_duration_seconds', { step: 'model' })

describe('limits', () => {
  test('past the most open requests the oldest settles early: counted, not lost', () => {
    const engine = testEngine({ maxOpenRequests: 10 })
    for (let n = 0; n < 50; n++) engine.traces(tracesBody([span(n, 2, 1, 'chat')]), NOW + n)
    expect(engine.assembler.openRequests).toBe(10)
    expect(engine.assembler.counts.evicted).toBe(40)
    expect(total(engine, 'agent_requests_total', { outcome: 'unfinished' })).toBe(40)
    drained(engine)
    expect([models(engine), total(engine, 'agent_requests_total')]).toEqual([50, 50])
  })

  test('settled requests are forgotten early where newer ones need the room: counted', () => {
    const engine = testEngine({ maxOpenRequests: 10 })
    const rows = engine.assembler.requests.capacity
    for (let n = 0; n < rows + 7; n++) {
      engine.traces(tracesBody([span(n, 1, 0, 'invoke_agent')]), NOW)
      engine.tick(NOW + 10_000)
    }
    expect([engine.assembler.counts.forgotten, engine.assembler.counts.evicted]).toEqual([7, 0])
    // The last is still known, the first is not.
    engine.traces(tracesBody([span(rows + 6, 1, 0, 'invoke_agent')]), NOW + 10_000)
    expect([engine.assembler.counts.duplicates, engine.assembler.openRequests]).toEqual([1, 0])
    drained(engine, NOW + 10_000)
  })

  test('past the most spans of a request each is counted by itself', () => {
    const engine = testEngine({ maxSpansPerRequest: 20 })
    engine.traces(tracesBody([span(0, 1, 0, 'invoke_agent'), ...Array.from({ length: 99 }, (_, i) => span(0, i + 2, 1, 'chat'))]), NOW)
    expect(engine.assembler.counts.crowded).toBe(80)
    drained(engine)
    expect([models(engine), total(engine, 'agent_tokens_total', { type: 'input' }), total(engine, 'agent_requests_total')]).toEqual([99, 990, 1])
    expect(total(engine, 'agent_cost_usd_total')).toBe(total(engine, 'agent_request_cost_usd'))
  })

  test('one request larger than all the room there is', () => {
    const engine = testEngine({ maxOpenRequests: 4 })
    engine.traces(tracesBody(Array.from({ length: 3000 }, (_, i) => span(0, i + 2, 1, 'chat'))), NOW)
    drained(engine)
    expect(models(engine)).toBe(3000)
  })

  test('a hundred thousand traces leave nothing behind', () => {
    const engine = testEngine({ maxOpenRequests: 2000 })
    const body = Buffer.from(tracesBody(Array.from({ length: 1000 }, (_, i) => span(i, 1, i % 3 === 0 ? 7 : 0, 'chat'))))
    // The second half of each trace id: where the number of the thousand goes.
    const places = Array.from({ length: 1000 }, (_, i) => body.indexOf(`0a10${trace(i)}`, 0, 'hex') + 10)
    for (let n = 0; n < 100; n++) {
      for (const place of places) body.writeUInt16BE(n, place)
      engine.traces(body, NOW + n * 100)
      engine.tick(NOW + n * 100)
    }
    drained(engine, NOW + 20_000)
    expect(total(engine, 'agent_requests_total')).toBe(100_000)
  })

  test('scores for requests that never come are counted in the end, and take no room for ever', () => {
    const engine = testEngine()
    for (let n = 0; n < 12_000; n++) engine.assembler.addScore(Int32Array.of(n, 1, 2, 3), { evaluator: engine.strings.internText('helpful'), value: 0.5, layer: 'external' }, NOW)
    expect(observations(engine, 'agent_quality_score')).toBe(2_000)
    engine.tick(NOW + 10_000)
    expect(observations(engine, 'agent_quality_score')).toBe(12_000)
  })

  test('scores without end for one trace', () => {
    const engine = testEngine()
    const score = () => engine.assembler.addScore(Int32Array.of(0, 0, 0, 1), { evaluator: engine.strings.internText('helpful'), value: 0.5, layer: 'external' }, NOW)
    for (let n = 0; n < 3_000; n++) score()
    engine.traces(tracesBody([span(0, 1, 0, 'invoke_agent')]), NOW)
    for (let n = 0; n < 3_000; n++) score()
    drained(engine)
    expect(observations(engine, 'agent_quality_score')).toBe(6_000)
  })
})

describe('trees that are none', () => {
  test('a span that is its own parent is a root', () => {
    const engine = testEngine()
    engine.traces(tracesBody([span(0, 1, 1, 'chat')]), NOW)
    engine.tick(NOW + 1_000)
    expect([models(engine), total(engine, 'agent_requests_total', { outcome: 'success' })]).toEqual([1, 1])
    drained(engine)
  })

  test.each([2, 3, 50])('%d calls that are each other\'s parents, with no service to name the agent', (size) => {
    const engine = testEngine()
    engine.traces(tracesBody(Array.from({ length: size }, (_, i) => span(0, i + 1, ((i + 1) % size) + 1, 'chat', { status: { code: 2, message: 'odd' } }))), NOW)
    drained(engine)
    expect(models(engine)).toBe(1)
    expect(total(engine, 'agent_requests_total', { outcome: 'unfinished' })).toBe(1)
  })

  test.each(['invoke_workflow', 'chat'])('a chain of 10,000 %s, in either order', (operation) => {
    const chain = Array.from({ length: 9_999 }, (_, i) => span(0, i + 1, i, operation, { name: `${operation} x`, status: { code: 2, message: 'odd' } }))
    for (const spans of [chain, chain.toReversed()]) {
      const engine = testEngine({ maxSpansPerRequest: 10_000 })
      const started = performance.now()
      engine.traces(tracesBody(spans), NOW)
      drained(engine)
      expect(performance.now() - started).toBeLessThan(5_000)
    }
  })

  test('5,000 spans with errors and retries under one root', () => {
    const engine = testEngine()
    const started = performance.now()
    engine.traces(tracesBody([span(0, 1, 0, 'invoke_agent'), ...Array.from({ length: 5_000 }, (_, i) => span(0, i + 2, 1, 'chat', i % 2 === 0 ? { status: { code: 2, message: 'Error code: 429' } } : {}))]), NOW)
    drained(engine)
    expect(models(engine)).toBe(5_000)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  test('span ids that differ in the high bits alone are different spans, however many there are', () => {
    const engine = testEngine()
    engine.traces(tracesBody(Array.from({ length: 500 }, (_, i) => span(0, 0, 0, 'chat', { id: `${(i + 1).toString(16).padStart(3, '0')}0000000000001`, parent: id(7) }))), NOW)
    drained(engine)
    expect([models(engine), engine.assembler.counts.duplicates]).toEqual([500, 0])
  })

  test('one span id in two traces is two spans', () => {
    const engine = testEngine()
    engine.traces(tracesBody([span(0, 1, 0, 'chat'), span(1, 1, 0, 'chat')]), NOW)
    drained(engine)
    expect(models(engine)).toBe(2)
  })
})

describe('runs spread over many traces', () => {
  const hop = (n: number, links: readonly number[], spec: Partial<SpanSpec> = {}) => span(n, n + 1, 0, 'process', { name: 'autogen process x', scope: AUTOGEN, links: links.map((other) => ({ trace: trace(other), id: id(other + 1) })), ...spec })

  test('links join them to one request, in whatever order they come', () => {
    const spans = [
      hop(0, []), hop(1, [0]), hop(2, [1]), hop(3, [2, 0]),
      span(1, 101, 2, 'invoke_agent', { attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'writer', 'tenant.id': 'acme', 'gen_ai.usage.cost': 1 } }),
      span(2, 102, 3, 'chat', { attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.input_tokens': 7, 'gen_ai.response.id': 'chatcmpl-1' } }),
      // The provider's SDK tells of it in a trace of its own.
      span(9, 109, 0, 'chat', { scope: 'com.anthropic.sdk.messages', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.input_tokens': 7, 'gen_ai.response.id': 'chatcmpl-1' } }),
      span(3, 103, 4, 'execute_tool', { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' } }),
    ]
    const run = (order: readonly SpanSpec[]) => {
      const engine = testEngine()
      for (const one of order) engine.traces(tracesBody([one]), NOW)
      return drained(engine)
    }
    const expected = counted(run(spans))
    expect(total(run(spans), 'agent_requests_total')).toBe(1)
    fc.assert(fc.property(fc.shuffledSubarray(spans, { minLength: spans.length }), (order) => { expect(counted(run(order))).toEqual(expected) }), { numRuns: 30 })
  })

  test('a link to no trace at all joins nothing', () => {
    const engine = testEngine()
    const nowhere = { links: [{ trace: '0'.repeat(32), id: id(1) }] }
    for (let n = 0; n < 5; n++) engine.traces(tracesBody([hop(n, [], nowhere), span(n, 100 + n, n + 1, 'chat')]), NOW)
    drained(engine)
    expect(total(engine, 'agent_requests_total')).toBe(5)
  })

  test('a storm of links: every trace to sixteen others, more traces than there is room for', () => {
    const engine = testEngine({ maxOpenRequests: 200, maxSpansPerRequest: 1000 })
    const started = performance.now()
    for (let n = 0; n < 5_000; n++) {
      engine.traces(tracesBody([hop(n, Array.from({ length: 16 }, (_, i) => (n * 7 + i * 911) % 5_000)), span(n, 10_000 + n, n + 1, 'chat')]), NOW + n)
      if (n % 100 === 0) engine.tick(NOW + n)
    }
    drained(engine, NOW + 5_000)
    expect(models(engine)).toBe(5_000)
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('a link to a request that has settled makes its trace a latecomer, scores and all', () => {
    const engine = testEngine()
    engine.traces(tracesBody([span(0, 1, 0, 'invoke_agent', { scope: AUTOGEN, attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'writer', 'tenant.id': 'acme' } })]), NOW)
    engine.tick(NOW + 2_000)
    engine.assembler.addScore(Int32Array.of(0, 0, 0, 2), { evaluator: engine.strings.internText('helpful'), value: 1, layer: 'external' }, NOW + 2_000)
    engine.traces(tracesBody([hop(1, [0]), span(1, 50, 2, 'chat')]), NOW + 2_100)
    engine.traces(tracesBody([span(2, 60, 0, 'chat')]), NOW + 2_200)
    drained(engine)
    expect(engine.assembler.counts.late).toBe(2)
    expect(series(engine, 'agent_quality_score').map(({ labels }) => labels['tenant_id'])).toEqual(['acme'])
    expect(series(engine, 'agent_cost_usd_total').map(({ labels }) => labels['tenant_id']).sort()).toEqual(['', 'acme'])
  })

  test('no grace at all', () => {
    const engine = testEngine({ settleGraceMs: 0 })
    engine.traces(tracesBody([hop(0, [1])]), NOW)
    drained(engine)
  })
})
