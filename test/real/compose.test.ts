/** docker-compose.yml in a Docker engine: the real file, with stand-ins for the images, which cannot be pulled here, and free ports of this machine. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe as vitestDescribe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { freePort } from '../../provisioning/run.ts'
import { RECORDINGS } from '../../src/cli/up/traffic.ts'
import { castOf } from '../../src/demo/cast.ts'
import { ROOT } from '../cli/spanbridge.ts'
import { type Docker, dockerMissing, startDocker } from './docker.ts'
import { loadImages, STAND_INS } from './images.ts'
import { needs } from './require.ts'
import { spawned } from './spawned.ts'

/** Without Grafana and Tempo, of which there is no program, and without Kafka. */
const SERVICES = ['bridge', 'collector', 'prometheus', 'alertmanager', 'loki', 'demo'] as const
const TITLE = 'docker compose up'

/** Of no simulated agent. */
const TENANT = 'initech'

const missing = dockerMissing()
const { describe: run } = needs('docker-compose', 'prometheus', 'alertmanager', 'loki', 'otelcol')

if (missing !== '' && process.env['CI'] === 'true') vitestDescribe(TITLE, () => test('has what it needs', () => { throw new Error(`cannot test without ${missing}`) }))
else if (missing !== '') vitestDescribe.skip(`${TITLE} (skipped, missing: ${missing})`, () => test('runs', () => undefined))
else run(TITLE, () => {
  let docker: Docker
  /** `service:port` of the container to the port of this machine. */
  const ports = new Map<string, number>()
  const at = (address: string): string => `http://127.0.0.1:${ports.get(address)!}`
  let files: string[]
  const compose = (...args: string[]): string => docker.compose(['--env-file', join(ROOT, 'provisioning/demo.env'), ...args], { files, projectDirectory: ROOT })
  const metrics = async (): Promise<string> => (await get(`${at('bridge:9464')}/metrics`)).text()
  const pages = async (): Promise<Page[]> => (await json<{ incidents: { pages: Page[] }[] }>(`${at('bridge:9464')}/pager/api/incidents?limit=100`)).incidents.flatMap((incident) => incident.pages).filter(({ alertname, alerts }) => alertname === 'AgentSuccessRateLow' && alerts.some(({ labels }) => labels['tenant_id'] === TENANT))
  const lines = async (): Promise<boolean> => {
    const search = new URLSearchParams({ query: `{service_name="spanbridge", event="request"} | tenant_id="${TENANT}"`, since: '1h' })
    return (await json<{ data: { result: unknown[] } }>(`${at('loki:3100')}/loki/api/v1/query_range?${search}`)).data.result.length > 0
  }
  const up = (): string => compose('up', '--detach', '--wait', '--wait-timeout', '120', ...SERVICES)

  beforeAll(async () => {
    docker = await startDocker()
    loadImages(docker)
    files = [join(ROOT, 'docker-compose.yml'), await otherPorts(docker.directory, ports)]
    up()
  }, 300_000)

  afterAll(async () => {
    await docker?.stop()
  }, 120_000)

  test('every service is healthy, as the user of its image, with a root file system that it cannot write to', () => {
    const states = compose('ps', '--format', 'json').trim().split('\n').map((line) => JSON.parse(line) as { Service: string; State: string; Health: string })
    expect(states.map(({ Service, State, Health }) => [Service, State, Health]).toSorted()).toEqual(SERVICES.map((name) => [name, 'running', 'healthy']).toSorted())
    const inspected = JSON.parse(docker.run(['inspect', ...docker.run(['ps', '--quiet']).trim().split('\n')])) as Inspected[]
    for (const { Config, HostConfig } of inspected) {
      expect(Config.User, Config.Image).not.toMatch(/^(0|root)?(:|$)/)
      expect(HostConfig, Config.Image).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ['ALL'] })
      expect(HostConfig.Memory).toBeGreaterThan(0)
    }
  })

  test('they find each other by name: Prometheus scrapes all of them', async () => {
    const jobs = await vi.waitUntil(async () => {
      const found = await query(at('prometheus:9090'), 'up == 1')
      return found.length === 5 && found.map(({ metric }) => metric['job'])
    }, { timeout: 60_000, interval: 1000 })
    expect(jobs.toSorted()).toEqual(['alertmanager', 'loki', 'otel-collector', 'prometheus', 'spanbridge'])
    const { data } = await json<{ data: { groups: { rules: { health: string }[] }[] } }>(`${at('prometheus:9090')}/api/v1/rules`)
    expect(data.groups.flatMap(({ rules }) => rules).length).toBeGreaterThan(100)
  }, 70_000)

  test("the demo's agents work through the Collector, and take faults", async () => {
    await vi.waitUntil(async () => /^agent_requests_total\{.*agent="tool_agent".*\} [1-9]/m.test(await metrics()), { timeout: 60_000, interval: 500 })
    expect((await json<{ faults: unknown[] }>(`${at('demo:9465')}/demo`)).faults.length).toBeGreaterThan(10)
    // Their own limits, from demo.env.
    expect(await metrics()).toMatch(/^agent_objective\{.*objective="latency_p95".*agent="code_review_agent".*\} 10(\.0)?$|^agent_objective\{.*agent="code_review_agent".*objective="latency_p95".*\} 10(\.0)?$/m)
  }, 70_000)

  test("failing spans sent to the Collector's port come back as a page on the pager's, and as lines in Loki", async () => {
    // A tenant of which every request fails is another page, in place of this one.
    const { affected, failing } = castOf(RECORDINGS)
    const sending = spawned(['send', '--loop', '--rate', '10', '--tenant', TENANT, '--endpoint', at('collector:4318'), ...failing, ...affected.slice(0, failing.length)])
    try {
      const page = await vi.waitUntil(async () => (await pages())[0] ?? false, { timeout: 100_000, interval: 500 })
      expect(page.alerts[0]!.labels).toMatchObject({ tenant_id: TENANT, severity: 'critical' })
      expect(JSON.stringify(page)).toContain('lookup_order')
    } finally {
      sending.kill('SIGTERM')
      await sending.ended
    }
    await vi.waitUntil(lines, { timeout: 30_000, interval: 500 })
  }, 150_000)

  test('what is sent while the bridge is away is there when it is back, and its pages too', async () => {
    compose('stop', 'bridge')
    expect((await push(at('collector:4318'), 'away')).status).toBe(200)
    compose('up', '--detach', '--wait', '--no-deps', 'bridge')
    await vi.waitUntil(async () => /^agent_requests_total\{tenant_id="away".*\} [1-9]/m.test(await metrics()), { timeout: 60_000, interval: 500 })
    expect(await pages()).not.toEqual([])
  }, 120_000)

  test('`docker compose restart bridge` while agents send loses no span', async () => {
    const sending = spawned(['send', '--loop', '--rate', '20', '--tenant', 'steady', '--endpoint', at('collector:4318'), ...castOf(RECORDINGS).affected])
    try {
      compose('restart', 'bridge')
      compose('up', '--detach', '--wait', '--no-deps', 'bridge')
    } finally {
      sending.kill('SIGTERM')
      await sending.ended
    }
    compose('stop', 'demo')
    const taken = sumOf(docker.run(['exec', 'spanbridge-collector-1', '/bin/wget', '-q', '-O', '-', 'http://127.0.0.1:8888/metrics']), 'otelcol_receiver_accepted_spans')
    expect(taken).toBeGreaterThan(1000)
    // Each bridge before this one has told what it had when it stopped.
    const before = [...docker.run(['logs', 'spanbridge-bridge-1']).matchAll(/accepted (\d+) spans/g)].map(([, spans]) => Number(spans))
    expect(before).toHaveLength(2)
    const arrived = async (): Promise<number> => before.reduce((sum, spans) => sum + spans, sumOf(await metrics(), 'spanbridge_spans_accepted_total'))
    await vi.waitFor(async () => expect(await arrived()).toBe(taken), { timeout: 60_000, interval: 500 })
  }, 150_000)

  test('`down` and `up` keep pages, series and lines', async () => {
    const before = (await pages()).map(({ id }) => id)
    expect(before).not.toEqual([])
    compose('down')
    up()
    expect((await pages()).map(({ id }) => id)).toEqual(expect.arrayContaining(before))
    expect(await query(at('prometheus:9090'), `count_over_time(agent_requests_total{tenant_id="${TENANT}"}[1h]) > 0`)).not.toEqual([])
    expect(await lines()).toBe(true)
  }, 200_000)

  test('stand-ins are of the images that the files name, and of no others', () => {
    const { services } = parse(readFileSync(files[0]!, 'utf8')) as { services: Record<string, { image: string }> }
    const named = SERVICES.map((name) => services[name]!.image).filter((image) => !image.endsWith(':local'))
    const from = ['Dockerfile', 'provisioning/collector.Dockerfile'].flatMap((file) => [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!))
    expect([...new Set([...named, ...from])].toSorted()).toEqual(STAND_INS.toSorted())
  })
})

