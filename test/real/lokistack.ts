/** A Loki with the generated rules, evaluated every second, and the Alertmanager that they go to. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { LOKI_RULES_FILE } from '../../provisioning/loki.ts'
import { startAlertmanager } from '../../provisioning/run.ts'
import { lokiAlerts } from '../alerts/rulefile.ts'
import { testLoki, type TestLoki } from './loki.ts'

export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface LokiStack {
  /** Gone after the stop. */
  readonly directory: string
  readonly loki: TestLoki
  /** Resolves when every rule was evaluated after now, without an error. */
  evaluated(): Promise<void>
  /** What Alertmanager has, once that is as much as fires in the ruler: the first notifications may come before the ruler knows where to. */
  alerts(): Promise<Alert[]>
  stop(): Promise<void>
}

const WAIT = { timeout: 30_000, interval: 200 }

export async function lokiStack(): Promise<LokiStack> {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-loki-'))
  const configFile = join(directory, 'alertmanager.yml')
  writeFileSync(configFile, 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n')
  const alertmanager = await startAlertmanager({ configFile, dataDir: join(directory, 'alertmanager'), logDir: directory })
  const rules = parse(readFileSync(LOKI_RULES_FILE, 'utf8')) as { groups: { interval?: string }[] }
  const rulesFile = join(directory, 'rules.yaml')
  writeFileSync(rulesFile, stringify({ groups: rules.groups.map((group) => ({ ...group, interval: '1s' })) }))
  const loki = await testLoki(directory, { rulesFile, alertmanagerUrl: alertmanager.url })
  const ruler = async () => {
    const { data } = await json<{ data: { groups: { rules: { health: string; lastEvaluation: string }[] }[] } }>(`${loki.url}/prometheus/api/v1/rules`)
    return data.groups.flatMap((group) => group.rules)
  }
  return {
    directory, loki,
    evaluated: async () => {
      const sinceMs = Date.now()
      const all = await vi.waitUntil(async () => {
        const found = await ruler()
        return found.length === lokiAlerts.length && found.every(({ lastEvaluation }) => Date.parse(lastEvaluation) > sinceMs) && found
      }, WAIT)
      expect(all.filter(({ health }) => health !== 'ok')).toEqual([])
    },
    alerts: () => vi.waitUntil(async () => {
      const { data } = await json<{ data: { alerts: { state: string }[] } }>(`${loki.url}/prometheus/api/v1/alerts`)
      const arrived = await json<Alert[]>(`${alertmanager.url}/api/v2/alerts`)
      return arrived.length === data.alerts.filter(({ state }) => state === 'firing').length && arrived
    }, WAIT),
    stop: async () => {
      await Promise.all([loki.stop(), alertmanager.stop()])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return await response.json() as T
}
