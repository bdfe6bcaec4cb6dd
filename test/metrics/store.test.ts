import { describe, expect, test } from 'vitest'
import { METRICS, type MetricName } from '../../src/metrics/catalogue.ts'
import { SeriesStore } from '../../src/metrics/store.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { HOSTILE_VALUES } from './hostile.ts'

function storeWith(options: ConstructorParameters<typeof SeriesStore>[1] = {}): { store: SeriesStore; id: (text: string) => number } {
  const strings = new StringTable()
  return { store: new SeriesStore(strings, options), id: (text) => strings.internText(text) }
}

describe('series are told apart by every label', () => {
  test('values that read alike when joined are different series', () => {
    const { store, id } = storeWith()
    const family = store.family('agent_unpriced_calls_total')
    const one = family.at(id('x,b:y'), id('z'))
    const other = family.at(id('x'), id('y,b:z'))
    family.add(one, 1)
    family.add(other, 2)
    expect(one).not.toBe(other)
    expect([family.value(one), family.value(other), family.size]).toEqual([1, 2, 2])
  })

  test.each([0, 2, 4])('every pair of hostile values as labels %d and next has its own series and its own count', (column) => {
    const { store, id } = storeWith({ tenantShare: 1 })
    const family = store.family('agent_cost_usd_total')
    const pairs = HOSTILE_VALUES.flatMap((a) => HOSTILE_VALUES.map((b) => [a, b] as const))
    const at = ([a, b]: readonly [string, string]): number => family.at(...Array<number>(column).fill(0), id(a), id(b))
    pairs.forEach((pair, i) => family.add(at(pair), i))
    expect(family.size).toBe(HOSTILE_VALUES.length ** 2)
    expect(pairs.map((pair) => family.value(at(pair)))).toEqual(pairs.map((_, i) => i))
  })

  test('the place of a value matters', () => {
    const { store, id } = storeWith()
    const family = store.family('agent_errors_total')
    const rows = [0, 1, 2, 3, 4, 5].map((i) => family.at(...[0, 1, 2, 3, 4, 5].map((j) => (i === j ? id('x') : 0))))
    expect(new Set(rows).size).toBe(6)
  })

  test('a label more than the metric has is refused', () => {
    const { store } = storeWith()
    expect(() => store.family('agent_unpriced_calls_total').at(2, 3, 4)).toThrow('cannot make a series of agent_unpriced_calls_total: more than its 2 labels')
  })

  test('a metric that is not in the catalogue is refused', () => {
    expect(() => storeWith().store.family('up' as MetricName)).toThrow('cannot find metric up')
  })
})

describe('values', () => {
  const { store } = storeWith()

  test('a histogram counts a value in the first bucket that is not below it', () => {
    const family = store.family('agent_request_duration_seconds')
    const bounds = METRICS.agent_request_duration_seconds.buckets!
    for (const [i, bound] of bounds.entries()) {
      const row = family.at(10, i)
      family.observe(row, bound)
      family.observe(row, bound * 1.0001)
      expect([family.bucket(row, i), family.bucket(row, i + 1)], `bound ${bound}`).toEqual([1, 1])
    }
    const row = family.at(11)
    family.observe(row, 0)
    family.observe(row, 1e9)
    expect([family.bucket(row, 0), family.bucket(row, bounds.length), family.count(row)]).toEqual([1, 1, 2])
  })

  test('a weight multiplies count and sum', () => {
    const family = store.family('agent_context_messages')
    const row = family.at(20)
    family.observe(row, 3, 2.5)
    family.observe(row, 100)
    expect([family.count(row), family.value(row)]).toEqual([3.5, 107.5])
  })

  test('a late part adds to the sum and not to the count', () => {
    const family = store.family('agent_request_cost_usd')
    const row = family.at(20)
    family.observe(row, 0.25)
    family.addSum(row, 0.5)
    expect([family.count(row), family.value(row)]).toEqual([1, 0.75])
  })

  test('the same amounts in the same order give the same sum to the last digit', () => {
    const counter = store.family('agent_cost_usd_total')
    const histogram = store.family('agent_request_cost_usd')
    const [a, b] = [counter.at(30), histogram.at(30)]
    for (let i = 1; i <= 1000; i++) {
      counter.add(a, 0.1 / i)
      histogram.observe(b, 0.1 / i)
    }
    expect(counter.value(a)).toBe(histogram.value(b))
  })

  test.each([NaN, -1, -Infinity, Infinity])('%d is refused and counted', (value) => {
    const { store } = storeWith()
    const [counter, histogram, gauge] = [store.family('agent_requests_total'), store.family('agent_steps_per_request'), store.family('agent_objective')]
    counter.add(counter.at(2), value)
    histogram.observe(histogram.at(2), value)
    histogram.observe(histogram.at(2), 1, value)
    histogram.addSum(histogram.at(2), value)
    gauge.set(gauge.at(2), value)
    expect([counter.value(0), histogram.value(0), histogram.count(0)]).toEqual([0, 0, 0])
    expect(gauge.value(0)).toBe(value === -1 ? -1 : 0) // a gauge may be below zero
    expect([counter.invalid, histogram.invalid, gauge.invalid]).toEqual([1, 3, value === -1 ? 0 : 1])
  })
})

