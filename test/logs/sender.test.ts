import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LogCounts } from '../../src/logs/counts.ts'
import type { LogLine } from '../../src/logs/line.ts'
import { push, type LokiEndpoint } from '../../src/logs/push.ts'
import { LineQueue } from '../../src/logs/queue.ts'
import { Sender, type SenderOptions } from '../../src/logs/sender.ts'
import { fakeLoki, type FakeLoki } from './fakeloki.ts'

let loki: FakeLoki
let counts: LogCounts
const senders: Sender[] = []
const words: string[] = []

beforeEach(async () => {
  loki = await fakeLoki()
  counts = new LogCounts()
  words.length = 0
})
afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.stop(0)))
  await loki.stop()
})

function sender({ queueBytes = 1 << 20, endpoint = {}, ...options }: Partial<SenderOptions> & { queueBytes?: number; endpoint?: Partial<LokiEndpoint> } = {}): Sender {
  const queue = new LineQueue(queueBytes, { cluster: 'eu' }, counts)
  const at = { url: loki.url, tenant: undefined, user: undefined, ...endpoint }
  const made = new Sender({ queue, counts, push: (body, ended) => push(at, body, ended), tell: (message) => words.push(message), batchWaitMs: 10, firstPauseMs: 1, ...options })
  senders.push(made)
  return made
}

const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({ stream: { event: 'request', outcome: 'error' }, timeMs: 1_700_000_000_123, text, metadata: { tenant_id: 'acme' }, ...more })
const texts = () => loki.lines.map(({ text }) => text)
const taken = (lines: number) => vi.waitUntil(() => counts.lines === lines, { timeout: 10_000, interval: 2 })

describe('lines reach Loki', () => {
  test('in their order, with their labels and metadata, after the batch has waited', async () => {
    const to = sender()
    for (const text of ['{"a":1}', 'b']) to.add(line(text))
    to.add(line('c', { stream: { event: 'tally' }, metadata: {} }))
    await taken(3)
    expect(loki.headers).toHaveLength(1)
    expect(loki.lines.map(({ labels, metadata }) => [labels, metadata])).toEqual([
      [{ service_name: 'spanbridge', cluster: 'eu', event: 'request', outcome: 'error' }, { tenant_id: 'acme' }],
      [{ service_name: 'spanbridge', cluster: 'eu', event: 'request', outcome: 'error' }, { tenant_id: 'acme' }],
      [{ service_name: 'spanbridge', cluster: 'eu', event: 'tally' }, {}],
    ])
    expect(texts()).toEqual(['{"a":1}', 'b', 'c'])
    // Lines of one millisecond keep their order by the nanoseconds.
    expect(loki.lines[0]!.nanos).toBeLessThan(loki.lines[1]!.nanos)
    expect(loki.lines[1]!.nanos / 1_000_000n).toBe(1_700_000_000_123n)
  })

  test('at once when a batch is full, and in batches no larger', async () => {
    const to = sender({ batchWaitMs: 1_000_000, batchBytes: 1000 })
    for (let i = 0; i < 10; i++) to.add(line(`${i}`.repeat(200)))
    await vi.waitUntil(() => counts.lines >= 6, { timeout: 10_000, interval: 2 })
    expect(loki.headers.length).toBeGreaterThanOrEqual(2)
    await to.stop(1000)
    expect(texts().map((text) => text[0])).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  test('as the tenant and the user that are configured; a new password is taken up', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'spanbridge-loki-'))
    const passwordFile = join(directory, 'password')
    writeFileSync(passwordFile, 'first\n')
    const to = sender({ endpoint: { tenant: 'team-a', user: { name: 'bridge', passwordFile } } })
    to.add(line('a'))
    await taken(1)
    writeFileSync(passwordFile, 'second\n')
    to.add(line('b'))
    await taken(2)
    rmSync(directory, { recursive: true })
    expect(loki.headers.map(({ authorization, 'x-scope-orgid': tenant }) => [tenant, Buffer.from(authorization!.slice(6), 'base64').toString()])).toEqual([['team-a', 'bridge:first'], ['team-a', 'bridge:second']])
  })
})

