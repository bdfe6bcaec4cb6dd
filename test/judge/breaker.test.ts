import { expect, test } from 'vitest'
import { pauseMs } from '../../src/quality/judge/backoff.ts'
import { retryAfterMs } from '../../src/quality/judge/call.ts'
import { Breaker } from '../../src/quality/judge/breaker.ts'

const opened = (): Breaker => {
  const breaker = new Breaker({ failures: 3, openMs: 100, longestOpenMs: 350 })
  for (let i = 0; i < 3; i++) {
    expect(breaker.enter(0)).toBe(0)
    breaker.fail(0)
  }
  return breaker
}

test('opens after some failures in a row, and not for as many with a success between', () => {
  const breaker = new Breaker({ failures: 3, openMs: 100, longestOpenMs: 350 })
  for (const [i, ok] of [false, false, true, false, false].entries()) {
    expect(breaker.enter(i)).toBe(0)
    if (ok) breaker.succeed()
    else breaker.fail(i)
  }
  expect(breaker.state(5)).toBe('closed')
  breaker.fail(5)
  expect([breaker.state(5), breaker.enter(5), breaker.enter(105)]).toEqual(['open', 100, 0])
})

test('half-open lets one through; its success closes it, its failure opens it for twice as long, up to a limit', () => {
  const breaker = opened()
  expect([breaker.state(99), breaker.enter(99)]).toEqual(['open', 1])
  expect([breaker.state(100), breaker.enter(100), breaker.enter(100), breaker.state(100)]).toEqual(['half_open', 0, Infinity, 'half_open'])
  breaker.fail(100)
  expect([breaker.state(299), breaker.enter(299), breaker.enter(300)]).toEqual(['open', 1, 0])
  breaker.fail(300)
  expect([breaker.enter(300), breaker.enter(650)]).toEqual([350, 0])
  breaker.fail(650)
  expect(breaker.enter(650)).toBe(350)
  expect(breaker.enter(1000)).toBe(0)
  breaker.succeed()
  expect([breaker.state(1000), breaker.enter(1000), breaker.enter(1000)]).toEqual(['closed', 0, 0])
})

test('a trial that was not made leaves the place to the next one', () => {
  const breaker = opened()
  expect(breaker.enter(100)).toBe(0)
  breaker.leave()
  expect(breaker.enter(100)).toBe(0)
})

test('rests as long as it is asked to, open or not', () => {
  const breaker = new Breaker({ failures: 3, openMs: 100, longestOpenMs: 350 })
  breaker.enter(0)
  breaker.fail(0, 5000)
  expect([breaker.state(1), breaker.enter(1), breaker.enter(5000)]).toEqual(['closed', 4999, 0])
})

test('pauses grow, with jitter, and never end before the endpoint says', () => {
  expect([1, 2, 3, 4, 20].map((tries) => pauseMs(tries, undefined, 0))).toEqual([500, 1000, 2000, 4000, 30_000])
  expect(pauseMs(1, undefined, 0.999)).toBeCloseTo(749.75)
  expect([pauseMs(1, 7000, 0), pauseMs(1, 7000, 0.5), pauseMs(10, 7000, 0)]).toEqual([7000, 8750, 30_000])
})

test('Retry-After is seconds, milliseconds or a date', () => {
  const of = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), Date.UTC(2026, 0, 1))
  expect(of({ 'retry-after': '3' })).toBe(3000)
  expect(of({ 'retry-after': '0.5' })).toBe(500)
  expect(of({ 'retry-after-ms': '250', 'retry-after': '3' })).toBe(250)
  expect(of({ 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT' })).toBe(10_000)
  expect(of({ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' })).toBe(0)
  expect(of({ 'retry-after': 'soon' })).toBeUndefined()
  expect(of({})).toBeUndefined()
})
