import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALERTMANAGER_FILE, alertmanagerConfig } from '../../provisioning/alertmanager.ts'
import { prometheusConfig } from '../../provisioning/prometheus.ts'
import { type Native, startAlertmanager, startPrometheus } from '../../provisioning/run.ts'
import { needs } from './require.ts'

interface Page {
  readonly status: string
  readonly groupLabels: Readonly<Record<string, string>>
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>> }[]
}

/** Breaks out of a label, a query, a template or a line, wherever one of them lets it. */
const HOSTILE = 'a"b\\\n{{ .x }}`%q'
const LIMIT_SECONDS = 60

needs('prometheus', 'alertmanager').describe('from a broken objective to a page, with the committed rules and routes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-page-'))
  const servers: Server[] = []
  let prometheus: Native | undefined
  let alertmanager: Native | undefined
  const pages: Page[] = []
  const startedMs = Date.now()
  let waiting: (() => void) | undefined

  beforeAll(async () => {
    let scrapes = 0
    const bridge = await listening((_body, respond) => respond('application/openmetrics-text; version=1.0.0; charset=utf-8', exposition(++scrapes)))
    const pager = await listening((body, respond) => {
      pages.push(JSON.parse(body) as Page)
      respond('text/plain', '')
      waiting?.()
    })
    const write = (name: string, text: string) => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const routes = alertmanagerConfig(readFileSync(ALERTMANAGER_FILE, 'utf8'), { pagerUrl: `http://${pager}/pager/webhook` })
    alertmanager = await startAlertmanager({ configFile: write('alertmanager.yml', routes), dataDir: join(directory, 'alertmanager'), logDir: directory })
    const config = prometheusConfig({
      bridges: [bridge],
      ruleFile: join(import.meta.dirname, '../../alerts/generated/prometheus-rules.yaml'),
      alertmanagers: [new URL(alertmanager.url).host],
      scrapeIntervalSeconds: 1,
      evaluationIntervalSeconds: 1,
    })
    prometheus = await startPrometheus({ configFile: write('prometheus.yml', config), dataDir: join(directory, 'prometheus'), logDir: directory })
  }, 60_000)

  afterAll(async () => {
    await Promise.all([prometheus?.stop(), alertmanager?.stop()])
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    rmSync(directory, { recursive: true, force: true })
  })

  test('each tenant gets a page with its own root cause, and a tenant within its own limits gets none', async () => {
    const wanted = [['AgentSuccessRateLow', 'acme'], ['AgentSuccessRateLow', HOSTILE], ['AgentLatencyP95High', 'acme']] as const
    const found = () => wanted.map(([name, tenant]) => pages.find(({ groupLabels }) => groupLabels['alertname'] === name && groupLabels['tenant_id'] === tenant))
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`no page after ${LIMIT_SECONDS} s; pages: ${JSON.stringify(pages)}`)), LIMIT_SECONDS * 1000)
      waiting = () => {
        if (found().includes(undefined)) return
        clearTimeout(limit)
        resolve()
      }
      waiting()
    })
    console.log(`all pages ${Math.round((Date.now() - startedMs) / 1000)} s after the first start`)

    const [failing, hostile, slow] = found().map((page) => page!.alerts.find(({ labels }) => labels['severity'] === 'critical'))
    expect(failing?.annotations).toMatchObject({
      root_cause: 'tool search: timeout, 100% of the failures of the last 10 minutes',
      root_cause_class: 'tool', root_cause_type: 'timeout', root_cause_step: 'tool', root_cause_name: 'search',
      remedy: 'Set a shorter deadline and retry once.',
      limit: '99.5%',
    })
    expect(hostile?.annotations['root_cause']).toMatch(/^model "a\\"b\\\\\\n\{\{ \.x \}\}`%q": rate_limit, 100% /)
    expect(hostile?.annotations['description']).toMatch(/ of the requests of agent support, tenant "a\\"b\\\\\\n\{\{ \.x \}\}`%q", succeeded /)
    // Whole and as it is: whoever shows it escapes it.
    expect(hostile?.annotations['root_cause_name']).toBe(HOSTILE)
    expect(slow?.annotations).toMatchObject({ limit: '500ms', root_cause: expect.stringMatching(/^tool search: slowest step, /) as string, root_cause_step: 'tool', root_cause_name: 'search' })
    // patient's requests take as long as acme's, and its limit of 1 s is the bucket that Prometheus calls 1.0.
    expect(pages.filter(({ groupLabels }) => groupLabels['tenant_id'] === 'patient')).toEqual([])
    const ratio = 'tenant_agent:objective_bad:ratio_rate5m{objective="latency_p95",tenant_id="patient"}'
    const answer = await (await fetch(`${prometheus!.url}/api/v1/query?query=${encodeURIComponent(ratio)}`)).json() as { data: { result: { value: [number, string] }[] } }
    expect(answer.data.result.map(({ value }) => value[1])).toEqual(['0'])
  }, (LIMIT_SECONDS + 10) * 1000)

  async function listening(handle: (body: string, respond: (type: string, text: string) => void) => void): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => handle(Buffer.concat(chunks).toString(), (type, text) => response.setHeader('content-type', type).end(text)))
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }
})

