/**
 * Every rule for Loki's ruler in a real Loki, and its alert as it arrives at a real Alertmanager. The cases are requests at times of the last days: the stage
 * that writes the bridge's lines writes theirs, with those times as its clock, and Loki takes them as any bridge's.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { LOKI_RULES_FILE } from '../../provisioning/loki.ts'
import { type Native, startAlertmanager } from '../../provisioning/run.ts'
import { startBridge, type Bridge } from '../../src/bridge.ts'
import { openExporter } from '../../src/cli/exporter.ts'
import { newTally, play } from '../../src/cli/player.ts'
import { loadRecordings } from '../../src/cli/recordings.ts'
import { loadConfig } from '../../src/config/config.ts'
import { LogCounts } from '../../src/logs/counts.ts'
import { LineQueue } from '../../src/logs/queue.ts'
import { RequestLog } from '../../src/logs/requestlog.ts'
import { testEngine } from '../conformance/recordings.ts'
import { run, type Run } from '../logs/runs.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { testLoki, type TestLoki } from './loki.ts'
import { needs } from './require.ts'

const { describe } = needs('loki', 'alertmanager')

const directory = mkdtempSync(join(tmpdir(), 'spanbridge-loki-rules-'))
const running: Native[] = []
afterAll(async () => {
  await Promise.all(running.map((native) => native.stop()))
  rmSync(directory, { recursive: true, force: true })
}, 30_000)

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** A Loki with the generated rules, evaluated every second, and an Alertmanager that they go to. */
async function stack(name: string): Promise<{ loki: TestLoki; evaluated(): Promise<void>; alerts(): Promise<Alert[]> }> {
  const home = mkdtempSync(join(directory, `${name}-`))
  const configFile = join(home, 'alertmanager.yml')
  writeFileSync(configFile, 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n')
  const alertmanager = await startAlertmanager({ configFile, dataDir: join(home, 'alertmanager'), logDir: home })
  running.push(alertmanager)
  const rules = parse(readFileSync(LOKI_RULES_FILE, 'utf8')) as { groups: { interval?: string }[] }
  const rulesFile = join(home, 'rules.yaml')
  writeFileSync(rulesFile, stringify({ groups: rules.groups.map((group) => ({ ...group, interval: '1s' })) }))
  const loki = await testLoki(home, { rulesFile, alertmanagerUrl: alertmanager.url })
  running.push(loki)
  const ruler = async () => {
    const { data } = await json<{ data: { groups: { rules: { name: string; health: string; lastError?: string; lastEvaluation: string }[] }[] } }>(`${loki.url}/prometheus/api/v1/rules`)
    return data.groups.flatMap((group) => group.rules)
  }
  return {
    loki,
    /** Resolves when every rule was evaluated after now, twice, so that what the first of it found has been sent. */
    evaluated: async () => {
      for (let times = 0; times < 2; times++) {
        const sinceMs = Date.now()
        const all = await vi.waitUntil(async () => {
          const found = await ruler()
          return found.length === NAMES.size && found.every(({ lastEvaluation }) => Date.parse(lastEvaluation) > sinceMs) && found
        }, { timeout: 30_000, interval: 200 })
        expect(all.filter(({ health }) => health !== 'ok')).toEqual([])
      }
    },
    /** What Alertmanager has, once that is as much as fires in the ruler: the first notifications may come before the ruler knows where to. */
    alerts: () => vi.waitUntil(async () => {
      const { data } = await json<{ data: { alerts: { state: string }[] } }>(`${loki.url}/prometheus/api/v1/alerts`)
      const arrived = await json<Alert[]>(`${alertmanager.url}/api/v2/alerts`)
      return arrived.length === data.alerts.filter(({ state }) => state === 'firing').length && arrived
    }, { timeout: 30_000, interval: 200 }),
  }
}

const NAMES = new Set((parse(readFileSync(LOKI_RULES_FILE, 'utf8')) as { groups: { rules: { alert: string }[] }[] }).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)))
const SECOND = 1
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const FAILURES = {
  '5xx': { failure: '503 Service Unavailable' },
  overflow: { failure: 'context_length_exceeded: maximum context length is 128000 tokens', at: 'model' },
  deadlock: { failure: 'Recursion limit of 25 reached without hitting a stop condition', at: 'agent' },
} as const satisfies Record<string, Partial<Run>>

/** So many requests, so many seconds ago; without a failure they succeed. */
interface Requests {
  readonly ago: number
  readonly times: number
  readonly failure?: keyof typeof FAILURES
}

type Kind = 'at the limit' | 'just below it' | 'before the window' | 'of another kind' | 'as usual'

interface Case {
  readonly alert: string
  readonly kind: Kind
  readonly requests: readonly Requests[]
  readonly fires: boolean
}

