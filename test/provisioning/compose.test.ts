import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ALERTMANAGER_FILE, alertmanagerConfig, COMPOSE_PAGER } from '../../provisioning/alertmanager.ts'
import { COMPOSE_COLLECTOR, COMPOSE_KAFKA, MEMORY_LIMIT_MIB } from '../../provisioning/collector.ts'
import { COMPOSE_GRAFANA } from '../../provisioning/grafana.ts'
import { COMPOSE_LOKI, RULES_TENANT } from '../../provisioning/loki.ts'
import { COMPOSE, OTHER_JOBS, prometheusConfig } from '../../provisioning/prometheus.ts'
import { COMPOSE_TEMPO } from '../../provisioning/tempo.ts'
import { loadConfig } from '../../src/config/config.ts'
import { demoLimits } from '../../src/demo/agents/profiles.ts'

const root = join(import.meta.dirname, '../..')
interface Service {
  readonly image: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly build?: string | { readonly context: string; readonly dockerfile: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  readonly profiles?: readonly string[]
  readonly mem_limit?: string
  readonly healthcheck?: object
  readonly [key: string]: unknown
}
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as { services: Record<string, Service>; volumes: Record<string, unknown> }
const services = Object.entries(compose.services)

describe('docker-compose.yml', () => {
  test('opens ports to this machine only', () => {
    expect(services.flatMap(([, { ports = [] }]) => ports).filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([])
  })

  test('pins every image that it does not build, and those that it builds from', () => {
    const built = services.filter(([, { build }]) => build !== undefined).map(([, { image }]) => image)
    expect(services.filter(([, { image }]) => !built.includes(image) && !/:v?\d+\.\d+\.\d+$/.test(image)).map(([name]) => name)).toEqual([])
    const froms = ['Dockerfile', 'provisioning/collector.Dockerfile'].flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!))
    // Of Node the line with long-term support, for its fixes.
    expect(froms.filter((image) => image !== 'node:24-slim' && !/:\d+\.\d+\.\d+(-musl)?$/.test(image))).toEqual([])
  })

  test('keeps every service small, watched and without privileges', () => {
    for (const [name, service] of services) {
      expect(service, name).toMatchObject({ mem_limit: expect.stringMatching(/^\d+[mg]$/), cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], restart: 'unless-stopped' })
      expect(service['privileged'], name).toBeUndefined()
      // The bridge's check is in its Dockerfile.
      if (name !== 'bridge') expect(service.healthcheck, name).toBeDefined()
    }
    expect(services.filter(([, service]) => service['read_only'] !== true).map(([name]) => name)).toEqual(['kafka'])
  })

  test('has agents and Kafka in profiles, and everything else in none', () => {
    expect(services.filter(([, { profiles }]) => profiles !== undefined).map(([name, { profiles }]) => [name, profiles])).toEqual([['demo', ['demo']], ['kafka', ['kafka']], ['collector-kafka', ['kafka']]])
  })

