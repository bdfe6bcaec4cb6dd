import { expect, test } from 'vitest'
import { Tally } from '../../src/logs/tally.ts'

const MINUTE_MS = 60_000
const told = (tally: Tally, nowMs: number, all = false) => tally.lines(nowMs, all).map(({ metadata }) => `${metadata['tenant_id'] ?? ''}: ${metadata['succeeded']} ${metadata['failed']}`)

test('a tenant that fails is told of each time, with its successes since the last time', () => {
  const tally = new Tally()
  tally.count('acme', true, 1, 0)
  tally.count('acme', false, 3, 0)
  tally.count('', false, 1, 0)
  expect(told(tally, 10_000)).toEqual(['acme: 1 3', ': 0 1'])
  expect(told(tally, 20_000)).toEqual([])
  tally.count('acme', true, 2, 25_000)
  expect(told(tally, 30_000)).toEqual(['acme: 2 0'])
})

test('a tenant that is well here is told of every five minutes, because another bridge may see its failures', () => {
  const tally = new Tally()
  tally.count('globex', true, 1, 0)
  expect(told(tally, MINUTE_MS)).toEqual([])
  tally.count('globex', true, 1, 4 * MINUTE_MS)
  expect(told(tally, 5 * MINUTE_MS)).toEqual(['globex: 2 0'])
  tally.count('globex', true, 1, 6 * MINUTE_MS)
  expect(told(tally, 9 * MINUTE_MS)).toEqual([])
  expect(told(tally, 9 * MINUTE_MS, true)).toEqual(['globex: 1 0'])
})

test('the line is JSON beside the metadata that the rule adds up', () => {
  const tally = new Tally()
  tally.count('acme', false, 1, 0)
  expect(tally.lines(1)).toEqual([{
    stream: { event: 'tally' }, timeMs: 1, text: '{"tenant_id":"acme","succeeded":0,"failed":1}', metadata: { tenant_id: 'acme', succeeded: '0', failed: '1', level: 'info' },
  }])
})

test('tenants past the limit are counted, until idle ones have made room', () => {
  const tally = new Tally()
  for (let i = 0; i < 20_001; i++) tally.count(`t${i}`, true, 1, 0)
  expect(tally.overflowed).toBe(1)
  expect(tally.lines(5 * MINUTE_MS)).toHaveLength(20_000)
  expect(tally.lines(10 * MINUTE_MS)).toHaveLength(0)
  tally.count('late', false, 1, 10 * MINUTE_MS)
  expect(told(tally, 10 * MINUTE_MS)).toEqual(['late: 0 1'])
})
