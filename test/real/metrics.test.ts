/** What /metrics shows after recorded runs of every dialect, as the real promtool and the real Prometheus read it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startPrometheus, type Native } from '../../provisioning/run.ts'
import { recordings } from '../conformance/recordings.ts'
import { testBridge, type TestBridge } from './bridge.ts'
import { needs } from './require.ts'

const { describe, path } = needs('prometheus', 'promtool')

describe('/metrics after recorded runs of every dialect', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-metrics-'))
  let bridge: TestBridge
  let prometheus: Native | undefined

  beforeAll(async () => {
    bridge = await testBridge()
    for (const { scenario, bodies } of recordings()) {
      if (!['ok', 'tool_5xx', 'rate_limit', 'eval'].includes(scenario)) continue
      for (const { signal, bytes } of bodies) {
        const response = await fetch(`${bridge.httpUrl}/v1/${signal}`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: bytes as Uint8Array<ArrayBuffer> })
        expect(response.status).toBe(200)
      }
    }
    await vi.waitFor(async () => expect((await bridge.samples('agent_root_causes_total')).length).toBeGreaterThan(3), { timeout: 10_000, interval: 100 })
  })
  afterAll(async () => {
    await prometheus?.stop()
    await bridge.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  test('promtool check metrics finds nothing to say', async () => {
    const text = await (await fetch(`${bridge.webUrl}/metrics`)).text()
    expect(text).toContain('agent_requests_total')
    // Its exit code is 3 for a finding, which throws here with what it said.
    expect(execFileSync(path('promtool'), ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe('')
  })

  test('Prometheus scrapes it as OpenMetrics, exemplars included', async () => {
    const configFile = join(directory, 'prometheus.yml')
    writeFileSync(configFile, `global: {scrape_interval: 1s}\nscrape_configs:\n  - {job_name: bridge, static_configs: [{targets: ['${new URL(bridge.webUrl).host}']}]}\n`)
    prometheus = await startPrometheus({ configFile, dataDir: join(directory, 'data'), logDir: directory })
    const get = async (what: string) => ((await (await fetch(`${prometheus!.url}/api/v1/${what}`)).json()) as { data: unknown }).data
    await vi.waitFor(async () => {
      const { result } = (await get(`query?query=${encodeURIComponent('count(agent_requests_total)')}`)) as { result: { value: [number, string] }[] }
      expect(Number(result[0]?.value[1])).toBeGreaterThan(10)
    }, { timeout: 30_000, interval: 200 })
    const targets = (await get('targets')) as { activeTargets: { health: string; lastError: string }[] }
    expect(targets.activeTargets.map(({ health, lastError }) => ({ health, lastError }))).toEqual([{ health: 'up', lastError: '' }])
    const now = Date.now() / 1000
    const exemplars = (await get(`query_exemplars?query=agent_request_duration_seconds_bucket&start=${now - 300}&end=${now + 60}`)) as { exemplars: { labels: { trace_id: string } }[] }[]
    expect(exemplars.flatMap((series) => series.exemplars).map(({ labels }) => labels.trace_id)).toContainEqual(expect.stringMatching(/^[0-9a-f]{32}$/))
  })
})