function sumOf(exposition: string, metric: string): number {
  return [...exposition.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\S+)`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0)
}

interface Inspected {
  readonly Config: { readonly User: string; readonly Image: string }
  readonly HostConfig: { readonly ReadonlyRootfs: boolean; readonly Privileged: boolean; readonly CapDrop: readonly string[]; readonly Memory: number }
}

interface Page {
  readonly id: string
  readonly alertname: string
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[]
}

/** A compose file beside the real one: the ports of the containers on free ones of this machine, by `service:port`. */
async function otherPorts(directory: string, ports: Map<string, number>): Promise<string> {
  const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) as { services: Record<string, { ports?: string[] }> }
  const text: string[] = []
  for (const name of SERVICES) {
    const published: string[] = []
    for (const port of services[name]!.ports ?? []) {
      const [host, , inside] = port.split(':')
      const free = await freePort()
      ports.set(`${name}:${inside}`, free)
      published.push(`'${host}:${free}:${inside}'`)
    }
    text.push(`  ${name}: { ports: !override [${published.join(', ')}] }`)
  }
  const file = join(directory, 'ports.yml')
  writeFileSync(file, `services:\n${text.join('\n')}\n`)
  return file
}

function push(url: string, tenant: string): Promise<Response> {
  const endNanos = BigInt(Date.now()) * 1_000_000n
  const span = {
    traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), name: 'invoke_agent support_agent', kind: 1, startTimeUnixNano: String(endNanos - 100_000_000n), endTimeUnixNano: String(endNanos),
    attributes: Object.entries({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support_agent', tenant_id: tenant }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  }
  return fetch(`${url}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }) })
}

async function query(prometheus: string, promql: string): Promise<{ metric: Record<string, string> }[]> {
  return (await json<{ data: { result: { metric: Record<string, string> }[] } }>(`${prometheus}/api/v1/query?query=${encodeURIComponent(promql)}`)).data.result
}

/** On a connection of its own: an old one may lead to a container that is gone. */
function get(url: string): Promise<Response> {
  return fetch(url, { headers: { connection: 'close' } })
}

async function json<T>(url: string): Promise<T> {
  const response = await get(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return await response.json() as T
}
