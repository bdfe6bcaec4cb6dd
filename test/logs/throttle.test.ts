import { expect, test } from 'vitest'
import { Throttle } from '../../src/logs/throttle.ts'

test('the first of each kind passes whatever the rate, up to a number of kinds; past it the rate decides', () => {
  const throttle = new Throttle(1)
  const admitted = Array.from({ length: 5_000 }, (_, i) => throttle.admit(`kind ${i}`, true, 1, 1000))
  expect(admitted.filter((one) => one !== undefined)).toHaveLength(2_000)
  // One that is not kept track of is told as a first one too, so that whoever looks for it among those finds it.
  expect(throttle.admit('another', true, 3, 10_000)).toEqual({ requests: 3, first: true })
})

test('a minute later the first of a kind passes again, with those that were held back', () => {
  const throttle = new Throttle(1)
  throttle.admit('frequent', true, 1, 0)
  throttle.admit('a', true, 1, 0)
  for (let i = 0; i < 7; i++) expect(throttle.admit('a', true, 2, 0)).toBeUndefined()
  expect(throttle.admit('a', true, 1, 60_000)).toEqual({ requests: 15, first: true })
  expect(throttle.admit('a', true, 1, 61_000)).toEqual({ requests: 1, first: false })
})

test('a clock that goes back neither stops nor floods it', () => {
  const throttle = new Throttle(2)
  for (const nowMs of [100_000, 50_000, 50_001]) throttle.admit('a', true, 1, nowMs)
  expect(throttle.admit('a', true, 1, 50_002)).toBeUndefined()
  expect(throttle.admit('a', true, 1, 52_000)).toBeDefined()
})
