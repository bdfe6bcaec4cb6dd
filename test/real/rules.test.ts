import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { COMPOSE, DEMO_INTERVALS, prometheusConfig } from '../../provisioning/prometheus.ts'
import { needs } from './require.ts'

const root = join(import.meta.dirname, '../..')
const { describe, path } = needs('promtool')

/** Standard output; a failure throws with what the tool said. */
async function run(tool: string, ...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(path(tool), args, { cwd: root, maxBuffer: 1 << 26 })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${tool} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}`)
  }
}

describe('rules, under the real engine', () => {
  // Side by side: each uses one core, and what it evaluates is on a clock of its own.
  test.concurrent.each(readdirSync(join(root, 'alerts/tests')))('promtool: %s', async (file) => {
    expect(await run('promtool', 'test', 'rules', join('alerts/tests', file))).toContain('SUCCESS')
  }, 120_000)

  test('promtool finds no fault with the rule file, lints included', async () => {
    await run('promtool', 'check', 'rules', '--lint=all', '--lint-fatal', 'alerts/generated/prometheus-rules.yaml')
  })

  test('promtool accepts the configuration, of compose and of a native run', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'spanbridge-config-'))
    try {
      const ruleFile = join(root, 'alerts/generated/prometheus-rules.yaml')
      for (const parameters of [{ ...COMPOSE, ruleFile }, { ...DEMO_INTERVALS, bridges: ['127.0.0.1:9464', '[::1]:9465'], ruleFile, alertmanagers: [] }]) {
        writeFileSync(join(directory, 'prometheus.yml'), prometheusConfig(parameters))
        expect(await run('promtool', 'check', 'config', join(directory, 'prometheus.yml'))).toContain('is valid prometheus config file syntax')
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
