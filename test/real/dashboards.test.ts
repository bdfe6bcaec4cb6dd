/**
 * Every query of every panel on a real Prometheus and a real Loki, which were fed by the bridge from the recordings and from simulated agents with every
 * fault of the taxonomy: none may fail, and none may find nothing but those that test/dashboards/empty.ts gives a reason for. The rules have their short
 * windows by configuration, and all variables are chosen as Grafana chooses "All".
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { stringify } from 'yaml'
import { findComponent } from '../../components/components.ts'
import { prometheusConfig } from '../../provisioning/prometheus.ts'
import { type Native, startPrometheus } from '../../provisioning/run.ts'
import { type Bridge, startBridge } from '../../src/bridge.ts'
import { loadConfig } from '../../src/config/config.ts'
import { FAULTS } from '../../src/demo/agents/faults.ts'
import { type Profile, PROFILES } from '../../src/demo/agents/profiles.ts'
import { Random } from '../../src/demo/agents/random.ts'
import { Telemetry } from '../../src/demo/agents/telemetry.ts'
import { Traffic } from '../../src/demo/agents/traffic.ts'
import { allTargets, dashboards, everything, interpolated, isLoki, type Target } from '../dashboards/dashboards.ts'
import { MAY_BE_EMPTY } from '../dashboards/empty.ts'
import { openDatabase } from '../../src/database.ts'
import { fakeLangsmith, type FakeApi } from '../external/sources.ts'
import { fakeModel, type FakeModel } from '../judge/fakemodel.ts'
import { testLoki } from './loki.ts'
import { needs } from './require.ts'
import { spawned, type Spawned } from './spawned.ts'

const { describe } = needs('prometheus')
const hasLoki = findComponent('loki') !== undefined
/** Until every panel has found something. */
const LIMIT_SECONDS = 100
const RANGE_SECONDS = 20
const STEP_SECONDS = 2

/** Of results that the agents' tools give, some of which are not so. */
const EXPECTED = { tools: [{ match: 'lookup_order', checks: [{ name: 'is on its way', at: '/state', matches: '^(packed|sent)$' }] }], agents: [{ match: '*', checks: [{ name: 'says something', matches: '\\w' }] }] }

/** Reads whole files: no agent of the demo has so many tokens in its context. */
const READER: Profile = {
  ...PROFILES[0]!, agent: 'reader',
  steps: (random) => [{ kind: 'model', provider: 'openai', name: 'gpt-4.1', seconds: 0.2, inputTokens: random.one([100_000, 300_000]), outputTokens: 200, messages: 3 }],
}

interface Asked {
  readonly name: string
  readonly panel: string
  readonly target: Target
  readonly expr: string
}

const isKnown = ({ panel, name }: Asked): boolean => panel in MAY_BE_EMPTY || name in MAY_BE_EMPTY

const asked: readonly Asked[] = allTargets.map(({ dashboard, panel, target, name }) => ({
  name, panel: `${dashboard.uid}: ${panel.title}`, target,
  expr: interpolated(target.expr, { ...everything(dashboard), __rate_interval: '8s', __interval: `${STEP_SECONDS}s`, __range: `${RANGE_SECONDS}s`, __range_s: `${RANGE_SECONDS}`, __auto: `${RANGE_SECONDS}s` }),
}))

