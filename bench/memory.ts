/**
 * What the bridge's memory is bounded by. First the real process: 100,000 requests of 37 spans whose roots do not come.
 * Then the engine by itself: a simulated week of trace ids that nobody has seen before. Ends with 1 when a limit is broken.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { newEngine, SimulatedTime } from './engine.ts'
import { counters } from './counters.ts'
import { Payload } from './payload.ts'
import { startBridgePeer, sum } from './peers.ts'
import { memory } from './process.ts'
import { mebibytes, thousands } from './report.ts'
import { draftRequest } from './request.ts'
import { startSender } from './sender.ts'

const OPEN_REQUESTS = 100_000
const OPEN_LIMIT_BYTES = 250e6
const WEEK_SECONDS = 7 * 86_400
const WEEK_REQUESTS_PER_BATCH = 100
/** RSS also moves with when the garbage collector runs. */
const GROWTH_LIMIT = 1.05
const GROWTH_SLACK_BYTES = 8e6

const { values: flags } = parseArgs({ options: { 'week-requests': { type: 'string', default: '2000000' }, only: { type: 'string', default: '' } } })
if (flags.only !== 'week') await openRequests()
if (flags.only !== 'open') week(Number(flags['week-requests']))

async function openRequests(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-memory-'))
  const sender = await startSender({ size: 'large', gzip: false, poolSpans: 0, seed: 1, roots: false })
  const bridge = await startBridgePeer(directory)
  try {
    await sleep(1000)
    const idle = memory(bridge.pid).rssBytes
    const sent = await sender.run({ transport: 'http', port: bridge.httpPort, connections: 4, seconds: 120, requestsPerSecond: 8_000, maxRequests: OPEN_REQUESTS })
    await sleep(1000)
    const { rssBytes, peakBytes } = memory(bridge.pid)
    const open = sum(await counters(bridge.metricsUrl), 'spanbridge_open_requests')
    if (open < OPEN_REQUESTS) throw new Error(`cannot measure open requests: ${sent.requests} were sent, ${open} are open (${sent.error})`)
    console.log(`${thousands(open)} open requests of 37 spans, the root still missing: RSS ${mebibytes(rssBytes)} MiB, ${mebibytes(rssBytes - idle)} MiB over the idle ${mebibytes(idle)} MiB (peak ${mebibytes(peakBytes)} MiB, ${Math.round((rssBytes - idle) / open)} bytes a request)`)
    verdict(rssBytes - idle <= OPEN_LIMIT_BYTES, `${((rssBytes - idle) / 1e6).toFixed(0)} MB of at most ${OPEN_LIMIT_BYTES / 1e6} MB`)
  } finally {
    sender.stop()
    await bridge.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Requests of three spans, evenly over a week of simulated time. */
function week(requests: number): void {
  const engine = newEngine()
  const payload = new Payload({ requests: WEEK_REQUESTS_PER_BATCH, seed: 2, draft: (index, random) => draftRequest(index, random).filter((_, i, all) => i === 1 || i === 3 || i === all.length - 1) })
  const time = new SimulatedTime(engine, requests / WEEK_SECONDS, 1000)
  const quarters = [0, 0, 0, 0]
  const batches = Math.ceil(requests / WEEK_REQUESTS_PER_BATCH)
  for (let batch = 0; batch < batches; batch++) {
    payload.renew(time.nowMs)
    engine.traces(payload.bytes, time.nowMs)
    time.sent(payload.requests)
    if (batch % 50 === 0) {
      const quarter = Math.floor((batch / batches) * 4)
      quarters[quarter] = Math.max(quarters[quarter]!, process.memoryUsage.rss())
    }
  }
  const { duplicates, late } = engine.assembler.counts
  if (duplicates + late > 0) throw new Error(`cannot measure a week: ${duplicates} duplicates and ${late} late spans among fresh ids`)
  console.log(`${thousands(engine.spansAccepted / payload.spans * payload.requests)} requests over a simulated week: RSS at most ${quarters.map(mebibytes).join(', ')} MiB in its quarters; ${thousands(engine.assembler.openRequests)} open, ${thousands(engine.strings.size)} strings at the end`)
  verdict(quarters[3]! <= quarters[1]! * GROWTH_LIMIT + GROWTH_SLACK_BYTES, `the last quarter is ${(quarters[3]! / quarters[1]!).toFixed(2)} times the second`)
}

function verdict(holds: boolean, what: string): void {
  console.log(`${holds ? 'holds' : 'MISSED'}: ${what}`)
  if (!holds) process.exitCode = 1
}
