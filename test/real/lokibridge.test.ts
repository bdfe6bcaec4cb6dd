/** A real bridge, fed with recorded agents, in front of a real Loki: what its lines make fire, and every query that people are given for them. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startBridge, type Bridge } from '../../src/bridge.ts'
import { openExporter } from '../../src/cli/send/transport.ts'
import { newTally, play } from '../../src/cli/send/player.ts'
import { loadRecordings } from '../../src/cli/recorded/recordings.ts'
import { loadConfig } from '../../src/config/config.ts'
import { pastedLogQl } from '../alerts/logql.ts'
import { ROOT } from '../alerts/rulefile.ts'
import { lokiStack, type LokiStack } from './lokistack.ts'
import { needs } from './require.ts'

needs('loki', 'alertmanager').describe('a real bridge, fed with recorded agents', () => {
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
  const FAILED = 5 + 1 + 20 + 19 + 5
  let stack: LokiStack
  let bridge: Bridge | undefined
  let metrics = ''

  beforeAll(async () => {
    stack = await lokiStack()
    const flags = { httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0', settleGrace: '300ms', dataDir: join(stack.directory, 'bridge') }
    // Whatever it costs is too much for this one.
    const objectives = '[{ objective: cost_per_request, tenant: well, limit: 0 }]'
    bridge = await startBridge(loadConfig({ flags, env: { SPANBRIDGE_LOKI_URL: stack.loki.url, SPANBRIDGE_LOKI_LABELS: 'cluster=test', SPANBRIDGE_OBJECTIVES: objectives } }))
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
    await vi.waitUntil(async () => (await stack.loki.samples('sum(sum_over_time({event="tally"} | unwrap failed [5m]))'))[0]?.value === FAILED, { timeout: 40_000, interval: 500 })
    await stack.evaluated()
  }, 110_000)
  afterAll(async () => {
    await bridge?.stop()
    await stack?.stop()
  }, 30_000)

  test('pages and tickets arrive with who and why, and nothing else does', async () => {
    const arrived = (await stack.alerts()).map(({ labels, annotations }) => [labels['alertname'], labels['tenant_id'], annotations['root_cause_type'], annotations['value']].join(' | ')).sort()
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
    expect((await stack.alerts()).filter(({ labels }) => labels['alertname'] === 'AgentErrorFingerprintNew')).toEqual([])
    expect(await stack.loki.samples('sum by (fingerprint) (count_over_time({event="request"} | fingerprint != "" [10m])) > 3')).not.toEqual([])
  })

  test('a line leads to its trace, and Loki has every line that the bridge counts, in few streams', async () => {
    const [line] = await stack.loki.lines('{service_name="spanbridge", event="request", outcome="error"} | tenant_id = "deadlock"')
    expect(line!.labels).toMatchObject({ cluster: 'test', class: 'coordination', type: 'deadlock', level: 'error', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(JSON.parse(line!.text)).toMatchObject({ tenant_id: 'deadlock', outcome: 'error', root_cause: { class: 'coordination', type: 'deadlock' }, trace_id: line!.labels['trace_id'] })
    const told = /^spanbridge_log_lines_total (\d+)$/m.exec(await (await fetch(metrics)).text())
    const [all] = await stack.loki.samples('sum(count_over_time({service_name="spanbridge"}[10m]))')
    expect(all!.value).toBeGreaterThanOrEqual(Number(told![1]))
    const response = await fetch(`${stack.loki.url}/loki/api/v1/series?match[]=${encodeURIComponent('{service_name="spanbridge"}')}`)
    const streams = ((await response.json()) as { data: object[] }).data
    expect(streams.length).toBeGreaterThan(2)
    expect(streams.length).toBeLessThanOrEqual(8)
  })

  test.each(pastedLogQl())('%s: %s runs', async (_file, query) => {
    const filled = query.replaceAll('TENANT', 'burst').replaceAll('AGENT', 'support').replaceAll('TYPE', '5xx').replaceAll('NAME', 'lookup_order').replaceAll('FINGERPRINT', '0123456789abcdef')
    // Loki answers a mistake with an error, which both throw.
    if (filled.startsWith('{')) await stack.loki.lines(filled)
    else await stack.loki.samples(filled)
  })

  const panels = globSync(join(ROOT, 'dashboards/generated/*.json')).flatMap((file) => panelsOf(JSON.parse(readFileSync(file, 'utf8')) as Panel))
  const targets = panels.flatMap(({ title = '', targets: all = [], datasource }) => all.filter((target) => (target.datasource ?? datasource)?.type === 'loki').map(({ expr }) => [title, expr] as const))

  test('there are panels of the log', () => {
    expect(targets.length).toBeGreaterThan(1)
  })

  test.each(targets)('the panel "%s" shows lines: %s', async (_title, expr) => {
    const found = await stack.loki.lines(expr.replace(/\$\w+|\$\{\w+\}/g, '.*'))
    expect(found).not.toEqual([])
    expect(found.filter(({ labels }) => '__error__' in labels)).toEqual([])
  })
})

interface Panel {
  readonly title?: string
  readonly datasource?: { readonly type?: string }
  readonly targets?: readonly { readonly expr: string; readonly datasource?: { readonly type?: string } }[]
  readonly panels?: readonly Panel[]
}

function panelsOf({ panels = [] }: Panel): Panel[] {
  return panels.flatMap((panel) => [panel, ...panelsOf(panel)])
}
