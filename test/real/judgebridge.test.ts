/** A whole bridge with a judge: spans come in over OTLP, an endpoint marks some of their requests, and the marks are on /metrics. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBridge, type Bridge } from '../../src/bridge.ts'
import { loadConfig } from '../../src/config/config.ts'
import { inSample } from '../../src/quality/judge/sampling.ts'
import { fakeModel, partsOf, USAGE, type FakeModel } from '../judge/fakemodel.ts'
import { parseExposition, type Sample } from '../metrics/parse.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'

let model: FakeModel
let folder: string
const bridges: Bridge[] = []
beforeEach(async () => {
  model = await fakeModel()
  folder = mkdtempSync(join(tmpdir(), 'spanbridge-judge-'))
})
afterEach(async () => {
  for (const bridge of bridges.splice(0)) await bridge.stop()
  await model.stop()
  rmSync(folder, { recursive: true })
})

/** With the key where people have it: in the environment. */
async function started(judge: Readonly<Record<string, unknown>>, words: string[] = [], more: Readonly<Record<string, unknown>> = {}): Promise<Bridge> {
  const before = process.env['ANTHROPIC_API_KEY']
  process.env['ANTHROPIC_API_KEY'] = 'key-of-the-test'
  try {
    writeFileSync(join(folder, 'spanbridge.yaml'), JSON.stringify({ judge: { provider: 'anthropic', baseUrl: model.url, ...judge }, settleGrace: '0s', lateWindow: '60s', dataDir: folder, ...more }))
    const bridge = await startBridge(loadConfig({ flags: { config: join(folder, 'spanbridge.yaml'), httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0' } }), (word) => words.push(word))
    bridges.push(bridge)
    return bridge
  } finally {
    if (before === undefined) delete process.env['ANTHROPIC_API_KEY']
    else process.env['ANTHROPIC_API_KEY'] = before
  }
}

const START_MS = Date.now() - 60_000
const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0')

/** A request of one agent with a call of a tool. */
function request(n: number, some: { readonly tenant?: string; readonly answer?: string; readonly failed?: boolean; readonly version?: string } = {}): SpanSpec[] {
  const base = { trace: hex(n, 32), startMs: START_MS, endMs: START_MS + 500, scope: 'opentelemetry.instrumentation.openai_v2', resource: { 'service.name': 'shop', ...(some.version && { 'service.version': some.version }) } }
  const said = (role: string, text: string) => JSON.stringify([{ role, parts: [{ type: 'text', content: text }] }])
  return [
    { ...base, id: hex(n * 10 + 2, 16), parent: hex(n * 10 + 1, 16), name: 'execute_tool track', attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'track', 'gen_ai.tool.call.result': '{"eta":"Friday"}' } },
    {
      ...base, id: hex(n * 10 + 1, 16), name: 'invoke_agent support', ...(some.failed && { status: { code: 2, message: 'model overloaded' } }),
      attributes: {
        'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', 'tenant.id': some.tenant ?? 'acme', 'project.id': 'desk',
        'gen_ai.input.messages': said('user', 'Where is my parcel? Write to ann@example.com.'), 'gen_ai.output.messages': said('assistant', some.answer ?? 'It arrives on Friday.'),
      },
    },
  ]
}

async function send(bridge: Bridge, spans: SpanSpec[]): Promise<void> {
  const { http } = bridge.addresses
  const answer = await fetch(`http://127.0.0.1:${http.port}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/x-protobuf' }, body: Buffer.from(tracesBody(spans)) })
  expect(answer.status).toBe(200)
}

async function samples(bridge: Bridge): Promise<Sample[]> {
  const text = await (await fetch(`http://127.0.0.1:${bridge.addresses.web.port}/metrics`)).text()
  return [...parseExposition(text, 'classic').values()].flatMap((family) => family.samples)
}

/** Reads /metrics until a metric's samples sum up to this, and gives all samples. */
async function until(bridge: Bridge, name: string, sum: number, labels: Readonly<Record<string, string>> = {}): Promise<Sample[]> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const all = await samples(bridge)
    const found = all.filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)).reduce((total, { value }) => total + value, 0)
    if (found === sum) return all
    if (Date.now() > deadline) throw new Error(`${name} is ${found}, not ${sum}`)
  }
}
const valueOf = (all: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}) => all.find((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))?.value

