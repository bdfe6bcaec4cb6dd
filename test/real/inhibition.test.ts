/** Which alert makes which silent, asked of a real Alertmanager: what it says of each alert is what it does with its notification. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { alertmanagerConfig } from '../../provisioning/alertmanager.ts'
import { type Native, startAlertmanager } from '../../provisioning/run.ts'
import { ALL_ALERTS, routing } from '../alerts/routing.ts'
import { startRecorder, type Recorder } from './recorder.ts'
import { needs } from './require.ts'

type Labels = Readonly<Record<string, string>>

const page = (alertname: string): Labels => ({ alertname, severity: 'critical' })
const ticket = (alertname: string): Labels => ({ alertname, severity: 'warning' })

/** The second is silent while the first of the same tenant and agent, or of the same agent, fires. */
const BY_TENANT = [
  [page('AgentSuccessRateLow'), ticket('AgentSuccessRateLow')],
  [page('AgentLatencyP95High'), ticket('AgentLatencyP95High')],
  [page('AgentSuccessRateLow'), ticket('AgentFailuresTrickle')],
  [ticket('AgentSuccessRateLow'), ticket('AgentFailuresTrickle')],
  [page('AgentSuccessRateLow'), ticket('AgentRootCauseBurst')],
  [page('AgentLatencyP95High'), ticket('AgentSlownessTrickle')],
  [page('AgentLatencyP99High'), ticket('AgentSlownessTrickle')],
  [page('AgentLatencyP95High'), page('AgentLatencyP99High')],
  [ticket('AgentLatencyP95High'), ticket('AgentLatencyP99High')],
] as const
const BY_AGENT = [
  [page('AgentSuccessRateLow'), ticket('AgentErrorRateAnomalous')],
  [page('AgentLatencyP95High'), ticket('AgentLatencyAnomalous')],
  [ticket('AgentQualityLow'), ticket('AgentQualityAnomalous')],
  [ticket('AgentCostPerRequestHigh'), ticket('AgentCostAnomalous')],
  [ticket('AgentSilent'), ticket('AgentRequestRateAnomalous')],
  [ticket('AgentSilent'), ticket('QualityScoresMissing')],
] as const
/** Not silent, though it is of the same tenant and agent. */
const NEVER = [
  // A ticket makes no page silent, and what burns is not what drips.
  [ticket('AgentSuccessRateLow'), page('AgentSuccessRateLow')],
  [ticket('AgentLatencyP95High'), page('AgentLatencyP99High')],
  [page('AgentSuccessRateLow'), ticket('AgentLatencyP95High')],
  [page('AgentSuccessRateLow'), ticket('AgentSlownessTrickle')],
  [ticket('AgentFailuresTrickle'), ticket('AgentSuccessRateLow')],
  [page('AgentSuccessRateLow'), ticket('AgentQualityLow')],
  // Alerts of other origin, whatever labels they share with ours.
  [page('Foreign'), ticket('Foreign')],
  [page('Foreign'), ticket('AgentSuccessRateLow')],
  [page('AgentSuccessRateLow'), ticket('Foreign')],
] as const
const BLIND = [
  'AgentSilent', 'AgentRequestRateAnomalous', 'AgentErrorRateAnomalous', 'AgentLatencyAnomalous', 'AgentCostAnomalous', 'AgentTokensAnomalous', 'AgentQualityAnomalous',
  'QualityScoresMissing',
]
const SEES = ['AgentSuccessRateLow', 'AgentFailuresTrickle', 'SpanbridgeRejectingSpans', 'Watchdog', 'Foreign']