  test('gives the bridge what it understands, with the links of Grafana and the limits of the demo', () => {
    const { environment = {} } = compose.services['bridge']!
    const demo = Object.fromEntries(readFileSync(join(root, 'provisioning/demo.env'), 'utf8').split('\n').filter((line) => /^\w+=/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replace(/^'|'$/g, '')]))
    const filled = (set: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{(\w+):-\}/, (_, variable: string) => set[variable] ?? '')]))
    const own = loadConfig({ env: filled({}) })
    expect(own).toMatchObject({ objectives: [], pager: { prometheusUrl: 'http://prometheus:9090' }, warnings: [] })
    expect(own.pager.demoUrl).toBeUndefined()
    expect(own.judge).toBeUndefined()
    expect(loadConfig({ env: filled(demo) })).toMatchObject({ objectives: demoLimits(), pager: { demoUrl: 'http://demo:9465' }, escalation: { models: ['gpt-4.1-mini', 'gpt-4.1'] }, judge: { provider: 'openai', baseUrl: 'http://demo:9465/v1', apiKeyFile: demo['SPANBRIDGE_JUDGE_API_KEY_FILE']! } })
    for (const file of ['SPANBRIDGE_EXPECTATIONS', 'SPANBRIDGE_JUDGE_API_KEY_FILE']) expect(existsSync(join(root, demo[file]!.replace('/app/', ''))), file).toBe(true)
    expect(loadConfig({ env: filled(demo) }).expectations).toBe(demo['SPANBRIDGE_EXPECTATIONS'])
    expect(loadConfig({ env: filled({ SPANBRIDGE_JUDGE_PROVIDER: 'anthropic' }) }).judge).toMatchObject({ model: 'claude-opus-4-7', share: 0.01 })
    const { panes } = Object.fromEntries(new URL(own.pager.traceUrl!.replace('{trace_id}', '0af7651916cd43dd8448eb211c80319c')).searchParams)
    expect(JSON.parse(panes!)).toMatchObject({ t: { datasource: 'spanbridge-tempo', queries: [{ queryType: 'traceql', query: '0af7651916cd43dd8448eb211c80319c' }] } })
    expect(existsSync(join(root, `dashboards/generated/${/\/d\/spanbridge-(\w+)\?/.exec(own.pager.logsUrl!)![1]}.json`))).toBe(true)
  })

  test('gives the Collector room above its own limit, its queue a volume, and the names that it calls', () => {
    for (const [name, parameters] of [['collector', COMPOSE_COLLECTOR], ['collector-kafka', COMPOSE_KAFKA]] as const) {
      const { mem_limit, volumes } = compose.services[name]!
      expect(Number(/^(\d+)m$/.exec(mem_limit!)![1])).toBeGreaterThanOrEqual(MEMORY_LIMIT_MIB * 4 / 3)
      expect(volumes).toContainEqual(expect.stringMatching(new RegExp(`^[a-z-]+:${parameters.queueDir}$`)))
    }
    const called = [COMPOSE_COLLECTOR.bridge, COMPOSE_COLLECTOR.tempo!, new URL(COMPOSE_COLLECTOR.prometheusUrl).host, COMPOSE_KAFKA.bridge, ...COMPOSE_KAFKA.brokers]
    for (const address of called) expect(Object.keys(compose.services)).toContain(address.split(':')[0])
    expect(compose.services['prometheus']?.command).toContain('--web.enable-otlp-receiver')
    expect(compose.services['tempo']?.volumes).toContain(`tempo-data:${COMPOSE_TEMPO.dataDir}`)
  })

  test('shows Grafana the data sources and dashboards where it looks', () => {
    expect(compose.services['grafana']?.volumes).toContain(`./dashboards/generated:${COMPOSE_GRAFANA.dashboards}:ro`)
    expect(Object.keys(compose.services)).toContain(new URL(COMPOSE_GRAFANA.tempoUrl).hostname)
  })

  test('mounts files that exist, read only, and volumes that it names', () => {
    for (const volume of services.flatMap(([, { volumes = [] }]) => volumes)) {
      const [source, , mode] = volume.split(':')
      if (!source!.startsWith('./')) expect(Object.keys(compose.volumes)).toContain(source)
      else {
        expect(existsSync(join(root, source!)), source).toBe(true)
        expect(mode, volume).toBe('ro')
      }
    }
  })

  test('calls the services what the Prometheus configuration calls them, and mounts the rules where it looks', () => {
    for (const address of [...COMPOSE.bridges, ...COMPOSE.alertmanagers, ...Object.values(COMPOSE.others ?? {}).flat()]) expect(Object.keys(compose.services)).toContain(address.split(':')[0])
    expect(compose.services['prometheus']?.volumes).toContain(`./alerts/generated/prometheus-rules.yaml:${COMPOSE.ruleFile}:ro`)
  })

  test('calls Loki what the bridge and Grafana call it, and mounts its rules where it looks', () => {
    expect(compose.services['bridge']?.environment?.['SPANBRIDGE_LOKI_URL']).toBe(COMPOSE_GRAFANA.lokiUrl)
    for (const url of [COMPOSE_GRAFANA.lokiUrl, COMPOSE_LOKI.alertmanagerUrl]) expect(Object.keys(compose.services)).toContain(new URL(url).hostname)
    expect(compose.services['loki']?.volumes).toEqual(['./provisioning/loki.yml:/etc/loki/loki.yml:ro', `./alerts/generated/loki-rules.yaml:${COMPOSE_LOKI.rulesDir}/${RULES_TENANT}/loki-rules.yaml:ro`, `loki-data:${COMPOSE_LOKI.dataDir}`])
  })
})

describe('the configuration of Prometheus', () => {
  const jobsOf = (text: string) => (parse(text) as { scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[] }).scrape_configs.map(({ job_name, static_configs }) => [job_name, static_configs.flatMap(({ targets }) => targets)])

  test('scrapes the others that there are, and only those', () => {
    const others = Object.fromEntries(OTHER_JOBS.map((job) => [job, [`${job}:1`]]))
    expect(jobsOf(prometheusConfig({ ...COMPOSE, others }))).toEqual([['spanbridge', ['bridge:9464']], ...OTHER_JOBS.map((job) => [job, [`${job}:1`]])])
    const { others: _, ...alone } = COMPOSE
    expect(jobsOf(prometheusConfig(alone))).toEqual([['spanbridge', ['bridge:9464']]])
  })

  test('calls the jobs what the rules call them', () => {
    const rules = readFileSync(join(root, 'alerts/generated/prometheus-rules.yaml'), 'utf8')
    const looked = new Set([...rules.matchAll(/\{job="([^"]+)"/g)].map(([, job]) => job!))
    expect(looked.size).toBeGreaterThan(3)
    expect([...looked].filter((job) => !['spanbridge', ...OTHER_JOBS].includes(job))).toEqual([])
  })
})

describe('the configuration of Alertmanager for a place', () => {
  const generated = readFileSync(ALERTMANAGER_FILE, 'utf8')

  test('differs from the generated one in the address of the pager and the place of the templates only', () => {
    const inPlace = alertmanagerConfig(generated, { pagerUrl: 'http://[::1]:1/x', templates: '/t/*.tmpl' })
    expect(inPlace).toContain('http://[::1]:1/x')
    const back = inPlace.replaceAll('http://[::1]:1/x', 'http://127.0.0.1:9464/pager/webhook').replace('/t/*.tmpl', 'templates/*.tmpl')
    expect(parse(back)).toEqual(parse(generated))
  })

  test('finds the templates where compose mounts them, and in the checkout without compose', () => {
    expect(compose.services['alertmanager']?.volumes).toContain('./alerts/generated/templates:/etc/alertmanager/templates:ro')
    expect(COMPOSE_PAGER.templates).toBe('/etc/alertmanager/templates/*.tmpl')
    const { templates } = parse(alertmanagerConfig(generated, { pagerUrl: 'http://x' })) as { templates: string[] }
    expect(templates.map((glob) => globSync(glob).length)).toEqual([4])
  })

  test('is refused when there is no pager to configure', () => {
    expect(() => alertmanagerConfig('receivers: [{name: other, webhook_configs: [{url_file: x}]}]', { pagerUrl: 'http://x' })).toThrow('cannot configure Alertmanager: no receiver has the pager page')
  })
})
