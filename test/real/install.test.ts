import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Native, startPrometheus } from '../../provisioning/run.ts'
import { spanbridge } from '../cli/spanbridge.ts'
import { needs } from './require.ts'

needs('prometheus').describe('spanbridge install, into a real Prometheus', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-install-'))
  const rules = join(directory, 'rules')
  let prometheus: Native

  beforeAll(async () => {
    mkdirSync(rules)
    writeFileSync(join(directory, 'prometheus.yml'), 'rule_files: [rules/*.yaml]\n')
    prometheus = await startPrometheus({ configFile: join(directory, 'prometheus.yml'), dataDir: join(directory, 'data'), logDir: directory })
  }, 60_000)
  afterAll(async () => {
    await prometheus?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const groups = async () => ((await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as { data: { groups: { name: string }[] } }).data.groups.map(({ name }) => name)

  test('rules are loaded, and gone again', async () => {
    expect(await groups()).toEqual([])
    const installed = await spanbridge(['install', '--prometheus-rules', rules, '--prometheus', prometheus.url, '--yes'])
    expect(installed).toMatchObject({ code: 0, stderr: '' })
    expect(await groups()).toContain('spanbridge-limits')
    expect(await spanbridge(['install', '--prometheus-rules', rules, '--prometheus', prometheus.url, '--undo', '--yes'])).toMatchObject({ code: 0 })
    expect(await groups()).toEqual([])
  }, 30_000)

  test('what Prometheus cannot read is said', async () => {
    const own = join(directory, 'own')
    mkdirSync(own)
    writeFileSync(join(own, 'prometheus-rules.yaml'), '# Generated from a mistake\ngroups: [{ name: a, rules: [{ record: b, expr: "sum(" }] }]\n')
    const ran = await spanbridge(['install', '--prometheus-rules', rules, '--prometheus', prometheus.url, '--from', own, '--yes'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/cannot reload Prometheus at .*: it answered 500/)
  }, 30_000)
})
