/** `spanbridge up`: all of it on this machine, with recorded agents as traffic and a fault to be paged for. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import type { Config, PagerConfig } from '../../config/config.ts'
import { readAddress, readDurationSeconds, writeAddress, type Address } from '../../config/values.ts'
import { isTaken, reachable, withPort } from '../../web/port.ts'
import { RECORDINGS } from './traffic.ts'
import { flag, UsageError } from '../usage.ts'

interface Flags {
  traffic: boolean
  prometheusAddress?: Address
  alertmanagerAddress?: Address
  lokiAddress?: Address
  collectorAddress?: Address
  collectorGrpcAddress?: Address
  demoAddress?: Address
  faultAfter?: number
}

/** Who stops containers sends SIGKILL 10 s after SIGTERM. */
const LONGEST_STOP_SECONDS = 9.5
const FAULT_AFTER_SECONDS = 30

export function upCommand(): Command {
  return new Command('up')
    .summary('all of it here: traffic, Prometheus, Alertmanager, a page')
    .description('Runs the bridge, plays recorded agents into it, starts Prometheus and\nAlertmanager (built at first use), then lets a tool fail until a page comes.')
    .option('--no-traffic', 'play nothing: send it your own')
    .option('--data-dir <folder>', 'its folder "up" is emptied first (default ./data)')
    .addOption(new Option('--prometheus-address <host:port>', 'default 127.0.0.1:9090').argParser(flag(readAddress)))
    .addOption(new Option('--alertmanager-address <host:port>', 'default 127.0.0.1:9093').argParser(flag(readAddress)))
    .addOption(new Option('--loki-address <host:port>', 'default 127.0.0.1:3100').argParser(flag(readAddress)))
    .addOption(new Option('--collector-address <host:port>', 'default 127.0.0.1:14318').argParser(flag(readAddress)))
    .addOption(new Option('--collector-grpc-address <host:port>', 'default 127.0.0.1:14317').argParser(flag(readAddress)))
    .addOption(new Option('--demo-address <host:port>', 'faults, default 127.0.0.1:9465').argParser(flag(readAddress)))
    .option('--http-address <host:port>', 'OTLP/HTTP (default 127.0.0.1:4318)')
    .option('--grpc-address <host:port>', 'OTLP/gRPC (default 127.0.0.1:4317)')
    .option('--web-address <host:port>', 'metrics, health, pager (default 127.0.0.1:9464)')
    .option('--settle-grace <time>', 'from the root span to settling (default 2s)')
    .option('-c, --config <file>', 'YAML configuration file of the bridge')
    .addOption(new Option('--fault-after <time>', 'healthy time before each fault').argParser(flag(readDurationSeconds)).hideHelp())
    .action(up)
}

