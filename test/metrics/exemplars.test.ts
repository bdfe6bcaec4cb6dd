import { describe, expect, test } from 'vitest'
import { SeriesStore } from '../../src/metrics/store.ts'
import { StringTable } from '../../src/spans/strings.ts'

const MINUTE_MS = 60_000

function storeWith(options: ConstructorParameters<typeof SeriesStore>[1] = {}): SeriesStore {
  return new SeriesStore(new StringTable(), options)
}

/** A trace id that ends in `n`. */
function idOf(n: number): string {
  return n.toString(16).padStart(32, '0')
}

describe('the exemplar of a bucket', () => {
  test('is the trace, the value and the time that were given', () => {
    const family = storeWith().family('agent_request_duration_seconds')
    const row = family.at(2)
    family.exemplar(row, 0.4, 0x0af76519, 0x16cd43dd, 0x8448eb21 | 0, 0x1c80319c, 1234, 'last')
    expect(family.exemplarOf(row, 7)).toEqual({ traceId: '0af7651916cd43dd8448eb211c80319c', value: 0.4, timestampMs: 1234 })
    expect(family.exemplarOf(row, 6)).toBeUndefined()
  })

  const offers = [
    ['a larger value of the same bucket', [0.35, 'last', 0], [0.45, 'last', 1], true],
    ['not a smaller one', [0.45, 'last', 0], [0.35, 'last', 1], false],
    ['an error, though smaller', [0.45, 'slow', 0], [0.35, 'error', 1], true],
    ['not a success over an error', [0.35, 'error', 0], [0.45, 'slow', 1], false],
    ['the later of equals', [0.4, 'last', 0], [0.4, 'last', 1], true],
    ['anything after five minutes', [0.45, 'error', 0], [0.35, 'last', 5 * MINUTE_MS + 1], true],
    ['not before five minutes', [0.45, 'error', 0], [0.35, 'last', 5 * MINUTE_MS], false],
  ] as const

  test.each(offers)('becomes %s', (_, first, second, replaced) => {
    const family = storeWith().family('agent_request_duration_seconds')
    const row = family.at(2)
    family.exemplar(row, first[0], 0, 0, 0, 1, first[2], first[1])
    family.exemplar(row, second[0], 0, 0, 0, 2, second[2], second[1])
    expect(family.exemplarOf(row, 7)?.traceId).toBe(idOf(replaced ? 2 : 1))
  })

  test('is kept for each bucket of each series apart, as rows grow', () => {
    const family = storeWith().family('agent_request_duration_seconds')
    for (let i = 0; i < 500; i++) for (const value of [0.004, 0.4, 9999]) family.exemplar(family.at(i), value, 0, 0, value === 0.4 ? 1 : 0, i, 0, 'last')
    for (let i = 0; i < 500; i++) {
      expect([0, 7, 22].map((bucket) => family.exemplarOf(family.at(i), bucket)?.value)).toEqual([0.004, 0.4, 9999])
      expect(family.exemplarOf(family.at(i), 0)?.traceId).toBe(idOf(i))
    }
  })
})

test('a counter has one exemplar a series', () => {
  const family = storeWith().family('agent_root_causes_total')
  for (let i = 2; i < 5; i++) family.exemplar(family.at(i), 1, 0, 0, 0, i, 0, 'error')
  expect([2, 3, 4].map((i) => family.exemplarOf(family.at(i))?.traceId)).toEqual([2, 3, 4].map(idOf))
})

test('a metric that shows none keeps none', () => {
  const store = storeWith()
  const family = store.family('agent_tokens_total')
  family.exemplar(family.at(2), 1, 0, 0, 0, 1, 0, 'error')
  expect([family.exemplarOf(0), store.exemplars.size]).toEqual([undefined, 0])
})

describe('their number is limited', () => {
  test('over all metrics; what finds no room is counted', () => {
    const store = storeWith({ exemplarLimit: 10 })
    const [causes, durations] = [store.family('agent_root_causes_total'), store.family('agent_request_duration_seconds')]
    for (let i = 0; i < 8; i++) causes.exemplar(causes.at(i), 1, 0, 0, 0, i, 0, 'error')
    for (let i = 0; i < 8; i++) durations.exemplar(durations.at(i), 1, 0, 0, 0, i, 0, 'error')
    expect([store.exemplars.size, store.exemplars.dropped]).toEqual([10, 6])
  })

  test('a full pool gives the place of an old one to a new one, and the old one is gone', () => {
    const store = storeWith({ exemplarLimit: 2 })
    const family = store.family('agent_root_causes_total')
    for (let i = 0; i < 2; i++) family.exemplar(family.at(i), 1, 0, 0, 0, i, 0, 'error')
    family.exemplar(family.at(2), 1, 0, 0, 0, 2, 6 * MINUTE_MS, 'last')
    expect([0, 1, 2].map((i) => family.exemplarOf(family.at(i))?.traceId)).toEqual([undefined, idOf(1), idOf(2)])
    expect([store.exemplars.size, store.exemplars.dropped]).toEqual([2, 0])
  })

  test('an expired series gives its places back, and the next in its row has none', () => {
    const store = storeWith({ exemplarLimit: 3, expireAfterSeconds: 10 })
    const family = store.family('agent_request_duration_seconds')
    for (const value of [0.1, 1, 10]) family.exemplar(family.at(2), value, 0, 0, 0, 1, 0, 'error')
    store.expire(10)
    expect(store.exemplars.size).toBe(0)
    const row = family.at(3)
    expect(Array.from({ length: 23 }, (_, i) => family.exemplarOf(row, i))).toEqual(Array(23).fill(undefined))
    for (const value of [0.1, 1, 10]) family.exemplar(row, value, 0, 0, 0, 2, 0, 'error')
    expect([store.exemplars.size, store.exemplars.dropped]).toEqual([3, 0])
  })

  test('none at all is a limit too', () => {
    const store = storeWith({ exemplarLimit: 0 })
    const family = store.family('agent_root_causes_total')
    family.exemplar(family.at(2), 1, 0, 0, 0, 1, 0, 'error')
    expect([family.exemplarOf(0), store.exemplars.dropped]).toEqual([undefined, 1])
  })
})
