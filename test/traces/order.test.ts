import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { counted, deliver, deliverWhole, delivery, observations, total } from './delivery.ts'
import { callsOf, FRAMEWORK, isRequest, SDK, spansOf, START_MS, traffic } from './scenario.ts'

describe('what is counted does not depend on how the spans came', () => {
  test('any order, any batches, any batches sent twice', () => {
    fc.assert(fc.property(traffic, delivery, (scenarios, way) => {
      const spans = scenarios.flatMap(spansOf)
      expect(counted(deliver(spans, way))).toEqual(counted(deliverWhole(spans)))
    }), { numRuns: 70 })
  })
})

describe('what is counted is what happened', () => {
  test('one call is one step where only time tells that two traces are of the same call', () => {
    const told = fc.record({ framework: fc.boolean(), sdk: fc.boolean() }).filter(({ framework, sdk }) => !framework || !sdk)
    fc.assert(fc.property(fc.array(fc.record({ failed: fc.boolean(), response: told }), { minLength: 1, maxLength: 6 }), delivery, (calls, way) => {
      const hex = (n: number, length: number) => n.toString(16).padStart(length, '0')
      const trace = hex(1, 32)
      const call = (i: number, failed: boolean, response: boolean) => ({
        name: 'chat gpt-4o', kind: 3, ...(failed ? { status: { code: 2, message: 'Error code: 500' } } : {}),
        attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', ...(failed ? {} : { 'gen_ai.usage.input_tokens': 100 + i }), ...(response ? { 'gen_ai.response.id': `chatcmpl-${i}` } : {}) },
      })
      const spans = [
        { trace, id: hex(1, 16), name: 'invoke_agent', scope: FRAMEWORK, startMs: START_MS, endMs: START_MS + 1000, attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'triage' } },
        ...calls.flatMap(({ failed, response }, i) => [
          { ...call(i, failed, response.framework), trace, id: hex(i + 2, 16), parent: hex(1, 16), scope: FRAMEWORK, startMs: START_MS + i * 100, endMs: START_MS + i * 100 + 50 },
          { ...call(i, failed, response.sdk), trace: hex(i + 2, 32), id: hex(i + 100, 16), scope: SDK, startMs: START_MS + i * 100 + 5, endMs: START_MS + i * 100 + 45 },
        ]),
      ]
      const engine = deliver(spans, way)
      expect([observations(engine, 'agent_step_duration_seconds', { step: 'model' }), total(engine, 'agent_requests_total')]).toEqual([calls.length, 1])
      expect(counted(engine)).toEqual(counted(deliverWhole(spans)))
    }), { numRuns: 30 })
  })

  test('one call is one model step, however many spans and traces tell of it, and its tokens count once', () => {
    fc.assert(fc.property(traffic, delivery, (all, way) => {
      // Sampled spans count for more than themselves.
      const scenarios = all.map((one) => ({ ...one, threshold: undefined }))
      const engine = deliver(scenarios.flatMap(spansOf), way)
      const calls = scenarios.flatMap(({ children }) => callsOf(children))
      const told = calls.flatMap(({ tokens }) => (tokens === undefined ? [] : [tokens]))
      const sum = (of: (tokens: (typeof told)[number]) => number) => told.reduce((n, tokens) => n + of(tokens), 0)
      const failed = calls.filter(({ healed }) => healed).length
      expect({
        succeeded: observations(engine, 'agent_step_duration_seconds', { step: 'model', outcome: 'success' }),
        failed: observations(engine, 'agent_step_duration_seconds', { step: 'model', outcome: 'error' }),
        input: total(engine, 'agent_tokens_total', { type: 'input' }),
        output: total(engine, 'agent_tokens_total', { type: 'output' }),
        reasoning: total(engine, 'agent_tokens_total', { type: 'reasoning' }),
        requests: total(engine, 'agent_requests_total'),
      }).toEqual({
        succeeded: calls.length, failed,
        input: sum(({ input }) => input), output: sum(({ output }) => output), reasoning: sum(({ reasoning }) => reasoning),
        requests: scenarios.filter(isRequest).length,
      })
    }), { numRuns: 70 })
  })
})
