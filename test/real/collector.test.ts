/** The Collector's configuration, as it stands in docker-compose.yml and as `make up` uses it, in the real Collector. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { collectorConfig, COMPOSE_COLLECTOR } from '../../provisioning/collector.ts'
import { freePort, type Native, startCollector } from '../../provisioning/run.ts'
import { testBridge } from './bridge.ts'
import { needs } from './require.ts'

const ROOT = join(import.meta.dirname, '../..')
const { describe, path } = needs('otelcol')

describe('the configuration of the Collector', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-collector-'))
  const running: Native[] = []

  afterAll(async () => {
    await Promise.all(running.map((native) => native.stop()))
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(['collector.yml', 'collector-kafka.yml'])('the Collector knows every key of %s', (name) => {
    const queueDir = join(directory, `queue-of-${name}`)
    mkdirSync(queueDir)
    const file = join(directory, `valid-${name}`)
    writeFileSync(file, readFileSync(join(ROOT, 'provisioning', name), 'utf8').replaceAll(COMPOSE_COLLECTOR.queueDir, queueDir))
    expect(execFileSync(path('otelcol'), ['validate', '--config', file], { encoding: 'utf8' })).toBe('')
    writeFileSync(file, readFileSync(file, 'utf8').replace('sending_queue:', 'sending_cue:'))
    expect(() => execFileSync(path('otelcol'), ['validate', '--config', file], { stdio: 'pipe' })).toThrow('sending_cue')
  })

  test('spans that were taken while the bridge was away come to it, even after the Collector was killed', async () => {
    const bridge = await testBridge()
    const { port: bridgePort } = new URL(bridge.grpcUrl)
    const queueDir = join(directory, 'queue')
    mkdirSync(queueDir)
    const start = async (target: string): Promise<{ collector: Native; http: string }> => {
      const [grpc, http, health, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()]
      const configFile = join(directory, 'collector.yml')
      writeFileSync(configFile, collectorConfig({
        grpc: `127.0.0.1:${grpc}`, http: `127.0.0.1:${http}`, bridge: target, prometheusUrl: 'http://127.0.0.1:1',
        queueDir, health: `127.0.0.1:${health}`, metrics: { host: '127.0.0.1', port: metrics },
      }))
      const collector = await startCollector({ configFile, logDir: directory, healthUrl: `http://127.0.0.1:${health}` })
      running.push(collector)
      return { collector, http: `http://127.0.0.1:${http}` }
    }
    try {
      const nobody = await freePort()
      const first = await start(`127.0.0.1:${nobody}`)
      expect((await push(first.http)).status).toBe(200)
      process.kill(first.collector.pid, 'SIGKILL')
      await first.collector.ended
      expect(await bridge.samples('agent_requests_total')).toEqual([])
      await start(`127.0.0.1:${bridgePort}`)
      const samples = await vi.waitUntil(async () => {
        const found = await bridge.samples('agent_requests_total')
        return found.length > 0 && found
      }, { timeout: 30_000, interval: 200 })
      expect(samples.map(({ value }) => value)).toEqual([1])
    } finally {
      await bridge.stop()
    }
  }, 90_000)
})

function push(url: string): Promise<Response> {
  const endNanos = BigInt(Date.now()) * 1_000_000n
  const span = {
    traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), name: 'invoke_agent support_agent', kind: 1, startTimeUnixNano: String(endNanos - 100_000_000n), endTimeUnixNano: String(endNanos),
    attributes: Object.entries({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support_agent' }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  }
  return fetch(`${url}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }) })
}
