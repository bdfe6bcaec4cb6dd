/**
 * The pure engine in a loop, without sockets: how many spans a second one core takes. For profiles:
 * `node --cpu-prof bench/engine.ts --seconds 5`. Time is simulated, 10,000 requests a simulated second, so that requests
 * settle, are remembered and are forgotten as they are in service.
 */
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config/config.ts'
import { objectiveRows, readObjectives } from '../src/config/objectives.ts'
import { PriceBook } from '../src/cost/prices.ts'
import { Engine, type EngineOptions } from '../src/engine.ts'
import { DIALECTS } from '../src/spans/dialects/index.ts'
import { BATCH_REQUESTS, Payload, type BatchSize } from './payload.ts'

const REQUESTS_PER_SECOND = 10_000
/** As the bridge ticks. */
const TICK_MS = 100

export function newEngine(options: Partial<EngineOptions> = {}): Engine {
  return new Engine({
    dialects: DIALECTS, prices: new PriceBook(), savings: { ...loadConfig().savings, qualityLimit: () => undefined },
    objectives: objectiveRows(readObjectives(), [], () => undefined), memory: { rememberMs: 86_400_000, maxTraces: 200_000 },
    settleGraceMs: 5_000, idleTimeoutMs: 600_000, lateWindowMs: 60_000, maxOpenRequests: 200_000, maxSpansPerRequest: 10_000,
    ...options,
  })
}

/** A clock that moves on by the requests that were sent, and ticks the engine as the bridge does. */
export class SimulatedTime {
  nowMs = 1_800_000_000_000
  #tickedMs = this.nowMs
  readonly #engine: Engine
  readonly #requestsPerSecond: number
  readonly #tickMs: number

  constructor(engine: Engine, requestsPerSecond: number, tickMs = TICK_MS) {
    this.#engine = engine
    this.#requestsPerSecond = requestsPerSecond
    this.#tickMs = tickMs
  }

  sent(requests: number): void {
    this.nowMs += (requests / this.#requestsPerSecond) * 1000
    for (; this.#tickedMs + this.#tickMs <= this.nowMs; this.#tickedMs += this.#tickMs) this.#engine.tick(this.#tickedMs + this.#tickMs)
  }
}

interface Run {
  readonly spans: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** Of `cpuSeconds`, an estimate: what making fresh ids costs. */
  readonly renewSeconds: number
}

function drive(engine: Engine, time: SimulatedTime, payload: Payload, seconds: number): Run {
  const started = performance.now()
  const cpu = process.cpuUsage()
  let spans = 0
  let renewMs = 0
  while (performance.now() - started < seconds * 1000) {
    const before = performance.now()
    payload.renew(time.nowMs)
    renewMs += performance.now() - before
    spans += engine.traces(payload.bytes, time.nowMs).accepted
    time.sent(payload.requests)
  }
  const { user, system } = process.cpuUsage(cpu)
  return { spans, seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6, renewSeconds: renewMs / 1000 }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' }, size: { type: 'string', default: 'large' } } })
  const payload = new Payload({ requests: BATCH_REQUESTS[values.size as BatchSize], seed: 1 })
  const engine = newEngine()
  const time = new SimulatedTime(engine, REQUESTS_PER_SECOND)
  // Until the just-in-time compiler is done and requests settle, which is 5 simulated seconds or 1.85 million spans.
  while (time.nowMs < 1_800_000_007_000) drive(engine, time, payload, 0.2)
  const run = drive(engine, time, payload, Number(values.seconds))
  const perSecond = run.spans / (run.seconds - run.renewSeconds)
  console.log(`engine, ${values.size} batches of ${payload.spans} spans (${(payload.bytes.length / payload.spans).toFixed(0)} bytes a span)`)
  console.log(`${million(perSecond)} spans a second on one core, ${(1e6 / perSecond).toFixed(2)} µs a span; fresh ids took another ${((run.renewSeconds / run.spans) * 1e6).toFixed(2)} µs a span, not counted`)
  console.log(`${million(run.spans / (run.cpuSeconds - run.renewSeconds))} spans a CPU-second with garbage collection and compilation on other threads`)
  console.log(`open ${engine.assembler.openRequests}, duplicates ${engine.assembler.counts.duplicates}, late ${engine.assembler.counts.late}, evicted ${engine.assembler.counts.evicted}, rejected ${engine.spansRejected}, RSS ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`)
}

function million(n: number): string {
  return `${(n / 1e6).toFixed(2)}M`
}
