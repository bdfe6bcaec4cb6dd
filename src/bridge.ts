/**
 * The one file that knows every stage: it gives the engine its sockets, its clock and its pager.
 *
 *     agents ─OTLP→ otlp/ → engine (spans/ → traces/ → cost/ → metrics/) ─/metrics→ Prometheus ─rules→ Alertmanager ─webhook→ pager/
 *                                              ├─ settled ─→ logs/ ──push──→ Loki ───────rules──────────┘
 *                                              └─ settled ─→ quality/judge/ ──call──→ a model ──mark──→ engine
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import type { Config } from './config/config.ts'
import { objectiveRows, readObjectives } from './config/objectives.ts'
import { readRemedies } from './config/remedies.ts'
import type { Address } from './config/values.ts'
import { engineOptions } from './configured.ts'
import { openDatabase } from './database.ts'
import { Engine } from './engine.ts'
import { type Log, NO_LOG_HEALTH, openLog } from './logs/log.ts'
import { METRICS, type MetricName } from './metrics/catalogue.ts'
import { Exposition } from './metrics/expose.ts'
import type { Family } from './metrics/family.ts'
import { exampleTraces } from './metrics/evidence.ts'
import { Health, HEALTH_HISTOGRAMS, type HealthHistogram, type HealthSource } from './metrics/health.ts'
import { ProcessMetrics } from './metrics/process.ts'
import { createOtlpGrpc } from './otlp/grpc.ts'
import { createOtlpHttp } from './otlp/http.ts'
import { REFUSALS, type RefusalReason } from './otlp/refusal.ts'
import type { Sink } from './otlp/sink.ts'
import { createPager } from './pager/routes.ts'
import { Calibration } from './quality/calibration/calibration.ts'
import { openMarks } from './quality/calibration/marks.ts'
import { openExternal, type External } from './quality/external/external.ts'
import { contentWanted } from './quality/judge/content.ts'
import { NO_JUDGE_HEALTH } from './quality/judge/counts.ts'
import type { Judge } from './quality/judge/judge.ts'
import { CONTENT_LIMITS } from './traces/content.ts'

/** How often what is due is settled. */
const TICK_MS = 100
/** When the tick comes this late the process has more than it can do, and senders are asked to wait. */
const OVERLOADED_MS = 1000
const RETRY_SECONDS = 1
/** For the lines that wait for Loki, of the ten seconds that a process has to end. */
const LOG_STOP_LIMIT_MS = 3000
/** For the requests that wait for the judge. */
const JUDGE_STOP_LIMIT_MS = 4000
/** The gauges of the objectives are written again, so that they do not expire. */
const OBJECTIVES_EVERY_MS = 60_000

export interface Bridge {
  readonly addresses: { readonly http: Address; readonly grpc: Address; readonly web: Address }
  /** Stops accepting, answers what it has accepted, settles what is in hand. */
  stop(): Promise<Totals>
}

/** What a bridge did in its life: what its last scrape would have said. */
export interface Totals {
  readonly spansAccepted: number
  /** As agent_requests_total counts them, all outcomes together. */
  readonly requestsSettled: number
}

