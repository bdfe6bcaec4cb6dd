/** What is said of servers that turn a request away, or cannot be asked. */
import { expect, test } from 'vitest'
import { freePort } from '../../src/web/port.ts'
import { reasonOf, unreachable } from '../../src/web/reach.ts'
import { retryAfterSeconds } from '../../src/web/retry.ts'

const NOW = Date.UTC(2026, 0, 1)

test.each([
  ['17', 17], ['0', 0], ['0.5', 0.5], [' 3 ', 3], [new Date(NOW + 30_000).toUTCString(), 30], [new Date(NOW - 30_000).toUTCString(), 0],
  ['9'.repeat(400), undefined], ['soon', undefined], ['', undefined], [null, undefined], [undefined, undefined],
])('Retry-After: %s', (header, seconds) => {
  expect(retryAfterSeconds(header, NOW)).toBe(seconds)
})

test('the reason of a fetch that failed is what lies under it', async () => {
  const failed = await fetch(`http://127.0.0.1:${await freePort()}`).catch((error: unknown) => error)
  expect((failed as Error).message).toBe('fetch failed')
  expect(reasonOf(failed)).toMatch(/^nobody listens there \(connect ECONNREFUSED 127\.0\.0\.1:\d+\)$/)
  expect(unreachable('Loki', failed, 'start it').message).toMatch(/^cannot reach Loki: nobody listens there .*; start it$/)
})

test('of a name with several addresses, and of what has no cause', () => {
  const refused = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })
  expect(reasonOf(new TypeError('fetch failed', { cause: refused }))).toBe('nobody listens there (ECONNREFUSED)')
  expect(reasonOf(new TypeError('fetch failed', { cause: new Error('other side closed') }))).toBe('other side closed')
  expect(reasonOf(new Error('The operation was aborted due to timeout'))).toBe('The operation was aborted due to timeout')
})
