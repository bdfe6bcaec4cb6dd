import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { hasChromium, openChromium } from './chromium.ts'
import { needs } from './require.ts'
import { isAlive, spawned, type Spawned } from './spawned.ts'

const FREE = ['--http-address', '--grpc-address', '--web-address', '--prometheus-address', '--alertmanager-address', '--loki-address', '--collector-address', '--collector-grpc-address', '--demo-address'].flatMap((flag) => [flag, '127.0.0.1:0'])
/** Five seconds of health, at most a minute of fault on a busy machine, and Alertmanager's group_wait. */
const PAGE_SECONDS = 120

needs('prometheus', 'alertmanager', 'loki', 'otelcol').describe('spanbridge up', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-up-'))
  let up: Spawned
  let browser: Browser | undefined
  const url = { pager: '', metrics: '', prometheus: '', alertmanager: '', loki: '', collector: '' }

  beforeAll(async () => {
    up = spawned(['up', '--data-dir', directory, '--fault-after', '5s', ...FREE])
    for (const name of ['pager', 'metrics', 'prometheus', 'alertmanager', 'loki', 'collector'] as const) url[name] = (await up.printed(new RegExp(`^${name} +(http://[^\\s,]+)`, 'm'), 60))[1]!
    if (hasChromium) browser = await openChromium()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    if (isAlive(up.pid)) up.kill('SIGTERM')
    await up.ended
    rmSync(directory, { recursive: true, force: true })
  }, 30_000)

  test('traffic of several tenants is in /metrics before anything fails', async () => {
    const text = await vi.waitUntil(async () => {
      const metrics = await (await fetch(url.metrics)).text()
      return ['globex', 'umbrella', 'soylent'].every((tenant) => new RegExp(`^agent_requests_total\\{tenant_id="${tenant}".*outcome="success"\\} [1-9]`, 'm').test(metrics)) && metrics
    }, { timeout: 30_000, interval: 250 })
    expect(text).toMatch(/^agent_cost_usd_total\{.*\} 0*\.?\d*[1-9]/m)
  }, 40_000)

  test.skipIf(!hasChromium && process.env['CI'] !== 'true')(`the page is in a browser, with the failing step, its class and what to do${hasChromium ? '' : ' (skipped, missing: chromium)'}`, async () => {
    if (browser === undefined) throw new Error('cannot look at the page: no Chromium; apt-get install chromium')
    const page = await browser.newPage({ viewport: { width: 1280, height: 740 }, reducedMotion: 'reduce' })
    await page.goto(url.pager)
    await page.waitForSelector('#live[data-state=live]')
    // Not reloaded: the page arrives while a person looks.
    const article = page.locator('article.firing', { hasText: 'AgentSuccessRateLow' })
    await article.waitFor({ timeout: PAGE_SECONDS * 1000 })
    const text = await article.innerText()
    for (const part of ['critical', 'lookup_order', 'tool', '5xx', 'Serve the cached response', 'acme', 'support_agent', '99.5%']) expect(text).toContain(part)
    const picture = join(process.env['SPANBRIDGE_SCREENSHOTS'] || directory, 'pager.png')
    await page.screenshot({ path: picture, fullPage: true })
    console.log(`${(await up.printed(/paged (\d+) s after the fault began/))[0]}; screenshot ${picture}`)

    const runbook = await article.getByRole('link', { name: 'Runbook' }).getAttribute('href')
    expect((await fetch(runbook!)).status).toBe(200)
    expect(await article.getByRole('link', { name: 'Dashboard' }).count()).toBe(0)
  }, (PAGE_SECONDS + 20) * 1000)

  test('Prometheus has the series and fires, Alertmanager has the alert, of the failing tenant and no other', async () => {
    await up.printed(/paged \d+ s after/, PAGE_SECONDS)
    const query = async (promql: string) => (await json<{ data: { result: { metric: Record<string, string>; value: [number, string] }[] } }>(`${url.prometheus}/api/v1/query?query=${encodeURIComponent(promql)}`)).data.result
    const causes = await query('agent_root_causes_total > 0')
    expect(causes.map(({ metric }) => metric)).toEqual([expect.objectContaining({ tenant_id: 'acme', agent: 'support_agent', class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order' })])
    const firing = await query('ALERTS{alertstate="firing",severity="critical"}')
    expect(firing.map(({ metric }) => [metric['alertname'], metric['tenant_id']])).toEqual([['AgentSuccessRateLow', 'acme']])
    const alerts = await json<{ labels: Record<string, string>; status: { state: string } }[]>(`${url.alertmanager}/api/v2/alerts?filter=severity="critical"`)
    expect(alerts.map(({ labels, status }) => [labels['alertname'], labels['tenant_id'], status.state])).toEqual([['AgentSuccessRateLow', 'acme', 'active']])
    // The trace of a failed request is one click away.
    const exemplars = await json<{ data: { exemplars: { labels: Record<string, string> }[] }[] }>(`${url.prometheus}/api/v1/query_exemplars?query=agent_root_causes_total&start=${Date.now() / 1000 - 600}&end=${Date.now() / 1000}`)
    expect(exemplars.data.flatMap((series) => series.exemplars.map(({ labels }) => labels['trace_id']))).toContainEqual(expect.stringMatching(/^[0-9a-f]{32}$/))
  }, (PAGE_SECONDS + 20) * 1000)

  test('Loki has a line for each failed request, which its dashboard panel finds, and its ruler has every rule', async () => {
    const search = new URLSearchParams({ query: '{service_name="spanbridge", event="request", outcome="error"} | tenant_id="acme", type="5xx", name="lookup_order"' })
    const { data } = await vi.waitUntil(async () => {
      const found = await json<{ data: { result: { values: [string, string][] }[] } }>(`${url.loki}/loki/api/v1/query_range?${search}`)
      return found.data.result.length > 0 && found
    }, { timeout: 20_000, interval: 500 })
    expect(JSON.parse(data.result[0]!.values[0]![1])).toMatchObject({ why: expect.arrayContaining(['failed']), root_cause: { class: 'tool', type: '5xx', name: 'lookup_order' } })
    const { data: { groups } } = await json<{ data: { groups: { rules: { name: string; health: string }[] }[] } }>(`${url.loki}/prometheus/api/v1/rules`)
    const rules = groups.flatMap((group) => group.rules)
    expect(rules.map(({ name }) => name)).toContain('TenantWithoutSuccess')
    // Those of a minute's interval have not been evaluated yet.
    expect(rules.filter(({ health }) => health === 'err')).toEqual([])
  }, 60_000)

  test('what is sent to the Collector comes to the bridge, and Prometheus scrapes the Collector', async () => {
    const endNanos = BigInt(Date.now()) * 1_000_000n
    const span = {
      traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), name: 'invoke_agent support_agent', kind: 1, startTimeUnixNano: String(endNanos - 100_000_000n), endTimeUnixNano: String(endNanos),
      attributes: Object.entries({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support_agent', tenant_id: 'by-collector' }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    }
    const sent = await fetch(`${url.collector}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }) })
    expect(sent.status).toBe(200)
    await vi.waitUntil(async () => /^agent_requests_total\{tenant_id="by-collector".*\} 1/m.test(await (await fetch(url.metrics)).text()), { timeout: 30_000, interval: 250 })
    await vi.waitUntil(async () => {
      const { data } = await json<{ data: { result: { value: [number, string] }[] } }>(`${url.prometheus}/api/v1/query?query=${encodeURIComponent('up{job="otel-collector"}')}`)
      return data.result[0]?.value[1] === '1'
    }, { timeout: 30_000, interval: 500 })
  }, 70_000)

  test('SIGTERM takes all of it down within 10 s', async () => {
    const pids = [up.pid, ...up.children()]
    expect(pids).toHaveLength(5)
    const sinceMs = Date.now()
    up.kill('SIGTERM')
    expect(await up.ended).toEqual({ code: 0, signal: null })
    expect(Date.now() - sinceMs).toBeLessThan(10_000)
    expect(pids.filter(isAlive)).toEqual([])
    expect(up.text()).toMatch(/stopped: settled [1-9]\d* requests, accepted [1-9]\d* spans/)
  }, 20_000)
})

test('a port that is taken is an error that names the flag, and touches no data', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-up-'))
  const first = spawned(['serve', '--data-dir', directory, '--http-address', '127.0.0.1:0', '--grpc-address', '127.0.0.1:0', '--web-address', '127.0.0.1:0'])
  try {
    const taken = new URL((await first.printed(/pager on (\S+)/))[1]!).host
    const second = spawned(['up', '--data-dir', directory, ...FREE, '--alertmanager-address', taken])
    expect((await second.ended).code).toBe(1)
    expect(second.text()).toBe(`spanbridge: cannot listen on ${taken}: the port is in use. Choose another with --alertmanager-address, or 0 for a free one\n`)
  } finally {
    first.kill('SIGTERM')
    await first.ended
    rmSync(directory, { recursive: true, force: true })
  }
}, 30_000)

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return await response.json() as T
}
