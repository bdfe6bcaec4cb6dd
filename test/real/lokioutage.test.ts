/** A Loki that goes away and comes back, under a bridge that goes on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { freePort } from '../../provisioning/run.ts'
import { startBridge, type Bridge } from '../../src/bridge.ts'
import { loadConfig } from '../../src/config/config.ts'
import { run } from '../logs/runs.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { testLoki, type TestLoki } from './loki.ts'
import { needs } from './require.ts'

needs('loki').describe('an outage of Loki', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-outage-'))
  const words: string[] = []
  let port: number
  let loki: TestLoki
  let bridge: Bridge

  beforeAll(async () => {
    port = await freePort()
    loki = await testLoki(directory, { port })
    const flags = { httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0', settleGrace: '100ms', dataDir: join(directory, 'bridge') }
    bridge = await startBridge(loadConfig({ flags, env: { SPANBRIDGE_LOKI_URL: loki.url } }), (message) => words.push(message))
  }, 60_000)
  afterAll(async () => {
    await bridge?.stop()
    await loki?.stop()
    rmSync(directory, { recursive: true, force: true })
  }, 30_000)

  const fail = async (tenant: string) => {
    const response = await fetch(`http://127.0.0.1:${bridge.addresses.http.port}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/x-protobuf' }, body: Buffer.from(tracesBody(run({ tenant, failure: '503 Service Unavailable' }))) })
    expect(response.status).toBe(200)
  }
  const metric = async (name: string) => {
    const text = await (await fetch(`http://127.0.0.1:${bridge.addresses.web.port}/metrics`)).text()
    return Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').at(-1))
  }
  const tenants = async () => new Set((await loki.lines('{event="request"}')).map(({ labels }) => labels['tenant_id']))
  const WAIT = { timeout: 40_000, interval: 250 }

  test('what failed meanwhile is in Loki once it is back, and is counted once; a person is told twice', async () => {
    await fail('before')
    await vi.waitUntil(async () => (await tenants()).has('before'), WAIT)
    await loki.stop()
    await fail('meanwhile')
    await vi.waitUntil(async () => (await metric('spanbridge_log_push_errors_total{error="network"}')) >= 2, WAIT)
    loki = await testLoki(directory, { port })
    await vi.waitUntil(async () => (await tenants()).has('meanwhile'), WAIT)
    expect(await tenants()).toEqual(new Set(['before', 'meanwhile']))
    expect(await loki.samples('sum by (tenant_id) (count_over_time({event="request"}[10m]))')).toEqual(expect.arrayContaining(['before', 'meanwhile'].map((tenant) => ({ metric: { tenant_id: tenant }, value: 1 }))))
    await vi.waitUntil(() => words.length === 2, WAIT)
    expect(words).toEqual([expect.stringMatching(/^cannot push to Loki: .*ECONNREFUSED/), 'Loki takes lines again'])
    for (const reason of ['queue_full', 'refused', 'undeliverable']) expect(await metric(`spanbridge_log_lines_dropped_total{reason="${reason}"}`)).toBe(0)
  }, 120_000)
})
