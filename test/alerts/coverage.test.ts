/** No rule without its tests. What the tests are worth is shown by test/real/mutations.test.ts. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { casesOf, missingCases, recordsAsserted, testFiles } from './cases.ts'
import { alerts, ROOT, rules } from './rulefile.ts'

test.each(alerts.map(({ alert, labels }) => [alert, labels!['severity']!] as const))('%s %s has a test for every case', (alert, severity) => {
  expect(missingCases(alert, severity)).toEqual([])
})

test('every recorded series is asked for by a test that expects samples of it', () => {
  const asserted = recordsAsserted()
  const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])))
  expect([...recorded].filter((name) => !asserted.has(name))).toEqual([])
})

test('every recorded series is read by a rule, a page, a runbook or a dashboard', () => {
  const files = ['alerts/runbooks', 'dashboards/generated'].flatMap((folder) => readdirSync(join(ROOT, folder)).filter((name) => /\.(md|json)$/.test(name)).map((name) => readFileSync(join(ROOT, folder, name), 'utf8')))
  const texts = [...files, ...rules.flatMap(({ expr, annotations }) => [expr, ...Object.values(annotations ?? {})])].join('\n')
  const read = new Set([...texts.matchAll(/[a-z_]+:[a-z_]+(?::\w+)?/g)].map(([name]) => name))
  const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])))
  expect([...recorded].filter((name) => !read.has(name))).toEqual([])
})

// AgentSuccessRateLow-days.yaml: the same alert, on a clock of its own.
test('every file of tests is of an alert that exists, or of a room', () => {
  const names = new Set(alerts.map(({ alert }) => alert))
  expect(testFiles.map(({ name }) => basename(name, '.yaml').split('-')[0]!).filter((name) => /^[A-Z]/.test(name) && !names.has(name))).toEqual([])
})

test('a name tells its cases and its severity', () => {
  expect(casesOf('below the limit, at the limit (warning): a quarter is allowed')).toEqual({ cases: ['below the limit', 'at the limit'], severity: 'warning' })
  expect(casesOf('fires: it is so: bad')).toEqual({ cases: ['fires'], severity: '' })
  expect(casesOf('the most specific limit wins')).toEqual({ cases: [], severity: '' })
  expect(missingCases('NoSuchAlert', 'critical')).toEqual(['no alerts/tests/NoSuchAlert.yaml'])
})