const fires = (alert: string, kind: Kind, ...requests: Requests[]): Case => ({ alert, kind, requests, fires: true })
const silent = (alert: string, kind: Kind, ...requests: Requests[]): Case => ({ alert, kind, requests, fires: false })

/** Each has a tenant and an agent of its own. With room for the seconds that the test takes. */
const CASES: readonly Case[] = [
  fires('AgentErrorFingerprintNew', 'at the limit', { ago: 1 * MINUTE, times: 3, failure: '5xx' }),
  silent('AgentErrorFingerprintNew', 'just below it', { ago: 1 * MINUTE, times: 2, failure: '5xx' }),
  silent('AgentErrorFingerprintNew', 'as usual', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 1 * MINUTE, times: 3, failure: '5xx' }),
  fires('AgentErrorFingerprintNew', 'of another kind', { ago: 23 * HOUR, times: 1, failure: 'overflow' }, { ago: 1 * MINUTE, times: 3, failure: '5xx' }),
  silent('AgentErrorFingerprintNew', 'before the window', { ago: 11 * MINUTE, times: 3, failure: '5xx' }),

  fires('AgentRootCauseBurst', 'at the limit', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 1 * MINUTE, times: 20, failure: '5xx' }),
  silent('AgentRootCauseBurst', 'just below it', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 1 * MINUTE, times: 19, failure: '5xx' }),
  silent('AgentRootCauseBurst', 'before the window', { ago: 6 * MINUTE, times: 20, failure: '5xx' }),
  // 49 in the hour before are 4.1 in five minutes, of which 20 are less than five times as many; 48 are four.
  silent('AgentRootCauseBurst', 'as usual', { ago: 30 * MINUTE, times: 49, failure: '5xx' }, { ago: 1 * MINUTE, times: 20, failure: '5xx' }),
  fires('AgentRootCauseBurst', 'as usual', { ago: 30 * MINUTE, times: 48, failure: '5xx' }, { ago: 1 * MINUTE, times: 20, failure: '5xx' }),
  silent('AgentRootCauseBurst', 'of another kind', { ago: 23 * HOUR, times: 1, failure: 'deadlock' }, { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 1 * MINUTE, times: 19, failure: '5xx' }, { ago: 1 * MINUTE, times: 20, failure: 'deadlock' }),

  fires('AgentContextOverflowBurst', 'at the limit', { ago: 23 * HOUR, times: 1, failure: 'overflow' }, { ago: 9 * MINUTE, times: 5, failure: 'overflow' }),
  silent('AgentContextOverflowBurst', 'just below it', { ago: 23 * HOUR, times: 1, failure: 'overflow' }, { ago: 9 * MINUTE, times: 4, failure: 'overflow' }),
  silent('AgentContextOverflowBurst', 'before the window', { ago: 11 * MINUTE, times: 5, failure: 'overflow' }),
  silent('AgentContextOverflowBurst', 'of another kind', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 9 * MINUTE, times: 5, failure: '5xx' }),

  fires('AgentDeadlockSeen', 'at the limit', { ago: 9 * MINUTE, times: 1, failure: 'deadlock' }),
  silent('AgentDeadlockSeen', 'just below it', { ago: 9 * MINUTE, times: 1 }),
  silent('AgentDeadlockSeen', 'before the window', { ago: 11 * MINUTE, times: 1, failure: 'deadlock' }),
  silent('AgentDeadlockSeen', 'of another kind', { ago: 9 * MINUTE, times: 1, failure: '5xx' }),

  fires('TenantWithoutSuccess', 'at the limit', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 20 * MINUTE, times: 9 }, { ago: 12 * MINUTE, times: 5, failure: '5xx' }),
  silent('TenantWithoutSuccess', 'just below it', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 12 * MINUTE, times: 4, failure: '5xx' }),
  silent('TenantWithoutSuccess', 'before the window', { ago: 17 * MINUTE, times: 5, failure: '5xx' }),
  silent('TenantWithoutSuccess', 'as usual', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 12 * MINUTE, times: 5, failure: '5xx' }, { ago: 11 * MINUTE, times: 1 }),
]

const tenantOf = (at: number) => `tenant-${at}`
const agentOf = (at: number) => `agent-${at}`

test('every rule has a case at its limit, just below it, before its window and of another kind', () => {
  for (const name of NAMES) {
    const kinds = CASES.filter(({ alert }) => alert === name).map(({ kind }) => kind)
    const wanted: Kind[] = name === 'TenantWithoutSuccess' ? ['at the limit', 'just below it', 'before the window', 'as usual'] : ['at the limit', 'just below it', 'before the window', 'of another kind']
    expect(wanted.filter((kind) => !kinds.includes(kind)), name).toEqual([])
  }
})