describe('a bridge with a judge', () => {
  test('asks about a request as it settles, and counts the mark for its tenant, project and agent', async () => {
    model.answer({ score: 4 })
    const bridge = await started({ share: 1 })
    await send(bridge, request(1))
    const all = await until(bridge, 'agent_quality_score_count', 1)
    const labels = { tenant_id: 'acme', project_id: 'desk', agent: 'support', layer: 'judge', evaluator: 'judge/answer@1' }
    expect(valueOf(all, 'agent_quality_score_sum', labels)).toBe(0.75)
    expect(valueOf(all, 'agent_requests_total', { tenant_id: 'acme', outcome: 'success' })).toBe(1)
    const [{ system, user, body }] = model.calls as [FakeModel['calls'][number]]
    expect(body['model']).toBe('claude-opus-4-7')
    const parts = partsOf(user, system)
    expect(parts.map(({ what }) => what)).toEqual(['question', 'tool_result', 'answer'])
    expect(parts[0]!.text).toContain('Where is my parcel? Write to [e-mail].')
    expect(parts[1]!.text).toBe('track:\n{"eta":"Friday"}')
    expect(parts[2]!.text).toContain('It arrives on Friday.')
    // 5 USD a million, a tenth of it for what was cached, 25 out.
    const usd = ((USAGE.input - 100) * 5 + 100 * 0.5 + USAGE.output * 25) / 1e6
    expect(valueOf(all, 'spanbridge_judge_cost_usd_total')).toBeCloseTo(usd, 9)
    expect(valueOf(all, 'spanbridge_judge_budget_used_usd')).toBeCloseTo(usd, 8)
    expect(valueOf(all, 'spanbridge_judge_breaker', { state: 'closed' })).toBe(1)
    expect(valueOf(all, 'spanbridge_judge_duration_seconds_count')).toBe(1)
  })

  test('judges the sample that the trace ids decide, and nothing else', async () => {
    const bridge = await started({ share: 0.1, concurrency: 8 })
    const ids = Array.from({ length: 300 }, (_, i) => i + 1)
    const sampled = ids.filter((n) => inSample(Int32Array.of(0, 0, 0, n), 0.1))
    await send(bridge, ids.flatMap((n) => request(n, { answer: `answer ${n}` })))
    const all = await until(bridge, 'agent_quality_score_count', sampled.length)
    expect(sampled.length).toBeGreaterThan(10)
    expect(valueOf(all, 'spanbridge_judge_selected_total', { why: 'sample' })).toBe(sampled.length)
    expect(model.calls.map(({ user }) => Number(/"answer (\d+)"/.exec(user)![1])).sort((a, b) => a - b)).toEqual(sampled)
  })

  test('judges failures and new versions besides the sample, as evaluators of their own', async () => {
    const bridge = await started({ share: 0, always: ['error', 'new_version'] })
    await send(bridge, request(1, { version: '1.0' }))
    await until(bridge, 'agent_requests_total', 1)
    await send(bridge, [...request(2, { failed: true, version: '1.0' }), ...request(3, { version: '1.1' })])
    const all = await until(bridge, 'agent_quality_score_count', 2)
    expect(valueOf(all, 'agent_quality_score_count', { evaluator: 'judge/answer@1:error' })).toBe(1)
    expect(valueOf(all, 'agent_quality_score_count', { evaluator: 'judge/answer@1:new_version' })).toBe(1)
  })

  test('judges what a check found bad, as an evaluator of its own', async () => {
    writeFileSync(join(folder, 'expectations.yaml'), 'agents:\n  - match: support\n    checks: [{ name: names a day, matches: Friday }]\n')
    const bridge = await started({ share: 0, always: ['low_unit_score'] }, [], { expectations: 'expectations.yaml' })
    await send(bridge, [...request(1), ...request(2, { answer: 'I cannot help.' })])
    const all = await until(bridge, 'agent_quality_score_count', 1, { layer: 'judge' })
    expect(valueOf(all, 'agent_quality_score_count', { evaluator: 'judge/answer@1:low_unit_score' })).toBe(1)
    expect(valueOf(all, 'agent_quality_score_count', { layer: 'unit' })).toBe(2)
    expect(model.calls.map(({ user }) => user.includes('I cannot help.'))).toEqual([true])
  })

  test('never spends more than the day has: the calls, at what they really cost, are within it, and the rest is counted', async () => {
    // A call costs 0.00455 USD and can cost 0.06 at most: with 0.1 there is room for one at a time, and after nine of them for none.
    const bridge = await started({ share: 1, concurrency: 4, usdPerDay: 0.1 })
    await send(bridge, Array.from({ length: 30 }, (_, i) => request(i + 1)).flat())
    await until(bridge, 'agent_requests_total', 30)
    await until(bridge, 'spanbridge_judge_queue', 0)
    const all = await until(bridge, 'spanbridge_judge_running', 0)
    const [marks, skipped, used] = [valueOf(all, 'spanbridge_judge_marks_total')!, valueOf(all, 'spanbridge_judge_skipped_total', { reason: 'budget_usd' })!, valueOf(all, 'spanbridge_judge_budget_used_usd')!]
    expect(marks + skipped).toBe(30)
    expect(marks).toBe(model.calls.length)
    expect(marks).toBeGreaterThan(0)
    expect(skipped).toBeGreaterThan(0)
    expect(used).toBeLessThanOrEqual(0.1)
    await bridges.pop()!.stop()
    // The same day, another start: what is spent is spent.
    const again = await started({ share: 1, usdPerDay: used })
    await send(again, request(1))
    await until(again, 'spanbridge_judge_skipped_total', 1, { reason: 'budget_usd' })
  })

  test('without content on the spans it says so', async () => {
    const bridge = await started({ share: 1 })
    await send(bridge, request(1).map((span) => ({ ...span, attributes: Object.fromEntries(Object.entries(span.attributes!).filter(([key]) => !/messages|result/.test(key))) })))
    await until(bridge, 'spanbridge_judge_skipped_total', 1, { reason: 'no_content' })
    expect(model.calls).toEqual([])
  })

  test('drains what waits when it stops, and counts what it has no time for', async () => {
    const bridge = await started({ share: 1, concurrency: 1 })
    await send(bridge, [...request(1), ...request(2), ...request(3)])
    await bridges.pop()!.stop()
    expect(model.calls).toHaveLength(3)
    expect(bridge).toBeDefined()
  })

  test('stops in time though the endpoint hangs', async () => {
    model.otherwise(() => ({ hang: 'before' }))
    const bridge = await started({ share: 1 })
    await send(bridge, request(1))
    await model.called(1)
    const startMs = performance.now()
    await bridges.pop()!.stop()
    expect(performance.now() - startMs).toBeLessThan(8000)
    expect(bridge).toBeDefined()
  })

  test('has its key in no metric, no word and no file', async () => {
    model.otherwise(() => ({ status: 401, message: 'Incorrect API key provided: key-of-the-test' }))
    const words: string[] = []
    const bridge = await started({ share: 1 }, words)
    await send(bridge, request(1))
    await until(bridge, 'spanbridge_judge_skipped_total', 1, { reason: 'failed' })
    expect(words).toEqual([expect.stringContaining('HTTP 401')])
    const text = await (await fetch(`http://127.0.0.1:${bridge.addresses.web.port}/metrics`)).text()
    await bridges.pop()!.stop()
    for (const said of [text, ...words, ...readdirSync(folder).filter((name) => name !== 'spanbridge.yaml').map((name) => readFileSync(join(folder, name), 'latin1'))]) expect(said).not.toContain('key-of-the-test')
  })

  test('its own calls are traced by nobody, though a tracer is there for everyone', async () => {
    const spans = new InMemorySpanExporter()
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
    try {
      const bridge = await started({ share: 1 })
      await send(bridge, request(1))
      await until(bridge, 'agent_quality_score_count', 1)
      expect(spans.getFinishedSpans()).toEqual([])
      trace.getTracer('test').startSpan('seen').end()
      expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['seen'])
    } finally {
      trace.disable()
    }
  })

  test.each([
    [{ provider: 'anthropic', model: 'my-own-model' }, /no price is known for the model "my-own-model"/],
    [{ provider: 'anthropic', rubric: 'no-such.yaml' }, /cannot read the rubric .*no-such\.yaml/],
    [{ provider: 'anthropic', redact: 'no-such.mjs' }, /cannot load judge\.redact/],
    [{ provider: 'anthropic', apiKeyFile: 'no-such-key' }, /cannot read judge\.apiKeyFile/],
  ])('does not start with %j', async (judge, problem) => {
    await expect(started(judge)).rejects.toThrow(problem)
  })
})
