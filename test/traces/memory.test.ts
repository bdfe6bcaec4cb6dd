/** Scores that come minutes to hours after their request. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TraceMemory } from '../../src/traces/memory.ts'
import { Settled } from '../../src/traces/settled.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { tracesBody } from '../otlpbuilder.ts'

const NOW = Date.UTC(2026, 10, 24)
const HOUR = 3_600_000
const hexOf = (n: number) => (n + 1).toString(16).padStart(32, '0')

function request(n: number, tenant: string, agent: string, messages = 0) {
  const history = Array.from({ length: messages }, (_, i) => [`gen_ai.prompt.${i}.role`, 'user'] as const)
  return tracesBody([
    { trace: hexOf(n), id: '00f067aa0ba902b7', name: `invoke_agent ${agent}`, startMs: NOW, endMs: NOW + 100, attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent, 'tenant_id': tenant } },
    { trace: hexOf(n), id: '00f067aa0ba902b8', parent: '00f067aa0ba902b7', name: 'chat', startMs: NOW, endMs: NOW + 50, scope: 'opentelemetry.instrumentation.openai', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', ...Object.fromEntries(history) } },
  ])
}

const engineWith = (memory: { rememberMs: number; maxTraces: number } | undefined) => testEngine({ lateWindowMs: 60_000, maxOpenRequests: 100, ...(memory && { memory }) })
const scored = (engine: ReturnType<typeof testEngine>) => series(engine, 'agent_quality_score').map(({ labels, value, count }) => [labels['tenant_id'], labels['agent'], labels['layer'], labels['evaluator'], value / count])
const score = { evaluator: 'thumbs', value: 0.5, layer: 'human' } as const

describe('a score hours later', () => {
  test('is its request\'s: tenant, agent and how long the context was', () => {
    const engine = engineWith({ rememberMs: 24 * HOUR, maxTraces: 100 })
    engine.traces(request(1, 'acme', 'support', 30), NOW)
    engine.traces(request(2, 'umbrella', 'billing'), NOW)
    engine.tick(NOW + 10_000)
    engine.tick(NOW + 20 * HOUR)
    expect(engine.assembler.requests.used).toBe(0)
    engine.score(hexOf(1), score, NOW + 20 * HOUR)
    engine.score(hexOf(2), score, NOW + 20 * HOUR)
    expect(scored(engine)).toEqual([['acme', 'support', 'human', 'thumbs', 0.5], ['umbrella', 'billing', 'human', 'thumbs', 0.5]])
    expect(series(engine, 'agent_quality_by_context').map(({ labels, count }) => [labels['agent'], labels['messages'], count])).toEqual([['support', '26-50', 1]])
    expect([engine.assembler.counts.scoresUnmatched, engine.assembler.counts.scoresCrowded]).toEqual([0, 0])
  })

  test('counts once, and no request with it', () => {
    const engine = engineWith({ rememberMs: HOUR, maxTraces: 100 })
    engine.traces(request(1, 'acme', 'support'), NOW)
    engine.tick(NOW + 10_000)
    for (const at of [11_000, 200_000]) {
      engine.tick(NOW + at)
      engine.score(hexOf(1), score, NOW + at)
    }
    engine.finish(NOW + HOUR)
    expect(series(engine, 'agent_quality_score').map(({ count }) => count)).toEqual([2])
    expect(series(engine, 'agent_requests_total').filter(({ value }) => value > 0)).toHaveLength(1)
  })

  test('finds nobody past the time, nor where nobody is remembered: counted as that', () => {
    for (const memory of [{ rememberMs: HOUR, maxTraces: 100 }, undefined]) {
      const engine = engineWith(memory)
      engine.traces(request(1, 'acme', 'support'), NOW)
      engine.tick(NOW + 10_000)
      engine.tick(NOW + 2 * HOUR)
      engine.score(hexOf(1), score, NOW + 2 * HOUR)
      engine.tick(NOW + 3 * HOUR)
      expect(scored(engine)).toEqual([['', '', 'human', 'thumbs', 0.5]])
      expect(engine.assembler.counts.scoresUnmatched).toBe(1)
    }
  })

  test('outlives a sweep of the strings', () => {
    const engine = testEngine({ maxOpenRequests: 100, memory: { rememberMs: HOUR, maxTraces: 10_000 }, strings: { capacity: 1024 }, series: { expireAfterSeconds: 60 } })
    engine.traces(request(0, 'acme', 'support'), NOW)
    engine.tick(NOW + 10_000)
    engine.tick(NOW + 200_000)
    const before = engine.strings.generation
    for (let n = 1; n < 40; n++) {
      engine.traces(tracesBody(Array.from({ length: 100 }, (_, i) => ({ trace: hexOf(n * 1000 + i), id: '00f067aa0ba902b7', name: `n${n}-${i}`, startMs: NOW, endMs: NOW, parent: '00f067aa0ba902b0', attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': `tool-${n}-${i}` } }))), NOW + 200_000 + n * 20_000)
      engine.tick(NOW + 200_000 + n * 20_000)
    }
    expect(engine.strings.generation).toBeGreaterThan(before)
    engine.score(hexOf(0), score, NOW + 1_200_000)
    expect(scored(engine)).toEqual([['acme', 'support', 'human', 'thumbs', 0.5]])
  })
})

describe('the memory of traces', () => {
  const trace = (n: number) => Int32Array.of(n % 3, 0, -n, n * 7)
  const settled = (n: number) => Object.assign(new Settled(), { tenant: n, project: n + 1, agent: n + 2, service: n + 3, messages: n - 1, weight: n + 0.5, startMs: n * 1e9 })

  test('knows the newest, in whatever order they come and go', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 20 })), { maxLength: 120 }), (steps) => {
      const memory = new TraceMemory({ rememberMs: 100_000, maxTraces: 8 })
      // What it should know, the oldest first.
      const known = new Map<number, { since: number; value: number }>()
      let now = 0, crowded = 0
      for (const [n, seconds] of steps) {
        now += seconds
        memory.expire(now * 1000)
        for (const [key, { since }] of known) if (now - since > 100) known.delete(key)
        const value = now * 100 + n
        if (known.has(n)) known.get(n)!.value = value
        else {
          if (known.size === 8) {
            crowded++
            known.delete(known.keys().next().value!)
          }
          known.set(n, { since: now, value })
        }
        memory.note(trace(n), 0, settled(value), now * 1000)
        expect([memory.size, memory.crowded]).toEqual([known.size, crowded])
        for (let other = 0; other <= 30; other++) {
          const found = new Settled()
          expect(memory.recall(trace(other), found)).toBe(known.has(other))
          if (!known.has(other)) continue
          const { tenant, project, agent, service, messages, weight, startMs, trace: of } = found
          const told = settled(known.get(other)!.value)
          expect([tenant, project, agent, service, messages, weight, startMs, ...of]).toEqual([told.tenant, told.project, told.agent, told.service, told.messages, told.weight, told.startMs, ...trace(other)])
        }
      }
    }), { numRuns: 25 })
  })

  test('of no traces remembers none', () => {
    expect(new TraceMemory({ rememberMs: 1000, maxTraces: 0 }).recall(trace(1), new Settled())).toBe(false)
  })
})
