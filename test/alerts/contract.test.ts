/** The contract between the metrics and the rules that read them. */
import { describe, expect, test } from 'vitest'
import { readObjectives } from '../../src/config/objectives.ts'
import { readQuery } from './promql.ts'
import { alerts, queriesOf, rules } from './rulefile.ts'
import { recordedBy, tooShort, unknownIn } from './series.ts'

const recorded = recordedBy(rules)
const expressions = rules.flatMap(({ expr, annotations }) => [expr, ...queriesOf(annotations)])

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
