/** One bridge under a steady 370,000 spans a second over HTTP, for as long as asked, the sender on the same machine. */
import { setTimeout as sleep } from 'node:timers/promises'
import { counters } from './counters.ts'
import { startBridgePeer, sum } from './peers.ts'
import { cpuSeconds, memory } from './process.ts'
import { mebibytes, thousands } from './report.ts'
import { startSender } from './sender.ts'
import { SPANS_PER_REQUEST } from './request.ts'

export const REQUESTS_PER_SECOND = 10_000
const CONNECTIONS = 4
const WARM_UP_SECONDS = 5
/**
 * Settled requests are remembered until their tables are full, some 40 s at this rate; from then on there is nothing left that
 * may grow. So the most RSS of the last quarter is held against that of the third, and only where the run is this long.
 */
const FULL_AFTER_SECONDS = 60
/** What the garbage collector moves by itself. */
const FLAT = 1.05
/** What the rate may fall short of for the start and the end of the window. */
const ENOUGH = 0.99

export interface Sustained {
  readonly seconds: number
  readonly spansPerSecond: number
  readonly slowestSecond: number
  readonly cpuCores: number
  readonly rssBytes: { readonly start: number; readonly middle: number; readonly end: number; readonly peak: number }
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly failures: number
  readonly rejectedSpans: number
  readonly evictedRequests: number
  readonly holds: boolean
}

export async function sustain(directory: string, seconds: number, say: (line: string) => void, requestsPerSecond = REQUESTS_PER_SECOND): Promise<Sustained> {
  const target = requestsPerSecond * SPANS_PER_REQUEST
  const sender = await startSender({ size: 'large', gzip: false, poolSpans: 0, seed: 900 })
  const bridge = await startBridgePeer(directory)
  try {
    const load = { transport: 'http', port: bridge.httpPort, connections: CONNECTIONS, requestsPerSecond } as const
    const warm = await sender.run({ ...load, seconds: WARM_UP_SECONDS })
    const cpu = cpuSeconds(bridge.pid)
    const rss = [memory(bridge.pid).rssBytes]
    const perSecond: number[] = []
    let sent = 0
    const result = await sender.run({ ...load, seconds }, (spans) => {
      perSecond.push(spans - sent)
      sent = spans
      rss.push(memory(bridge.pid).rssBytes)
      if (perSecond.length % 10 === 0) say(`  ${perSecond.length} s: ${thousands(perSecond.slice(-10).reduce((a, b) => a + b, 0) / 10)} spans/s, RSS ${mebibytes(rss.at(-1)!)} MiB`)
    })
    const cpuCores = (cpuSeconds(bridge.pid) - cpu) / result.seconds
    const peak = memory(bridge.pid).peakBytes
    await sleep(bridge.settleSeconds * 1000)
    const found = await counters(bridge.metricsUrl)
    const settled = sum(found, 'agent_requests_total')
    const sentRequests = warm.requests + result.requests
    if (settled !== sentRequests) throw new Error(`cannot sustain: ${sentRequests} requests were sent, ${settled} were counted`)
    const middle = rss[Math.floor(rss.length / 2)]!, end = rss.at(-1)!
    const third = Math.max(...rss.slice(Math.floor(rss.length / 2), Math.floor(rss.length * 0.75))), fourth = Math.max(...rss.slice(Math.floor(rss.length * 0.75)))
    const flat = seconds < FULL_AFTER_SECONDS || fourth <= third * FLAT
    const spansPerSecond = result.spans / seconds
    return {
      seconds, spansPerSecond, slowestSecond: Math.min(...perSecond), cpuCores,
      rssBytes: { start: rss[0]!, middle, end, peak },
      p50Ms: result.p50Ms, p99Ms: result.p99Ms, maxMs: result.maxMs, failures: result.failures, rejectedSpans: result.rejectedSpans,
      evictedRequests: sum(found, 'spanbridge_open_requests_evicted_total'),
      holds: spansPerSecond >= target * ENOUGH && result.failures === 0 && result.rejectedSpans === 0 && flat,
    }
  } finally {
    sender.stop()
    await bridge.stop()
  }
}

export function sustained(s: Sustained): string {
  const { start, middle, end, peak } = s.rssBytes
  return [
    `${thousands(s.spansPerSecond)} spans/s for ${s.seconds} s (slowest second ${thousands(s.slowestSecond)}), ${s.cpuCores.toFixed(2)} cores`,
    `RSS ${mebibytes(start)} MiB at the start, ${mebibytes(middle)} in the middle, ${mebibytes(end)} at the end, ${mebibytes(peak)} at most`,
    `a push took ${s.p50Ms.toFixed(0)} ms (half), ${s.p99Ms.toFixed(0)} ms (99 in 100), ${s.maxMs.toFixed(0)} ms (all); ${s.failures} refused, ${s.rejectedSpans} spans rejected, ${s.evictedRequests} requests evicted`,
  ].join('\n')
}
