/** The Prometheus, the Alertmanager, the Loki and the Collector of `up`: had, configured, supervised. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureComponent } from '../../../components/components.ts'
import { ALERTMANAGER_FILE, alertmanagerConfig } from '../../../provisioning/alertmanager.ts'
import { collectorConfig } from '../../../provisioning/collector.ts'
import { LOKI_RULES_FILE, lokiConfig, RULES_TENANT } from '../../../provisioning/loki.ts'
import { DEMO_INTERVALS, prometheusConfig } from '../../../provisioning/prometheus.ts'
import { rulesInPlace, RULES_FILE } from '../../../provisioning/rules.ts'
import { freePort, type Native, type ServerOptions, startAlertmanager, startCollector, startLoki, startPrometheus } from '../../../provisioning/run.ts'
import { writeAddress, type Address } from '../../config/values.ts'
import { supervise } from '../../demo/supervise.ts'

export interface ServersOptions {
  readonly dataDir: string
  /** host:port of the bridge's web port. */
  readonly web: string
  /** host:port of its OTLP/gRPC. */
  readonly grpc: string
  readonly prometheus: Address
  readonly alertmanager: Address
  /** undefined: none is started. */
  readonly loki: Address | undefined
  /** Where agents may send to instead of to the bridge; undefined: none is started. */
  readonly collector: { readonly http: Address; readonly grpc: Address } | undefined
  readonly say: (name: string, text: string) => void
  readonly stop: AbortSignal
}

interface Server {
  readonly name: string
  readonly start: () => Promise<Native>
  /** Whether no page comes without it. */
  readonly pages: boolean
  /** Where people or agents reach it; default: where it says that it is ready. */
  readonly where?: string
}

export interface Servers {
  /** Whether Prometheus and Alertmanager are there, known once each is or cannot be had. Never rejects. */
  readonly up: Promise<boolean>
  /** Resolves when all of them have ended. */
  readonly gone: Promise<unknown>
}

const STOP_LIMIT_SECONDS = 8

export function startServers(options: ServersOptions): Servers {
  const running = start(options)
  running.catch((error: unknown) => options.say('up', (error as Error).message))
  return {
    up: running.then(({ up }) => up, () => false),
    gone: running.then(({ gone }) => gone, () => undefined),
  }
}

async function start(options: ServersOptions): Promise<{ up: boolean; gone: Promise<unknown> }> {
  const { dataDir, stop, say } = options
  const supervised = []
  // One after the other: two builds at once would each take twice as long.
  for (const { name, start: run, pages, where } of await servers(options)) {
    const found = await ensureComponent(name, { log: (line) => say(name, line), signal: stop })
    if (stop.aborted) break
    if ('missing' in found) {
      say(name, `missing: ${found.missing}`)
      supervised.push({ pages, up: Promise.resolve(false), gone: Promise.resolve() })
      continue
    }
    supervised.push({ pages, ...supervise(run, {
      ready: (program) => say(name, `${where ?? program.url}, log ${join(dataDir, `${name}.log`)}`),
      trouble: (reason) => say(name, reason),
    }, stop) })
  }
  const up = await Promise.all(supervised.filter(({ pages }) => pages).map((each) => each.up))
  return { up: up.every(Boolean) && !stop.aborted, gone: Promise.all(supervised.map((each) => each.gone)) }
}

/** With their configurations written: the same as in docker compose, but for addresses and folders. */
async function servers({ dataDir, web, grpc, prometheus, alertmanager, loki, collector }: ServersOptions): Promise<Server[]> {
  const write = (name: string, text: string): string => {
    const file = join(dataDir, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  const server = (name: string, at: Address, configFile: string, extraArgs: readonly string[] = []): ServerOptions =>
    ({ ...at, configFile, dataDir: join(dataDir, name), logDir: dataDir, stopLimitSeconds: STOP_LIMIT_SECONDS, extraArgs })
  const inPlace = (file: URL) => rulesInPlace(readFileSync(file, 'utf8'), { webUrl: `http://${web}`, dashboards: false })
  // Links in pages begin with this; the name of the machine, the default, is nowhere that it listens.
  const externalUrl = (at: Address) => [`--web.external-url=http://${writeAddress(at)}/`]
  const telemetry = collector && { host: '127.0.0.1', port: await freePort() }

  const prometheusFile = write('prometheus.yml', prometheusConfig({
    bridges: [web], ruleFile: write('prometheus-rules.yaml', inPlace(RULES_FILE)), alertmanagers: [writeAddress(alertmanager)],
    others: {
      prometheus: [writeAddress(prometheus)], alertmanager: [writeAddress(alertmanager)],
      ...(loki && { loki: [writeAddress(loki)] }), ...(telemetry && { 'otel-collector': [writeAddress(telemetry)] }),
    },
    ...DEMO_INTERVALS,
  }))
  const alertmanagerFile = write('alertmanager.yml', alertmanagerConfig(readFileSync(ALERTMANAGER_FILE, 'utf8'), { pagerUrl: `http://${web}/pager/webhook` }))
  const programs: Server[] = [
    { name: 'prometheus', pages: true, start: () => startPrometheus(server('prometheus', prometheus, prometheusFile, externalUrl(prometheus))) },
    { name: 'alertmanager', pages: true, start: () => startAlertmanager(server('alertmanager', alertmanager, alertmanagerFile, externalUrl(alertmanager))) },
  ]
  if (loki !== undefined) {
    write(join('loki-rules', RULES_TENANT, 'loki-rules.yaml'), inPlace(LOKI_RULES_FILE))
    const configFile = write('loki.yml', lokiConfig({
      dataDir: join(dataDir, 'loki'), rulesDir: join(dataDir, 'loki-rules'), alertmanagerUrl: `http://${writeAddress(alertmanager)}`,
      evaluationIntervalSeconds: DEMO_INTERVALS.evaluationIntervalSeconds, retentionDays: 3,
    }))
    programs.push({ name: 'loki', pages: false, start: () => startLoki(server('loki', loki, configFile)) })
  }
  if (collector !== undefined && telemetry !== undefined) {
    const queueDir = join(dataDir, 'collector')
    mkdirSync(queueDir, { recursive: true })
    const health = writeAddress({ host: '127.0.0.1', port: await freePort() })
    const configFile = write('collector.yml', collectorConfig({
      http: writeAddress(collector.http), grpc: writeAddress(collector.grpc), bridge: grpc, prometheusUrl: `http://${writeAddress(prometheus)}`, queueDir, health, metrics: telemetry,
    }))
    programs.push({
      name: 'collector', pages: false, start: () => startCollector({ configFile, logDir: dataDir, healthUrl: `http://${health}`, stopLimitSeconds: STOP_LIMIT_SECONDS }),
      where: `http://${writeAddress(collector.http)} (OTLP/HTTP), ${writeAddress(collector.grpc)} (OTLP/gRPC)`,
    })
  }
  return programs
}
