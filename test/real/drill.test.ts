/**
 * The fire drill: simulated agents, through the real bridge, Prometheus and Alertmanager, with windows of a minute instead of an hour. First all
 * of them are well for as long as the drill takes, and nobody is paged. Then each kind of fault strikes a tenant of its own, all at once, and every
 * page has to name the class, the type and the step that were broken, and nobody else is paged.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { alertmanagerConfig } from '../../provisioning/alertmanager.ts'
import { prometheusConfig } from '../../provisioning/prometheus.ts'
import { freePort, type Native, startAlertmanager, startPrometheus } from '../../provisioning/run.ts'
import { stringify } from 'yaml'
import { startBridge, type Bridge } from '../../src/bridge.ts'
import { loadConfig } from '../../src/config/config.ts'
import { FAULTS } from '../../src/demo/agents/faults.ts'
import { PROFILES, type Profile } from '../../src/demo/agents/profiles.ts'
import { Random } from '../../src/demo/agents/random.ts'
import { Telemetry } from '../../src/demo/agents/telemetry.ts'
import { Traffic } from '../../src/demo/agents/traffic.ts'
import { needs } from './require.ts'

const { describe } = needs('prometheus', 'alertmanager')

/** As long as the faults are on, and as long as all is well before. */
const SECONDS = 30
/** Root cause in the page: the documented objective. */
const LONGEST_SECONDS = 300
const RUNS_PER_TENANT_SECOND = 2
const SEED = 20_261

/** Every fault of the taxonomy has a tenant and an agent, the agents in turn; two tenants more are never struck. */
const DRILLS = FAULTS.filter(({ truth }) => truth !== undefined).map((fault, i) => ({ fault, tenant: `drill-${fault.id}`, profile: PROFILES[i % PROFILES.length]! }))
const WELL = ['well-1', 'well-2']

interface PageOnApi {
  readonly alerts: readonly { readonly status: string; readonly startsAt: string; readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>> }[]
}

