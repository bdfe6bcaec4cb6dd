/** Every rule for Loki's ruler in a real Loki, and its alert as it arrives at a real Alertmanager. */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentOf, CASES, type Kind, pushesOf, SURVIVORS, tenantOf } from '../alerts/logcases.ts'
import { logMutantsOf } from '../alerts/logmutants.ts'
import { lokiAlerts } from '../alerts/rulefile.ts'
import { type Alert, lokiStack, type LokiStack } from './lokistack.ts'
import { needs } from './require.ts'

test.each(lokiAlerts.map(({ alert }) => alert))('%s has a case at its limit, just below it, before its window, and of another kind or as usual', (name) => {
  const kinds = CASES.filter(({ alert }) => alert === name).map(({ kind }) => kind)
  expect(kinds).toEqual(expect.arrayContaining<Kind>(['at the limit', 'just below it', 'before the window']))
  expect(kinds.some((kind) => kind === 'of another kind' || kind === 'as usual')).toBe(true)
})

needs('loki', 'alertmanager').describe('the rules of the log, on requests of the last days', () => {
  let stack: LokiStack
  let alerts: Alert[]

  beforeAll(async () => {
    stack = await lokiStack()
    for (const body of pushesOf(Date.now())) await stack.loki.push(body)
    await stack.evaluated()
    alerts = await stack.alerts()
  }, 90_000)
  afterAll(() => stack?.stop(), 30_000)

  test.each(CASES.map((one, at) => [one.alert, one.fires ? 'fires' : 'is silent', one.kind, one.requests.map(({ ago, times, failure = 'success' }) => `${times} ${failure} ${ago} s ago`).join(', '), at] as const))('%s %s: %s: %s', (alert, fires, _kind, _requests, at) => {
    const arrived = alerts.filter(({ labels }) => labels['alertname'] === alert && (labels['tenant_id'] === tenantOf(at) || labels['agent'] === agentOf(at)))
    expect(arrived).toHaveLength(fires === 'fires' ? 1 : 0)
  })

  test('every alert says what a page needs', () => {
    for (const { labels, annotations } of alerts) {
      expect(['critical', 'warning']).toContain(labels['severity'])
      for (const text of Object.values(annotations)) expect(text).not.toMatch(/\{\{|<no value>|<error/)
      expect(annotations['description']).toMatch(/^\d+ requests? of .*(agent|tenant)-\d+/)
      expect(annotations['root_cause']).toMatch(/^(tool lookup_order: 5xx|model gpt-4o: context_overflow|agent.*: deadlock)/)
      expect(annotations['remedy']).toMatch(/\.$/)
      expect([annotations['root_cause_class'], annotations['root_cause_type']]).toEqual(
        annotations['root_cause']!.includes('5xx') ? ['tool', '5xx'] : annotations['root_cause']!.includes('overflow') ? ['context', 'context_overflow'] : ['coordination', 'deadlock'],
      )
      expect(annotations['runbook_url']).toMatch(new RegExp(`/${labels['alertname']}$`))
      expect(annotations['dashboard_url']).toMatch(/var-(tenant_id|agent)=(tenant|agent)-\d+/)
    }
    const at = CASES.findIndex(({ alert, kind }) => alert === 'TenantWithoutSuccess' && kind === 'at the limit')
    const page = alerts.find(({ labels }) => labels['alertname'] === 'TenantWithoutSuccess' && labels['tenant_id'] === tenantOf(at))!
    expect(page.annotations).toMatchObject({ root_cause: 'tool lookup_order: 5xx, 5 in the last 15 minutes', remedy: 'Serve the cached response.', value: '5', limit: '5' })
  })

  test('Loki tells what SpanbridgeLogRulesFailing asks it for', async () => {
    const metrics = await (await fetch(`${stack.loki.url}/metrics`)).text()
    const groups = [...metrics.matchAll(/^loki_prometheus_rule_evaluation_failures_total\{rule_group="([^"]*)",user="fake"\} 0$/gm)].map(([, group]) => group)
    expect(groups.map((group) => group!.split(';')[1]).sort()).toEqual(['spanbridge-loki', 'spanbridge-loki-new'])
  })

  test.each(lokiAlerts.map(({ alert, expr }) => [alert, expr] as const))('a broken %s is noticed by a case', async (name, expr) => {
    const firing = async (query: string) => (await stack.loki.samples(query)).map(({ metric }) => `${metric['tenant_id']} ${metric['agent']} ${metric['type']}`).sort()
    const whole = await firing(expr)
    expect(whole.length).toBeGreaterThan(0)
    const survivors: string[] = []
    for (const mutant of logMutantsOf(expr)) if (isDeepStrictEqual(await firing(mutant.expr), whole)) survivors.push(mutant.what)
    expect(survivors).toEqual(SURVIVORS[name] ?? [])
  }, 60_000)
})
