/** The `kafka` profile of docker-compose.yml with a real broker: the Collector's configuration, the broker's settings, two bridges that share a topic. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { kafkaConfig } from '../../provisioning/collector.ts'
import { freePort, type Native, startCollector, startNative } from '../../provisioning/run.ts'
import { testBridge, type TestBridge } from './bridge.ts'
import { needs } from './require.ts'

const { describe, path } = needs('kafka-server', 'otelcol')
interface Started {
  readonly native: Native
  readonly http: string
  readonly metrics: string
}

const TRACES = 60
/** In a prompt of one span: with the rest of it more than the megabyte that Kafka takes by default. */
const LONG_BYTES = 1_500_000

describe('spans by way of Kafka', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-kafka-'))
  const collectors: Native[] = []
  let kafka: Native | undefined
  const bridges: TestBridge[] = []
  let brokers: string[]

  beforeAll(async () => {
    const [broker, controller] = [await freePort(), await freePort()]
    brokers = [`127.0.0.1:${broker}`]
    const configFile = join(directory, 'server.properties')
    writeFileSync(configFile, propertiesFor(broker, controller))
    kafka = await startNative({ name: 'kafka', binary: path('kafka-server'), args: [configFile, composed().CLUSTER_ID!], logFile: join(directory, 'kafka.log'), ready: { url: `tcp://${brokers[0]}` } })
  }, 60_000)

  afterAll(async () => {
    await Promise.all(collectors.map((collector) => collector.stop()))
    await kafka?.stop()
    await Promise.all(bridges.map((bridge) => bridge.stop()))
    rmSync(directory, { recursive: true, force: true })
  }, 60_000)

  /** The environment of the broker in docker-compose.yml. */
  function composed(): Record<string, string> {
    const { services } = parse(readFileSync(join(import.meta.dirname, '../../docker-compose.yml'), 'utf8'), { merge: true }) as { services: Record<string, { environment: Record<string, string> }> }
    return services['kafka']!.environment
  }

  /** As the image makes them of its environment: KAFKA_NUM_PARTITIONS is num.partitions. Only addresses and the folder are others. */
  function propertiesFor(broker: number, controller: number): string {
    const settings = Object.entries(composed()).filter(([name]) => name.startsWith('KAFKA_') && name !== 'KAFKA_HEAP_OPTS').map(([name, value]) => [name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'), value])
    const local = {
      'controller.quorum.voters': `1@127.0.0.1:${controller}`, 'listeners': `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${broker}`, 'log.dirs': join(directory, 'kafka'),
    }
    return Object.entries({ ...Object.fromEntries(settings), ...local }).map(([key, value]) => `${key}=${value}\n`).join('')
  }

  async function startOne(name: string, bridge: string): Promise<Started> {
    const [grpc, http, health, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()]
    const queueDir = join(directory, name)
    mkdirSync(queueDir, { recursive: true })
    const configFile = join(queueDir, 'collector.yml')
    writeFileSync(configFile, kafkaConfig({ grpc: `127.0.0.1:${grpc}`, http: `127.0.0.1:${http}`, brokers, bridge, queueDir, health: `127.0.0.1:${health}`, metrics: { host: '127.0.0.1', port: metrics } }))
    const native = await startCollector({ configFile, logDir: queueDir, healthUrl: `http://127.0.0.1:${health}` })
    collectors.push(native)
    return { native, http: `http://127.0.0.1:${http}`, metrics: `http://127.0.0.1:${metrics}/metrics` }
  }

  /** Spans that Kafka has taken from it. */
  async function sent({ metrics }: Started): Promise<number> {
    return Number(/^otelcol_exporter_sent_spans(?:__spans_)?(?:_total)?\{[^}]*exporter="kafka"[^}]*\} (\d+)$/m.exec(await (await fetch(metrics)).text())?.[1] ?? 0)
  }

  const grpcOf = (bridge: TestBridge): string => new URL(bridge.grpcUrl).host
  const counts = (name: string, agent: string): Promise<number[]> => Promise.all(bridges.map(async (bridge) => sum((await bridge.samples(name)).filter(({ labels }) => labels['agent'] === agent).map(({ value }) => value))))
  const requests = (agent: string): Promise<number[]> => counts('agent_requests_total', agent)
  const steps = async (agent: string): Promise<number> => sum(await counts('agent_step_duration_seconds_count', agent))

  test('what was sent while the bridge was away comes to it, even after the Collector was killed', async () => {
    const nobody = await freePort()
    const first = await startOne('first', `127.0.0.1:${nobody}`)
    for (let n = 0; n < 5; n++) await push(first.http, trace('away'), ['child', 'root'])
    await vi.waitUntil(async () => (await sent(first)) === 10, { timeout: 30_000, interval: 100 })
    process.kill(first.native.pid, 'SIGKILL')
    await first.native.ended
    bridges.push(await testBridge())
    await startOne('first', grpcOf(bridges[0]!))
    await vi.waitUntil(async () => (await requests('away'))[0] === 5, { timeout: 60_000, interval: 200 })
  }, 120_000)

  test('two bridges share the traces, each whole in one of them and counted once, long prompts too', async () => {
    bridges.push(await testBridge())
    const others = [await startOne('second', grpcOf(bridges[1]!)), await startOne('third', grpcOf(bridges[0]!))]
    const send = async (agent: string, prompt = ''): Promise<void> => {
      const one = trace(agent)
      // The parts of a trace come by different Collectors.
      await push(others[0]!.http, one, ['child'], prompt)
      await push(others[1]!.http, one, ['root'])
    }
    // Until Kafka has given each bridge a part of the topic. A trace that is under way meanwhile may be torn apart.
    await vi.waitUntil(async () => {
      await send('early')
      return Math.min(...await requests('early')) > 0
    }, { timeout: 60_000, interval: 200 })

    for (let n = 0; n < TRACES; n++) await send('support', n === 0 ? randomBytes(LONG_BYTES / 2).toString('hex') : '')
    await vi.waitUntil(async () => sum(await requests('support')) >= TRACES && await steps('support') >= TRACES, { timeout: 60_000, interval: 200 })
    const counted = await requests('support')
    expect(sum(counted)).toBe(TRACES)
    expect(await steps('support')).toBe(TRACES)
    expect(Math.min(...counted)).toBeGreaterThan(5)
    console.log(`by way of Kafka: ${counted.join(' and ')} requests in two bridges`)
  }, 120_000)
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}

