import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALL_ALERTS, evaluator, EVERYTHING, routing, type Route } from './routing.ts'

const inCi = process.env['CI'] === 'true'
const alerts = join(import.meta.dirname, '../../alerts')
describe.skipIf(evaluator === null && !inCi)(`routing${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, () => {
  test('with nothing configured has the pager page and nothing else', async () => {
    const { receivers, route, time_intervals } = await routing('{}')
    const pager = { webhook_configs: [{ url: 'http://127.0.0.1:9464/pager/webhook', send_resolved: true, max_alerts: 100 }] }
    expect(receivers).toEqual([{ name: 'nobody' }, ...['unrouted', 'critical', 'warning'].map((name) => ({ name, ...pager }))])
    expect(all(route).filter(({ matchers }) => matchers?.includes('alertname="Watchdog"')).map(({ receiver }) => receiver)).not.toContain('watchdog')
    expect(time_intervals).toBeUndefined()
  })

  test('with everything configured reads each secret from a file', async () => {
    const text = JSON.stringify(await routing(EVERYTHING))
    // What Alertmanager also takes inline. `url` is where PagerDuty is, and the pager page.
    expect(text).not.toMatch(/"(api_url|app_token|routing_key|service_key|auth_password|auth_secret|credentials|password|bearer_token)"/)
    expect([...new Set([...text.matchAll(/"url":"([^"]*)"/g)].map(([, url]) => url))].sort()).toEqual(['http://127.0.0.1:9464/pager/webhook', 'https://events.eu.pagerduty.com/v2/enqueue'])
    for (const key of ['api_url_file', 'routing_key_file', 'auth_password_file', 'credentials_file', 'url_file']) expect(text).toContain(`"${key}":`)
  })

  test('lays a table over the channels of everyone, and null turns one off', async () => {
    const { receivers } = await routing(EVERYTHING)
    const named = (name: string) => receivers.find((receiver) => receiver.name === name) as unknown as Record<string, Record<string, unknown>[]>
    expect(named('critical')['slack_configs']![0]!['channel']).toBe('#agents')
    expect(named('team/agent-oncall/critical')['slack_configs']![0]!['channel']).toBe('#agents-oncall')
    expect(named('team/agent-oncall/critical')['pagerduty_configs']).toEqual(named('critical')['pagerduty_configs'])
    expect(Object.keys(named('team/platform/critical')).sort()).toEqual(['name', 'slack_configs', 'webhook_configs'])
    expect(named('tenant/acme/critical')['pagerduty_configs']![0]!['routing_key_file']).toBe('/run/secrets/pagerduty-acme')
    // A team without a table of its own takes the way of everyone.
    expect(receivers.filter(({ name }) => name.includes('agent-team'))).toEqual([])
  })

  test('mutes tickets only', async () => {
    const { route, time_intervals } = await routing(EVERYTHING)
    for (const { matchers, mute_time_intervals } of all(route)) {
      expect(mute_time_intervals, String(matchers)).toEqual(matchers?.includes('severity="warning"') ? ['nights', 'weekends'] : undefined)
    }
    expect(time_intervals).toHaveLength(2)
  })

  test('groups by the cluster where there is one, and compares it', async () => {
    const { route, inhibit_rules } = await routing(EVERYTHING)
    for (const each of all(route)) if ('group_by' in each) expect((each as { group_by: string[] }).group_by).toContain('region')
    expect(inhibit_rules.length).toBeGreaterThan(0)
    for (const { equal } of inhibit_rules) expect(equal).toContain('region')
  })

  test('names both sides of every inhibition by alerts that there are', async () => {
    const names = new Set(ALL_ALERTS.map(({ alert }) => alert))
    const table = (await evaluator!.evaluate(`(import 'config.libsonnet')._config.alertmanager.inhibitions`, alerts)) as { says: string[]; silent: string[] }[]
    expect(table.flatMap(({ says, silent }) => [...says, ...silent]).filter((name) => !names.has(name))).toEqual([])
    for (const { source_matchers, target_matchers } of (await routing('{}')).inhibit_rules) {
      for (const matchers of [source_matchers, target_matchers]) expect(matchers[0]).toMatch(/^alertname=~"\w+(\|\w+)*"$/)
    }
  })

  test('knows every owner of an alert', async () => {
    const teams = (await evaluator!.evaluate(`std.objectFields((import 'config.libsonnet')._config.routing.teams)`, alerts)) as string[]
    expect(ALL_ALERTS.filter(({ labels }) => !teams.includes(labels.owner)).map(({ alert }) => alert)).toEqual([])
  })

  test.each([
    ['pages that reach nobody', `{ alertmanager+: { channels+: { pager: { url: null } } } }`, 'cannot route critical: none of its channels (pager, pagerduty, slack, webhook) is configured'],
    ['pages of a tenant that reach nobody', `{ routing+: { tenants: { acme: { pager: null } } } }`, 'cannot route tenant/acme/critical: none of its channels'],
    ['a channel that there is not', `{ alertmanager+: { severities+: { warning+: { to: ['pigeon'] } } } }`, 'cannot route warning: pigeon is no channel; channels are email, pager, pagerduty, slack, webhook'],
    ['pages that are muted', `{ alertmanager+: { severities+: { critical+: { muteTimes: ['nights'] } } } }`, 'cannot mute critical alerts'],
    ['mail that is from nobody', `{ alertmanager+: { channels+: { email+: { to: 'a@b' } } } }`, 'cannot route to email: from is missing'],
    ['a user without a password', `{ alertmanager+: { channels+: { email+: { to: 'a@b', from: 'a@b', smarthost: 'c:25', username: 'u' } } } }`, 'cannot route to email: passwordFile is missing'],
    ['an alert that silences itself', `{ alertmanager+: { inhibitions: [{ says: ['A', 'B'], silent: ['B'], by: [] }] } }`, 'cannot inhibit B: it would silence itself'],
    ['a name for hours that there is not', `{ alertmanager+: { severities+: { warning+: { muteTimes: ['lunch'] } } } }`, 'cannot mute in lunch: it is not in alertmanager.timeIntervals'],
  ])('refuses %s', async (_what, config, message) => {
    await expect(routing(config)).rejects.toThrow(message)
  })

  test('ships every template', async () => {
    const shipped = await evaluator!.evaluate(`std.objectFieldsAll((import 'mixin.libsonnet').alertmanagerTemplates)`, alerts)
    expect(shipped).toEqual(readdirSync(join(alerts, 'alertmanager/templates')).sort())
  })
})

function all(route: Route): Route[] {
  return [route, ...(route.routes ?? []).flatMap(all)]
}
