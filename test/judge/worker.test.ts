import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PriceBook } from '../../src/cost/prices.ts'
import { Breaker } from '../../src/quality/judge/breaker.ts'
import { Budget } from '../../src/quality/judge/budget.ts'
import { JudgeCounts } from '../../src/quality/judge/counts.ts'
import { CallFailed, type CallFailure, type Reply } from '../../src/quality/judge/provider.ts'
import { judge, type Outcome, type WorkerOptions } from '../../src/quality/judge/worker.ts'
import { caseWith } from './cases.ts'

const NOW = Date.UTC(2026, 10, 24)
const usage = { input: 1000, cachedInput: 0, cacheWrite: 0, output: 100 }
const good: Reply = { usage, mark: { value: 0.75, reason: 'good' } }
const failure = (some: Partial<CallFailure>): CallFailure => ({ error: '5xx', retryable: true, charged: false, retryAfterMs: undefined, message: 'HTTP 503', ...some })
type Answer = Reply | CallFailure

/** A judge that gives these answers one after the other, then good ones. */
function setUp(answers: Answer[], some: Partial<WorkerOptions> & { usdPerDay?: number } = {}) {
  const prices = new PriceBook()
  const counts = new JudgeCounts()
  const told: (string | undefined)[] = []
  const { usdPerDay = 10, ...rest } = some
  const budget = new Budget({ usdPerDay, tenantUsdPerDay: 100, tenantRequestsPerDay: 100, tenants: [] }, { read: () => [], write: () => {} })
  const options: WorkerOptions = {
    provider: { evaluator: 'judge/test@1', prepare: () => ({
      text: '', bytes: 4000,
      send: async () => {
        const answer = answers.shift() ?? good
        if ('error' in answer) throw new CallFailed(answer)
        return answer
      },
    }) },
    redact: { builtIn: true, patterns: [], hook: undefined }, budget, counts,
    breaker: new Breaker({ failures: 5, openMs: 20, longestOpenMs: 100 }),
    price: (atMs) => prices.modelPrice('anthropic', 'claude-opus-4-7', atMs),
    maxTokens: 1000, timeoutMs: 1000, tries: 4, now: () => NOW + performance.now(),
    // Pauses of a thousandth.
    random: () => -0.999 / 0.5,
    took: () => {}, tell: (message) => told.push(message), ...rest,
  }
  return { options, counts, budget, told }
}
const signals = () => ({ stopping: new AbortController().signal, ended: new AbortController().signal })

describe('one request', () => {
  test('is marked, and paid by what it used', async () => {
    const { options, counts, budget } = setUp([])
    expect(await judge(caseWith(), options, signals())).toEqual({ value: 0.75, reason: 'good' })
    expect(budget.usedUsd(NOW)).toBeCloseTo((1000 * 5 + 100 * 25) / 1e6, 9)
    expect(counts).toMatchObject({ calls: 1, usd: budget.usedUsd(NOW), tokens: { input: 1000, output: 100 } })
  })

  test.each<[string, Answer[], Outcome, Partial<Record<string, number>>, number]>([
    ['what can be tried again is, until there is an answer', [failure({}), failure({ error: '429' }), failure({ error: 'network' })], { value: 0.75, reason: 'good' }, { '5xx': 1, '429': 1, network: 1 }, 4],
    ['four tries are enough', Array.from({ length: 9 }, () => failure({})), 'failed', { '5xx': 4 }, 4],
    ['what cannot be tried again is not', [failure({ error: '4xx', retryable: false })], 'failed', { '4xx': 1 }, 1],
    ['an endpoint that wants more time than a request has is not waited for', [failure({ error: '429', retryAfterMs: 3_600_000 })], 'failed', { '429': 1 }, 1],
    ['a refusal is no mark', [{ usage, mark: 'refusal' }], 'no_mark', { refusal: 1 }, 1],
    ['an answer that cannot be read is no mark', [{ usage, mark: 'malformed' }], 'no_mark', { malformed: 1 }, 1],
    ['a mark that there is not is no mark', [{ usage, mark: 'out_of_range' }], 'no_mark', { out_of_range: 1 }, 1],
  ])('%s', async (_, answers, outcome, errors, calls) => {
    const { options, counts } = setUp([...answers])
    expect(await judge(caseWith(), options, signals())).toEqual(outcome)
    expect(counts.errors).toMatchObject(errors)
    expect(Object.values(counts.errors).reduce((sum, n) => sum + n)).toBe(Object.values(errors).reduce<number>((sum, n) => sum + n!, 0))
    expect(counts.calls).toBe(calls)
  })

  test('what fails without a charge costs nothing; what may have been charged stays reserved at its worst', async () => {
    const { options, budget, counts } = setUp([failure({ retryable: false })])
    await judge(caseWith(), options, signals())
    expect(budget.usedUsd(NOW)).toBe(0)
    const late = setUp([failure({ error: 'timeout', charged: true, retryable: false })])
    await judge(caseWith(), late.options, signals())
    expect(late.budget.usedUsd(NOW)).toBeCloseTo((6000 * 6.25 + 1000 * 25) / 1e6, 9)
    const silent = setUp([{ usage: undefined, mark: 'malformed' }])
    await judge(caseWith(), silent.options, signals())
    expect(silent.budget.usedUsd(NOW)).toBe(late.budget.usedUsd(NOW))
    expect([counts.usd, late.counts.usd, silent.counts.usd]).toEqual([0, 0, 0])
  })

  test('without money for its worst case no call is made', async () => {
    const { options, counts } = setUp([], { usdPerDay: 0.0624 })
    expect(await judge(caseWith(), options, signals())).toBe('budget_usd')
    expect(counts.calls).toBe(0)
    const enough = setUp([], { usdPerDay: 0.0625 })
    expect(await judge(caseWith(), enough.options, signals())).toMatchObject({ value: 0.75 })
  })

  test('without a price no call is made', async () => {
    const { options, counts } = setUp([], { price: () => undefined })
    expect(await judge(caseWith(), options, signals())).toBe('unpriced')
    expect(counts.calls).toBe(0)
  })

  test('whose redaction fails is neither sent nor paid', async () => {
    const { options, counts, budget } = setUp([], { redact: { builtIn: true, patterns: [], hook: () => { throw new Error('no') } } })
    expect(await judge(caseWith(), options, signals())).toBe('redaction_failed')
    expect([counts.calls, budget.usedUsd(NOW)]).toEqual([0, 0])
  })
})