interface Trace {
  readonly traceId: string
  readonly rootId: string
  readonly agent: string
}

function trace(agent: string): Trace {
  return { agent, traceId: randomBytes(16).toString('hex'), rootId: randomBytes(8).toString('hex') }
}

async function push(url: string, { traceId, rootId, agent }: Trace, parts: readonly ('root' | 'child')[], prompt = ''): Promise<void> {
  const end = BigInt(Date.now()) * 1_000_000n
  const times = { startTimeUnixNano: String(end - 100_000_000n), endTimeUnixNano: String(end) }
  const attributes = (all: Record<string, string>) => Object.entries(all).map(([key, stringValue]) => ({ key, value: { stringValue } }))
  const spans = parts.map((part) => part === 'root'
    ? { traceId, spanId: rootId, name: `invoke_agent ${agent}`, kind: 2, ...times, attributes: attributes({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent }) }
    : { traceId, spanId: randomBytes(8).toString('hex'), parentSpanId: rootId, name: 'execute_tool search', kind: 1, ...times, attributes: attributes({ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search', 'gen_ai.tool.call.arguments': prompt }) })
  const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ resource: { attributes: attributes({ 'service.name': 'support' }) }, scopeSpans: [{ spans }] }] }) })
  expect(response.status).toBe(200)
}
