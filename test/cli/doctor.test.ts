import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { describeSpans } from '../../src/cli/doctor/describe.ts'
import { checkEndpoints } from '../../src/cli/doctor/endpoints.ts'
import { checkMetrics } from '../../src/cli/doctor/metrics.ts'
import { checkSpans, type SpansDescription } from '../../src/cli/doctor/spans.ts'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { written } from '../../src/cli/doctor/doctor.ts'
import { readSamples } from '../../src/cli/exposition.ts'
import { loadConfig } from '../../src/config/config.ts'
import { checkExpectations } from '../../src/config/expectations.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { transcode } from '../../src/otlp/json.ts'
import { commandLine } from './spanbridge.ts'

const check = (text: string): string[] => checkMetrics(readSamples(text)).map(({ level, what }) => `${level} ${what}`)

describe('the exposition', () => {
  it('is read with its escapes, exemplars and timestamps', () => {
    expect(readSamples('# HELP a b\na{x="q\\"}\\\\n\\n,",y=""} 3 # {trace_id="1"} 0.5 1.2\nb 4e-3 1700000000\n')).toEqual([
      { name: 'a', labels: { x: 'q"}\\n\n,', y: '' }, value: 3 },
      { name: 'b', labels: {}, value: 0.004 },
    ])
  })
})

describe('the series of a running bridge', () => {
  it('are fine when nothing is missing', () => {
    expect(check(`agent_requests_total{tenant_id="acme",outcome="success"} 5
agent_cost_usd_total{name="gpt-4o"} 0.25
agent_quality_score_count{agent="a"} 2
spanbridge_spans_total{dialect="openinference"} 40
`)).toEqual([
      'ok dialects: openinference (40)', 'ok cost: every model call is priced, 0.250000 USD so far', 'ok tenant: every request has a tenant_id', 'ok quality: 2 scores',
    ])
  })

  it('say what is missing for cost, tenant and quality', () => {
    expect(check(`agent_requests_total{tenant_id="",outcome="success"} 3
agent_requests_total{tenant_id="acme",outcome="unfinished"} 1
agent_unpriced_calls_total{name="house-7b",reason="no_price"} 7
agent_unpriced_calls_total{name="gpt-4o",reason="no_tokens"} 2
agent_step_duration_seconds_bucket{name="__overflow__",le="1"} 2
spanbridge_spans_rejected_total{reason="bad_id"} 4
`)).toEqual([
      'warn cost: no price for house-7b (7)', 'warn cost: calls that tell no tokens: gpt-4o (2)', 'warn tenant: 75 % of 4 requests have no tenant_id',
      'warn 1 of 4 requests never showed their root span', 'warn quality: no scores', 'warn past the series limit: agent_step_duration_seconds', 'warn rejected spans: bad_id (4)',
    ])
  })

  it('ask for spans when there are none', () => {
    expect(check('up 1\n')).toEqual(['warn no spans have come yet'])
    expect(check('spanbridge_spans_accepted_total 12\n')).toEqual(['warn 12 spans have come, no request has settled yet'])
  })
})

describe('recorded spans', () => {
  const fine: SpansDescription = { spans: 9, rejected: 0, dialects: { 'otel-genai': 8, '': 1 }, requests: 2, requestsWithoutTenant: 0, modelCalls: 3, withoutPrice: {}, withoutTokens: {}, scores: 1, errors: {}, unclassified: {}, checks: undefined }
  const levels = (found: Finding[]): string => found.map(({ level }) => level).join(' ')

  it('are fine, or say what is missing', () => {
    expect(levels(checkSpans(fine))).toBe('ok ok ok ok ok')
    expect(levels(checkSpans({ ...fine, dialects: { '': 9 }, requestsWithoutTenant: 1, withoutPrice: { x: 1 }, scores: 0 }))).toBe('ok warn warn warn warn')
    expect(levels(checkSpans({ ...fine, spans: 0, modelCalls: 0, requests: 0, dialects: {}, scores: 0 }))).toBe('fail warn')
  })

  it('say what their errors are, by which rule, and which have no type', () => {
    const folder = new URL('../recordings/openai-otel-v2/rate_limit/', import.meta.url)
    const bodies = readdirSync(folder).filter((file) => file.startsWith('traces-')).map((file) => ({ signal: 'traces' as const, bytes: readFileSync(new URL(file, folder)) }))
    const found = describeSpans(bodies, loadConfig())
    expect(found.errors).toEqual({ 'rate_limit at model gpt-4o-mini by http-429, "HTTP 429"': 1 })
    expect(levels(checkSpans({ ...fine, errors: found.errors, unclassified: { 'tool x': 2 } }))).toBe('ok ok ok ok ok warn ok')
  })

  it('are read with the configuration of the bridge', () => {
    const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'house-7b', 'customer.id': 'acme' }
    const span = {
      traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'chat house-7b', kind: 3, startTimeUnixNano: '1760000000000000000', endTimeUnixNano: '1760000001000000000',
      attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    }
    const { bytes } = transcode('traces', Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })))
    const bodies = [{ signal: 'traces', bytes: Buffer.from(bytes) }] as const
    expect(describeSpans(bodies, loadConfig())).toMatchObject({ requestsWithoutTenant: 1, withoutPrice: { 'house-7b': 1 } })
    const env = { SPANBRIDGE_TENANT_ATTRIBUTES: 'customer.id', SPANBRIDGE_LATENCY_PRICING: '{usdPerSecond: 0.001}' }
    expect(describeSpans(bodies, loadConfig({ env }))).toMatchObject({ requestsWithoutTenant: 0, withoutPrice: {} })
  })
})