test('a book that cannot be written, or a bug of an SDK, is the failure of one request, and no call is made that is not in the book', async () => {
  const full = new Budget({ usdPerDay: 1, tenantUsdPerDay: 1, tenantRequestsPerDay: 1, tenants: [] }, { read: () => [], write: () => { throw new Error('database or disk is full') } })
  const { options, counts, told } = setUp([])
  expect(await judge(caseWith(), { ...options, budget: full }, signals())).toBe('failed')
  expect([counts.calls, told]).toEqual([0, ['database or disk is full']])
  const odd = setUp([], { provider: { evaluator: 'e', prepare: () => ({ text: '', bytes: 1, send: () => Promise.reject(new TypeError('not a function')) }) } })
  expect(await judge(caseWith(), odd.options, signals())).toBe('failed')
  expect(odd.budget.usedUsd(NOW)).toBeGreaterThan(0)
})

describe('many at once', () => {
  const answer = fc.oneof(
    { weight: 3, arbitrary: fc.record({ input: fc.nat(6000), output: fc.nat(1000) }).map(({ input, output }): Answer => ({ usage: { input, output, cachedInput: 0, cacheWrite: 0 }, mark: { value: 1, reason: '' } })) },
    fc.constantFrom<Answer>({ usage: undefined, mark: 'malformed' }, failure({ retryable: false }), failure({ error: 'timeout', charged: true, retryable: false })),
  )

  test('never cost more than the day has, in whatever order they end', async () => {
    await fc.assert(fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 30 }), fc.double({ min: 0.05, max: 0.5, noNaN: true }), fc.scheduler(), async (answers, usdPerDay, scheduler) => {
      const { options, budget } = setUp([], { usdPerDay })
      let paid = 0
      let underWay = 0
      const send = async (one: Answer): Promise<Reply> => {
        const worst = (6000 * 6.25 + 1000 * 25) / 1e6
        underWay += worst
        // All calls under way at their worst, beside what is paid: the most that can still come of it.
        expect(paid + underWay).toBeLessThanOrEqual(usdPerDay + 1e-7)
        await scheduler.schedule(Promise.resolve())
        underWay -= worst
        if ('error' in one) {
          if (one.charged) paid += worst
          throw new CallFailed(one)
        }
        paid += one.usage === undefined ? worst : (one.usage.input * 5 + one.usage.output * 25) / 1e6
        return one
      }
      const all = Promise.all(answers.map((one) => judge(caseWith(), { ...options, provider: { evaluator: 'e', prepare: () => ({ text: '', bytes: 4000, send: () => send(one) }) } }, signals())))
      await scheduler.waitFor(all)
      expect(paid).toBeLessThanOrEqual(usdPerDay + 1e-7)
      expect(budget.usedUsd(NOW)).toBeGreaterThanOrEqual(paid - 1e-7)
    }), { numRuns: 60 })
  })
})

describe('at the end', () => {
  test('each is tried once more and not waited for, and after the limit not even that', async () => {
    const stopping = AbortSignal.abort()
    const { options, counts } = setUp([failure({}), good])
    expect(await judge(caseWith(), options, { stopping, ended: new AbortController().signal })).toBe('failed')
    expect(await judge(caseWith(), options, { stopping, ended: new AbortController().signal })).toMatchObject({ value: 0.75 })
    expect(await judge(caseWith(), options, { stopping, ended: AbortSignal.abort() })).toBe('shutdown')
    expect(counts.calls).toBe(2)
  })

  test('nobody waits for a breaker that is open', async () => {
    const { options } = setUp([])
    options.breaker.fail(options.now(), 60_000)
    expect(await judge(caseWith(), options, { stopping: AbortSignal.abort(), ended: new AbortController().signal })).toBe('shutdown')
  })
})
