/**
 * `/metrics` of the real process with 100,000 series, as Prometheus counts them (a histogram is one a bucket), while spans
 * keep coming: how long a scrape takes, and how long it keeps a push waiting. Ends with 1 when a limit is broken.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Payload } from './payload.ts'
import { type Peer, startBridgePeer } from './peers.ts'
import { thousands } from './report.ts'
import { draftRequest, type SpanDraft } from './request.ts'
import { httpConnection } from './send-http.ts'
import { startSender } from './sender.ts'

const SERIES = 100_000
const SCRAPE_LIMIT_MS = 1000
const HOLD_LIMIT_MS = 50
/** Of a scrape, by their CPU: the first one compiles. */
const SCRAPES = 6
const REQUESTS_PER_BATCH = 100
/** A light load, so that a push waits for the scrape and not for other pushes: 36 batches of 518 spans a second. */
const REQUESTS_PER_SECOND = 500
/** A page of Prometheus asks for OpenMetrics first. */
const ACCEPT = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5'

const { values: flags } = parseArgs({ options: { series: { type: 'string', default: String(SERIES) } } })
const directory = mkdtempSync(join(tmpdir(), 'spanbridge-scrape-'))
const sender = await startSender({ size: 'small', gzip: false, poolSpans: 0, seed: 5 })
// A second is enough here: every tool is in one batch.
const bridge = await startBridgePeer(directory, ['--settle-grace', '1s'])
try {
  await fill(bridge, Number(flags.series))
  const load = { transport: 'http', port: bridge.httpPort, connections: 2, requestsPerSecond: REQUESTS_PER_SECOND } as const
  await sender.run({ ...load, seconds: 2 })
  const without = await sender.run({ ...load, seconds: 4 })
  let last: Scrape = { lines: 0, bytes: 0, ms: 0 }
  let slowest = 0
  const pushing = sender.run({ ...load, seconds: 6 })
  for (let i = 0; i < SCRAPES; i++) {
    await sleep(250)
    last = await scrape(bridge)
    slowest = Math.max(slowest, last.ms)
  }
  const during = await pushing
  if (during.failures + without.failures > 0) throw new Error(`cannot measure scrapes: ${during.failures + without.failures} pushes failed: ${during.error || without.error}`)
  console.log(`${SCRAPES} scrapes of ${thousands(last.lines)} series (${(last.bytes / 1e6).toFixed(1)} MB): at most ${slowest.toFixed(0)} ms, the last one ${last.ms.toFixed(0)} ms`)
  console.log(`a push meanwhile: ${during.p50Ms.toFixed(1)} ms (half), ${during.p99Ms.toFixed(1)} ms (99 in 100), ${during.maxMs.toFixed(1)} ms (all); without scrapes ${without.p50Ms.toFixed(1)}, ${without.p99Ms.toFixed(1)}, ${without.maxMs.toFixed(1)} ms`)
  verdict(slowest <= SCRAPE_LIMIT_MS, `a scrape within ${SCRAPE_LIMIT_MS} ms`)
  verdict(during.maxMs <= HOLD_LIMIT_MS, `no push held for more than ${HOLD_LIMIT_MS} ms`)
} finally {
  sender.stop()
  await bridge.stop()
  rmSync(directory, { recursive: true, force: true })
}

interface Scrape {
  readonly lines: number
  readonly bytes: number
  readonly ms: number
}

async function scrape({ metricsUrl }: Peer): Promise<Scrape> {
  const started = performance.now()
  const response = await fetch(metricsUrl, { headers: { accept: ACCEPT } })
  if (!response.ok || response.body === null) throw new Error(`cannot scrape: status ${response.status}`)
  let bytes = 0
  const parts: Uint8Array[] = []
  for await (const part of response.body) {
    bytes += part.length
    parts.push(part)
  }
  const ms = performance.now() - started
  const lines = Buffer.concat(parts).toString().split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
  return { lines, bytes, ms }
}

/** Requests whose tools have names that no other has, until there are so many series. */
async function fill(peer: Peer, series: number): Promise<void> {
  const connection = httpConnection(peer.httpPort, false)
  let tools = 0
  for (let batch = 0; batch < 1000; batch++) {
    const payload = new Payload({
      requests: REQUESTS_PER_BATCH,
      seed: 1_000_000 + batch,
      draft: (index, random) => draftRequest(index, random).filter(isToolOrRoot).map((span) => (span.name.startsWith('execute_tool ') ? renamed(span, `tool-${tools++}`) : span)),
    })
    payload.renew(Date.now())
    const answer = await connection.send(payload.bytes)
    if (!answer.ok || answer.rejected > 0) throw new Error(`cannot make series: ${answer.error}`)
    if (batch % 4 < 3) continue
    // The grace, and a tick.
    await sleep(1200)
    if ((await scrape(peer)).lines >= series) break
  }
  connection.close()
}

function isToolOrRoot({ name }: SpanDraft): boolean {
  return name.startsWith('execute_tool ') || name.startsWith('invoke_agent ')
}

function renamed(span: SpanDraft, tool: string): SpanDraft {
  return { ...span, name: `execute_tool ${tool}`, attributes: span.attributes.map(([key, value]) => (key === 'gen_ai.tool.name' ? [key, tool] : [key, value])) }
}

function verdict(holds: boolean, what: string): void {
  console.log(`${holds ? 'holds' : 'MISSED'}: ${what}`)
  if (!holds) process.exitCode = 1
}
