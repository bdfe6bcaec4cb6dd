/** The contract between the bridge's lines and the LogQL that reads them: rules, annotations and runbooks. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { LINE_KEYS, LINE_LABELS } from './lines.ts'
import { pastedLogQl, readLogQuery } from './logql.ts'
import { type Group, lokiAlerts, lokiGroups, queriesOf, ROOT } from './rulefile.ts'

const evaluator = await findEvaluator()
const inCi = process.env['CI'] === 'true'

/** What no line has. */
function unknown(query: string, labels = LINE_LABELS): string[] {
  const found = readLogQuery(query)
  return [...found.labels.filter((label) => !labels.has(label)), ...found.keys.filter((key) => !LINE_KEYS.has(key))]
}

test('every rule and every query of an annotation uses only what the lines have', () => {
  const queries = lokiAlerts.flatMap(({ expr, annotations }) => [expr, ...queriesOf(annotations)])
  expect(queries.length).toBeGreaterThan(lokiAlerts.length)
  expect(queries.flatMap((query) => unknown(query).map((name) => `${name} in ${query}`))).toEqual([])
})

test.each(pastedLogQl())('%s: %s can be pasted', (_name, query) => {
  expect(unknown(query)).toEqual([])
})

test('every label, metadatum and key of a line is in docs/log.md, and none else', () => {
  const text = readFileSync(join(ROOT, 'docs/log.md'), 'utf8')
  const named = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!)
  expect(named.toSorted()).toEqual([...new Set([...LINE_LABELS, ...LINE_KEYS, 'checks_failed', 'messages', 'recoveries'])].toSorted())
})

test('what does not exist would be found', () => {
  expect(unknown('sum by (tenant) (sum_over_time({service="x", event="request"} | trace != "", cause = "y" | json a="price" | unwrap count [5m])) unless on (who) sum by (agent) (count_over_time({event="tally"}[1h]))').toSorted())
    .toEqual(['cause', 'count', 'price', 'tenant', 'trace', 'who'])
  expect(() => readLogQuery('sum by (a) (rate({b="c"}[5m])')).toThrow('cannot read')
})

test('no rule asks for what Loki drops without a word', () => {
  expect(lokiAlerts.filter((alert) => 'keep_firing_for' in alert).map(({ alert }) => alert)).toEqual([])
})

describe.skipIf(evaluator === null && !inCi)(`with other settings${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, () => {
  test('nothing of the defaults is left', async () => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    const groups = (await evaluator.evaluate(`((import 'mixin.libsonnet') + { _config+:: {
      clusterLabel: 'region', extraLabels: { team: 'ai' }, runbookUrlPattern: 'https://runbooks.example/%s.html', dashboardUrlPrefix: 'https://grafana.example',
      loki+: {
        selector: 'env="live"', evaluationInterval: '7s', longRangeEvaluationInterval: '77s',
        newFingerprint: { range: '11m', memory: '2d', atLeast: 101 }, burst: { range: '6m', atLeast: 102, before: '2h', factor: 4 },
        contextOverflow: { range: '12m', atLeast: 103 }, deadlock: { range: '13m', atLeast: 104 }, noSuccess: { range: '17m', atLeast: 105 },
      },
    } }).lokiAlerts.groups`, join(ROOT, 'alerts'))) as Group[]
    expect(groups.map(({ interval }) => interval)).toEqual(['77s', '7s'])
    const alerts = groups.flatMap(({ rules }) => rules)
    expect(alerts.map(({ alert }) => alert)).toEqual(lokiAlerts.map(({ alert }) => alert))
    for (const { alert, expr, labels, annotations = {} } of alerts) {
      const text = [expr, ...Object.values(annotations)].join('\n')
      expect(labels, alert).toMatchObject({ team: 'ai' })
      expect(text, alert).not.toMatch(/127\.0\.0\.1|\[(10m|5m|15m|1h|1d)\]|>= (3|20|5|1)\b/)
      for (const [selector] of text.matchAll(/\{service_name=[^}]*\}/g)) expect(selector).toContain('env="live"')
      for (const [, list] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) expect(list, expr).toMatch(/^region\b/)
      expect(annotations['description']).toMatch(/ an alert begins at 10[1-5]\.$/)
      expect(annotations['dashboard_url']).toContain('var-region={{ $labels.region | urlquery }}')
    }
  }, 30_000)

  test('the generated groups are those of the mixin', () => {
    expect(lokiGroups.map(({ name }) => name)).toEqual(['spanbridge-loki-new', 'spanbridge-loki'])
  })
})