describe('the rules of the log, on requests of the last days', () => {
  let alerts: Alert[]
  let tenants: Map<string, number>

  beforeAll(async () => {
    const { loki, evaluated, alerts: arrived } = await stack('cases')
    tenants = await pushCases(loki)
    await evaluated()
    alerts = await arrived()
  }, 90_000)

  test.each(CASES.map((one, at) => [one.alert, one.fires ? 'fires' : 'is silent', one.kind, one.requests.map(({ ago, times, failure = 'success' }) => `${times} ${failure} ${ago} s ago`).join(', '), at] as const))('%s %s: %s: %s', (alert, fires, _kind, _requests, at) => {
    const arrived = alerts.filter(({ labels }) => labels['alertname'] === alert && (labels['tenant_id'] === tenantOf(at) || labels['agent'] === agentOf(at)))
    expect(arrived).toHaveLength(fires === 'fires' ? 1 : 0)
  })

  test('every alert that arrives is of a case that says so, and says what a page needs', () => {
    expect(tenants.size).toBe(CASES.length)
    for (const { labels, annotations } of alerts) {
      expect(['critical', 'warning']).toContain(labels['severity'])
      for (const text of Object.values(annotations)) expect(text).not.toMatch(/\{\{|<no value>|<error/)
      expect(annotations['description']).toMatch(/^\d+ requests? of .*(agent|tenant)-\d+/)
      expect(annotations['root_cause']).toMatch(/^(tool lookup_order: 5xx|model gpt-4o: context_overflow|agent.*: deadlock)/)
      expect(annotations['remedy']).toMatch(/\.$/)
      expect([annotations['root_cause_class'], annotations['root_cause_type']]).toEqual(
        annotations['root_cause']!.includes('5xx') ? ['tool', '5xx'] : annotations['root_cause']!.includes('overflow') ? ['context', 'context_overflow'] : ['coordination', 'deadlock'],
      )
      expect(annotations['runbook_url']).toMatch(new RegExp(`/${labels['alertname']}$`))
      expect(annotations['dashboard_url']).toMatch(/var-(tenant_id|agent)=(tenant|agent)-\d+/)
    }
    const at = CASES.findIndex(({ alert, kind }) => alert === 'TenantWithoutSuccess' && kind === 'at the limit')
    const page = alerts.find(({ labels }) => labels['alertname'] === 'TenantWithoutSuccess' && labels['tenant_id'] === tenantOf(at))!
    expect(page.annotations).toMatchObject({ root_cause: 'tool lookup_order: 5xx, 5 in the last 15 minutes', remedy: 'Serve the cached response.', value: '5', limit: '5' })
  })
})

describe('a real bridge, fed with recorded agents', () => {
  const HEALTHY = ['langchain-traceloop/ok', 'openai-agents-openinference/ok']
  /** A tenant for each; played so many times. */
  const PLAYED = [
    { tenant: 'overflow "a\\b', recording: 'langchain-traceloop/context_overflow', times: 5 },
    { tenant: 'deadlock', recording: 'langchain-traceloop/loop_limit', times: 1 },
    { tenant: 'burst', recording: 'langchain-traceloop/tool_5xx', times: 20 },
    { tenant: 'model', recording: 'openai-agents-openinference/model_5xx', times: 19 },
    ...HEALTHY.map((recording) => ({ tenant: 'well', recording, times: 10 })),
    // Fails, and succeeds now and then.
    { tenant: 'mixed', recording: 'langchain-traceloop/tool_5xx', times: 5 },
    { tenant: 'mixed', recording: HEALTHY[0]!, times: 1 },
  ]
  let found: Awaited<ReturnType<typeof stack>>
  let bridge: Bridge | undefined
  let metrics = ''

  beforeAll(async () => {
    found = await stack('bridge')
    const flags = { httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0', settleGrace: '300ms', dataDir: join(directory, 'data') }
    bridge = await startBridge(loadConfig({ flags, env: { SPANBRIDGE_LOKI_URL: found.loki.url, SPANBRIDGE_LOKI_LABELS: 'cluster=test' } }))
    metrics = `http://127.0.0.1:${bridge.addresses.web.port}/metrics`
    const exporter = await openExporter({ protocol: 'http/protobuf', endpoint: new URL(`http://127.0.0.1:${bridge.addresses.http.port}`), gzip: false, headers: {}, timeoutSeconds: 10 })
    for (const { tenant, recording, times } of PLAYED) {
      const recordings = loadRecordings([join(import.meta.dirname, '../recordings', recording)])
      const tally = newTally()
      await play(Array.from({ length: times }, () => recordings).flat(), exporter, { rate: 0, spansPerSecond: undefined, durationSeconds: undefined, loop: false, keepIds: false, keepTimes: false, tenants: [{ name: tenant, weight: 1 }] }, tally, new AbortController().signal)
      expect(tally.rejected + tally.failed.size).toBe(0)
    }
    await exporter.close()
    // The tallies of the failures are the last that comes.
    await vi.waitUntil(async () => (await found.loki.samples('sum by (tenant_id) (sum_over_time({event="tally"} | unwrap failed [5m]))')).length >= 5, { timeout: 40_000, interval: 500 })
    await found.evaluated()
  }, 110_000)
  afterAll(() => bridge?.stop())

  test('pages and tickets arrive with who and why, and nothing else does', async () => {
    const arrived = (await found.alerts()).map(({ labels, annotations }) => [labels['alertname'], labels['tenant_id'], annotations['root_cause_type'], annotations['value']].join(' | ')).sort()
    expect(arrived).toEqual([
      'AgentContextOverflowBurst | overflow "a\\b | context_overflow | 5',
      'AgentDeadlockSeen | deadlock | deadlock | 1',
      'AgentRootCauseBurst | burst | 5xx | 20',
      'TenantWithoutSuccess | burst | 5xx | 20',
      'TenantWithoutSuccess | model | model_unavailable | 19',
      'TenantWithoutSuccess | overflow "a\\b | context_overflow | 5',
    ])
  })

  test('a Loki that has no line from before takes nothing for new', async () => {
    expect((await found.alerts()).filter(({ labels }) => labels['alertname'] === 'AgentErrorFingerprintNew')).toEqual([])
    expect(await found.loki.samples('sum by (fingerprint) (count_over_time({event="request"} | fingerprint != "" [10m])) > 3')).not.toEqual([])
  })

  test('a line leads to its trace, and Loki has every line that the bridge counts, in few streams', async () => {
    const [line] = await found.loki.lines('{service_name="spanbridge", event="request", outcome="error"} | tenant_id = "deadlock"')
    expect(line!.labels).toMatchObject({ cluster: 'test', class: 'coordination', type: 'deadlock', level: 'error', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(JSON.parse(line!.text)).toMatchObject({ tenant_id: 'deadlock', outcome: 'error', root_cause: { class: 'coordination', type: 'deadlock' }, trace_id: line!.labels['trace_id'] })
    const told = /^spanbridge_log_lines_total (\d+)$/m.exec(await (await fetch(metrics)).text())
    const [all] = await found.loki.samples('sum(count_over_time({service_name="spanbridge"}[10m]))')
    expect(all!.value).toBeGreaterThanOrEqual(Number(told![1]))
    const streams = await json<{ data: Record<string, string>[] }>(`${found.loki.url}/loki/api/v1/series?match[]=${encodeURIComponent('{service_name="spanbridge"}')}`)
    expect(streams.data.length).toBeLessThanOrEqual(5)
  })
})

/** Writes the lines of all cases, in the order of their times. Returns each tenant's number of requests. */
async function pushCases(loki: TestLoki): Promise<Map<string, number>> {
  const counts = new LogCounts()
  const queue = new LineQueue(1 << 26, {}, counts)
  let log: RequestLog | undefined
  const engine = testEngine({ onSettled: (settled, nowMs) => log!.settled(settled, nowMs), maxOpenRequests: 100, strings: { capacity: 1 << 14 } })
  log = new RequestLog({ objectives: [], linesPerSecond: 10_000, strings: engine.strings, counts }, (line) => queue.add(line))
  const nowMs = Date.now()
  const tenants = new Map<string, number>()
  const all = CASES.flatMap(({ requests }, at) => requests.map((one) => ({ ...one, at }))).sort((a, b) => b.ago - a.ago)
  // That a bridge was there the day before yesterday.
  log.tick(nowMs - 30 * HOUR * 1000)
  for (const { ago, times, failure, at } of all) {
    const ms = nowMs - ago * 1000
    for (let i = 0; i < times; i++) {
      engine.traces(tracesBody(run({ tenant: tenantOf(at), agent: agentOf(at), ...(failure && FAILURES[failure]) })), ms)
      engine.finish(ms)
    }
    log.tick(ms + 10_000)
    tenants.set(tenantOf(at), (tenants.get(tenantOf(at)) ?? 0) + times)
  }
  log.finish(nowMs)
  for (let batch = queue.take(1 << 20); batch !== undefined; batch = queue.take(1 << 20)) await loki.push((JSON.parse(batch.body) as { streams: [] }).streams)
  expect(counts.dropped.queue_full + counts.dropped.rate_limit).toBe(0)
  return tenants
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return await response.json() as T
}