async function up(flags: Flags & Record<string, unknown>): Promise<void> {
  if (!existsSync(RECORDINGS)) throw new UsageError('cannot run up here: it needs the whole checkout, recordings and components included')
  // Of the checkout, which an image of the bridge is not.
  const { findComponent } = await import('../../../components/components.ts')
  const prometheus = await withPort(flags.prometheusAddress ?? { host: '127.0.0.1', port: 9090 })
  const alertmanager = await withPort(flags.alertmanagerAddress ?? { host: '127.0.0.1', port: 9093 })
  const control = await withPort(flags.demoAddress ?? { host: '127.0.0.1', port: 9465 })
  // Not built for the demo, which does without: that takes longer than the rest of it together.
  const loki = findComponent('loki') === undefined ? undefined : await withPort(flags.lokiAddress ?? { host: '127.0.0.1', port: 3100 })
  const collector = findComponent('otelcol') === undefined ? undefined : {
    http: await withPort(flags.collectorAddress ?? { host: '127.0.0.1', port: 14318 }), grpc: await withPort(flags.collectorGrpcAddress ?? { host: '127.0.0.1', port: 14317 }),
  }
  const config = await configure(flags, loki && `http://${writeAddress(reachable(loki))}`, { prometheusUrl: `http://${writeAddress(reachable(prometheus))}`, ...(flags.traffic && { demoUrl: `http://${writeAddress(reachable(control))}` }) })
  await refuseTaken({
    '--http-address': config.httpAddress, '--grpc-address': config.grpcAddress, '--web-address': config.webAddress,
    '--prometheus-address': prometheus, '--alertmanager-address': alertmanager, ...(loki && { '--loki-address': loki }), ...(collector && { '--collector-address': collector.http, '--collector-grpc-address': collector.grpc }), ...(flags.traffic && { '--demo-address': control }),
  })
  // A demo of its own each time: what failed an hour ago would weigh in this one's alerts.
  rmSync(config.dataDir, { recursive: true, force: true })
  mkdirSync(config.dataDir, { recursive: true })

  const stop = stopOnSignal()
  const [{ startBridge }, { startServers }, { openTraffic }, { startAgents }] = await Promise.all([import('../../bridge.ts'), import('./servers.ts'), import('./traffic.ts'), import('../../demo/agents/service.ts')])
  const bridge = await startBridge(config)
  const web = `http://${writeAddress(reachable(bridge.addresses.web))}`
  const pagerUrl = `${web}/pager`
  say('bridge', `OTLP/HTTP on http://${writeAddress(bridge.addresses.http)}, OTLP/gRPC on ${writeAddress(bridge.addresses.grpc)}`)
  say('metrics', `${web}/metrics`)
  say('pager', pagerUrl)

  const endpoint = `http://${writeAddress(reachable(bridge.addresses.http))}`
  const traffic = flags.traffic ? await openTraffic(endpoint, stop) : undefined
  if (traffic !== undefined) say('traffic', traffic.start())
  const agents = flags.traffic ? await startAgents({ endpoint, control, rate: 1, seed: 1, people: web }) : undefined
  if (agents !== undefined) say('agents', `three at work; faults on demand on ${pagerUrl} and by "spanbridge demo fault TYPE"`)
  const servers = startServers({
    dataDir: config.dataDir, web: writeAddress(reachable(bridge.addresses.web)), grpc: writeAddress(reachable(bridge.addresses.grpc)), prometheus, alertmanager, loki, collector, say, stop,
  })
  if (collector === undefined) say('collector', 'not there; "node components/ensure.ts collector" builds it, and what agents send to it then waits on the disk while the bridge is away')
  if (loki === undefined) say('loki', 'not there; "node components/ensure.ts loki" builds it, and the log of failed requests is then in it')
  if (traffic !== undefined) say('demo', 'begins once Prometheus and Alertmanager are up')
  const { runCycles } = await import('../../demo/cycle.ts')
  const demo = servers.up.then(async (pages) => {
    if (traffic === undefined) return
    await runCycles({ ...traffic.stage(pagerUrl), tell: (line) => say('demo', line) }, { faultAfterSeconds: flags.faultAfter ?? FAULT_AFTER_SECONDS, pagerUrl, pages })
  })
  demo.catch((error: unknown) => say('demo', `cannot go on: ${(error as Error).message}`))

  await aborted(stop)
  say('up', 'stopping')
  const late = setTimeout(() => process.exit(1), LONGEST_STOP_SECONDS * 1000)
  await Promise.allSettled([demo, traffic?.ended(), agents?.stop(), servers.gone])
  const { requestsSettled, spansAccepted } = await bridge.stop()
  clearTimeout(late)
  say('up', `stopped: settled ${requestsSettled} requests, accepted ${spansAccepted} spans`)
  process.exit(0)
}

async function configure(flags: Readonly<Record<string, unknown>>, lokiUrl: string | undefined, pager: PagerConfig): Promise<Config> {
  const [{ loadConfig }, { ESCALATION }, { demoLimits }, { demoJudgeSettings }, { demoExpectations }] = await Promise.all([import('../../config/config.ts'), import('../../demo/agents/mishaps.ts'), import('../../demo/agents/profiles.ts'), import('../../demo/agents/judge.ts'), import('../../demo/agents/expected.ts')])
  const texts = Object.fromEntries(Object.entries(flags).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  // The shorter grace is a default: a file, a variable or a flag says otherwise.
  const hasFile = texts['config'] !== undefined || Boolean(process.env['SPANBRIDGE_CONFIG'])
  const config = loadConfig({ flags: texts, env: hasFile ? process.env : { SPANBRIDGE_SETTLE_GRACE: '2s', ...process.env } })
  for (const warning of config.warnings) process.stderr.write(`spanbridge: ${warning}\n`)
  // The demo's agents have limits of their own, unless somebody has set others.
  const limits = demoLimits().filter(({ agent }) => !config.objectives.some((row) => row.agent === agent))
  const loki = config.loki ?? (lokiUrl === undefined ? undefined : loadConfig({ env: { SPANBRIDGE_LOKI_URL: lokiUrl } }).loki)
  const judge = config.judge ?? (pager.demoUrl === undefined ? undefined : loadConfig({ env: demoJudgeSettings(pager.demoUrl) }).judge)
  const expectations = config.expectations ?? (pager.demoUrl === undefined ? undefined : demoExpectations())
  const escalation = config.escalation.models.length > 0 ? config.escalation : { ...config.escalation, models: ESCALATION }
  return { ...config, loki, judge, expectations, escalation, dataDir: join(config.dataDir, 'up'), pager: { ...pager, ...config.pager }, objectives: [...config.objectives, ...limits] }
}

/** Before anything is started, or the data of a demo that is already running is touched. */
async function refuseTaken(addresses: Readonly<Record<string, Address>>): Promise<void> {
  for (const [name, address] of Object.entries(addresses)) {
    if (address.port === 0 || !(await isTaken(reachable(address)))) continue
    throw new Error(`cannot listen on ${writeAddress(address)}: the port is in use. Choose another with ${name}, or 0 for a free one`)
  }
}

function say(name: string, text: string): void {
  process.stdout.write(`${name.padEnd(13)} ${text}\n`)
}

/** Aborted by the first signal; the second one ends the process at once. */
function stopOnSignal(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(signal === 'SIGTERM' ? 143 : 130)
      stop.abort()
    })
  }
  return stop.signal
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
