import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { freePort, type Native, startCollector } from '../../provisioning/run.ts'
import { openExporter } from '../../src/cli/send/transport.ts'
import { newTally, play } from '../../src/cli/send/player.ts'
import { loadRecordings } from '../../src/cli/recorded/recordings.ts'
import { keyOf, type Sample } from '../metrics/parse.ts'
import { play as playedIn, recording, ROOT, series } from '../conformance/recordings.ts'
import { testBridge, type TestBridge } from './bridge.ts'
import { needs } from './require.ts'

let bridge: TestBridge
beforeEach(async () => { bridge = await testBridge() })
afterEach(() => bridge.stop())

/** Runs of five dialects: that went well, that failed, that recovered, with a tool, with streams, in parallel. */
const RUNS = [
  'langchain-openinference/ok', 'langchain-openinference/tool_5xx', 'langchain-openinference/parallel_tools', 'langchain-traceloop/rate_limit_recovered',
  'vercel-ai-v6/ok', 'vercel-ai-v6/model_5xx', 'pydantic-ai/multi_agent', 'pydantic-ai/tool_timeout', 'openai-otel-v2-legacy/ok',
]
const ROUNDS = 5
const COUNTED = ['agent_requests_total', 'agent_tokens_total', 'agent_errors_total', 'agent_root_causes_total'] as const

needs('otelcol').describe('through the real Collector', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-sources-'))
  let collector: Native | undefined
  afterEach(() => collector?.stop())
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test.each(['otlp', 'otlphttp'])('with its %s exporter, runs are counted as if they had come straight', async (exporter) => {
    const [inlet, health] = [await freePort(), await freePort()]
    const configFile = join(directory, `${exporter}.yml`)
    // Compression, sending queue and retries are the exporters' defaults: gzip, on, on.
    writeFileSync(configFile, `extensions:
  health_check: {endpoint: '127.0.0.1:${health}'}
receivers:
  otlp: {protocols: {http: {endpoint: '127.0.0.1:${inlet}'}}}
processors:
  batch: {timeout: 100ms}
exporters:
  otlp: {endpoint: '${new URL(bridge.grpcUrl).host}', tls: {insecure: true}}
  otlphttp: {endpoint: '${bridge.httpUrl}'}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [${exporter}]}
`)
    collector = await startCollector({ configFile, logDir: directory, healthUrl: `http://127.0.0.1:${health}/` })
    const sender = await openExporter({ protocol: 'http/protobuf', endpoint: new URL(`http://127.0.0.1:${inlet}`), gzip: false, headers: {}, timeoutSeconds: 10 })
    const runs = loadRecordings(RUNS.map((name) => join(ROOT, name)))
    const tally = newTally()
    const options = { rate: 0, spansPerSecond: undefined, durationSeconds: undefined, loop: false, keepIds: false, keepTimes: false, tenants: [] }
    for (let round = 0; round < ROUNDS; round++) await play(runs, sender, options, tally, new AbortController().signal)
    sender.close()
    expect([tally.failed.size, tally.rejected]).toEqual([0, 0])

    const wanted = expected()
    const requests = sum(Object.entries(wanted).filter(([key]) => key.includes('"agent_requests_total"')).map(([, value]) => value))
    await vi.waitUntil(async () => sum((await bridge.samples('agent_requests_total')).map(({ value }) => value)) >= requests, { timeout: 20_000, interval: 100 })
    expect(await counted()).toEqual(wanted)
    expect(await bridge.samples('spanbridge_spans_accepted_total')).toEqual([expect.objectContaining({ value: tally.spans })])
    expect(await bridge.samples('spanbridge_requests_refused_total')).toEqual([])
    expect(await bridge.samples('spanbridge_spans_duplicate_total')).toEqual([])
  }, 60_000)

  /** What the engine counts for each run alone, times the rounds. */
  function expected(): Record<string, number> {
    const sums: Record<string, number> = {}
    for (const name of RUNS) {
      const [dialect, scenario] = name.split('/') as [string, string]
      const engine = playedIn(recording(ROOT, dialect, scenario).bodies)
      for (const metric of COUNTED) {
        for (const { labels, value } of series(engine, metric)) {
          if (value === 0) continue
          const key = keyOf({ name: metric, labels, value })
          sums[key] = (sums[key] ?? 0) + value * ROUNDS
        }
      }
    }
    return sums
  }
})

