import { expect, test } from 'vitest'
import { readQuery, secondsOf } from './promql.ts'

test('metrics, labels and functions of a query are found by the grammar', () => {
  const query = readQuery('sum by (tenant_id) (rate(agent_requests_total{outcome=~"a by (b)", x!="{y}"}[5m] offset 1h)) > 1e3 * on (z) group_left (w) a:b:c')
  expect(query.selected).toEqual([{ metric: 'agent_requests_total', labels: ['outcome', 'x'] }, { metric: 'a:b:c', labels: [] }])
  expect(query.labels.toSorted()).toEqual(['outcome', 'tenant_id', 'w', 'x', 'z'])
  expect(query.functions).toEqual(['sum', 'rate'])
})

test('a metric may be named by a matcher, a label by a function', () => {
  expect(readQuery('{__name__="agent_cost_usd_total", step="model"}').selected).toEqual([{ metric: 'agent_cost_usd_total', labels: ['step'] }])
  expect(readQuery('count_values("le", x)').labels).toEqual(['le'])
  expect(readQuery('label_replace(x, "to", "$1", "from", "(.*)")').labels).toEqual(['to', 'from'])
})

test('ranges are told with what they read and, of a subquery, its step', () => {
  expect(readQuery('rate(m[5m]) + max_over_time(a:b:c[30d:1h]) + max_over_time(rate(m[1h30m])[1d:])').ranges).toEqual([
    { seconds: 300, text: '5m', metric: 'm' },
    { seconds: 2_592_000, text: '30d', metric: 'a:b:c', stepSeconds: 3600 },
    { seconds: 86_400, text: '1d', metric: '', stepSeconds: 0 },
    { seconds: 5400, text: '1h30m', metric: 'm' },
  ])
  expect(() => secondsOf('5 minutes')).toThrow('cannot read duration "5 minutes"')
})

test('comparisons are told with their place', () => {
  const expression = 'a > 1 and b >= bool 2 or c{x!="y"} == 3'
  const found = readQuery(expression).comparisons
  expect(found.map(({ operator }) => operator).toSorted()).toEqual(['==', '>', '>='])
  expect(found.map(({ from, to }) => expression.slice(from, to))).toEqual(found.map(({ operator }) => operator))
})

test('what is not PromQL is an error that shows the place', () => {
  expect(() => readQuery('sum(rate(m[5m])')).toThrow(/^cannot read "sum\(rate\(m\[5m\]\)"/)
  expect(() => readQuery('')).toThrow('cannot read ""')
})
