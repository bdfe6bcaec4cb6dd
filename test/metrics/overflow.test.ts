import { describe, expect, test } from 'vitest'
import { METRICS } from '../../src/metrics/catalogue.ts'
import type { Family } from '../../src/metrics/family.ts'
import { overflowSteps } from '../../src/metrics/overflow.ts'
import { SeriesStore } from '../../src/metrics/store.ts'
import { OVERFLOW, StringTable } from '../../src/spans/strings.ts'

function storeWith(options: ConstructorParameters<typeof SeriesStore>[1]): SeriesStore {
  return new SeriesStore(new StringTable(), options)
}

function labelsOf(family: Family, row: number): number[] {
  return family.definition.labels.map((_, i) => family.label(row, i))
}

describe('past the limit', () => {
  test('a new name is counted under __overflow__, an old one under its own', () => {
    const family = storeWith({ seriesLimit: 3 }).family('agent_tokens_total')
    const old = [10, 11, 12].map((name) => family.at(2, 3, name, 4))
    const overflow = family.at(2, 3, 13, 4)
    expect(labelsOf(family, overflow)).toEqual([2, 3, OVERFLOW, 4])
    expect(family.at(2, 3, 14, 4)).toBe(overflow)
    expect([10, 11, 12].map((name) => family.at(2, 3, name, 4))).toEqual(old)
    expect(family.overflowed).toBe(2)
  })

  test('a flood of another label ends in series of tenant and outcome', () => {
    const family = storeWith({ seriesLimit: 100 }).family('agent_requests_total')
    let row = 0
    for (let i = 0; i < 10_000; i++) row = family.at(2, 10_000 + i, 3, 4)
    expect(labelsOf(family, row)).toEqual([2, OVERFLOW, OVERFLOW, 4])
    expect(labelsOf(family, family.at(2, 9, 3, 5))).toEqual([2, OVERFLOW, OVERFLOW, 5])
  })

  test('a flood of tenants ends in one series an outcome; tenants known before keep theirs', () => {
    const family = storeWith({ seriesLimit: 100 }).family('agent_requests_total')
    for (let i = 0; i < 300; i++) family.at(7, 8, 10_000 + i, 4)
    for (let i = 0; i < 100_000; i++) family.add(family.at(100_000 + i, 8, 9, 4 + (i & 1)), 1)
    expect(labelsOf(family, family.at(900_001, 8, 9, 4))).toEqual([OVERFLOW, OVERFLOW, OVERFLOW, 4])
    expect(labelsOf(family, family.at(900_001, 8, 9, 5))).toEqual([OVERFLOW, OVERFLOW, OVERFLOW, 5])
    expect(labelsOf(family, family.at(7, 8, 900_000, 4))[0]).toBe(7)
    let sum = 0
    for (let r = 0; r < family.rows; r++) sum += family.value(r)
    expect(sum).toBe(100_000)
  })

  test('whatever comes, the number of series is bounded', () => {
    const family = storeWith({ seriesLimit: 100 }).family('agent_root_causes_total')
    const steps = overflowSteps(METRICS.agent_root_causes_total, 100)
    for (let i = 0; i < 200_000; i++) family.add(family.at(i * 6, i * 6 + 1, i * 6 + 2, i * 6 + 3, i * 6 + 4, i * 6 + 5), 1)
    expect(family.size).toBeLessThanOrEqual(100 + steps[2]!.room + 1)
    expect(family.overflowed).toBe(200_000 - 100)
  })
})

describe('one tenant', () => {
  test('past its share leaves the others their room', () => {
    const family = storeWith({ seriesLimit: 100, tenantShare: 0.25 }).family('agent_cost_usd_total')
    for (let name = 1000; name < 1050; name++) family.at(2, 0, 0, 0, name)
    expect(family.overflowed).toBe(25)
    for (const tenant of [3, 4, 5]) for (let name = 1000; name < 1025; name++) family.at(tenant, 0, 0, 0, name)
    expect(family.overflowed).toBe(25)
    expect(labelsOf(family, family.at(2, 0, 0, 0, 1049))).toEqual([2, 0, 0, 0, OVERFLOW, 0])
  })

  test('a metric without a tenant knows no share', () => {
    const family = storeWith({ seriesLimit: 100, tenantShare: 0.25 }).family('agent_tokens_total')
    for (let name = 1000; name < 1100; name++) family.at(2, 3, name, 4)
    expect(family.overflowed).toBe(0)
  })

  test('spans without a tenant may use all but one share', () => {
    const family = storeWith({ seriesLimit: 100, tenantShare: 0.25 }).family('agent_cost_usd_total')
    for (let name = 1000; name < 1100; name++) family.at(0, 0, 0, 0, name)
    expect(family.overflowed).toBe(25)
    for (let name = 1000; name < 1025; name++) family.at(2, 0, 0, 0, name)
    expect(family.overflowed).toBe(25)
  })

  test('the tenant of agent_objective, its third label, has a share too', () => {
    const family = storeWith({ seriesLimit: 100, tenantShare: 0.25 }).family('agent_objective')
    for (let agent = 1000; agent < 1050; agent++) family.at(2, agent, 3)
    expect(family.overflowed).toBe(25)
  })
})

test('overflow is told by metric', () => {
  const store = storeWith({ seriesLimit: 1 })
  for (const name of [2, 3, 4]) store.family('agent_tokens_total').at(0, 0, name)
  expect(Object.entries(store.overflowed).filter(([, count]) => count > 0)).toEqual([['agent_tokens_total', 2]])
})
