/** The Prometheus, the Alertmanager and the Loki of `up`: had, configured, supervised. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureComponent } from '../../components/components.ts'
import { ALERTMANAGER_FILE, alertmanagerConfig } from '../../provisioning/alertmanager.ts'
import { LOKI_RULES_FILE, lokiConfig, RULES_TENANT } from '../../provisioning/loki.ts'
import { DEMO_INTERVALS, prometheusConfig } from '../../provisioning/prometheus.ts'
import { rulesInPlace, RULES_FILE } from '../../provisioning/rules.ts'
import { type Native, type ServerOptions, startAlertmanager, startLoki, startPrometheus } from '../../provisioning/run.ts'
import { writeAddress, type Address } from '../config/values.ts'
import { supervise } from '../demo/supervise.ts'

export interface ServersOptions {
  readonly dataDir: string
  /** host:port of the bridge's web port. */
  readonly web: string
  readonly prometheus: Address
  readonly alertmanager: Address
  /** undefined: none is started. */
  readonly loki: Address | undefined
  readonly say: (name: string, text: string) => void
  readonly stop: AbortSignal
}

interface Server {
  readonly name: string
  readonly at: Address
  readonly run: (options: ServerOptions) => Promise<Native>
  /** Whether no page comes without it. */
  readonly pages: boolean
  readonly extraArgs: readonly string[]
  readonly configFile: string
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

async function start({ dataDir, web, stop, say, prometheus, alertmanager, loki }: ServersOptions): Promise<{ up: boolean; gone: Promise<unknown> }> {
  const write = (name: string, text: string): string => {
    const file = join(dataDir, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  const inPlace = (file: URL) => rulesInPlace(readFileSync(file, 'utf8'), { webUrl: `http://${web}`, dashboards: false })
  const ruleFile = write('prometheus-rules.yaml', inPlace(RULES_FILE))
  // Links in pages begin with this; the name of the machine, the default, is nowhere that it listens.
  const externalUrl = (at: Address) => [`--web.external-url=http://${writeAddress(at)}/`]
  const programs: Server[] = [
    {
      name: 'prometheus', at: prometheus, run: startPrometheus, pages: true, extraArgs: externalUrl(prometheus),
      configFile: write('prometheus.yml', prometheusConfig({
        bridges: [web], ruleFile, alertmanagers: [writeAddress(alertmanager)],
        others: { prometheus: [writeAddress(prometheus)], alertmanager: [writeAddress(alertmanager)], ...(loki && { loki: [writeAddress(loki)] }) },
        ...DEMO_INTERVALS,
      })),
    },
    {
      name: 'alertmanager', at: alertmanager, run: startAlertmanager, pages: true, extraArgs: externalUrl(alertmanager),
      configFile: write('alertmanager.yml', alertmanagerConfig(readFileSync(ALERTMANAGER_FILE, 'utf8'), { pagerUrl: `http://${web}/pager/webhook` })),
    },
  ]
  if (loki !== undefined) {
    const rulesDir = join(dataDir, 'loki-rules')
    write(join('loki-rules', RULES_TENANT, 'loki-rules.yaml'), inPlace(LOKI_RULES_FILE))
    const alertmanagerUrl = `http://${writeAddress(alertmanager)}`
    programs.push({
      name: 'loki', at: loki, run: startLoki, pages: false, extraArgs: [],
      configFile: write('loki.yml', lokiConfig({ dataDir: join(dataDir, 'loki'), rulesDir, alertmanagerUrl, evaluationIntervalSeconds: DEMO_INTERVALS.evaluationIntervalSeconds, retentionDays: 3 })),
    })
  }
  const supervised = []
  // One after the other: two builds at once would each take twice as long.
  for (const { name, at, run, pages, extraArgs, configFile } of programs) {
    const found = await ensureComponent(name, { log: (line) => say(name, line), signal: stop })
    if (stop.aborted) break
    if ('missing' in found) {
      say(name, `missing: ${found.missing}`)
      supervised.push({ pages, up: Promise.resolve(false), gone: Promise.resolve() })
      continue
    }
    const server: ServerOptions = { ...at, configFile, dataDir: join(dataDir, name), logDir: dataDir, stopLimitSeconds: STOP_LIMIT_SECONDS, extraArgs }
    supervised.push({ pages, ...supervise(() => run(server), {
      ready: (program) => say(name, `${program.url}, log ${join(dataDir, `${name}.log`)}`),
      trouble: (reason) => say(name, reason),
    }, stop) })
  }
  const up = await Promise.all(supervised.filter(({ pages }) => pages).map((each) => each.up))
  return { up: up.every(Boolean) && !stop.aborted, gone: Promise.all(supervised.map((each) => each.gone)) }
}