needs('alertmanager').describe('inhibition', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-inhibition-'))
  let recorder: Recorder
  let alertmanager: Native
  let posts = 0

  beforeAll(async () => {
    recorder = await startRecorder()
    const ours = [...BY_TENANT, ...BY_AGENT, ...NEVER].flat().filter(({ alertname }) => alertname !== 'Foreign')
    const alerts = [
      ...ALL_ALERTS,
      ...[...ours, ...['SpanbridgeDown', 'SpanbridgeMissing', 'SpanbridgeReceivingNothing', 'TenantWithoutSuccess'].map(page), ...BLIND.map(ticket)].map(({ alertname, ...labels }) => ({ alert: alertname!, labels })),
    ]
    const config = await routing(`{
      alertmanager+: {
        severities+: { info+: { to: ['pager'], groupWait: '1s', muteTimes: ['always'] } },
        timeIntervals+: { always: [{ times: [{ start_time: '00:00', end_time: '24:00' }] }] },
      },
    }`, alerts)
    writeFileSync(join(directory, 'alertmanager.yml'), alertmanagerConfig(stringify(config), { pagerUrl: recorder.url }))
    alertmanager = await startAlertmanager({ configFile: join(directory, 'alertmanager.yml'), dataDir: join(directory, 'data'), logDir: directory })
  }, 60_000)

  afterAll(async () => {
    await alertmanager?.stop()
    await recorder?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test('a page makes the ticket of the same thing silent, of the same tenant and agent', async () => {
    const silent: Labels[] = []
    const loud: Labels[] = []
    for (const [at, [source, target]] of [...BY_TENANT, ...BY_AGENT].entries()) {
      const who = { tenant_id: `t${at}`, agent: `a${at}` }
      const isOfAgent = at >= BY_TENANT.length
      loud.push({ ...source, ...who }, { ...target, ...who, agent: `other${at}` })
      silent.push({ ...target, ...who })
      ;(isOfAgent ? silent : loud).push({ ...target, ...who, tenant_id: 'other' })
    }
    expect(await silentOf([...silent, ...loud])).toEqual(inOrder(silent))
  }, 60_000)

  test('what a whole tenant is told of is not told of each of its agents', async () => {
    const tenant = { ...page('TenantWithoutSuccess'), tenant_id: 'whole' }
    const silent = [page('AgentSuccessRateLow'), ticket('AgentSuccessRateLow'), ticket('AgentRootCauseBurst')].map((labels) => ({ ...labels, tenant_id: 'whole', agent: 'x' }))
    const loud = [{ ...page('AgentSuccessRateLow'), tenant_id: 'part', agent: 'x' }, { ...page('AgentLatencyP95High'), tenant_id: 'whole', agent: 'x' }]
    expect(await silentOf([tenant, ...silent, ...loud])).toEqual(inOrder(silent))
  }, 60_000)

  test('requests without a tenant or an agent are somebody of their own', async () => {
    const [source, target] = [{ ...page('AgentSuccessRateLow'), objective: 'success_rate', tenant_id: 'nameless' }, { ...ticket('AgentSuccessRateLow'), objective: 'success_rate', tenant_id: 'nameless' }]
    expect(await silentOf([source, target, { ...target, agent: 'named' }])).toEqual([target])
  }, 60_000)

  test('nothing else is silent, of other origin least', async () => {
    const alerts = NEVER.map((pair, at) => pair.map((labels) => ({ ...labels, tenant_id: `never${at}`, agent: `never${at}` })))
    const targets = alerts.map(([, target]) => key(target!))
    // Without any of the labels that are compared, on both sides.
    const bare = [page('Foreign'), ticket('Foreign'), ticket('OtherForeign'), { alertname: 'Foreign' }]
    const silent = await silentOf([...alerts.flat(), ...bare])
    expect(silent.filter((labels) => labels['alertname']!.includes('Foreign') || targets.includes(key(labels)))).toEqual([])
  }, 60_000)

  test('tickets are muted at their hours, told otherwise, and pages are never', async () => {
    const [info, warning] = [{ alertname: 'Muted', severity: 'info' }, { alertname: 'Told', severity: 'critical' }]
    await post([info, warning])
    await recorder.fitting(({ body }) => body.includes('"Told"'))
    await vi.waitFor(async () => expect((await statusOf(info)).mutedBy).toEqual(['always']), { timeout: 30_000, interval: 200 })
    expect((await statusOf(warning)).mutedBy).toEqual([])
  }, 60_000)

  test.each(['SpanbridgeDown', 'SpanbridgeMissing', 'SpanbridgeReceivingNothing'])('%s makes silent what it blinds, and nothing else', async (name) => {
    const blind = name === 'SpanbridgeReceivingNothing' ? BLIND : [...BLIND, 'CollectorDroppingSpans']
    const silent = blind.map((alertname) => ({ ...ticket(alertname), agent: `blind to ${alertname}`, tenant_id: name }))
    const loud = [...SEES, ...(name === 'SpanbridgeReceivingNothing' ? ['CollectorDroppingSpans'] : [])].map((alertname) => ({ ...ticket(alertname), agent: `sees ${alertname}`, tenant_id: name }))
    const down = { ...page(name), instance: 'bridge:9464' }
    expect(await silentOf([...silent, ...loud])).toEqual([])
    expect(await silentOf([down, ...silent, ...loud])).toEqual(inOrder(silent))
    await post([down], new Date())
    await vi.waitFor(async () => expect(await silentOf(silent)).toEqual([]), { timeout: 30_000, interval: 200 })
  }, 60_000)

  async function post(all: readonly Labels[], endsAt?: Date): Promise<void> {
    const body = JSON.stringify(all.map((labels) => ({ labels, ...(endsAt && { endsAt: endsAt.toISOString() }) })))
    const answer = await fetch(`${alertmanager.url}/api/v2/alerts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    if (answer.status !== 200) throw new Error(`Alertmanager answers ${answer.status}: ${await answer.text()}`)
  }

  interface Told {
    readonly labels: Labels
    readonly status: { readonly state: string; readonly mutedBy: readonly string[] }
  }

  async function told(): Promise<Told[]> {
    return (await (await fetch(`${alertmanager.url}/api/v2/alerts/groups`)).json() as { alerts: Told[] }[]).flatMap(({ alerts }) => alerts)
  }

  async function statusOf(labels: Labels): Promise<Told['status']> {
    const found = (await told()).find((each) => key(each.labels) === key(labels))
    if (found === undefined) throw new Error(`Alertmanager does not know ${key(labels)}`)
    return found.status
  }

  /**
   * Of these, those that tell nobody. Alertmanager inhibits some time after it has taken an alert, in the order in which they come: so when the last pair is
   * judged, all before it are.
   */
  async function silentOf(all: readonly Labels[]): Promise<Labels[]> {
    await post(all)
    const last = { tenant_id: `last of ${++posts}`, agent: 'last' }
    await post([{ ...page('AgentSuccessRateLow'), ...last }, { ...ticket('AgentSuccessRateLow'), ...last }])
    const wanted = new Set(all.map(key))
    return vi.waitUntil(async () => {
      const found = await told()
      const isSilent = new Map(found.map(({ labels, status }) => [key(labels), status.state === 'suppressed']))
      if (isSilent.get(key({ ...ticket('AgentSuccessRateLow'), ...last })) !== true || ![...wanted].every((each) => isSilent.has(each))) return undefined
      return inOrder(all.filter((labels) => isSilent.get(key(labels))))
    }, { timeout: 30_000, interval: 100 })
  }
})

function key(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort())
}

function inOrder(all: readonly Labels[]): Labels[] {
  return [...all].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
