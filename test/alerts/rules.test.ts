import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readObjectives } from '../../src/config/objectives.ts'
import { readRemedies } from '../../src/config/remedies.ts'
import { METRICS, type MetricDefinition } from '../../src/metrics/catalogue.ts'
import { namesIn } from './promql.ts'

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, '../..')
const { groups } = parse(readFileSync(join(root, 'alerts/generated/prometheus-rules.yaml'), 'utf8')) as { groups: { name: string; rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)
const alerts = rules.filter((rule) => rule.alert !== undefined)
const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])))

/** Labels of the bridge's series, and those that Prometheus and the rules add. */
const LABELS = new Set([...Object.values<MetricDefinition>(METRICS).flatMap(({ labels }) => labels), 'le', 'objective'])

function isKnown(name: string): boolean {
  if (recorded.has(name)) return true
  const metrics = METRICS as Readonly<Record<string, MetricDefinition>>
  if (Object.hasOwn(metrics, name)) return metrics[name]!.kind !== 'histogram'
  const base = name.replace(/_(bucket|sum|count)$/, '')
  return base !== name && Object.hasOwn(metrics, base) && metrics[base]!.kind === 'histogram'
}

/** The expressions inside an annotation's printf, with its verbs as values. */
function queriesOf(annotations: Readonly<Record<string, string>>): string[] {
  return Object.values(annotations).flatMap((text) => [...text.matchAll(/printf `([^`]*)`/g)].map(([, query]) => query!.replaceAll('%q', '""')))
}

describe('every rule', () => {
  test('uses only metrics and labels of the catalogue, or what a rule records', () => {
    const expressions = rules.flatMap(({ expr, annotations }) => [expr, ...queriesOf(annotations ?? {})])
    expect(expressions.length).toBeGreaterThan(rules.length)
    for (const expression of expressions) {
      const { metrics, labels } = namesIn(expression)
      expect(metrics.filter((name) => !isKnown(name)), expression).toEqual([])
      expect(labels.filter((name) => !LABELS.has(name)), expression).toEqual([])
    }
  })

  test('is what the lint reads: a name that does not exist would be found', () => {
    const { metrics, labels } = namesIn('sum by (tenant, agent) (rate(agent_request_total{outcom=~"a|b"}[5m])) > 1e3 * on (x) group_left (y) a:b:c')
    expect(metrics).toEqual(['agent_request_total', 'a:b:c'])
    expect(labels).toEqual(['tenant', 'agent', 'outcom', 'x', 'y'])
    expect(isKnown('agent_request_total')).toBe(false)
    expect(isKnown('agent_request_duration_seconds')).toBe(false)
  })

  test('is recorded and read: no recorded series is left over, save those for dashboards', () => {
    const read = new Set(rules.flatMap(({ expr, annotations }) => [expr, ...queriesOf(annotations ?? {})]).flatMap((expression) => namesIn(expression).metrics))
    const unread = [...recorded].filter((name) => !read.has(name) && !name.startsWith('tenant_project_agent:objective_good:'))
    expect(unread).toEqual([])
  })

  test('that judges an objective leaves its limit to the series', () => {
    const ids = new Set(readObjectives().map(({ id }) => id))
    for (const { labels, expr } of alerts) {
      expect(ids).toContain(labels?.['objective'])
      expect(expr).toContain(`tenant_agent:objective:budget{objective="${labels?.['objective']}"}`)
    }
  })
})

describe('every alert', () => {
  test.each(alerts.map((alert) => [`${alert.alert} ${alert.labels?.['severity']}`, alert] as const))('%s says all that a page needs', (_name, alert) => {
    expect(['critical', 'warning', 'info']).toContain(alert.labels?.['severity'])
    expect(alert.labels?.['owner']).toBeTruthy()
    const { summary, ...templated } = alert.annotations ?? {}
    expect(summary).toMatch(/^[A-Z][^{}]*[^.{}]$/)
    // A slow step is no error: it has no class and no type.
    const parts = alert.labels?.['objective'] === 'success_rate' ? ['class', 'name', 'step', 'type'] : ['name', 'step']
    expect(Object.keys(templated).sort()).toEqual(['dashboard_url', 'description', 'limit', 'remedy', 'root_cause', ...parts.map((part) => `root_cause_${part}`), 'runbook_url', 'value'])
    expect(templated['runbook_url']).toMatch(new RegExp(`/${alert.alert}$`))
    // Label values are hostile: they enter a query by %q and a link by urlquery only.
    for (const text of Object.values(templated)) {
      for (const [, query] of text.matchAll(/`([^`]*)`/g)) expect(query).not.toMatch(/"%[^q]|%s|%v|\$labels/)
    }
    for (const [, value] of (templated['dashboard_url'] ?? '').matchAll(/=([^&]*)/g)) expect(value).toMatch(/^\{\{ \$labels\.\w+ \| urlquery \}\}$/)
  })

  test.each([...new Set(alerts.map(({ alert }) => alert!))])('%s has a runbook that tells meaning, impact, diagnosis, mitigation and end', (name) => {
    const file = join(root, 'alerts/runbooks', `${name}.md`)
    expect(existsSync(file), file).toBe(true)
    const text = readFileSync(file, 'utf8')
    expect([...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title).filter((title) => !title!.startsWith('All') )).toEqual(
      expect.arrayContaining([name, 'Meaning', 'Impact', 'Diagnosis', 'Mitigation', 'Over when']),
    )
    for (const [, block] of text.matchAll(/```promql\n(.*?)```/gs)) {
      for (const query of block!.replace(/^#.*$/gm, '').split('\n\n')) {
        const { metrics, labels } = namesIn(query)
        expect(metrics.filter((metric) => !isKnown(metric)), query).toEqual([])
        expect(labels.filter((label) => !LABELS.has(label)), query).toEqual([])
      }
    }
  })

  test('whose requests failed has a mitigation in its runbook for each type of error', () => {
    const text = readFileSync(join(root, 'alerts/runbooks/AgentSuccessRateLow.md'), 'utf8')
    const missing = Object.keys(readRemedies().errors).filter((type) => !text.includes(`| \`${type}\` |`))
    expect(missing).toEqual([])
  })
})
