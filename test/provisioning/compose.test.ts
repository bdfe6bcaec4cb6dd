import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ALERTMANAGER_FILE, alertmanagerConfig } from '../../provisioning/alertmanager.ts'
import { COMPOSE } from '../../provisioning/prometheus.ts'

const root = join(import.meta.dirname, '../..')
interface Service {
  readonly image: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly build?: string
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
    for (const address of [...COMPOSE.bridges, ...COMPOSE.alertmanagers]) expect(Object.keys(compose.services)).toContain(address.split(':')[0])
    expect(compose.services['prometheus']?.volumes).toContain(`./alerts/generated/prometheus-rules.yaml:${COMPOSE.ruleFile}:ro`)
  })
})

describe('the configuration of Alertmanager for a place', () => {
  const generated = readFileSync(ALERTMANAGER_FILE, 'utf8')

  test('differs from the generated one in the address of the pager only', () => {
    const { receivers: before, ...rest } = parse(generated) as { receivers: { name: string; webhook_configs?: { url: string }[] }[] }
    const { receivers: after, ...same } = parse(alertmanagerConfig(generated, { pagerUrl: 'http://[::1]:1/x' })) as { receivers: typeof before }
    expect(same).toEqual(rest)
    before.find(({ name }) => name === 'pager')!.webhook_configs![0]!.url = 'http://[::1]:1/x'
    expect(after).toEqual(before)
  })

  test('is refused when there is no pager to configure', () => {
    expect(() => alertmanagerConfig('receivers: [{name: other}]', { pagerUrl: 'http://x' })).toThrow('cannot configure Alertmanager: there is no receiver named pager')
  })
})
