import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ROOT, spanbridge } from '../cli/spanbridge.ts'
import { type FakeGrafana, startGrafana } from './grafana.ts'

const SHIPPED = readdirSync(join(ROOT, 'dashboards/generated')).filter((name) => name.endsWith('.json'))
let grafana: FakeGrafana
let folder: string

beforeEach(async () => {
  grafana = await startGrafana('secret')
  folder = mkdtempSync(join(tmpdir(), 'spanbridge-install-'))
})
afterEach(async () => {
  await grafana.stop()
  rmSync(folder, { recursive: true, force: true })
})

const install = (...args: string[]) => spanbridge(['install', ...args], { env: { GRAFANA_TOKEN: 'secret' } })

describe('into Grafana', () => {
  it('shows the plan, does it, finds nothing to do the second time, and takes it away again', async () => {
    const looked = await install('--grafana', grafana.url, '--plan')
    expect(looked.stdout).toContain('+ folder Spanbridge (spanbridge)')
    expect(looked.stdout).toContain(`${SHIPPED.length + 1} to create`)
    expect(grafana.writes).toEqual([])

    expect(await install('--grafana', grafana.url, '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect([...grafana.dashboards.keys()].sort()).toEqual(SHIPPED.map((name) => `spanbridge-${name.replace('.json', '')}`).sort())
    expect(new Set([...grafana.dashboards.values()].map(({ folderUid }) => folderUid))).toEqual(new Set(['spanbridge']))
    expect(grafana.dashboards.get('spanbridge-cost')!.dashboard).not.toHaveProperty('__inputs')

    const writes = grafana.writes.length
    const again = await install('--grafana', grafana.url, '--yes')
    expect(again.stdout).toMatch(new RegExp(`^${SHIPPED.length + 1} already there$`, 'm'))
    expect(grafana.writes).toHaveLength(writes)

    expect((await install('--grafana', grafana.url, '--undo', '--yes')).code).toBe(0)
    expect([grafana.dashboards.size, grafana.folders.size]).toEqual([0, 0])
    expect((await install('--grafana', grafana.url, '--undo', '--yes')).stdout).toBe('nothing to do\n')
  }, 30_000)

  it('brings back what somebody has changed, and leaves what is not ours', async () => {
    await install('--grafana', grafana.url, '--yes')
    grafana.dashboards.get('spanbridge-cost')!.dashboard['title'] = 'Mine now'
    grafana.dashboards.get('spanbridge-errors')!.dashboard['tags'] = ['team-a']
    grafana.dashboards.get('spanbridge-agent')!.provisioned = true
    grafana.dashboards.set('elsewhere', { dashboard: { uid: 'elsewhere', title: 'Elsewhere', tags: [] }, folderUid: 'spanbridge', provisioned: false })
    const ran = await install('--grafana', grafana.url, '--yes')
    expect(ran.stdout).toMatch(/^~ dashboard .*\(spanbridge-cost\)$/m)
    expect(ran.stdout).toMatch(/^! dashboard .*\(spanbridge-errors\): left as it is, a dashboard of that uid is there that has no tag "spanbridge"$/m)
    expect(ran.stdout).toMatch(/^! dashboard .*\(spanbridge-agent\): left as it is, it is provisioned from a file$/m)
    expect(grafana.dashboards.get('spanbridge-cost')!.dashboard['title']).not.toBe('Mine now')
    expect(grafana.dashboards.get('spanbridge-errors')!.dashboard['tags']).toEqual(['team-a'])

    const undone = await install('--grafana', grafana.url, '--undo', '--yes')
    expect(undone.stdout).toContain('! folder Spanbridge (spanbridge): left as it is, there is more in it')
    expect([...grafana.dashboards.keys()].sort()).toEqual(['elsewhere', 'spanbridge-agent', 'spanbridge-errors'])
    expect(grafana.folders.has('spanbridge')).toBe(true)
  }, 30_000)

  it('says what the token lacks, and where nobody answers', async () => {
    const refused = await spanbridge(['install', '--grafana', grafana.url, '--yes'], { env: { GRAFANA_TOKEN: 'wrong' } })
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(/in Grafana: it answered 401: the token may not do this/)
    expect((await install('--grafana', 'http://127.0.0.1:9', '--yes')).stderr).toMatch(/cannot reach Grafana at http:\/\/127\.0\.0\.1:9: /)
  }, 20_000)
})

describe('into folders of rules', () => {
  it('writes, keeps and removes its own files and no others', async () => {
    const [prometheus, mimir] = [join(folder, 'rules'), join(folder, 'mimir')]
    const args = ['--prometheus-rules', prometheus, '--mimir-rules', mimir]
    expect((await install(...args, '--yes')).stdout).toContain('2 to create')
    expect(readFileSync(join(prometheus, 'spanbridge.yaml'), 'utf8')).toBe(readFileSync(join(ROOT, 'alerts/generated/prometheus-rules.yaml'), 'utf8'))
    const namespaced = parse(readFileSync(join(mimir, 'spanbridge.yaml'), 'utf8')) as { namespace: string; groups: unknown[] }
    expect(namespaced.namespace).toBe('spanbridge')
    expect(namespaced.groups.length).toBeGreaterThan(0)
    expect((await install(...args, '--yes')).stdout).toContain('2 already there')
    writeFileSync(join(prometheus, 'mine.yaml'), 'groups: []\n')
    expect((await install(...args, '--undo', '--yes')).stdout).toContain('2 to remove')
    expect(readdirSync(prometheus)).toEqual(['mine.yaml'])
  }, 30_000)

  it('does not touch a file of that name that it has not written', async () => {
    mkdirSync(join(folder, 'rules'))
    writeFileSync(join(folder, 'rules/spanbridge.yaml'), 'groups: []\n')
    for (const undo of [[], ['--undo']]) expect((await install('--prometheus-rules', join(folder, 'rules'), ...undo, '--yes')).stdout).toContain('1 left alone')
    expect(readFileSync(join(folder, 'rules/spanbridge.yaml'), 'utf8')).toBe('groups: []\n')
  }, 20_000)

  it('takes what spanbridge generate wrote', async () => {
    const from = join(folder, 'own')
    mkdirSync(from)
    writeFileSync(join(from, 'prometheus-rules.yaml'), '# Generated from own.jsonnet\ngroups: []\n')
    await install('--prometheus-rules', join(folder, 'rules'), '--from', from, '--yes')
    expect(readFileSync(join(folder, 'rules/spanbridge.yaml'), 'utf8')).toContain('own.jsonnet')
    const missing = await install('--loki-rules', join(folder, 'loki'), '--from', from, '--yes')
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/cannot read .*loki-rules\.yaml: no such file/) as string })
    expect(existsSync(join(folder, 'loki'))).toBe(false)
  }, 20_000)
})

it.each([
  [[], /nothing to install into: name --grafana/],
  [['--prometheus', 'http://127.0.0.1:9090'], /nothing to install into/],
  [['--grafana', 'http://127.0.0.1:9', '--prometheus', 'http://127.0.0.1:9090'], /--prometheus is reloaded after --prometheus-rules/],
  [['--grafana', 'grafana'], /--grafana/],
  [['--prometheus-rules', '/tmp/spanbridge-nobody-asks'], /nobody to ask: give --yes to do it, or --plan to look only/],
])('install %j exits 2 and says why', async (args, message) => {
  const ran = await install(...args)
  expect(ran.stderr).toMatch(message)
  expect(ran.code).toBe(2)
}, 20_000)