it('strangers cannot write to the terminal', () => {
  expect(written({ level: 'warn', what: 'no price for \x1b[2Jx\n', next: '' })).toBe('warn  no price for  [2Jx \n')
})

describe('spanbridge doctor', () => {
  it('fails, with what to do, where nothing listens', async () => {
    const { code, stdout } = await commandLine(['doctor', '--http-address', '127.0.0.1:1', '--grpc-address', '127.0.0.1:2', '--web-address', '127.0.0.1:3'])
    expect(code).toBe(1)
    expect(stdout.match(/^fail/gm)).toHaveLength(4)
    expect(stdout).toContain('fail  OTLP/HTTP on 127.0.0.1:1 does not take spans: ECONNREFUSED')
    expect(stdout.match(/→ start spanbridge serve/g)).toHaveLength(4)
  })

  it('finds a bridge that answers, on every interface too', async () => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.end(request.url === '/metrics' ? 'agent_requests_total{tenant_id="a"} 1\n' : ''))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = { host: '0.0.0.0', port: (server.address() as AddressInfo).port }
    try {
      const { findings, metrics } = await checkEndpoints({ httpAddress: address, webAddress: address, grpcAddress: { host: '127.0.0.1', port: 1 } })
      expect(findings.map(({ level }) => level)).toEqual(['ok', 'fail', 'ok', 'ok'])
      expect(metrics).toEqual([{ name: 'agent_requests_total', labels: { tenant_id: 'a' }, value: 1 }])
    } finally {
      server.close()
    }
  })
})

describe('expectations', () => {
  const expectations = checkExpectations(parseYaml('expectations.yaml', `
tools:
  - {match: lookup_order, checks: [{name: id, at: /order_id, equals: "1042"}]}
  - {match: "refund*", checks: [{name: any, matches: "."}]}
agents:
  - {match: "*", checks: [{name: answers, matches: "order 1042"}]}
`))
  const of = (dialect: string): SpansDescription => {
    const folder = `test/recordings/${dialect}/ok`
    const bodies = readdirSync(folder).filter((file) => file.startsWith('traces')).map((file) => ({ signal: 'traces' as const, bytes: file.endsWith('.json') ? Uint8Array.from(transcode('traces', readFileSync(`${folder}/${file}`)).bytes) : readFileSync(`${folder}/${file}`) }))
    return describeSpans(bodies, loadConfig(), expectations)
  }
  const told = (found: SpansDescription) => checkSpans(found).filter(({ what }) => what.startsWith('checks')).map(({ level, what, next }) => `${level} ${what} → ${next}`)

  it('of recorded spans with content are held against it', () => {
    expect(told(of('pydantic-ai'))).toEqual([
      'ok checks: 1 of tool lookup_order, 0 failed → ',
      'warn checks: expectations are configured for tool refund*, which has not come → compare the name with those that have: lookup_order, search_kb',
      'ok checks: 1 of agent *, 0 failed → ',
    ])
  })

  it('of recorded spans without content tell the switch of their dialect', () => {
    expect(told(of('autogen-openinference'))[0]).toBe('warn checks: expectations are configured for tool lookup_order, but its spans carry no content → turn it on: no OPENINFERENCE_HIDE_OUTPUTS')
    expect(told(of('openai-otel-v2')).at(-1)).toBe('warn checks: expectations are configured for agent *, but its spans carry no content → turn it on: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY with OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental')
  })

  it('of a running bridge are seen in its series', () => {
    const metrics = (lines: string) => checkMetrics(readSamples(`agent_requests_total{tenant_id="acme",agent="support",outcome="success"} 5\nagent_step_duration_seconds_count{step="tool",name="lookup_order"} 5\n${lines}`), expectations).filter(({ what }) => what.startsWith('checks')).map(({ what }) => what)
    const checked = (name: string, check: string, result: string, value: number) => `agent_quality_checks_total{agent="support",name="${name}",check="${check}",result="${result}"} ${value}\n`
    expect(metrics('')).toEqual([
      'checks: expectations are configured for tool lookup_order, and nothing is checked', 'checks: expectations are configured for tool refund*, which has not come', 'checks: expectations are configured for agent *, and nothing is checked',
    ])
    expect(metrics(checked('lookup_order', 'id', 'no_content', 5) + checked('lookup_order', 'id', 'pass', 0) + checked('support', 'answers', 'pass', 4) + checked('support', 'answers', 'too_long', 1))).toEqual([
      'checks: expectations are configured for tool lookup_order, but its spans carry no content', 'checks: expectations are configured for tool refund*, which has not come', 'checks: 1 of 5 of agent * could not be made',
    ])
    expect(metrics(checked('lookup_order', 'id', 'too_long', 5))[0]).toBe('checks: expectations are configured for tool lookup_order, but what it gives is longer than is kept (16 KiB)')
  })
})
