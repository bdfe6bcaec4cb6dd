/** What bad requests have in common is found by the committed rules: simulated incidents go through the bridge's engine, and their counts through promtool. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { groups } from '../alerts/rulefile.ts'
import { told, wilson } from '../errors/agreement.ts'
import { incidentOf, type Incident } from '../faults/incidents.ts'
import { needs } from './require.ts'

const INCIDENTS = 80
const CONTROLS = 40
/** Nothing was chosen by these: the order of what is told was, by the 500s, of which 96 in a hundred were named first when the lift decided. */
const SEED = 900
const FALSE_ALARMS = 0.05
/** promtool holds ten thousand samples in a query. */
const TOGETHER = 10

const { describe, path } = needs('promtool')

describe('incidents with one thing in common', () => {
  let incidents: Incident[]
  /** By agent, the most frequent first. */
  let found: Map<string, string[]>

  beforeAll(async () => {
    incidents = Array.from({ length: INCIDENTS + CONTROLS }, (_, i) => incidentOf(SEED + i, i >= INCIDENTS))
    found = await inCommon(incidents)
    const withCause = incidents.filter(({ common }) => common !== undefined)
    const right = withCause.filter(({ agent, common }) => found.get(agent)?.[0] === common).length
    const shown = withCause.filter(({ agent, common }) => found.get(agent)?.slice(0, 3).includes(common!) === true).length
    const [least, most] = wilson(right, withCause.length)
    console.log([
      `what bad requests have in common, first: ${told({ right, of: withCause.length, accuracy: right / withCause.length, least, most })}; among the three of a page: ${shown}`,
      `of ${CONTROLS} agents whose requests fail by chance ${incidents.filter(({ agent, common }) => common === undefined && found.has(agent)).length} are told to have something in common`,
      ...withCause.filter(({ agent, common }) => found.get(agent)?.[0] !== common).map(({ agent, verdict, common }) => `  ${agent} ${verdict}: ${found.get(agent)?.join(', ') ?? 'nothing'}, not ${common}`),
    ].join('\n'))
  }, 120_000)

  test('more than 95 % are named first', () => {
    const withCause = incidents.filter(({ common }) => common !== undefined)
    expect(withCause.filter(({ agent, common }) => found.get(agent)?.[0] === common).length / withCause.length).toBeGreaterThan(0.95)
  })

  test('chance is not told as a cause', () => {
    const controls = incidents.filter(({ common }) => common === undefined)
    expect(controls.filter(({ agent }) => found.has(agent)).length / controls.length).toBeLessThanOrEqual(FALSE_ALARMS)
  })
})

/** promtool tells what there is only where something else is expected. */
async function inCommon(incidents: readonly Incident[]): Promise<Map<string, string[]>> {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-incidents-'))
  try {
    writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: groups.filter(({ name }) => name === 'spanbridge-lift') }))
    writeFileSync(join(directory, 'test.yaml'), JSON.stringify({
      rule_files: ['rules.yaml'], evaluation_interval: '1m',
      tests: Array.from({ length: Math.ceil(incidents.length / TOGETHER) }, (_, i) => incidents.slice(i * TOGETHER, (i + 1) * TOGETHER)).map((some) => ({
        interval: '1m',
        // A series that was not there before counts with its whole value.
        input_series: some.flatMap(({ counted }) => counted.map(({ labels, value }) => ({ series: `agent_request_features_total{${Object.entries(labels).map(([name, text]) => `${name}=${JSON.stringify(text)}`).join(',')}}`, values: `_ ${value} ${value}` }))),
        promql_expr_test: [{ expr: 'agent_feature:agent_request_features:excess{feature!="error"} and agent_feature:agent_request_features:lift', eval_time: '2m', exp_samples: [] }],
      })),
    }))
    const text = await new Promise<string>((resolve, reject) => {
      execFile(path('promtool'), ['test', 'rules', join(directory, 'test.yaml')], { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
        const all = stdout + stderr
        // Failed expectations are what it is run for; anything else is a fault.
        if ((error !== null && !all.includes('FAILED:')) || all.includes(' err: ')) reject(new Error(`cannot run promtool: ${all.slice(0, 2000)}`))
        else resolve(all)
      })
    })
    const rows = [...text.matchAll(/\{__name__=[^,]*:excess\", ([^}]*)\} ([\d.E+-]+)/g)].map(([, labels, value]) => {
      const label = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(labels!)![1]!
      return { agent: label('agent'), what: `${label('feature')} ${label('value')}`, verdict: label('verdict'), excess: Number(value) }
    })
    const verdicts = new Map(incidents.map(({ agent, verdict }) => [agent, verdict]))
    const byAgent = Map.groupBy(rows.filter(({ agent, verdict }) => verdicts.get(agent) === verdict), ({ agent }) => agent)
    return new Map([...byAgent].map(([agent, own]) => [agent, own.sort((a, b) => b.excess - a.excess).map(({ what }) => what)]))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
