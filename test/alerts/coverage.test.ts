/** No rule without its tests. What the tests are worth is shown by test/real/mutations.test.ts. */
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { casesOf, missingCases, recordsAsserted, testFiles } from './cases.ts'
import { alerts, rules } from './rulefile.ts'

test.each(alerts.map(({ alert, labels }) => [alert, labels!['severity']!] as const))('%s %s has a test for every case', (alert, severity) => {
  expect(missingCases(alert, severity)).toEqual([])
})

test('every recorded series is asked for by a test that expects samples of it', () => {
  const asserted = recordsAsserted()
  const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])))
  expect([...recorded].filter((name) => !asserted.has(name))).toEqual([])
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
