/** promtool evaluates every rule of a test's groups at every step: what makes a file slow is known before it runs. */
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { testFiles } from './cases.ts'
import { secondsOf } from './promql.ts'
import { groups } from './rulefile.ts'

/** About two seconds of one core. */
const MOST_EVALUATIONS = 40_000

interface Timed {
  readonly evaluation_interval: string
  readonly tests: readonly { readonly alert_rule_test?: readonly Asked[]; readonly promql_expr_test?: readonly Asked[] }[]
}
interface Asked { readonly eval_time: string }

test.each(testFiles)('$name is done in a few seconds', ({ text, groups: named }) => {
  const { evaluation_interval, tests } = parse(text) as Timed
  const rules = groups.filter(({ name }) => named.includes(name)).reduce((sum, group) => sum + group.rules.length, 0)
  const steps = tests.map(({ alert_rule_test = [], promql_expr_test = [] }) => Math.max(...[...alert_rule_test, ...promql_expr_test].map(({ eval_time }) => secondsOf(eval_time))) / secondsOf(evaluation_interval))
  expect(rules).toBeGreaterThan(0)
  expect(steps.reduce((sum, each) => sum + each, 0) * rules).toBeLessThan(MOST_EVALUATIONS)
})