describe('expiry', () => {
  test('frees what was not touched, keeps what was, and starts anew from zero', () => {
    const { store } = storeWith({ expireAfterSeconds: 100 })
    const family = store.family('agent_request_duration_seconds')
    store.tick(1000)
    for (let i = 2; i < 1002; i++) family.observe(family.at(i), 1)
    store.tick(1050)
    for (let i = 2; i < 1002; i += 2) family.at(i)
    expect(store.expire(1099)).toBe(0)
    expect(store.expire(1100)).toBe(500)
    expect([family.size, store.expired]).toEqual([500, 500])
    for (let i = 2; i < 1002; i++) expect(family.find(i) >= 0, `series ${i}`).toBe(i % 2 === 0)
    const again = family.at(3)
    expect([family.count(again), family.value(again)]).toEqual([0, 0])
    expect(family.count(family.find(2))).toBe(1)
    expect(family.rows).toBe(1000) // in a row that was freed
  })

  test('looks at a bounded number of rows a call and at all of them over some calls', () => {
    const { store } = storeWith({ expireAfterSeconds: 100 })
    for (const name of ['agent_tokens_total', 'agent_errors_total', 'agent_context_messages'] as const) {
      const family = store.family(name)
      for (let i = 0; i < 15_000; i++) family.at(i)
    }
    const freed = [store.expire(1000), store.expire(1000), store.expire(1000), store.expire(1000)]
    expect(Math.max(...freed)).toBeLessThanOrEqual(20_000)
    expect(freed.reduce((a, b) => a + b)).toBe(45_000)
    expect(store.families.every((family) => family.size === 0)).toBe(true)
  })

  test('gives its room back', () => {
    const { store } = storeWith({ seriesLimit: 8, tenantShare: 0.25, expireAfterSeconds: 100 })
    const family = store.family('agent_requests_total')
    for (let i = 10; i < 13; i++) family.at(5, 0, i)
    expect(store.overflowed.agent_requests_total).toBe(1)
    store.expire(100)
    store.tick(100)
    for (let i = 20; i < 22; i++) family.at(5, 0, i)
    expect(store.overflowed.agent_requests_total).toBe(1)
  })

  test('of all series leaves no trace in the limits, however often', () => {
    const { store } = storeWith({ seriesLimit: 40, tenantShare: 0.5, expireAfterSeconds: 100 })
    const family = store.family('agent_requests_total')
    const rounds = [1, 2, 3, 4, 5].map((round) => {
      store.tick(round * 1000)
      const before = family.overflowed
      // Past the limits in odd rounds, within them in even ones, so that rows change sides.
      const agents = round % 2 === 1 ? 600 : 10
      for (let agent = 0; agent < agents; agent++) for (const tenant of [7, 8, 9]) family.at(tenant, 0, 1000 + agent + round)
      const seen = [family.overflowed - before, family.size]
      store.expire(round * 1000 + 100)
      return seen
    })
    expect(rounds[0]![0]).toBeGreaterThan(1000)
    expect(rounds).toEqual([rounds[0], [0, 30], rounds[0], [0, 30], rounds[0]])
  })
})

test('strings of live series survive a sweep, those of expired ones do not', () => {
  const strings = new StringTable()
  const store = new SeriesStore(strings, { expireAfterSeconds: 100 })
  const family = store.family('agent_errors_total')
  const keep = ['a', 'b', 'c', 'd', 'e', 'f'].map((text) => strings.internText(text))
  family.at(...keep)
  const size = strings.size
  store.tick(50)
  family.at(...keep)
  strings.sweep((live) => store.markLive(live))
  expect(strings.size).toBe(size)
  store.family('agent_tokens_total').at(strings.internText('gone'))
  store.expire(150)
  strings.sweep((live) => store.markLive(live))
  expect([strings.size, keep.map((id) => family.find(id))]).toEqual([2, keep.map(() => -1)])
})

test('a scrape sees the series of its beginning', () => {
  const { store } = storeWith()
  const family = store.family('agent_tokens_total')
  const before = family.at(2)
  const scrape = store.beginScrape()
  const after = family.at(3)
  expect([family.visible(before, scrape), family.visible(after, scrape)]).toEqual([true, false])
  expect(family.visible(after, store.beginScrape())).toBe(true)
})
