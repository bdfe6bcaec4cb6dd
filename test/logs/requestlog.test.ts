import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { objectiveRows, readObjectives } from '../../src/config/objectives.ts'
import type { ObjectiveLimit } from '../../src/config/config.ts'
import { checkExpectations } from '../../src/config/expectations.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import type { EngineOptions } from '../../src/engine.ts'
import { LogCounts } from '../../src/logs/counts.ts'
import type { LogLine } from '../../src/logs/line.ts'
import { RequestLog } from '../../src/logs/requestlog.ts'
import { METRICS, type MetricName } from '../../src/metrics/catalogue.ts'
import { recordings, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'
import { run, START_MS } from './runs.ts'

interface Logged {
  readonly lines: LogLine[]
  readonly counts: LogCounts
  /** Sends the spans of one request and settles it. */
  request(spans: readonly SpanSpec[]): void
  passed(ms: number): void
  /** The JSON of the lines about requests. */
  told(): Record<string, any>[]
}

function logged(own: readonly ObjectiveLimit[] = [], linesPerSecond = 1000, options: Partial<EngineOptions> = {}): Logged {
  const lines: LogLine[] = []
  const counts = new LogCounts()
  const objectives = objectiveRows(readObjectives(), own, (metric) => METRICS[metric as MetricName]?.buckets)
  let log: RequestLog | undefined
  const engine = testEngine({ ...options, onSettled: (settled, nowMs) => log!.settled(settled, nowMs), objectives, strings: { capacity: 1 << 14 } })
  log = new RequestLog({ linesPerSecond, strings: engine.strings, counts }, (line) => lines.push(line))
  let nowMs = START_MS
  return {
    lines, counts,
    request: (spans) => {
      engine.traces(tracesBody(spans), nowMs)
      engine.finish(nowMs)
      nowMs += 10
    },
    passed: (ms) => {
      nowMs += ms
    },
    told: () => lines.filter(({ stream }) => stream.event === 'request').map(({ text }) => JSON.parse(text) as Record<string, any>),
  }
}

describe('a line is written', () => {
  test('of no healthy request', () => {
    const log = logged()
    log.request(run({}))
    expect(log.lines).toEqual([])
  })

  test('of a failed one, with its root cause, how it came to be the request\'s, and what it cost', () => {
    const log = logged()
    log.request(run({ failure: '503 Service Unavailable', costUsd: 0.004 }))
    const cause = { class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order', agent: 'support' }
    const evidence = { rule: 'http-5xx', matched: 'HTTP 503' }
    expect(log.told()).toEqual([{
      trace_id: expect.stringMatching(/^0{20}/), tenant_id: 'acme', project_id: 'desk', agent: 'support', service: 'shop', outcome: 'error', why: ['failed'], requests: 1,
      started: '2023-11-14T22:13:20.000Z', duration_seconds: expect.closeTo(0.2, 4), duration_limit_seconds: 1, cost_usd: expect.closeTo(0.004, 9), cost_limit_usd: 0.01,
      root_cause: { ...cause, ...evidence }, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/), errors: [{ ...cause, ...evidence }], errors_total: 1,
      passed_on_by: [{ step: 'agent', name: 'support', agent: 'support', failed: true }],
      avoidable: [{ reason: 'abandoned', usd: expect.closeTo(0.004, 9), step: 'model', name: 'gpt-4o', agent: 'support' }],
    }])
    expect(log.lines[0]).toMatchObject({
      stream: { event: 'request', outcome: 'error', first: 'true' }, timeMs: START_MS,
      metadata: { tenant_id: 'acme', project_id: 'desk', agent: 'support', service: 'shop', why: 'failed', requests: '1', level: 'error', class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order', fingerprint: log.told()[0]!['fingerprint'], trace_id: log.told()[0]!['trace_id'] },
    })
  })

  test('of a slow, an expensive and a badly scored one, past their limits and not at them', () => {
    const log = logged()
    log.request(run({ seconds: 1, costUsd: 0.01, scores: { helpful: 0.85 } }))
    expect(log.told()).toEqual([])
    log.request(run({ seconds: 1.001 }))
    log.request(run({ costUsd: 0.0101 }))
    log.request(run({ scores: { helpful: 0.84, polite: 0.2, brief: 0.9 } }))
    log.request(run({ seconds: 2, costUsd: 1, failure: 'boom' }))
    expect(log.told().map(({ why, outcome }) => [outcome, why])).toEqual([['success', ['slow']], ['success', ['expensive']], ['success', ['low_quality']], ['error', ['failed', 'slow', 'expensive']]])
    expect(log.told()[2]).toMatchObject({ score: 0.2, score_limit: 0.85, evaluator: 'polite' })
    expect(log.lines.map(({ metadata }) => metadata['level'])).toEqual(['warn', 'warn', 'warn', 'error'])
    expect(log.lines[3]!.metadata['why']).toBe('failed,slow,expensive')
  })

  test('of a request whose checks failed, with what was expected and without what was told', () => {
    const expectations = checkExpectations(parseYaml('expectations.yaml', 'tools: [{match: lookup_order, checks: [{name: state, at: /state, equals: sent}, {name: text, matches: secret}]}]'))
    const log = logged([], 1000, { expectations })
    const [root, model, tool] = run({}) as [SpanSpec, SpanSpec, SpanSpec]
    log.request([root, model, { ...tool, attributes: { ...tool.attributes, 'gen_ai.tool.call.result': '{"state":"secret"}' } }])
    expect(log.told()).toMatchObject([{ why: ['low_quality'], score: 0.5, evaluator: 'checks', checks_failed: [{ step: 'tool', name: 'lookup_order', check: 'state', why: '/state is not equal' }] }])
    expect(log.lines[0]!.text).not.toContain('secret')
  })

  test('by the most specific limit: of the tenant and agent, of the tenant, of the agent, of everyone', () => {
    const limit = (tenant: string, agent: string, limit: number): ObjectiveLimit => ({ objective: 'latency_p99', tenant, agent, limit })
    const log = logged([limit('acme', 'support', 30), limit('acme', '', 10), limit('', 'support', 2.5), limit('', '', 5)])
    const limitFor = (tenant: string, agent: string) => {
      log.request(run({ tenant, agent, seconds: 3, failure: 'boom' }))
      return log.told().at(-1)!['duration_limit_seconds'] as number
    }
    expect([limitFor('acme', 'support'), limitFor('acme', 'writer'), limitFor('globex', 'support'), limitFor('globex', 'writer')]).toEqual([30, 10, 2.5, 5])
  })
})

test('the fingerprint is the same for the same failure, whoever has it, and another for another', () => {
  const log = logged()
  for (const one of [{}, { tenant: 'globex' }, { agent: 'writer' }, { failure: '429 rate limit' }]) log.request(run({ failure: '503 Service Unavailable', ...one }))
  const [first, tenant, agent, type] = log.told().map(({ fingerprint }) => fingerprint as string)
  expect(tenant).toBe(first)
  expect(new Set([first, agent, type]).size).toBe(3)
})

test('no prompt, argument or error text is in a line, also of recorded agents', () => {
  const log = logged()
  log.request(run({ failure: 'the card 4111-1111 of Jane was refused with 503', prompt: 'my name is Jane' }))
  expect(JSON.stringify(log.lines)).not.toMatch(/Jane|4111/)

  for (const { bodies } of recordings().filter(({ truth }) => truth.errors.length > 0).slice(0, 12)) {
    const lines: LogLine[] = []
    let own: RequestLog | undefined
    const engine = testEngine({ onSettled: (settled, nowMs) => own!.settled(settled, nowMs), maxOpenRequests: 100, strings: { capacity: 1 << 14 } })
    own = new RequestLog({ linesPerSecond: 1000, strings: engine.strings, counts: new LogCounts() }, (line) => lines.push(line))
    for (const { signal, bytes } of bodies) engine[signal](bytes, START_MS)
    engine.finish(START_MS)
    // Keys of what a line tells: none of them holds free text.
    const keys = new Set(lines.flatMap(({ text }) => [...text.matchAll(/"(\w+)":/g)].map(([, key]) => key!)))
    expect([...keys].filter((key) => !KEYS.has(key))).toEqual([])
  }
})
const KEYS = new Set([
  'trace_id', 'tenant_id', 'project_id', 'agent', 'service', 'version', 'outcome', 'why', 'requests', 'started', 'duration_seconds', 'cost_usd', 'messages', 'root_cause', 'class', 'type', 'step',
  'name', 'fingerprint', 'errors', 'errors_total', 'recoveries', 'action', 'result', 'seconds', 'passed_on_by', 'failed', 'rule', 'matched', 'avoidable', 'reason', 'usd', 'tokens', 'instead',
])

test('whatever names strangers choose, the text is JSON, the metadata texts, and the size has a limit', () => {
  const name = fc.string({ unit: 'binary', maxLength: 300 })
  const log = logged()
  fc.assert(fc.property(name, name, fc.integer(), (tenant, agent, startMs) => {
    log.request(run({ tenant, agent, failure: '503' }).map((span) => ({ ...span, startMs: Math.abs(startMs), endMs: Math.abs(startMs) + 1 })))
    const line = log.lines.at(-1)
    expect(JSON.parse(line!.text)).toMatchObject({ why: ['failed'] })
    for (const value of Object.values(line!.metadata)) expect(value).not.toBe('')
    expect(line!.text.length).toBeLessThan(100_000)
  }), { numRuns: 60 })
})

describe('in a meltdown', () => {
  test('the rate holds, what is held back is counted, and the next line of its kind stands for it', () => {
    const log = logged([], 5)
    for (let i = 0; i < 40; i++) log.request(run({ failure: '503 Service Unavailable' }))
    // 400 ms at 5 a second: the five that there is room for at the start, and one more.
    expect(log.told().map(({ requests }) => requests as number)).toEqual([1, 1, 1, 1, 1, expect.any(Number)])
    expect(log.counts.dropped.rate_limit).toBe(34)
    expect(log.lines.map(({ stream }) => stream.first)).toEqual(['true', undefined, undefined, undefined, undefined, undefined])
    log.passed(1000)
    log.request(run({ failure: '503 Service Unavailable' }))
    expect(log.told().reduce((sum, { requests }) => sum + (requests as number), 0)).toBe(41)
  })

  test('a rare failure is seen beside a frequent one, and slow requests leave room for failed ones', () => {
    const log = logged([], 5)
    for (let i = 0; i < 20; i++) log.request(run({ seconds: 2 }))
    const slow = log.told().length
    expect(slow).toBeLessThan(5)
    for (let i = 0; i < 20; i++) log.request(run({ failure: '503 Service Unavailable' }))
    log.request(run({ failure: 'context_length_exceeded: maximum context length' }))
    expect(log.told().slice(slow).filter(({ root_cause }) => root_cause.type === '5xx').length).toBeGreaterThan(1)
    expect(log.told().at(-1)!['root_cause'].type).toBe('context_overflow')
  })
})