describe('fire drill', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-drill-'))
  const running: Native[] = []
  let bridge: Bridge
  let telemetry: Telemetry
  let traffic: Traffic
  let ticker: NodeJS.Timeout
  let web = ''

  beforeAll(async () => {
    const profiles = PROFILES.map((profile): Profile => {
      const callers = [...DRILLS.filter((drill) => drill.profile === profile).map(({ tenant }) => [tenant, 'drill'] as const), ...WELL.map((tenant) => [tenant, 'drill'] as const)]
      return { ...profile, callers, perSecond: RUNS_PER_TENANT_SECOND * callers.length, nightShare: 1 }
    })
    const configFile = join(directory, 'spanbridge.yaml')
    // JSON is YAML. A limit of its own for each agent: the documented one is for agents that answer at once.
    writeFileSync(configFile, JSON.stringify({ objectives: profiles.flatMap(({ agent, limits }) => Object.entries(limits).map(([objective, limit]) => ({ objective, agent, limit }))) }))
    bridge = await startBridge(loadConfig({ flags: { config: configFile, httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0', settleGrace: '300ms', dataDir: directory } }))
    web = `http://127.0.0.1:${bridge.addresses.web.port}`
    await startServers()
    telemetry = new Telemetry(`http://127.0.0.1:${bridge.addresses.http.port}`)
    traffic = new Traffic({ profiles, random: new Random(SEED), write: (run, endMs) => telemetry.write(run, endMs) })
    ticker = setInterval(() => traffic.tick(Date.now()), 100)
  }, 60_000)

  afterAll(async () => {
    clearInterval(ticker)
    await telemetry?.stop()
    await Promise.all(running.map((native) => native.stop()))
    await bridge?.stop()
    rmSync(directory, { recursive: true, force: true })
  }, 30_000)

  async function startServers(): Promise<void> {
    const evaluator = await findEvaluator()
    if (evaluator === null) throw new Error('cannot drill without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    const mixin = `local mixin = (import 'mixin.libsonnet') + { _config+:: {
      scrapeInterval: '1s', evaluationInterval: '1s', longRangeEvaluationInterval: '5s', budgetEvaluationInterval: '5s', causeRange: '1m', anomalies+: { memoryInterval: '10s', memory: '1d' },
      burnRates: [{ severity: 'critical', pairs: [{ short: '20s', long: '1m', factor: 14.4 }] }],
      pager+: { groupWait: '1s', groupInterval: '2s' },
    } };`
    const folder = join(import.meta.dirname, '../../alerts')
    const ruleFile = written('rules.yaml', stringify(await evaluator.evaluate(`${mixin} { groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups }`, folder)))
    const routes = stringify(await evaluator.evaluate(`${mixin} mixin.alertmanagerConfig`, folder))
    const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()]
    running.push(await startAlertmanager({ configFile: written('alertmanager.yml', alertmanagerConfig(routes, { pagerUrl: `${web}/pager/webhook` })), dataDir: join(directory, 'alertmanager'), logDir: directory, port: alertmanagerPort }))
    const config = prometheusConfig({ bridges: [new URL(web).host], ruleFile, alertmanagers: [`127.0.0.1:${alertmanagerPort}`], scrapeIntervalSeconds: 1, evaluationIntervalSeconds: 1 })
    running.push(await startPrometheus({ configFile: written('prometheus.yml', config), dataDir: join(directory, 'prometheus'), logDir: directory, port: prometheusPort }))
  }

  function written(name: string, text: string): string {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }

  /** Alerts that a person was paged with: critical ones, on the pager page. */
  async function paged(): Promise<PageOnApi['alerts']> {
    const { incidents } = await (await fetch(`${web}/pager/api/incidents?limit=100`)).json() as { incidents: readonly { readonly pages: readonly PageOnApi[] }[] }
    return incidents.flatMap(({ pages }) => pages).flatMap(({ alerts }) => alerts).filter(({ labels }) => labels['severity'] === 'critical')
  }

  test('while all agents are well nobody is paged', async () => {
    // Time itself is what is tested here: nothing may happen for as long as the faults will have.
    await sleep(SECONDS * 1000)
    expect(traffic.runs).toBeGreaterThan(SECONDS * RUNS_PER_TENANT_SECOND * DRILLS.length * 0.8)
    expect((await paged()).map(({ labels }) => labels)).toEqual([])
  }, (SECONDS + 10) * 1000)

  test('each fault pages, and the page names its class, type and step', async () => {
    const sinceMs = Date.now()
    for (const { fault, tenant } of DRILLS) traffic.strike({ fault, tenant, share: 0.6, untilMs: Infinity })
    const found = new Map<string, number>()
    await vi.waitUntil(async () => {
      for (const { labels, annotations } of await paged()) {
        const drill = DRILLS.find(({ tenant }) => tenant === labels['tenant_id'])
        if (drill === undefined || found.has(drill.tenant) || labels['alertname'] !== 'AgentSuccessRateLow') continue
        const { class: cls, type, step } = drill.fault.truth!
        if (annotations['root_cause_class'] === cls && annotations['root_cause_type'] === type && annotations['root_cause_step'] === step) found.set(drill.tenant, (Date.now() - sinceMs) / 1000)
      }
      return found.size === DRILLS.length
    }, { timeout: SECONDS * 1000, interval: 500 }).catch(async () => {
      const told = (await paged()).map(({ labels, annotations }) => `${labels['tenant_id']} ${labels['alertname']}: ${annotations['root_cause']}`)
      throw new Error(`no right page for ${DRILLS.filter(({ tenant }) => !found.has(tenant)).map(({ tenant }) => tenant).join(', ')}; paged were\n${told.sort().join('\n')}`)
    })
    const seconds = [...found.values()].sort((a, b) => a - b)
    console.log(`fire drill: ${found.size} of ${DRILLS.length} faults paged with the right class, type and step; root cause in the page after ${seconds[0]!.toFixed(0)} to ${seconds.at(-1)!.toFixed(0)} s`)
    expect(seconds.at(-1)).toBeLessThan(LONGEST_SECONDS)
  }, (SECONDS + 20) * 1000)

  test('Prometheus evaluated every rule, and none of them failed', async () => {
    const { data } = await (await fetch(`${running[1]!.url}/api/v1/rules`)).json() as { data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] } }
    const all = data.groups.flatMap(({ rules }) => rules)
    expect(all.length).toBeGreaterThan(30)
    expect(all.filter(({ health }) => health !== 'ok').map(({ name, health, lastError }) => `${name}: ${health} ${lastError ?? ''}`)).toEqual([])
  })

  test('tenants that were not struck are not paged about, and every remedy is that of the taxonomy', async () => {
    const alerts = await paged()
    expect(alerts.filter(({ labels }) => WELL.includes(labels['tenant_id'] ?? ''))).toEqual([])
    const said = new Map(alerts.filter(({ labels }) => labels['alertname'] === 'AgentSuccessRateLow').map(({ labels, annotations }) => [labels['tenant_id'], annotations['remedy']]))
    const { readRemedies } = await import('../../src/config/remedies.ts')
    for (const { fault, tenant } of DRILLS) expect(said.get(tenant), tenant).toBe(readRemedies().errors[fault.truth!.type]!.remedy)
  })
})
