import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { ALL_ALERTS, evaluator, EVERYTHING, routing } from '../alerts/routing.ts'
import { needs } from './require.ts'

const root = join(import.meta.dirname, '../..')
const { describe, path } = needs('amtool')

const alerts = ALL_ALERTS.map(({ alert, labels }) => ({ alertname: alert, ...labels }))
const tenants = { none: undefined, ordinary: 'somebody', 'with a table': 'acme', 'with a table and a name that needs quotes': 'a"b\\' } as const

describe('routing, under the real engine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-routing-'))
  const everything = join(directory, 'everything.yml')
  const generated = 'alerts/generated/alertmanager.yaml'

  beforeAll(async () => writeFileSync(everything, stringify(await routing(EVERYTHING))), 60_000)
  afterAll(() => rmSync(directory, { recursive: true }))

  test.each([generated, 'provisioning/alertmanager.yml', everything])('amtool accepts %s', (file) => {
    expect(amtool('check-config', file)).toContain('SUCCESS')
  })

  test('it is had as the README says', async () => {
    const [, example] = /```jsonnet\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))!
    const yaml = (await evaluator!.evaluate(example!, root)) as string
    const text = JSON.stringify(parse(yaml))
    for (const file of example!.match(/\/run\/secrets\/[\w-]+/g)!) expect(text).toContain(`_file":"${file}"`)
    writeFileSync(join(directory, 'readme.yml'), yaml)
    expect(amtool('check-config', join(directory, 'readme.yml'))).toContain('SUCCESS')
  }, 60_000)

  test.each(alerts)('$alertname $severity: the way of its severity', (alert) => {
    for (const tenant of Object.values(tenants)) {
      expect(receiverOf(generated, alert, tenant)).toBe(isTold(alert) ? alert.severity : 'nobody')
    }
  }, 60_000)

  test.each(alerts)('$alertname $severity: the way of its tenant, else of its team, else of everyone', (alert) => {
    for (const tenant of Object.values(tenants)) {
      const table = tenant === 'acme' || tenant === 'a"b\\' ? `tenant/${tenant}/` : ['agent-oncall', 'platform'].includes(alert.owner) ? `team/${alert.owner}/` : ''
      expect(receiverOf(everything, alert, tenant), tenant).toBe(alert.alertname === 'Watchdog' ? 'watchdog' : table + alert.severity)
    }
  }, 60_000)

  test.each([
    [{ alertname: 'Foreign' }, 'unrouted'],
    [{ alertname: 'Foreign', severity: 'none', tenant_id: 'acme' }, 'unrouted'],
    // The same tenants and severities as ours.
    [{ alertname: 'Foreign', severity: 'critical', tenant_id: 'acme' }, 'tenant/acme/critical'],
    [{ alertname: 'Watchdog', severity: 'none' }, 'nobody'],
  ])('an alert of other origin, %o, goes to %s', (labels, receiver) => {
    expect(receiverOf(everything, labels)).toBe(receiver)
  })

  function isTold({ alertname, severity }: { alertname: string; severity: string }): boolean {
    return alertname !== 'Watchdog' && severity !== 'info'
  }

  function receiverOf(file: string, labels: Readonly<Record<string, string>>, tenant?: string): string {
    const all = tenant === undefined ? labels : { ...labels, tenant_id: tenant }
    return amtool('config', 'routes', 'test', `--config.file=${file}`, ...Object.entries(all).map(([name, value]) => `${name}=${JSON.stringify(value)}`)).trim()
  }

  /** Standard output; a failure throws with what the tool said. */
  function amtool(...args: string[]): string {
    try {
      return execFileSync(path('amtool'), args, { cwd: root, encoding: 'utf8', stdio: 'pipe' })
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string }
      throw new Error(`amtool ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}`)
    }
  }
})
