/** `spanbridge generate` as a user runs it, and what the real programs say of what it writes. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { needs } from './require.ts'

const ROOT = join(import.meta.dirname, '../..')
const { describe, path } = needs('promtool', 'amtool')

interface Group {
  readonly name: string
  readonly rules: readonly { readonly alert?: string; readonly expr: string; readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> }[]
}

describe('spanbridge generate', () => {
  let folder: string
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'spanbridge-generate-')) })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const settings = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const generate = (...args: string[]) => spawnSync(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'generate', ...args], { encoding: 'utf8', cwd: folder, env: { ...process.env, NO_COLOR: '1' } })
  const groupsIn = (out: string) => (parse(readFileSync(join(folder, out, 'prometheus-rules.yaml'), 'utf8')) as { groups: Group[] }).groups
  const alertsIn = (out: string) => groupsIn(out).flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined)

  test('writes what is committed when nothing is changed', () => {
    const { status, stdout, stderr } = generate('--out', 'shipped')
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toContain('promtool takes them')
    expect(stdout).toContain('amtool takes them')
    expect(stdout).toMatch(/^AgentSuccessRateLow +critical +99\.5 % +4m 19s \/ 34m 6s/m)
    const body = (text: string) => text.slice(text.indexOf('\n'))
    for (const file of ['prometheus-rules.yaml', 'loki-rules.yaml', 'alertmanager.yaml', 'detection.md']) {
      expect(body(readFileSync(join(folder, 'shipped', file), 'utf8')), file).toBe(body(readFileSync(join(ROOT, 'alerts/generated', file), 'utf8')))
    }
    expect(readdirSync(join(folder, 'shipped/dashboards'))).toHaveLength(readdirSync(join(ROOT, 'dashboards/generated')).length)
  }, 120_000)

  test('takes settings as YAML, and tells with --check what is not as they say', () => {
    const file = settings('own.yaml', 'clusterLabel: region\nselector: job="agents"\ndashboardUids:\n  errors: our-errors\nextraLabels:\n  team: ai\n')
    expect(generate('--config', file, '--out', 'own')).toMatchObject({ status: 0, stderr: '' })
    const alert = alertsIn('own').find((one) => one.alert === 'AgentSuccessRateLow')!
    expect(alert.labels).toMatchObject({ team: 'ai', severity: 'critical' })
    expect(alert.expr).toContain('by (objective, region, tenant_id, agent)')
    expect(alert.annotations!['dashboard_url']).toContain('/d/our-errors?var-region=')
    const dashboards = readdirSync(join(folder, 'own/dashboards')).map((name) => readFileSync(join(folder, 'own/dashboards', name), 'utf8')).join('')
    expect(dashboards).not.toMatch(/\bcluster\b|spanbridge-errors/)
    expect(dashboards).toContain('"uid": "our-errors"')
    expect(dashboards).toContain('${region:queryparam}')

    expect(generate('-c', file, '-o', 'own', '--check')).toMatchObject({ status: 0, stdout: '16 files are what they would be\n' })
    writeFileSync(join(folder, 'own/loki-rules.yaml'), 'groups: []\n')
    rmSync(join(folder, 'own/dashboards/spanbridge-cost.json'))
    const { status, stderr } = generate('-c', file, '-o', 'own', '--check')
    expect(status).toBe(1)
    expect(stderr.split('\n')).toEqual(['own/loki-rules.yaml is not what it would be: run spanbridge generate', 'own/dashboards/spanbridge-cost.json is not what it would be: run spanbridge generate', ''])
  }, 120_000)

  test('takes an overlay with rules of one\'s own, and one that jsonnet-bundler\'s vendor folder is imported in', () => {
    mkdirSync(join(folder, 'vendor/ours'), { recursive: true })
    settings('vendor/ours/alert.libsonnet', `{ alert: 'OurOwn', expr: 'vector(1) > 0', labels: { severity: 'info' } }`)
    const file = settings('overlay.jsonnet', `{
      _config+:: { scrapeInterval: '1m', burnRates: [{ severity: 'critical', pairs: [{ short: '5m', long: '1h', factor: 10 }] }] },
      prometheusAlerts+:: { groups+: [{ name: 'ours', rules: [import 'ours/alert.libsonnet'] }] },
    }`)
    const { status, stdout, stderr } = generate('--config', file, '--out', 'overlay')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(alertsIn('overlay').map(({ alert }) => alert)).toContain('OurOwn')
    // At 95 % a factor of 10 is half of the requests; the tickets are gone.
    expect(stdout).toMatch(/^AgentLatencyP95High +critical +95 % +30m \//m)
    expect(stdout).not.toMatch(/^AgentLatencyP95High +warning/m)
  }, 120_000)

  test('takes the mixin itself with something laid over it', () => {
    const file = settings('whole.jsonnet', `(import 'mixin.libsonnet') + { _config+:: { objectives: ['success_rate'] } }`)
    expect(generate('--config', file, '--out', 'whole')).toMatchObject({ status: 0, stderr: '' })
    expect(alertsIn('whole').flatMap(({ labels }) => labels?.['objective'] ?? []).filter((objective) => objective !== 'success_rate')).toEqual([])
  }, 120_000)

  test('refuses what is wrong before it writes anything', () => {
    expect(generate('--out', 'none', '--config', settings('wrong.yaml', 'selectors: job="agents"\n'))).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^spanbridge: cannot use .*wrong\.yaml: there is no setting selectors; did you mean selector\?\n$/) })
    expect(generate('--config', 'own.yaml')).toMatchObject({ status: 2, stderr: expect.stringContaining("required option '-o, --out <dir>' not specified") })
    expect(generate('--out', 'none', '--config', settings('clash.jsonnet', `{ prometheusAlerts+:: { groups+: [{ name: 'spanbridge-limits', rules: [] }] } }`))).toMatchObject({ status: 1, stderr: expect.stringContaining('prometheus-rules.yaml: two groups are named spanbridge-limits') })
    expect(readdirSync(folder)).not.toContain('none')
  }, 120_000)

  test('tells what promtool says of a rule that only promtool can refuse', () => {
    const file = settings('promql.jsonnet', `{ prometheusAlerts+:: { groups+: [{ name: 'ours', rules: [{ alert: 'OurOwn', expr: 'sum by (' }] }] } }`)
    const { status, stderr } = generate('--config', file, '--out', 'promql')
    expect(status).toBe(1)
    expect(stderr).toMatch(/promtool refuses what was written to .*promql:\n(.|\n)*OurOwn/)
  }, 120_000)

  test('writes files that Prometheus and Alertmanager load where they are', () => {
    expect(execFileSync(path('promtool'), ['check', 'rules', 'prometheus-rules.yaml'], { cwd: join(folder, 'own'), encoding: 'utf8' })).toContain('SUCCESS')
    expect(execFileSync(path('amtool'), ['check-config', 'alertmanager.yaml'], { cwd: join(folder, 'own'), encoding: 'utf8' })).toMatch(/SUCCESS(.|\n)*1 templates/)
  })
})
