/** Whether the watchers are watched: real programs are killed and taken away, under the rules with short times. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { LOKI_RULES_FILE, lokiConfig, RULES_TENANT } from '../../provisioning/loki.ts'
import { prometheusConfig, type PrometheusParameters } from '../../provisioning/prometheus.ts'
import { freePort, type Native, startAlertmanager, startCollector, startLoki, startPrometheus } from '../../provisioning/run.ts'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { MIXIN } from '../../src/bundle/mixin.ts'
import { recordings } from '../conformance/recordings.ts'
import { needs } from './require.ts'
import { spawned, type Spawned } from './spawned.ts'

const ROOT = join(import.meta.dirname, '../..')
const FREE = ['--http-address', '--grpc-address', '--web-address'].flatMap((flag) => [flag, '127.0.0.1:0'])
const INTERVALS = { scrapeIntervalSeconds: 1, evaluationIntervalSeconds: 1 }
const SHORT = `local mixin = (import 'mixin.libsonnet') + { _config+:: { health+: { downFor: '2s', missingFor: '2s', keepDownFor: '1s' } } };
  { groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups }`

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: string
}

const promtool = needs('promtool')
promtool.describe('of several clusters', () => {
  test('the one whose bridges have vanished is missing, and is named', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'spanbridge-clusters-'))
    try {
      const evaluator = await findEvaluator()
      if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
      const groups = await evaluator.evaluate(`((import 'mixin.libsonnet') + { _config+:: { clusterLabel: 'region' } }).prometheusAlerts.groups`, MIXIN) as { name: string }[]
      writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: groups.filter(({ name }) => name === 'spanbridge-targets') }))
      writeFileSync(join(directory, 'test.yaml'), stringify({
        rule_files: ['rules.yaml'],
        evaluation_interval: '1m',
        tests: [{
          interval: '1m',
          input_series: [{ series: 'up{job="spanbridge",region="eu",instance="b1"}', values: '1x4 stale' }, { series: 'up{job="spanbridge",region="us",instance="b1"}', values: '1x20' }],
          promql_expr_test: [{
            expr: 'ALERTS{alertstate="firing"}', eval_time: '15m',
            exp_samples: [{ labels: 'ALERTS{alertname="SpanbridgeMissing",alertstate="firing",owner="platform",region="eu",severity="critical"}', value: 1 }],
          }],
        }],
      }))
      expect(execFileSync(promtool.path('promtool'), ['test', 'rules', join(directory, 'test.yaml')], { encoding: 'utf8' })).toContain('SUCCESS')
      expect(groups.flatMap((group) => (group as { rules?: { alert?: string; annotations: { description: string } }[] }).rules ?? []).find(({ alert }) => alert === 'SpanbridgeMissing')!.annotations.description).toContain('$labels.region')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

needs('prometheus', 'alertmanager', 'otelcol', 'loki').describe('the health of those who watch', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-health-'))
  const natives: Native[] = []
  let bridge: Spawned
  let prometheus: Native
  let parameters: PrometheusParameters

  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }

  beforeAll(async () => {
    const evaluator = await findEvaluator()
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    const ruleFile = write('rules.yaml', stringify(await evaluator.evaluate(SHORT, MIXIN)))
    bridge = spawned(['serve', '--data-dir', join(directory, 'data'), ...FREE])
    const web = new URL((await bridge.printed(/pager on (\S+)/))[1]!).host
    const alertmanager = await startAlertmanager({ configFile: write('alertmanager.yml', 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n'), dataDir: join(directory, 'alertmanager'), logDir: directory })
    natives.push(alertmanager)
    const rulesDir = join(directory, 'loki-rules')
    mkdirSync(join(rulesDir, RULES_TENANT), { recursive: true })
    write(join('loki-rules', RULES_TENANT, 'rules.yaml'), readFileSync(LOKI_RULES_FILE, 'utf8'))
    const lokiFile = write('loki.yml', lokiConfig({ dataDir: join(directory, 'loki'), rulesDir, alertmanagerUrl: alertmanager.url, evaluationIntervalSeconds: 1, retentionDays: 1 }))
    const loki = await startLoki({ configFile: lokiFile, dataDir: join(directory, 'loki'), logDir: directory })
    natives.push(loki)
    const port = await freePort()
    parameters = {
      bridges: [web], ruleFile, alertmanagers: [new URL(alertmanager.url).host], ...INTERVALS,
      others: { prometheus: [`127.0.0.1:${port}`], alertmanager: [new URL(alertmanager.url).host], 'otel-collector': await failingCollector(), loki: [new URL(loki.url).host] },
    }
    prometheus = await startPrometheus({ configFile: write('prometheus.yml', prometheusConfig(parameters)), dataDir: join(directory, 'prometheus'), logDir: directory, port })
    natives.push(prometheus)
  }, 60_000)

  afterAll(async () => {
    bridge.kill('SIGKILL')
    await Promise.all([bridge.ended, ...natives.map((native) => native.stop())])
    rmSync(directory, { recursive: true, force: true })
  })

  test('metrics of other programs that the rules read are there, with their labels', async () => {
    const { metrics } = JSON.parse(readFileSync(join(ROOT, 'alerts/foreign.json'), 'utf8')) as { metrics: { name: string; labels: string[] }[] }
    const missing = async (): Promise<string[]> => {
      const found = await Promise.all(metrics.map(async ({ name, labels }) => (await query(`${name}{${labels.map((label) => `${label}!=""`).join(',')}}`)).length > 0))
      return metrics.filter((_, i) => !found[i]).map(({ name }) => name)
    }
    await vi.waitFor(async () => expect(await missing()).toEqual([]), { timeout: 60_000, interval: 500 })
  }, 70_000)

  test('with all of them up, the dead man\'s switch alone fires', async () => {
    await vi.waitUntil(async () => (await firing()).length > 0, { timeout: 30_000, interval: 200 })
    await vi.waitFor(async () => expect(await query('up{job="spanbridge"} == 1')).toHaveLength(1), { timeout: 30_000, interval: 200 })
    // Until its first scrape the bridge was missing, and is so for a rule that has not been evaluated since.
    await vi.waitFor(async () => expect((await firing()).map(({ labels }) => labels['alertname'])).toEqual(['Watchdog']), { timeout: 10_000, interval: 200 })
  }, 80_000)

  test('a bridge that is killed is down, and its page says how it does not answer', async () => {
    bridge.kill('SIGKILL')
    const down = await vi.waitUntil(async () => (await firing()).find(({ labels }) => labels['alertname'] === 'SpanbridgeDown'), { timeout: 30_000, interval: 200 })
    expect(down.labels).toEqual({ alertname: 'SpanbridgeDown', severity: 'critical', owner: 'platform', job: 'spanbridge', instance: parameters.bridges[0] })
    expect(down.annotations['root_cause']).toMatch(/^it refuses or fails at once/)
    expect((await firing()).map(({ labels }) => labels['alertname'])).toContain('Watchdog')
  }, 40_000)

  test('a bridge that Prometheus is no longer told of is missing', async () => {
    write('prometheus.yml', prometheusConfig({ ...parameters, bridges: [] }))
    expect((await fetch(`${prometheus.url}/-/reload`, { method: 'POST' })).status).toBe(200)
    const missing = await vi.waitUntil(async () => (await firing()).find(({ labels }) => labels['alertname'] === 'SpanbridgeMissing'), { timeout: 30_000, interval: 200 })
    expect(missing.labels).toEqual({ alertname: 'SpanbridgeMissing', severity: 'critical', owner: 'platform', job: 'spanbridge' })
    await vi.waitUntil(async () => !(await firing()).some(({ labels }) => labels['alertname'] === 'SpanbridgeDown'), { timeout: 30_000, interval: 200 })
  }, 70_000)

  async function api<T>(path: string): Promise<T> {
    return ((await (await fetch(`${prometheus.url}/api/v1/${path}`)).json()) as { data: T }).data
  }
  async function query(expr: string): Promise<unknown[]> {
    return (await api<{ result: unknown[] }>(`query?query=${encodeURIComponent(expr)}`)).result
  }
  async function firing(): Promise<Alert[]> {
    return (await api<{ alerts: Alert[] }>('alerts')).alerts.filter(({ state }) => state === 'firing')
  }

  /** One that cannot send, and whose queue is full; it tells so under both of its ways to write names. */
  async function failingCollector(): Promise<string[]> {
    const [inlet, health, nowhere, plain, suffixed] = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()])
    const exporter = `endpoint: '127.0.0.1:${nowhere}', tls: {insecure: true}`
    const reader = (port: number, more: string): string => `{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${port}${more}}}}}`
    const configFile = write('collector.yml', `extensions:
  health_check: {endpoint: '127.0.0.1:${health}'}
receivers:
  otlp: {protocols: {http: {endpoint: '127.0.0.1:${inlet}'}}}
exporters:
  otlp/failing: {${exporter}, retry_on_failure: {enabled: false}}
  otlp/full: {${exporter}, sending_queue: {num_consumers: 1, queue_size: 1}}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: detailed, readers: [${reader(plain!, '')}, ${reader(suffixed!, ', without_type_suffix: false')}]}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp/failing, otlp/full]}
`)
    natives.push(await startCollector({ configFile, logDir: directory, healthUrl: `http://127.0.0.1:${health}/` }))
    const { bytes } = [...recordings()].flatMap(({ bodies }) => bodies).find(({ signal }) => signal === 'traces')!
    for (let push = 0; push < 5; push++) {
      await fetch(`http://127.0.0.1:${inlet}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: bytes as Uint8Array<ArrayBuffer> })
    }
    return [`127.0.0.1:${plain}`, `127.0.0.1:${suffixed}`]
  }
})
