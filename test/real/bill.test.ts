/** A provider's bill against a real Prometheus: of a day that is over, with a restart in it, and of today, from a bridge that runs. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startPrometheus, type Native } from '../../provisioning/run.ts'
import { spanbridge } from '../cli/spanbridge.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { testBridge, type TestBridge } from './bridge.ts'
import { needs } from './require.ts'

const { describe, path } = needs('prometheus', 'promtool')
const DAY_MS = 86_400_000
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

describe('a bill', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-bill-'))
  const before = dayOf(Date.now() - 3 * DAY_MS)
  let bridge: TestBridge
  let prometheus: Native | undefined

  beforeAll(async () => {
    bridge = await testBridge()
    const at = (days: number, time: string) => Date.parse(`${before}T${time}Z`) / 1000 + days * 86_400
    const sample = (name: string, usd: number, seconds: number) => `agent_cost_usd_total{tenant_id="acme",step="model",name="${name}",job="spanbridge"} ${usd} ${seconds}`
    writeFileSync(join(directory, 'history.txt'), [
      '# TYPE agent_cost_usd counter', sample('gpt-4o', 0.5, at(-1, '23:59:00')), sample('gpt-4o', 0.75, at(0, '00:10:00')), sample('gpt-4o', 0.125, at(0, '12:00:00')), sample('gpt-4o', 0.25, at(0, '23:59:30')), sample('gpt-4o', 0.375, at(1, '00:30:00')),
      sample('o3', 2, at(0, '08:00:00')), sample('o3', 2, at(1, '08:00:00')), '# EOF', '',
    ].join('\n'))
    execFileSync(path('promtool'), ['tsdb', 'create-blocks-from', 'openmetrics', join(directory, 'history.txt'), join(directory, 'data')])
    const configFile = join(directory, 'prometheus.yml')
    writeFileSync(configFile, `global: {scrape_interval: 1s}\nscrape_configs:\n  - {job_name: bridge, static_configs: [{targets: ['${new URL(bridge.webUrl).host}']}]}\n`)
    prometheus = await startPrometheus({ configFile, dataDir: join(directory, 'data'), logDir: directory })
  }, 60_000)
  afterAll(async () => {
    await prometheus?.stop()
    await bridge.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const costs = (name: string, rows: readonly (readonly [string, string, string])[]): string => {
    writeFileSync(join(directory, name), JSON.stringify({
      object: 'page', has_more: false,
      data: rows.map(([day, model, usd]) => ({ object: 'bucket', start_time: Date.parse(day) / 1000, end_time: Date.parse(day) / 1000 + 86_400, results: [{ object: 'organization.costs.result', amount: { value: usd, currency: 'usd' }, line_item: `${model}, input` }] })),
    }))
    return join(directory, name)
  }

  test('of a day that is over, in which the bridge began anew, agrees to the last cent', async () => {
    const ran = await spanbridge(['reconcile', costs('past.json', [[before, 'gpt-4o-2024-08-06', '0.5'], [before, 'o3-2025-04-16', '2']]), '--prometheus', prometheus!.url, '--tolerance', '0', '--matching', 'tenant_id="acme"'])
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('difference 0.00 USD: they agree') as string })
  })

  test('of today agrees with what a running bridge has counted, and the savings of the same calls are told', async () => {
    const calls = [[1_000_003, 2_001], [777, 31], [400_000, 0]] as const
    const now = Date.now()
    const spans = calls.map(([input, output], i) => ({
      trace: (i + 1).toString(16).padStart(32, '0'), id: '1'.padStart(16, '0'), name: 'chat gpt-4o', startMs: now - 500, endMs: now - 100, resource: {}, scope: 'opentelemetry.instrumentation.openai_v2',
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.input_tokens': input, 'gen_ai.usage.output_tokens': output },
      ...(i === 2 && { status: { code: 2, message: '500' } }),
    }))
    const pushed = await fetch(`${bridge.httpUrl}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: tracesBody(spans) as Uint8Array<ArrayBuffer> })
    expect(pushed.status).toBe(200)
    // 2.50 and 10 USD a million tokens, in picodollars.
    const pico = calls.reduce((sum, [input, output]) => sum + BigInt(input) * 2_500_000n + BigInt(output) * 10_000_000n, 0n)
    const usd = `${pico / 10n ** 12n}.${String(pico % 10n ** 12n).padStart(12, '0')}`
    const bill = costs('today.json', [[dayOf(now), 'gpt-4o-2024-08-06', usd]])
    await vi.waitFor(async () => {
      expect(await spanbridge(['reconcile', bill, '--prometheus', prometheus!.url, '--tolerance', '0.0000001'])).toMatchObject({ code: 0, stdout: expect.stringContaining('they agree') as string })
    }, { timeout: 20_000, interval: 500 })
    const checked = await spanbridge(['prices', 'check', '--bridge', bridge.webUrl, '--json'])
    expect(JSON.parse(checked.stdout)).toMatchObject({ missing: [], models: [{ model: 'gpt-4o', calls: 3 }] })
    expect((await bridge.samples('agent_avoidable_cost_usd_total')).map(({ labels, value }) => [labels['reason'], value])).toEqual([['retry_waste', 1]])
    expect(await spanbridge(['savings', '--prometheus', prometheus!.url, '--since', '10m'])).toMatchObject({ code: 0, stderr: '' })
  }, 60_000)
})
