/** The dead man's switch: it is told that alerts get through for as long as they do, and raises the alarm when they no longer do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { prometheusConfig } from '../../provisioning/prometheus.ts'
import { RULES_FILE } from '../../provisioning/rules.ts'
import { type Native, startAlertmanager, startPrometheus } from '../../provisioning/run.ts'
import { routing } from '../alerts/routing.ts'
import { type Recorder, startRecorder } from './recorder.ts'
import { needs } from './require.ts'

/** The switch allows this long between two heartbeats, of which one comes every second or two. */
const PATIENCE_SECONDS = 6
/** Prometheus lets an alert be over when it has not sent it four times, and sends it every 5 s. */
const MEMORY_SECONDS = 20

needs('prometheus', 'alertmanager').describe('the Watchdog', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-watchdog-'))
  let deadMansSwitch: Recorder
  let alertmanager: Native
  let prometheus: Native

  beforeAll(async () => {
    deadMansSwitch = await startRecorder()
    const write = (name: string, text: string) => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    const urlFile = write('watchdog', `${deadMansSwitch.url}/heartbeat\n`)
    const routes = await routing(`{ alertmanager+: { watchdog+: { urlFile: '${urlFile}', interval: '1s' }, channels+: { pager: { url: '${deadMansSwitch.url}/pager' } } } }`)
    alertmanager = await startAlertmanager({ configFile: write('alertmanager.yml', stringify(routes)), dataDir: join(directory, 'alertmanager'), logDir: directory })
    const { groups } = parse(readFileSync(RULES_FILE, 'utf8')) as { groups: { rules: { alert?: string }[] }[] }
    const ruleFile = write('rules.yml', stringify({ groups: groups.filter(({ rules }) => rules.some(({ alert }) => alert === 'Watchdog')) }))
    const config = prometheusConfig({ bridges: [], ruleFile, alertmanagers: [new URL(alertmanager.url).host], scrapeIntervalSeconds: 1, evaluationIntervalSeconds: 1 })
    prometheus = await startPrometheus({ configFile: write('prometheus.yml', config), dataDir: join(directory, 'prometheus'), logDir: directory })
  }, 60_000)

  afterAll(async () => {
    await Promise.all([prometheus?.stop(), alertmanager?.stop()])
    await deadMansSwitch?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test('is heard while Prometheus sends, and missed when it stops', async () => {
    const { received, fitting } = deadMansSwitch
    await fitting(() => received.length >= 5)
    expect(longestSilence(received)).toBeLessThan(PATIENCE_SECONDS)

    await prometheus.stop()
    const stoppedMs = performance.now()
    const lostMs = await silence(PATIENCE_SECONDS, MEMORY_SECONDS + 2 * PATIENCE_SECONDS)
    console.log(`missed ${Math.round((lostMs - stoppedMs) / 1000)} s after Prometheus has stopped`)
    // Until then it was heard, without a gap, and that it is over was not taken for one more heartbeat.
    expect(longestSilence(received)).toBeLessThan(PATIENCE_SECONDS)
    for (const { path, body } of received) expect([path, (JSON.parse(body) as { status: string }).status]).toEqual(['/heartbeat', 'firing'])
  }, 120_000)

  /** The time at which nothing has come for `seconds`. Rejects when that has not happened within `limit` seconds. */
  function silence(seconds: number, limit: number): Promise<number> {
    const { fitting, received } = deadMansSwitch
    const endMs = performance.now() + limit * 1000
    const wait = async (): Promise<number> => {
      const count = received.length
      const next = await fitting(() => received.length > count, seconds).catch(() => undefined)
      if (next === undefined) return performance.now()
      if (performance.now() > endMs) throw new Error(`heartbeats still come after ${limit} s`)
      return wait()
    }
    return wait()
  }
})

function longestSilence(received: Recorder['received']): number {
  return Math.max(...received.slice(1).map(({ atMs }, at) => (atMs - received[at]!.atMs) / 1000))
}