test.each<[string, () => SpanExporter]>([
  ['http/protobuf', () => new ProtobufExporter({ url: `${bridge.httpUrl}/v1/traces` })],
  ['http/json', () => new JsonExporter({ url: `${bridge.httpUrl}/v1/traces` })],
  ['grpc', () => new GrpcExporter({ url: bridge.grpcUrl })],
])('an agent instrumented with the OpenTelemetry SDK, over %s', async (_protocol, create) => {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', tenant_id: 'acme', project_id: 'orders' }),
    spanProcessors: [new BatchSpanProcessor(create())],
  })
  for (const fails of [false, true, false]) runAgent(provider, fails)
  await provider.forceFlush()
  await provider.shutdown()
  await vi.waitUntil(async () => sum((await bridge.samples('agent_requests_total')).map(({ value }) => value)) >= 3, { timeout: 10_000, interval: 50 })

  const request = { tenant_id: 'acme', project_id: 'orders', agent: 'order-desk' }
  expect(plain(await bridge.samples('agent_requests_total'))).toEqual([[{ ...request, outcome: 'error' }, 1], [{ ...request, outcome: 'success' }, 2]])
  const step = { service: 'shop', agent: 'order-desk' }
  expect(plain(await bridge.samples('agent_step_duration_seconds_count'))).toEqual(expect.arrayContaining([
    [{ ...step, step: 'model', name: 'gpt-4o-mini', outcome: 'success' }, 3],
    [{ ...step, step: 'tool', name: 'lookup_order', outcome: 'success' }, 2],
    [{ ...step, step: 'tool', name: 'lookup_order', outcome: 'error' }, 1],
  ]))
  expect(plain(await bridge.samples('agent_tokens_total'))).toEqual(expect.arrayContaining([
    [{ ...step, name: 'gpt-4o-mini', type: 'input' }, 360],
    [{ ...step, name: 'gpt-4o-mini', type: 'output' }, 90],
    [{ ...step, name: 'gpt-4o-mini', type: 'cached_input' }, 60],
  ]))
  expect(plain(await bridge.samples('agent_root_causes_total'))).toEqual([[{ tenant_id: 'acme', agent: 'order-desk', class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order' }, 1]])
  expect(sum((await bridge.samples('agent_cost_usd_total')).map(({ value }) => value))).toBeGreaterThan(0)
}, 20_000)

/** One request: an agent that asks a model, then a tool. */
function runAgent(provider: BasicTracerProvider, fails: boolean): void {
  const tracer = provider.getTracer('order-desk')
  const agent = tracer.startSpan('invoke_agent order-desk', { attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'order-desk', 'gen_ai.provider.name': 'openai' } })
  const inside = trace.setSpan(context.active(), agent)
  tracer.startSpan('chat gpt-4o-mini', {
    attributes: {
      'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o-mini',
      'gen_ai.usage.input_tokens': 120, 'gen_ai.usage.output_tokens': 30, 'gen_ai.usage.cache_read.input_tokens': 20,
    },
  }, inside).end()
  const tool = tracer.startSpan('execute_tool lookup_order', { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'lookup_order' } }, inside)
  if (fails) {
    const message = 'Server error: 503 Service Unavailable'
    tool.setAttribute('error.type', '503')
    tool.recordException(new Error(message))
    for (const span of [tool, agent]) span.setStatus({ code: SpanStatusCode.ERROR, message })
  }
  tool.end()
  agent.end()
}

async function counted(): Promise<Record<string, number>> {
  const all = (await Promise.all(COUNTED.map((name) => bridge.samples(name)))).flat()
  return Object.fromEntries(all.map((sample) => [keyOf(sample), sample.value]))
}

function plain(samples: readonly Sample[]): [Readonly<Record<string, string>>, number][] {
  return samples.map(({ labels, value }): [Readonly<Record<string, string>>, number] => [labels, value]).sort(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
