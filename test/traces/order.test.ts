import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { counted, deliver, deliverWhole, delivery, observations, total } from './delivery.ts'
import { callsOf, isRequest, spansOf, traffic } from './scenario.ts'

describe('what is counted does not depend on how the spans came', () => {
  test('any order, any batches, any batches sent twice', () => {
    fc.assert(fc.property(traffic, delivery, (scenarios, way) => {
      const spans = scenarios.flatMap(spansOf)
      expect(counted(deliver(spans, way))).toEqual(counted(deliverWhole(spans)))
    }), { numRuns: 120 })
  })
})

describe('what is counted is what happened', () => {
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
    }), { numRuns: 120 })
  })
})
