import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { freePort, type Native, startAlertmanager, startCollector, startPrometheus } from '../../provisioning/run.ts'
import { testLoki } from './loki.ts'
import { needs } from './require.ts'

const directory = mkdtempSync(join(tmpdir(), 'spanbridge-native-'))
const running: Native[] = []

afterAll(async () => {
  await Promise.all(running.map((native) => native.stop()))
  rmSync(directory, { recursive: true, force: true })
})

/** Writes a file of this test's own and returns its path. */
function written(name: string, text: string): string {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

/** Inode of the socket that a file descriptor is, '' for another file. */
function socketOf(descriptor: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(descriptor))?.[1] ?? ''
  } catch {
    return '' // closed meanwhile
  }
}

async function json(url: string): Promise<any> {
  return (await fetch(url)).json()
}

const prometheusAndAlertmanager = needs('prometheus', 'promtool', 'alertmanager', 'amtool')

prometheusAndAlertmanager.describe('Prometheus and Alertmanager, run natively', () => {
  let prometheus: Native
  let alertmanager: Native
  const rules = `groups:
  - name: native
    interval: 1s
    rules:
      - alert: AlwaysFiring
        expr: vector(1)
        labels: {severity: page}
`

  beforeAll(async () => {
    const routes = written('alertmanager.yml', 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n')
    alertmanager = await startAlertmanager({ configFile: routes, dataDir: join(directory, 'alertmanager'), logDir: directory })
    running.push(alertmanager)
    written('rules.yml', rules)
    const config = written(
      'prometheus.yml',
      `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{static_configs: [{targets: ['${new URL(alertmanager.url).host}']}]}]
`,
    )
    prometheus = await startPrometheus({ configFile: config, dataDir: join(directory, 'prometheus'), logDir: directory })
    running.push(prometheus)
  }, 60_000)

  test('promtool and amtool accept the files that the servers run on', () => {
    const checked = execFileSync(prometheusAndAlertmanager.path('promtool'), ['check', 'config', join(directory, 'prometheus.yml')])
    expect(String(checked)).toContain('1 rules found')
    execFileSync(prometheusAndAlertmanager.path('amtool'), ['check-config', join(directory, 'alertmanager.yml')])
  })

  test('a rule that Prometheus evaluates reaches Alertmanager as an alert', async () => {
    const alerts = await vi.waitUntil(
      async () => {
        const found = await json(`${alertmanager.url}/api/v2/alerts`)
        return found.length > 0 ? found : undefined
      },
      { timeout: 30_000, interval: 100 },
    )
    expect(alerts[0].labels).toEqual({ alertname: 'AlwaysFiring', severity: 'page' })
  }, 40_000)

  test('Prometheus stores exemplars and can be told to reload', async () => {
    const flags = await json(`${prometheus.url}/api/v1/status/flags`)
    expect(flags.data['enable-feature']).toContain('exemplar-storage')
    expect((await fetch(`${prometheus.url}/-/reload`, { method: 'POST' })).status).toBe(200)
  })

  test('a configuration that Prometheus refuses is a start that fails with what Prometheus says of it', async () => {
    const configFile = written('refused.yml', 'scrape_configs: [{job_name: a, no_such_key: 1}]\n')
    const start = startPrometheus({ configFile, dataDir: join(directory, 'refused'), logDir: join(directory, 'refused-log') })
    await expect(start).rejects.toThrow(/cannot start prometheus: it ended with code \d.*no_such_key/s)
  })

  test('stop ends the process', async () => {
    const configFile = written('stopped.yml', 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n')
    const native = await startAlertmanager({ configFile, dataDir: join(directory, 'stopped'), logDir: join(directory, 'stopped-log') })
    expect(process.kill(native.pid, 0)).toBe(true)
    await native.stop()
    expect(() => process.kill(native.pid, 0)).toThrow('ESRCH')
    expect(await native.ended).toBe('code 0')
  }, 30_000)
})

needs('loki').describe('Loki, run natively', () => {
  test('takes a line with structured metadata, answers LogQL, and listens on loopback only', async () => {
    const loki = await testLoki(join(directory, 'loki-native'))
    running.push(loki)
    await loki.push([{ stream: { service_name: 'native' }, values: [[`${Date.now()}000000`, 'hello', { tenant_id: 'acme' }]] }])
    expect(await loki.lines('{service_name="native"} | tenant_id="acme"')).toEqual([{ text: 'hello', labels: expect.objectContaining({ service_name: 'native', tenant_id: 'acme' }) }])
    expect(await loki.samples('sum by (tenant_id) (count_over_time({service_name="native"}[1h]))')).toEqual([{ metric: { tenant_id: 'acme' }, value: 1 }])
    const listening = ['tcp', 'tcp6'].map((file) => readFileSync(`/proc/${loki.pid}/net/${file}`, 'utf8')).join('\n')
    const sockets = readdirSync(`/proc/${loki.pid}/fd`).map((fd) => socketOf(`/proc/${loki.pid}/fd/${fd}`))
    const own = listening.split('\n').map((line) => line.trim().split(/\s+/)).filter((parts) => parts[3] === '0A' && sockets.includes(parts[9]!))
    // Of IPv4, whose addresses are written backwards: 127.0.0.1.
    expect(own.length).toBeGreaterThan(0)
    expect(own.filter(([, address]) => !/^0100007F:/.test(address!))).toEqual([])
  }, 60_000)
})

needs('otelcol').describe('the Collector, run natively', () => {
  test('takes spans over OTLP and shows them through span_metrics, with every part that the bench and the tests use', async () => {
    const [otlp, health, metrics] = [await freePort(), await freePort(), await freePort()]
    mkdirSync(join(directory, 'collector'), { recursive: true })
    const configFile = written(
      'collector.yml',
      `extensions:
  health_check: {endpoint: '127.0.0.1:${health}'}
receivers:
  otlp: {protocols: {http: {endpoint: '127.0.0.1:${otlp}'}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 512}
  batch: {timeout: 100ms}
connectors:
  span_metrics: {metrics_flush_interval: 100ms}
exporters:
  prometheus: {endpoint: '127.0.0.1:${metrics}'}
  file: {path: '${join(directory, 'collector', 'spans.json')}'}
  debug: {}
  nop: {}
  otlp: {endpoint: '127.0.0.1:1', tls: {insecure: true}}
  otlphttp: {endpoint: 'http://127.0.0.1:1'}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [span_metrics, file, debug, nop]}
    traces/onwards: {receivers: [otlp], exporters: [otlp, otlphttp]}
    metrics: {receivers: [span_metrics], exporters: [prometheus]}
`,
    )
    const collector = await startCollector({ configFile, logDir: directory, healthUrl: `http://127.0.0.1:${health}/` })
    running.push(collector)

    // span_metrics counts no span of a resource without a service.name.
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'support-agent' } }] }
    const now = BigInt(Date.now()) * 1_000_000n
    const span = {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      name: 'chat',
      kind: 3,
      startTimeUnixNano: String(now - 1_000_000n),
      endTimeUnixNano: String(now),
    }
    const sent = await fetch(`http://127.0.0.1:${otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
    })
    expect(sent.status).toBe(200)
    // A new series is 0 at its first flush and counts from the second on.
    await vi.waitFor(
      async () => {
        const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
        expect(page).toMatch(/_calls_total\{[^}]*span_name="chat"[^}]*\} 1\n/)
      },
      { timeout: 20_000, interval: 100 },
    )
  }, 60_000)
})
