import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Budget, type Entry, type Ledger, type Reservation } from '../../src/quality/judge/budget.ts'
import { openLedger } from '../../src/quality/judge/ledger.ts'

const DAY = 86_400_000
const START = 20_000 * DAY

class Memory implements Ledger {
  readonly days = new Map<number, Map<string, Entry>>()
  read(day: number): Entry[] {
    return [...(this.days.get(day)?.values() ?? [])]
  }
  write(day: number, entry: Entry): void {
    if (!this.days.has(day)) this.days.set(day, new Map())
    this.days.get(day)!.set(entry.tenant, entry)
  }
}

interface Limits { usdPerDay: number; tenantUsdPerDay: number; tenantRequestsPerDay: number }

const budget = (limits: Partial<Limits>, ledger: Ledger = new Memory(), tenants: ConstructorParameters<typeof Budget>[0]['tenants'] = []) =>
  new Budget({ usdPerDay: 10, tenantUsdPerDay: 10, tenantRequestsPerDay: 1000, ...limits, tenants }, ledger)

type Step =
  | { readonly kind: 'reserve'; readonly tenant: string; readonly usd: number }
  /** Of the calls under way the one at this place, which cost this part of what was reserved. */
  | { readonly kind: 'settle'; readonly at: number; readonly part: number }
  /** A process dies: what was under way is never settled, and a new one reads the ledger. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'later'; readonly hours: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('reserve' as const), tenant: fc.constantFrom('a', 'b', 'c'), usd: fc.double({ min: 0, max: 0.7, noNaN: true }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle' as const), at: fc.nat(20), part: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('later' as const), hours: fc.integer({ min: 1, max: 30 }) }) },
)

test('whatever the order of calls, restarts and days: what was paid in a day is never more than its budgets', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 150 }), fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0, max: 2, noNaN: true }), (steps, usdPerDay, tenantUsdPerDay) => {
    const ledger = new Memory()
    let one = budget({ usdPerDay, tenantUsdPerDay }, ledger)
    let nowMs = START
    const underWay: { reservation: Reservation; usd: number }[] = []
    const paid = new Map<string, number>()
    const pay = (day: number, tenant: string, usd: number) => {
      for (const key of [`${day}`, `${day} ${tenant}`]) paid.set(key, (paid.get(key) ?? 0) + usd)
    }
    for (const next of steps) {
      if (next.kind === 'reserve') {
        const reservation = one.reserve(next.tenant, next.usd, nowMs)
        if (typeof reservation !== 'string') underWay.push({ reservation, usd: next.usd })
      } else if (next.kind === 'settle') {
        const [call] = underWay.splice(next.at, 1)
        if (call === undefined) continue
        pay(call.reservation.day, call.reservation.tenant, call.usd * next.part)
        one.settle(call.reservation, call.usd * next.part)
      } else if (next.kind === 'restart') {
        // The dead calls may have been charged in full.
        for (const { reservation, usd } of underWay.splice(0)) pay(reservation.day, reservation.tenant, usd)
        one = budget({ usdPerDay, tenantUsdPerDay }, ledger)
      } else nowMs += next.hours * 3_600_000
    }
    for (const { reservation, usd } of underWay) pay(reservation.day, reservation.tenant, usd)
    for (const [key, usd] of paid) expect(usd).toBeLessThanOrEqual((key.includes(' ') ? Math.min(tenantUsdPerDay, usdPerDay) : usdPerDay) + 1e-9)
  }), { numRuns: 300 })
})

describe('a budget', () => {
  test('lets calls through up to exactly its limit, and again what was reserved and not spent', () => {
    const one = budget({ usdPerDay: 1 })
    const first = one.reserve('a', 0.75, START) as Reservation
    expect(one.reserve('b', 0.25, START)).toMatchObject({ tenant: 'b' })
    expect(one.reserve('b', 0.000001, START)).toBe('budget_usd')
    one.settle(first, 0.5)
    expect(one.usedUsd(START)).toBe(0.75)
    expect(one.reserve('b', 0.25, START)).toMatchObject({ tenant: 'b' })
    expect(one.reserve('b', 0.000001, START)).toBe('budget_usd')
  })

  test('of a tenant is its own, and so is its number of requests', () => {
    const one = budget({ tenantUsdPerDay: 1, tenantRequestsPerDay: 2 }, new Memory(), [{ tenant: 'big', usdPerDay: 3, requestsPerDay: 3 }, { tenant: 'none', usdPerDay: undefined, requestsPerDay: 0 }])
    expect([one.reserve('a', 1, START), one.reserve('a', 0.01, START), one.reserve('b', 1, START)]).toEqual([expect.anything(), 'budget_tenant_usd', expect.anything()])
    expect([one.reserve('big', 3, START), one.reserve('big', 0.01, START)]).toEqual([expect.anything(), 'budget_tenant_usd'])
    expect(Array.from({ length: 4 }, () => one.admit('a', START))).toEqual([undefined, undefined, 'budget_tenant_requests', 'budget_tenant_requests'])
    expect(Array.from({ length: 4 }, () => one.admit('big', START))).toEqual([undefined, undefined, undefined, 'budget_tenant_requests'])
    expect(one.admit('none', START)).toBe('budget_tenant_requests')
  })

  test('is a new one each day, and no other when the clock is set back', () => {
    const one = budget({ usdPerDay: 1 })
    one.reserve('a', 1, START + DAY - 1)
    expect(one.reserve('a', 1, START + DAY - 1)).toBe('budget_usd')
    expect(one.reserve('a', 1, START + DAY)).toMatchObject({ day: 20_001 })
    expect(one.reserve('a', 1, START)).toBe('budget_usd')
  })

  test('an endpoint that tells of more than could be is believed, and nothing more is asked of it', () => {
    const one = budget({ usdPerDay: 1 })
    one.settle(one.reserve('a', 0.25, START) as Reservation, 1.5)
    expect(one.usedUsd(START)).toBe(1.5)
    expect(one.reserve('a', 0, START)).toBe('budget_usd')
  })

  test('a call that ends after midnight is paid by the day that it began in', () => {
    const one = budget({ usdPerDay: 1 })
    const late = one.reserve('a', 1, START + DAY - 1) as Reservation
    expect(one.reserve('a', 1, START + DAY)).toMatchObject({ day: 20_001 })
    one.settle(late, 0)
    expect(one.usedUsd(START + DAY)).toBe(1)
  })

  test('a price that is no number, or endless, is no price', () => {
    const one = budget({})
    expect([one.reserve('a', NaN, START), one.reserve('a', Infinity, START)]).toEqual(['budget_usd', 'budget_usd'])
  })

  test('tenants past the limit of what is remembered share one budget', () => {
    const one = budget({ usdPerDay: 1e6, tenantUsdPerDay: 1 })
    for (let i = 0; i < 10_000; i++) one.reserve(`t${i}`, 1, START)
    expect(one.reserve('late', 1, START)).toMatchObject({ tenant: '__overflow__' })
    expect(one.reserve('later', 1, START)).toBe('budget_tenant_usd')
  })
})

test('a file of it that is damaged stops the start with its name: with none, each start would spend anew', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanbridge-ledger-'))
  const file = join(folder, 'judge.db')
  const ledger = openLedger(file)
  for (let day = 0; day < 2000; day++) ledger.write(START / DAY + day, { tenant: 'acme', requests: 1, nanos: 5 })
  ledger.close()
  const bytes = readFileSync(file)
  bytes.fill(0xff, bytes.length / 2)
  writeFileSync(file, bytes)
  expect(() => openLedger(file)).toThrow(new RegExp(`^cannot open the database of what judging costs ${file}: .*(damaged|malformed)`))
  rmSync(folder, { recursive: true })
})