describe('when Loki does not take them', () => {
  test.each([[429, '429'], [500, '5xx'], [503, '5xx'], [260, 'blocked']] as const)('%i: the same lines are sent again, and a person is told once', async (status, error) => {
    loki.answer({ status, text: 'not now' }, { status, text: 'not now' })
    sender().add(line('a'))
    await taken(1)
    expect(texts()).toEqual(['a'])
    expect(counts.pushErrors[error]).toBe(2)
    expect(words).toEqual([`cannot push to Loki: ${status} not now`, 'Loki takes lines again'])
  })

  test('no sooner than it asks for', async () => {
    loki.answer({ status: 429, headers: { 'Retry-After': '1' } })
    const startMs = performance.now()
    sender().add(line('a'))
    await taken(1)
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(1000)
  })

  test.each([400, 401, 404, 413])('%i: they are dropped, and those behind them go on', async (status) => {
    loki.answer({ status, text: 'no' })
    const to = sender()
    to.add(line('a'))
    await vi.waitUntil(() => counts.dropped.refused === 1, { timeout: 10_000, interval: 2 })
    to.add(line('b'))
    await taken(1)
    expect(texts()).toEqual(['b'])
    expect(counts.pushErrors['4xx']).toBe(1)
  })

  test('an address that it is sent on to gets neither lines nor password', async () => {
    const other = await fakeLoki()
    loki.answer({ status: 307, headers: { Location: `${other.url}/loki/api/v1/push` } })
    sender().add(line('a'))
    await vi.waitUntil(() => counts.dropped.refused === 1, { timeout: 10_000, interval: 2 })
    expect(other.headers).toEqual([])
    await other.stop()
  })

  test('one that cannot be reached gives up a batch in the end', async () => {
    const { url } = loki
    await loki.stop()
    sender({ endpoint: { url }, firstPauseMs: 0.01 }).add(line('a'))
    await vi.waitUntil(() => counts.dropped.undeliverable === 1, { timeout: 10_000, interval: 5 })
    expect(counts.pushErrors.network).toBe(12)
    expect(words).toEqual([expect.stringMatching(/^cannot push to Loki: .*ECONNREFUSED/)])
    loki = await fakeLoki()
  })

  test('lines that wait have a limit: the oldest go, and are counted', async () => {
    const to = sender({ queueBytes: 2000, batchWaitMs: 1_000_000 })
    for (let i = 0; i < 100; i++) to.add(line(`${i}`))
    await to.stop(1000)
    expect(counts.dropped.queue_full + loki.lines.length).toBe(100)
    expect(loki.lines.length).toBeGreaterThan(5)
    expect(texts().at(-1)).toBe('99')
    expect(texts()[0]).toBe(String(counts.dropped.queue_full))
  })
})

describe('at the end', () => {
  test('what waits is sent', async () => {
    const to = sender({ batchWaitMs: 1_000_000 })
    to.add(line('last'))
    await to.stop(1000)
    expect(texts()).toEqual(['last'])
  })

  test('a pause is cut short, each batch is tried once more, and what is left is counted', async () => {
    loki.answer(...Array.from({ length: 5 }, () => ({ status: 503, headers: { 'Retry-After': '30' } })))
    const to = sender({ batchBytes: 100 })
    to.add(line('a'.repeat(100)))
    await vi.waitUntil(() => counts.pushErrors['5xx'] === 1, { timeout: 10_000, interval: 2 })
    to.add(line('b'))
    const startMs = performance.now()
    await to.stop(20_000)
    expect(performance.now() - startMs).toBeLessThan(15_000)
    expect(counts.dropped.shutdown).toBe(2)
  })

  test('a server that does not answer is left after the limit', async () => {
    const to = sender({ batchWaitMs: 1_000_000, push: (_body, ended) => new Promise((resolve) => ended.addEventListener('abort', () => resolve({ error: 'network', retryable: true, retryAfterSeconds: undefined, message: 'ended' }))) })
    to.add(line('a'))
    await to.stop(50)
    expect(counts.dropped.shutdown).toBe(1)
  })
})
