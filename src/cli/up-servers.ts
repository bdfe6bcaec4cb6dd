/** The Prometheus and the Alertmanager of `up`: had, configured, supervised. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureComponent } from '../../components/components.ts'
import { ALERTMANAGER_FILE, alertmanagerConfig } from '../../provisioning/alertmanager.ts'
import { DEMO_INTERVALS, prometheusConfig } from '../../provisioning/prometheus.ts'
import { prometheusRules, RULES_FILE } from '../../provisioning/rules.ts'
import { type ServerOptions, startAlertmanager, startPrometheus } from '../../provisioning/run.ts'
import { writeAddress, type Address } from '../config/values.ts'
import { supervise } from '../demo/supervise.ts'

export interface ServersOptions {
  readonly dataDir: string
  /** host:port of the bridge's web port. */
  readonly web: string
  readonly prometheus: Address
  readonly alertmanager: Address
  readonly say: (name: string, text: string) => void
  readonly stop: AbortSignal
}

export interface Servers {
  /** Whether both are there, known once each is or cannot be had. Never rejects. */
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

async function start({ dataDir, web, stop, say, prometheus, alertmanager }: ServersOptions): Promise<{ up: boolean; gone: Promise<unknown> }> {
  const write = (name: string, text: string): string => {
    const file = join(dataDir, name)
    writeFileSync(file, text)
    return file
  }
  const ruleFile = write('prometheus-rules.yaml', prometheusRules(readFileSync(RULES_FILE, 'utf8'), { webUrl: `http://${web}`, dashboards: false }))
  const programs = [
    {
      name: 'prometheus', at: prometheus, run: startPrometheus,
      configFile: write('prometheus.yml', prometheusConfig({
        bridges: [web], ruleFile, alertmanagers: [writeAddress(alertmanager)],
        others: { prometheus: [writeAddress(prometheus)], alertmanager: [writeAddress(alertmanager)] },
        ...DEMO_INTERVALS,
      })),
    },
    {
      name: 'alertmanager', at: alertmanager, run: startAlertmanager,
      configFile: write('alertmanager.yml', alertmanagerConfig(readFileSync(ALERTMANAGER_FILE, 'utf8'), { pagerUrl: `http://${web}/pager/webhook` })),
    },
  ]
  const supervised = []
  // One after the other: two builds at once would each take twice as long.
  for (const { name, at, run, configFile } of programs) {
    const found = await ensureComponent(name, { log: (line) => say(name, line), signal: stop })
    if (stop.aborted) break
    if ('missing' in found) {
      say(name, `missing: ${found.missing}`)
      supervised.push({ up: Promise.resolve(false), gone: Promise.resolve() })
      continue
    }
    const server: ServerOptions = {
      ...at, configFile, dataDir: join(dataDir, name), logDir: dataDir, stopLimitSeconds: STOP_LIMIT_SECONDS,
      // Links in pages begin with this; the name of the machine, the default, is nowhere that it listens.
      extraArgs: [`--web.external-url=http://${writeAddress(at)}/`],
    }
    supervised.push(supervise(() => run(server), {
      ready: (program) => say(name, `${program.url}, log ${join(dataDir, `${name}.log`)}`),
      trouble: (reason) => say(name, reason),
    }, stop))
  }
  const up = await Promise.all(supervised.map((each) => each.up))
  return { up: up.every(Boolean) && !stop.aborted, gone: Promise.all(supervised.map((each) => each.gone)) }
}