/** `warn` takes what a person should know of and no metric can say. */
export async function startBridge(config: Config, warn: (message: string) => void = () => {}): Promise<Bridge> {
  const options = engineOptions(config)
  const documented = readObjectives()
  const objectives = objectiveRows(documented, config.objectives, boundariesOf)
  let log: Log | undefined
  let judge: Judge | undefined
  const wanted = config.judge && contentWanted(config.judge)
  const engine = new Engine({
    ...options, objectives,
    memory: { rememberMs: config.scores.rememberSeconds * 1000, maxTraces: config.scores.rememberTraces },
    ...(wanted && { content: { ...CONTENT_LIMITS, wants: ({ trace }) => wanted(trace) } }),
    ...((config.loki ?? config.judge) && {
      onSettled: (settled, nowMs) => {
        log?.settled(settled, nowMs)
        judge?.offer(settled, nowMs)
      },
    }),
  })
  if (config.loki !== undefined) log = openLog(config.loki, { strings: engine.strings, tell: warn })
  const database = openDatabase(join(config.dataDir, 'scores.db'), 'the database of scores')
  const calibration = new Calibration(openMarks(database))
  if (config.judge !== undefined) {
    // Only then: the SDKs behind it are larger than all of the bridge.
    const { openJudge } = await import('./quality/judge/judge.ts')
    judge = await openJudge(config.judge, {
      text: (id) => engine.strings.text(id), dataDir: config.dataDir, env: process.env,
      price: (provider, model, atMs) => options.prices.modelPrice(provider, model, atMs),
      score: (trace, score, nowMs) => {
        if (engine.score(trace, score, nowMs)) calibration.judge({ trace, ...score }, nowMs)
      },
      took: (seconds) => health.judgeCall(seconds),
      tell: warn,
    })
  }
  const external = openExternal({
    config: config.scores, database, calibration, scales: engine.scales, tell: warn, now: Date.now,
    score: (trace, score, nowMs) => engine.score(trace, score, nowMs),
  })
  const { prometheusUrl, demoUrl, traceUrl, logsUrl } = config.pager
  const pager = createPager({
    databaseFile: join(config.dataDir, 'pager.db'), now: () => new Date(),
    errorTypes: Object.keys(readRemedies().errors),
    verdict: ({ predicted, actual, seconds }) => {
      const labels = engine.store.family('agent_error_labels_total')
      labels.add(labels.at(engine.strings.internText(predicted), engine.strings.internText(actual)), 1)
      health.rootCause('person', seconds)
    },
    causeNamed: (seconds) => health.rootCause('page', seconds),
    examples: (cause) => exampleTraces(engine.store, cause),
    objectives: documented,
    mark: ({ trace, mark, by }) => external.intake.take({ trace, evaluator: by || 'pager', layer: 'human', mark }, 'pager', Date.now()) === undefined,
    ...(prometheusUrl !== undefined && { prometheusUrl }), ...(demoUrl !== undefined && { demoUrl }),
    links: { ...(traceUrl !== undefined && { trace: traceUrl }), ...(logsUrl !== undefined && { logs: logsUrl }) },
  })
  const refused = Object.fromEntries(Object.keys(REFUSALS).map((reason) => [reason, 0])) as Record<RefusalReason, number>
  const health = new Health(healthOf(engine, refused, pager, log, judge, external, calibration), engine.store, version())
  const exposition = new Exposition(engine.store, [health, new ProcessMetrics()])

  let lateMs = 0
  const timed = <T>(work: (nowMs: number) => T): T => {
    const started = performance.now()
    const result = work(Date.now())
    health.pipelineLatency((performance.now() - started + lateMs) / 1000)
    return result
  }
  const sink: Sink = {
    traces: (body, isPart) => timed((nowMs) => engine.traces(body, nowMs, isPart)),
    logs: (body) => timed((nowMs) => engine.logs(body, nowMs)),
    busySeconds: () => (lateMs > OVERLOADED_MS ? RETRY_SECONDS : 0),
  }
  const limits = { bodyLimitBytes: config.bodyLimitBytes, inflatedLimitBytes: config.inflatedLimitBytes, maxInFlightBytes: config.maxInFlightBytes }
  const receiving = { limits, refused: (reason: RefusalReason) => { refused[reason]++ } }
  const http = createOtlpHttp(sink, receiving)
  const grpc = createOtlpGrpc(sink, receiving)

  let ready = false
  const web = express()
  web.disable('x-powered-by')
  web.get('/-/healthy', (_request, response) => { response.type('text').send('healthy\n') })
  web.get('/-/ready', (_request, response) => { response.status(ready ? 200 : 503).type('text').send(ready ? 'ready\n' : 'not ready\n') })
  web.get('/metrics', async (request, response) => {
    const scrape = exposition.scrape(request.headers.accept)
    response.setHeader('Content-Type', scrape.contentType)
    for await (const piece of scrape.body) if (!response.write(piece) && !response.destroyed) await drained(response)
    response.end()
  })
  const runbooks = readRunbooks()
  web.get('/runbooks/:name', (request, response) => {
    const runbook = runbooks.get(request.params.name)
    response.status(runbook === undefined ? 404 : 200).set('X-Content-Type-Options', 'nosniff').type('text').send(runbook ?? 'no such runbook\n')
  })
  web.get('/', (_request, response) => { response.redirect('/pager') })
  web.use(external.router)
  web.use(pager.router)
  const webServer = createServer(web)

  const publish = () => {
    const family = engine.store.family('agent_objective')
    const id = (value: string) => engine.strings.internText(value)
    for (const row of objectives) family.set(family.at(id(row.objective), id(row.agent), id(row.tenant_id)), row.value)
  }
  options.prices.warm()
  engine.tick(Date.now())
  publish()

  let expected = performance.now() + TICK_MS
  let published = 0
  const tick = setInterval(() => {
    const now = performance.now()
    lateMs = Math.max(0, now - expected)
    expected = now + TICK_MS
    engine.tick(Date.now())
    log?.tick(Date.now())
    if (now - published > OBJECTIVES_EVERY_MS) {
      published = now
      publish()
    }
  }, TICK_MS)

  const stop = async () => {
    ready = false
    clearInterval(tick)
    await Promise.all([http.close(), grpc.close()])
    await external.stop()
    engine.finish(Date.now())
    await judge?.stop(JUDGE_STOP_LIMIT_MS)
    await log?.stop(Date.now(), LOG_STOP_LIMIT_MS)
    pager.close()
    webServer.closeIdleConnections()
    await closed(webServer)
    database.close()
    return { spansAccepted: engine.spansAccepted, requestsSettled: total(engine.store.family('agent_requests_total')) }
  }
  try {
    const httpAt = await http.listen(config.httpAddress)
    const grpcPort = await grpc.listen(config.grpcAddress)
    const webAt = await listen(webServer, config.webAddress)
    ready = true
    return {
      addresses: {
        http: { host: config.httpAddress.host, port: httpAt.port },
        grpc: { host: config.grpcAddress.host, port: grpcPort },
        web: { host: config.webAddress.host, port: webAt.port },
      },
      stop,
    }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

function boundariesOf(metric: string): readonly number[] | undefined {
  return METRICS[metric as MetricName]?.buckets ?? HEALTH_HISTOGRAMS[metric as HealthHistogram]?.buckets
}

function healthOf(engine: Engine, refused: Readonly<Record<string, number>>, pager: { received(): number }, log: Log | undefined, judge: Judge | undefined, external: External, calibration: Calibration): HealthSource {
  const { assembler } = engine
  return {
    get spansAccepted() { return engine.spansAccepted },
    get spansRejected() { return { malformed: engine.spansRejected } },
    get spansLate() { return assembler.counts.late },
    get spansDuplicate() { return assembler.counts.duplicates },
    get spansCrowded() { return assembler.counts.crowded },
    get contentDropped() { return assembler.content === undefined ? {} : { ...assembler.content.dropped } },
    get contentBytes() { return assembler.content?.bytes ?? 0 },
    get logRecordsAccepted() { return engine.logRecordsAccepted },
    get logRecordsRejected() { return { malformed: engine.logRecordsRejected } },
    get requestsRefused() { return refused },
    get openRequests() { return assembler.openRequests },
    get openRequestsEvicted() { return assembler.counts.evicted },
    get requestsForgotten() { return assembler.counts.forgotten },
    get pagesReceived() { return pager.received() },
    log: log?.health ?? NO_LOG_HEALTH,
    judge: judge?.health ?? NO_JUDGE_HEALTH,
    scores: {
      get received() { return external.health.received },
      get rejected() { return engine.scales.rejected },
      get unmatched() { return { no_request: assembler.counts.scoresUnmatched, crowded: assembler.counts.scoresCrowded } },
      get duplicates() { return external.health.duplicates },
      get polls() { return external.health.polls },
      get pollErrors() { return external.health.pollErrors },
      get pollAge() { return external.health.pollAge },
      get remembered() { return assembler.memory.size },
      get crowdedOut() { return assembler.memory.crowded },
      get judges() { return calibration.results(Date.now()) },
    },
  }
}

/** One for each alert, by its name. */
function readRunbooks(): ReadonlyMap<string, string> {
  const folder = new URL('../alerts/runbooks/', import.meta.url)
  return new Map(readdirSync(folder).filter((file) => file.endsWith('.md')).map((file) => [file.slice(0, -3), readFileSync(new URL(file, folder), 'utf8')]))
}

function total(counter: Family): number {
  let sum = 0
  for (let row = 0; row < counter.rows; row++) sum += counter.value(row)
  return sum
}

function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}

function listen(server: Server, { host, port }: Address): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

function closed(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function drained(response: express.Response): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve)
    response.once('close', resolve)
  })
}
