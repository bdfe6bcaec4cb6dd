/** The promtool tests of the rules, and which case of which alert each is. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from './rulefile.ts'

/** What has to be tried of every alert. A test's name begins with the cases it is, and with the severity where the alert has several. */
export const CASES = ['fires', 'pending', 'below the limit', 'at the limit', 'data missing', 'counter reset'] as const
export type Case = (typeof CASES)[number]

interface ExpectedAlert {
  readonly exp_labels?: Readonly<Record<string, string>>
  readonly exp_annotations?: Readonly<Record<string, string>>
}

interface PromtoolTest {
  readonly name: string
  readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts?: readonly ExpectedAlert[] }[]
  readonly promql_expr_test?: readonly { readonly expr: string; readonly exp_samples?: readonly unknown[] }[]
}

export interface TestFile {
  readonly name: string
  readonly path: string
  readonly text: string
  /** Names of the groups that its tests are about. */
  readonly groups: readonly string[]
  readonly tests: readonly PromtoolTest[]
}

export const TESTS = 'alerts/tests'

export const testFiles: readonly TestFile[] = readdirSync(join(ROOT, TESTS)).filter((name) => name.endsWith('.yaml')).map((name) => {
  const path = join(ROOT, TESTS, name)
  const text = readFileSync(path, 'utf8')
  const { tests, group_eval_order } = parse(text) as { tests: PromtoolTest[]; group_eval_order?: string[] }
  return { name, path, text, tests, groups: group_eval_order ?? [] }
})

/** The cases that a test's name tells: `below the limit, at the limit (warning): …`. Severity '' means all that the alert has. */
export function casesOf(name: string): { readonly cases: readonly Case[]; readonly severity: string } {
  const head = /^([a-z, ]+?)(?: \((\w+)\))?:/.exec(name)
  const cases = (head?.[1] ?? '').split(',').map((part) => part.trim()).filter((part): part is Case => (CASES as readonly string[]).includes(part))
  return { cases, severity: head?.[2] ?? '' }
}

/** Cases of an alert that its files have no test for, or whose test does not look at that alert. One that needs several evaluation intervals has `<alert>-….yaml` too. */
export function missingCases(alert: string, severity: string): string[] {
  const files = testFiles.filter(({ name }) => basename(name, '.yaml') === alert || name.startsWith(`${alert}-`))
  if (files.length === 0) return [`no ${TESTS}/${alert}.yaml`]
  const tests = files.flatMap((file) => file.tests)
  return CASES.filter((wanted) => !tests.some((test) => {
    const told = casesOf(test.name)
    return told.cases.includes(wanted) && (told.severity === '' || told.severity === severity) && looksAt(test, wanted, alert, severity)
  }))
}

/** Whether a test asserts something of the alert that fits the case. */
function looksAt(test: PromtoolTest, wanted: Case, alert: string, severity: string): boolean {
  const judged = (test.alert_rule_test ?? []).filter(({ alertname }) => alertname === alert)
  const fires = judged.some(({ exp_alerts }) => exp_alerts?.some(({ exp_labels, exp_annotations }) => exp_labels?.['severity'] === severity && exp_annotations !== undefined))
  const asked = (test.promql_expr_test ?? []).filter(({ expr }) => expr.includes('ALERTS'))
  return wanted === 'fires' ? fires : judged.length > 0 || asked.length > 0
}

/** Recorded names that a test asks for and expects samples of. */
export function recordsAsserted(): ReadonlySet<string> {
  const asserted = new Set<string>()
  for (const { tests } of testFiles) {
    for (const { promql_expr_test = [] } of tests) {
      for (const { expr, exp_samples = [] } of promql_expr_test) if (exp_samples.length > 0) for (const [name] of expr.matchAll(/[a-z_]+:[a-z_]+:?[\w:]*/g)) asserted.add(name)
    }
  }
  return asserted
}
