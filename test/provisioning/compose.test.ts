import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ALERTMANAGER_FILE, alertmanagerConfig, COMPOSE_PAGER } from '../../provisioning/alertmanager.ts'
import { COMPOSE_GRAFANA } from '../../provisioning/grafana.ts'
import { COMPOSE_LOKI, RULES_TENANT } from '../../provisioning/loki.ts'
import { COMPOSE, OTHER_JOBS, prometheusConfig } from '../../provisioning/prometheus.ts'

const root = join(import.meta.dirname, '../..')
interface Service {
  readonly image: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly build?: string
  readonly environment?: Readonly<Record<string, string>>
}
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8')) as { services: Record<string, Service>; volumes: Record<string, unknown> }
const services = Object.entries(compose.services)

describe('docker-compose.yml', () => {
  test('opens ports to this machine only', () => {
    expect(services.flatMap(([, { ports = [] }]) => ports).filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([])
  })

  test('pins every image that it does not build', () => {
    expect(services.filter(([, { image, build }]) => build === undefined && !/:v?\d+\.\d+\.\d+$/.test(image)).map(([name]) => name)).toEqual([])
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
