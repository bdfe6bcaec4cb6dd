/** The contract between the metrics and the rules that read them. */
import { describe, expect, test } from 'vitest'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { readObjectives } from '../../src/config/objectives.ts'
import { readQuery, secondsOf } from './promql.ts'
import { alerts, type Group, queriesOf, type Rule, rules } from './rulefile.ts'
import { recordedBy, SERIES, unknownIn } from './series.ts'

const SCRAPES_IN_RANGE = 4
const recorded = recordedBy(rules)
const expressions = rules.flatMap(({ expr, annotations }) => [expr, ...queriesOf(annotations)])
const evaluator = await findEvaluator()
const inCi = process.env['CI'] === 'true'

describe('every rule and every query of an annotation', () => {
  test('uses only metrics and labels of the catalogue, or what a rule records', () => {
    expect(expressions.length).toBeGreaterThan(rules.length)
    const wrong = expressions.flatMap((expression) => unknownIn(readQuery(expression), recorded).map((name) => `${name} in ${expression}`))
    expect(wrong).toEqual([])
  })

  test('would be found with a name that does not exist', () => {
    const query = readQuery('sum by (tenant, agent) (rate(agent_request_total{outcom="a"}[5m])) * on (x) group_left () agent_requests_total{step="model"} + agent_request_duration_seconds + a:b:c')
    expect(unknownIn(query, recorded).toSorted()).toEqual(['a:b:c', 'agent_request_duration_seconds', 'agent_request_total', 'agent_requests_total{step}', 'outcom', 'tenant', 'x'])
  })

  test('that judges an objective leaves its limit to the series', () => {
    const limited = new Map(readObjectives().map(({ id, limit }) => [id, limit]))
    for (const { alert, labels, expr } of alerts) {
      const objective = labels?.['objective']
      if (objective === undefined) continue
      expect([...limited.keys()], alert).toContain(objective)
      // Directly, or through what it reads.
      if (limited.get(objective) !== null) expect([...readBy(expr)].some((metric) => metric === 'agent_objective'), `${alert} reads the limit of ${objective}`).toBe(true)
    }
  })
})

/** Every metric that an expression depends on, through recording rules. */
function readBy(expr: string, seen = new Set<string>()): Set<string> {
  for (const metric of readQuery(expr).metrics) {
    if (seen.has(metric)) continue
    seen.add(metric)
    for (const rule of rules) if (rule.record === metric) readBy(rule.expr, seen)
  }
  return seen
}

test('ranges are at least four scrapes long', () => expect(tooShort(rules, '30s')).toEqual([]))

test.skipIf(evaluator === null && !inCi)(`ranges are at least four scrapes long with a scrape interval of five minutes too${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, async () => {
  if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
  const snippet = `local mixin = (import 'mixin.libsonnet') + { _config+:: { scrapeInterval: '5m' } }; mixin.prometheusRules.groups + mixin.prometheusAlerts.groups`
  const built = ((await evaluator.evaluate(snippet, 'alerts')) as Group[]).flatMap((group) => group.rules)
  expect(built.length).toBe(rules.length)
  expect(tooShort(built, '5m')).toEqual([])
  // Nor is a name left that tells another range than it has.
  const known = recordedBy(built)
  expect(built.flatMap(({ expr, annotations }) => [expr, ...queriesOf(annotations)].flatMap((query) => unknownIn(readQuery(query), known)))).toEqual([])
}, 60_000)

function tooShort(all: readonly Rule[], scrapeInterval: string): string[] {
  const least = SCRAPES_IN_RANGE * secondsOf(scrapeInterval)
  return all.flatMap(({ expr, annotations, record, alert }) => [expr, ...queriesOf(annotations)].flatMap((query) =>
    readQuery(query).ranges.filter(({ metric, seconds }) => SERIES.has(metric) && seconds < least).map(({ metric, text }) => `${alert ?? record}: ${metric}[${text}]`)))
}
