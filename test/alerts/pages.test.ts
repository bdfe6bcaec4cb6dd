/** What every alert tells whoever is paged, and its runbook. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readRemedies } from '../../src/config/remedies.ts'
import { readQuery } from './promql.ts'
import { alerts as prometheusAlerts, lokiAlerts, ROOT, rules } from './rulefile.ts'
import { recordedBy, unknownIn } from './series.ts'

const alerts = [...prometheusAlerts, ...lokiAlerts]
const recorded = recordedBy(rules)
const REQUIRED = ['dashboard_url', 'description', 'remedy', 'root_cause', 'runbook_url', 'summary']
const OPTIONAL = ['in_common', 'limit', 'value', 'root_cause_class', 'root_cause_name', 'root_cause_step', 'root_cause_type']
const HEADINGS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation', 'Over when']
const dashboards = join(ROOT, 'dashboards/generated')

test.each(alerts.map((alert) => [`${alert.alert} ${alert.labels?.['severity']}`, alert] as const))('%s says all that a page needs', (_name, { alert, labels, annotations = {} }) => {
  expect(['critical', 'warning', 'info', 'none']).toContain(labels?.['severity'])
  expect(labels?.['severity'] === 'none').toBe(alert === 'Watchdog')
  expect(labels?.['owner']).toBeTruthy()
  expect(Object.keys(annotations).filter((name) => !OPTIONAL.includes(name)).sort()).toEqual(REQUIRED)
  expect(annotations['summary']).toMatch(/^[A-Z][^{}]*[^.{}]$/)
  expect(annotations['runbook_url']).toMatch(new RegExp(`/${alert}$`))
  expect(annotations['dashboard_url']).toMatch(/\/d\/spanbridge-[a-z]+(\?|$)/)
})

test.each(alerts.map((alert) => [`${alert.alert} ${alert.labels?.['severity']}`, alert] as const))('%s takes the values of labels for data', (_name, { annotations = {} }) => {
  for (const text of Object.values(annotations)) {
    // Into a query as a quoted literal only.
    for (const [, query] of text.matchAll(/`([^`]*)`/g)) expect(query).not.toMatch(/"%[^q]|%s|%v|\$labels/)
  }
  for (const [, value] of (annotations['dashboard_url'] ?? '').matchAll(/=([^&]*)/g)) expect(value).toMatch(/^\{\{ \$labels\.\w+ \| urlquery \}\}$/)
})

describe.each([...new Set(alerts.map(({ alert }) => alert))])('the runbook of %s', (name) => {
  const file = join(ROOT, 'alerts/runbooks', `${name}.md`)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''

  test('tells meaning, impact, diagnosis, mitigation and end', () => {
    expect([...text.matchAll(/^#{1,2} (.*)$/gm)].map(([, title]) => title)).toEqual(expect.arrayContaining([name, ...HEADINGS]))
  })

  test('has queries that can be pasted', () => {
    for (const [, block] of text.matchAll(/```promql\n(.*?)```/gs)) {
      for (const query of block!.replace(/^#.*$/gm, '').split(/\n\s*\n/).filter((part) => part.trim() !== '')) {
        expect(unknownIn(readQuery(query), recorded), query).toEqual([])
      }
    }
  })
})

test('a runbook about failed requests has a mitigation for each type of error', () => {
  const text = readFileSync(join(ROOT, 'alerts/runbooks/AgentSuccessRateLow.md'), 'utf8')
  expect(Object.keys(readRemedies().errors).filter((type) => !text.includes(`| \`${type}\` |`))).toEqual([])
})

test.skipIf(!existsSync(dashboards))('every dashboard that an alert leads to exists', () => {
  const uids = new Set(alerts.map(({ annotations }) => /\/d\/spanbridge-([a-z]+)/.exec(annotations?.['dashboard_url'] ?? '')![1]!))
  for (const uid of uids) {
    const dashboard = JSON.parse(readFileSync(join(dashboards, `${uid}.json`), 'utf8')) as { uid: string }
    expect(dashboard.uid).toBe(`spanbridge-${uid}`)
  }
})
