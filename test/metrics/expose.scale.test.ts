import { setImmediate as immediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Exposition } from '../../src/metrics/expose.ts'
import { SeriesStore } from '../../src/metrics/store.ts'
import { StringTable } from '../../src/spans/strings.ts'

/** Ingest must not wait longer for a scrape. */
const HOLD_LIMIT_MS = 50

describe.each([
  ['100,000 counters of six labels', 100_000, 0],
  ['100,000 series, nearly all of them histogram buckets', 5_000, 3_800],
])('%s', (_, counters, histograms) => {
  test.each(['application/openmetrics-text', 'text/plain'])('are told as %s within a second, in turns with the rest', async (accept) => {
    const exposition = new Exposition(storeOf(counters, histograms))
    // The clock of the thread still counts the caches that the rest of the machine has emptied: the least of three scrapes is the code's own.
    let longestMs = Infinity
    for (let scrapes = 0; scrapes < 3 && longestMs >= HOLD_LIMIT_MS; scrapes++) {
      const scraped = await scrape(exposition, accept)
      longestMs = Math.min(longestMs, scraped.longestMs)
      expect(scraped.lines).toBeGreaterThanOrEqual(100_000)
      expect(scraped.tookMs).toBeLessThan(1000)
      expect(scraped.turns).toBeGreaterThan(scraped.pieces / 2)
      expect(scraped.pieces).toBeGreaterThan(10)
    }
    expect(longestMs).toBeLessThan(HOLD_LIMIT_MS)
  })
})

/** One whole scrape, and beside it a loop that takes every turn it gets. */
async function scrape(exposition: Exposition, accept: string) {
  let turns = 0
  let longestMs = 0
  let scraping = true
  const rest = (async () => {
    // CPU time of this thread, so that a machine busy with other things does not count.
    for (let before = cpuMs(); scraping; turns++) {
      await immediate()
      const now = cpuMs()
      longestMs = Math.max(longestMs, now - before)
      before = now
    }
  })()
  const begun = cpuMs()
  let bytes = 0
  let lines = 0
  let pieces = 0
  for await (const piece of exposition.scrape(accept).body) {
    const body = Buffer.from(piece) // as a socket would
    bytes += body.length
    pieces++
    for (let i = 0; i < body.length; i++) if (body[i] === 10) lines++
  }
  const tookMs = cpuMs() - begun
  scraping = false
  await rest
  console.log(`${lines} lines, ${(bytes / 1e6).toFixed(1)} MB, ${pieces} pieces: ${tookMs.toFixed(0)} ms of CPU, longest hold ${longestMs.toFixed(1)} ms`)
  return { lines, pieces, turns, tookMs, longestMs }
}

function storeOf(counters: number, histograms: number): SeriesStore {
  const strings = new StringTable({ capacity: 1 << 18 })
  const store = new SeriesStore(strings, { tenantShare: 1 })
  const id = (text: string): number => strings.internText(text)
  const cost = store.family('agent_cost_usd_total')
  for (let i = 0; i < counters; i++) cost.add(cost.at(id(`tenant-${i % 50}`), id('support'), id(`agent-${i}`), id('model'), id('gpt-4o'), id('tokens')), i * 0.00123)
  const duration = store.family('agent_step_duration_seconds')
  for (let i = 0; i < histograms; i++) {
    const row = duration.at(id('support'), id(`agent-${i}`), id('model'), id('gpt-4o'), id('success'))
    for (let k = 0; k < 20; k++) {
      duration.observe(row, i * k ** 2 * 0.0003)
      duration.exemplar(row, i * k ** 2 * 0.0003, i, k, 1, 2, 1.7e12, 'last')
    }
  }
  return store
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