/** What the bridge would say at the nth scrape of a steady load. */
function exposition(n: number): string {
  const labels = (all: Record<string, string>) => `{${Object.entries(all).map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`).join(',')}}`
  const lines: string[] = []
  const family = (name: string, type: string, samples: readonly (readonly [string, Record<string, string>, number])[]) => {
    lines.push(`# TYPE ${name} ${type}`)
    for (const [suffix, all, value] of samples) lines.push(`${name}${suffix}${labels(all)} ${value}`)
  }
  family('agent_objective', 'gauge', [
    ['', { objective: 'success_rate', agent: '', tenant_id: '' }, 0.995],
    ['', { objective: 'latency_p95', agent: '', tenant_id: '' }, 0.5],
    ['', { objective: 'latency_p95', agent: '', tenant_id: 'patient' }, 1],
  ])
  family('agent_requests', 'counter', [['acme', 5], [HOSTILE, 5], ['patient', 0]].flatMap(([tenant, errors]) => {
    const request = { tenant_id: String(tenant), project_id: '', agent: 'support' }
    return [['_total', { ...request, outcome: 'success' }, n * 10], ['_total', { ...request, outcome: 'error' }, n * Number(errors)]] as const
  }))
  family('agent_root_causes', 'counter', [
    ['_total', { tenant_id: 'acme', agent: 'support', class: 'tool', type: 'timeout', step: 'tool', name: 'search' }, n * 5],
    ['_total', { tenant_id: HOSTILE, agent: 'support', class: 'model', type: 'rate_limit', step: 'model', name: HOSTILE }, n * 5],
  ])
  // Every request takes 0.7 s.
  family('agent_request_duration_seconds', 'histogram', ['acme', 'patient'].flatMap((tenant) => {
    const request = { tenant_id: tenant, project_id: '', agent: 'support' }
    const buckets = [['0.5', 0], ['1', n * 15], ['+Inf', n * 15]] as const
    return [...buckets.map(([le, count]) => ['_bucket', { ...request, le }, count] as const), ['_count', request, n * 15] as const, ['_sum', request, n * 10.5] as const]
  }))
  family('agent_step_duration_seconds', 'histogram', [['tool', 'search', 6], ['model', 'm-1', 2]].flatMap(([step, name, seconds]) => {
    const one = { service: 's', agent: 'support', step: String(step), name: String(name), outcome: 'success' }
    return [['_bucket', { ...one, le: '+Inf' }, n * 15], ['_count', one, n * 15], ['_sum', one, n * Number(seconds)]] as const
  }))
  return `${lines.join('\n')}\n# EOF\n`
}
