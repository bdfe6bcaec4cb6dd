import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeriesStore } from '../../src/metrics/store.ts'
import { OVERFLOW, StringTable } from '../../src/spans/strings.ts'

const EXPIRE_AFTER_SECONDS = 10
const BOUNDS = [1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 500, Infinity] // agent_context_messages

const labels = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('observe' as const), labels, value: fc.integer({ min: 0, max: 600 }), weight: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
)

interface Model { counts: number[]; sum: number; touched: number }

test('the store is a map from labels to histograms, with expiry', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const store = new SeriesStore(new StringTable({ capacity: 16 }), { expireAfterSeconds: EXPIRE_AFTER_SECONDS })
      const family = store.family('agent_context_messages')
      const model = new Map<string, Model>()
      let now = 100
      store.tick(now)
      for (const s of steps) {
        if (s.kind === 'wait') store.tick((now += s.seconds))
        else if (s.kind === 'expire') {
          const gone = [...model].filter(([, series]) => series.touched <= now - EXPIRE_AFTER_SECONDS)
          for (const [key] of gone) model.delete(key)
          expect(store.expire(now)).toBe(gone.length)
        } else {
          family.observe(family.at(...s.labels), s.value, s.weight)
          const key = s.labels.join()
          const series = model.get(key) ?? { counts: BOUNDS.map(() => 0), sum: 0, touched: 0 }
          series.counts[BOUNDS.findIndex((bound) => s.value <= bound)]! += s.weight
          series.sum += s.value * s.weight
          series.touched = now
          model.set(key, series)
        }
      }
      expect(family.size).toBe(model.size)
      for (let a = 0; a <= 40; a++) {
        for (let b = 0; b <= 40; b++) {
          const row = family.find(a, b)
          const series = model.get(`${a},${b}`)
          if (series === undefined) expect(row).toBe(-1)
          else expect([BOUNDS.map((_, i) => family.bucket(row, i)), family.value(row)]).toEqual([series.counts, series.sum])
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('whatever overflows, the sum by tenant and outcome stays what was added', () => {
  const request = fc.record({ tenant: fc.integer({ min: 2, max: 12 }), agent: fc.integer({ min: 2, max: 400 }), outcome: fc.integer({ min: 500, max: 502 }) })
  fc.assert(
    fc.property(fc.array(request, { minLength: 100, maxLength: 600 }), (requests) => {
      const store = new SeriesStore(new StringTable({ capacity: 1024 }), { seriesLimit: 20 })
      const family = store.family('agent_requests_total')
      const added = new Map<string, number>()
      for (const { tenant, agent, outcome } of requests) {
        family.add(family.at(tenant, 3, agent, outcome), 1)
        added.set(`${tenant} ${outcome}`, (added.get(`${tenant} ${outcome}`) ?? 0) + 1)
      }
      const kept = new Map<string, number>()
      for (let row = 0; row < family.rows; row++) {
        const key = `${family.label(row, 0)} ${family.label(row, 3)}`
        kept.set(key, (kept.get(key) ?? 0) + family.value(row))
      }
      expect(kept).toEqual(added)
      expect(family.overflowed).toBeGreaterThan(0)
      expect(Array.from({ length: family.rows }, (_, row) => family.label(row, 2))).toContain(OVERFLOW)
    }),
    { numRuns: 50 },
  )
})