describe('every panel', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-dashboards-'))
  const running: Native[] = []
  let prometheus: Native
  let loki: Native | undefined
  let bridge: Bridge
  let model: FakeModel
  let langsmith: FakeApi
  let person: NodeJS.Timeout
  let telemetry: Telemetry
  let ticker: NodeJS.Timeout
  let player: Spawned

  beforeAll(async () => {
    if (hasLoki) running.push(loki = await testLoki(directory))
    const objectives = PROFILES.flatMap(({ agent, limits }) => Object.entries(limits).map(([objective, limit]) => ({ objective, agent, limit })))
    model = await fakeModel()
    let judged = 0
    // Now good, now bad: one who always says the same has no kappa.
    model.otherwise(() => ({ score: 2 + (judged++ % 3) }))
    const judge = { provider: 'anthropic', baseUrl: model.url, apiKeyFile: written('key', 'key-of-the-test'), share: 0.3, usdPerDay: 1000, tenantUsdPerDay: 1000, tenantRequestsPerDay: 100_000 }
    langsmith = await fakeLangsmith([], 'key-of-the-test')
    const scores = { langsmith: { url: langsmith.url, apiKeyFile: written('langsmith', 'key-of-the-test'), every: '5s' } }
    bridge = await startBridge(loadConfig({ flags: {
      config: written('spanbridge.yaml', JSON.stringify({ objectives, judge, scores, expectations: written('expectations.yaml', JSON.stringify(EXPECTED)), ...(loki === undefined ? {} : { loki: { url: loki.url } }) })),
      httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0', settleGrace: '300ms', dataDir: directory,
    } }))
    const { http, web } = bridge.addresses
    const config = prometheusConfig({ bridges: [`127.0.0.1:${web.port}`], ruleFile: written('rules.yaml', await rules()), alertmanagers: [], scrapeIntervalSeconds: 1, evaluationIntervalSeconds: 1 })
    running.push(prometheus = await startPrometheus({ configFile: written('prometheus.yml', config), dataDir: join(directory, 'prometheus'), logDir: directory }))

    telemetry = new Telemetry(`http://127.0.0.1:${http.port}`)
    const traffic = new Traffic({ profiles: [...PROFILES, READER].map((profile) => ({ ...profile, perSecond: 6, nightShare: 1 })), random: new Random(20_261), write: (run, endMs) => telemetry.write(run, endMs) })
    for (const fault of FAULTS.filter(({ id }) => id !== 'silence')) traffic.strike({ fault, share: 0.04, untilMs: Infinity })
    ticker = setInterval(() => traffic.tick(Date.now()), 100)
    person = setInterval(() => void mark(`http://127.0.0.1:${web.port}/v1/scores`), 2000)
    player = spawned(['send', '--loop', '--rate', '10', '--endpoint', `http://127.0.0.1:${http.port}`])
  }, 60_000)

  afterAll(async () => {
    clearInterval(ticker)
    clearInterval(person)
    player?.kill('SIGTERM')
    await player?.ended
    await telemetry?.stop()
    await bridge?.stop()
    await model?.stop()
    await langsmith?.close()
    await Promise.all(running.map((native) => native.stop()))
    rmSync(directory, { recursive: true, force: true })
  }, 30_000)

  /** A person marks some of what the judge has marked. */
  async function mark(url: string): Promise<void> {
    const database = openDatabase(join(directory, 'scores.db'), 'scores')
    const traces = database.prepare('SELECT trace FROM judged ORDER BY number DESC LIMIT 10').all().map((row) => String(row['trace']))
    database.close()
    const marks = traces.map((trace_id, i) => ({ trace_id, evaluator: 'ann', mark: 1 + (i % 5) }))
    await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify([...marks, { trace_id: 'none', evaluator: 'ann', score: 1 }]) }).catch(() => {})
  }

  function written(name: string, text: string): string {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }

  test('of PromQL finds something, or is known to be empty', async () => {
    await allFound(asked.filter(({ target }) => !isLoki(target)), found)
  }, (LIMIT_SECONDS + 30) * 1000)

  test.skipIf(!hasLoki && process.env['CI'] !== 'true')(`of LogQL finds something${hasLoki ? '' : ' (skipped, missing: loki)'}`, async () => {
    if (loki === undefined) throw new Error('cannot test without loki: "node components/ensure.ts loki" builds it')
    await allFound(asked.filter(({ target }) => isLoki(target)), lines)
  }, (LIMIT_SECONDS + 30) * 1000)

  test('of those that may be empty is there', () => {
    const known = new Set(asked.flatMap(({ panel, name }) => [panel, name]))
    expect(Object.keys(MAY_BE_EMPTY).filter((name) => !known.has(name))).toEqual([])
  })

  test('of a variable finds values, and of an annotation is answered', async () => {
    const { templating, annotations } = dashboards[0]!
    const values = everything(dashboards[0]!)
    for (const { name, type, query } of templating.list) {
      if (type !== 'query' || typeof query === 'string') continue
      const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query.query)!
      const found = await api(`label/${label}/values`, { 'match[]': interpolated(series!, values) })
      if (name !== 'cluster') expect((found as string[]).length, name).toBeGreaterThan(0)
    }
    for (const { expr } of annotations.list) if (expr !== undefined) await api('query', { query: interpolated(expr, values) })
  })

  async function allFound(all: readonly Asked[], find: (one: Asked) => Promise<boolean>): Promise<void> {
    expect(all.length).toBeGreaterThan(0)
    let left = all
    await vi.waitUntil(async () => {
      const answers = await Promise.all(left.map(async (one) => ({ one, found: await find(one) })))
      left = answers.filter(({ found }) => !found).map(({ one }) => one)
      return left.every(isKnown)
    }, { timeout: LIMIT_SECONDS * 1000, interval: 3000 }).catch((error: Error) => {
      if (left.length === 0 || !/timed out/i.test(error.message)) throw error
    })
    expect(left.filter((one) => !isKnown(one)).map(({ name, expr }) => `${name}: ${expr}`)).toEqual([])
    console.log(`${all.length} queries of panels answered, ${left.length} of them with nothing, as is known of them`)
  }

  /** Something that Grafana would draw. */
  async function found({ target, expr }: Asked): Promise<boolean> {
    const now = Date.now() / 1000
    const { result } = await (target.instant === true
      ? api('query', { query: expr, time: String(now) })
      : api('query_range', { query: expr, start: String(now - RANGE_SECONDS), end: String(now), step: String(STEP_SECONDS) })) as { result: { value?: [number, string]; values?: [number, string][] }[] }
    return result.some(({ value, values = [] }) => [...values, ...(value === undefined ? [] : [value])].some(([, number]) => Number.isFinite(Number(number))))
  }

  async function lines({ expr }: Asked): Promise<boolean> {
    const response = await fetch(`${loki!.url}/loki/api/v1/query_range?${new URLSearchParams({ query: expr, since: '10m', limit: '10' })}`)
    if (!response.ok) throw new Error(`Loki answered ${response.status} to ${expr}: ${await response.text()}`)
    return ((await response.json()) as { data: { result: unknown[] } }).data.result.length > 0
  }

  async function api(path: string, parameters: Record<string, string>): Promise<unknown> {
    const response = await fetch(`${prometheus.url}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const answer = await response.json() as { status: string; data: unknown; error?: string }
    if (answer.status !== 'success') throw new Error(`Prometheus refuses ${parameters['query'] ?? parameters['match[]']}: ${answer.error}`)
    return answer.data
  }
})

async function rules(): Promise<string> {
  const evaluator = await findEvaluator()
  if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
  const mixin = `local mixin = (import 'mixin.libsonnet') + { _config+:: { scrapeInterval: '1s', evaluationInterval: '1s', longRangeEvaluationInterval: '2s', budgetEvaluationInterval: '2s', causeRange: '10s',
    anomalies+: { window: '10s', scoreWindow: '20s', minEvents: 3, recent: '20s', smoothing: '10s', memory: '1h', memoryInterval: '2s', warmUp: '20s' },
  } };`
  return stringify(await evaluator.evaluate(`${mixin} { groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups }`, join(import.meta.dirname, '../../alerts')))
}
