/** The times that the table of detection tells, tried on the rules themselves. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type Detection, detections, type Incident } from '../../src/bundle/detection.ts'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { evaluateMixin, type Mixin } from '../../src/bundle/mixin.ts'
import { readObjectives } from '../../src/config/objectives.ts'
import { needs } from './require.ts'

const { describe, path } = needs('promtool')
/** Requests in one step: many, so that the low-traffic guard has no say, and whole numbers of them are bad. */
const REQUESTS = 20_000
/** As if there had been traffic for ever: a window that reaches back to the first sample is not sooner over its limit than one that is full. */
const HISTORY = 1e9

interface Phase {
  readonly steps: number
  readonly requests: number
  readonly badShare: number
}

describe('alerts fire and are over when the table says', () => {
  let mixin: Mixin
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spanbridge-detection-'))
    const evaluator = await findEvaluator()
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    mixin = await evaluateMixin(evaluator)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(readObjectives().filter(({ measure }) => measure.kind === 'ratio' || measure.kind === 'latency').map(({ id }) => id))('%s', (objective) => {
    const burn = mixin.burn.filter((one) => one.objective === objective)
    const rows = detections(burn, mixin.settings).filter(({ alert }) => burn.some((one) => one.alert === alert))
    const tests = rows.flatMap((row) => row.incidents.flatMap((incident) => (incident.fired.length === 0 ? [neverFires(objective, row, incident)] : [firesAfter(objective, row, incident), overAfter(objective, row, incident)])))
    expect(tests.length).toBeGreaterThan(3)
    const groups = mixin.prometheus.groups.filter(({ name }) => name === 'spanbridge-limits' || new RegExp(`^spanbridge-${objective}(-|$)`).test(name))
    writeFileSync(join(folder, 'rules.yaml'), stringify({ groups }))
    for (const [at, { stepSeconds, ...one }] of tests.entries()) {
      const file = join(folder, `${objective}-${at}.yaml`)
      writeFileSync(file, stringify({ rule_files: ['rules.yaml'], evaluation_interval: `${stepSeconds}s`, group_eval_order: groups.map(({ name }) => name), tests: [{ ...one, interval: `${stepSeconds}s` }] }))
      run(file)
    }
  }, 300_000)

  /** The first pair's windows full of good requests, then the incident: quiet two steps before the time, firing two after it. */
  function firesAfter(objective: string, row: Detection, incident: Incident) {
    const [first] = incident.fired
    const stepSeconds = first!.shortSeconds / 10
    const before = 2 + Math.ceil(first!.longSeconds / stepSeconds)
    const after = Math.round(incident.detectSeconds / stepSeconds)
    return asked(objective, row, `fires after ${incident.detectSeconds} s with ${incident.badShare} bad`, stepSeconds, [
      { steps: 2, requests: HISTORY, badShare: 0 }, { steps: before - 2, requests: REQUESTS, badShare: 0 }, { steps: after + 3, requests: REQUESTS, badShare: incident.badShare },
    ], [[before + Math.max(0, after - 2), false], [before + after + 2, true]])
  }

  /** Nothing but the incident, then good requests: firing two steps before the time, quiet two after it. */
  function overAfter(objective: string, row: Detection, incident: Incident) {
    const slowest = incident.fired.toSorted((a, b) => b.shortSeconds * (1 - b.share / incident.badShare) - a.shortSeconds * (1 - a.share / incident.badShare))[0]!
    const stepSeconds = slowest.shortSeconds / 12
    const during = 24
    const after = incident.resetSeconds / stepSeconds
    return asked(objective, row, `is over ${incident.resetSeconds} s after ${incident.badShare} were bad`, stepSeconds, [
      { steps: during, requests: REQUESTS, badShare: incident.badShare }, { steps: Math.ceil(after) + 3, requests: REQUESTS, badShare: 0 },
    ], [[during + Math.floor(after) - 2, true], [during + Math.ceil(after) + 2, false]])
  }

  /** As long as the longest window, so that all of them are full of it. */
  function neverFires(objective: string, row: Detection, incident: Incident) {
    const stepSeconds = Math.min(...row.windows.map(({ shortSeconds }) => shortSeconds)) / 2.5
    const steps = Math.ceil(Math.max(...row.windows.map(({ longSeconds }) => longSeconds)) / stepSeconds)
    return asked(objective, row, `never fires with ${incident.badShare} bad`, stepSeconds, [{ steps, requests: REQUESTS, badShare: incident.badShare }], [[steps / 2, false], [steps, false]])
  }

  function run(file: string): void {
    try {
      execFileSync(path('promtool'), ['test', 'rules', file], { encoding: 'utf8', stdio: 'pipe' })
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${stdout}${stderr}`)
    }
  }
})

function asked(objective: string, row: Detection, what: string, stepSeconds: number, phases: readonly Phase[], times: readonly (readonly [number, boolean])[]) {
  return {
    name: `${row.alert} ${row.severity} at ${row.target} ${what}`,
    stepSeconds,
    input_series: seriesOf(objective, row, phases),
    promql_expr_test: times.map(([step, firing]) => ({
      expr: `count(ALERTS{alertname="${row.alert}",severity="${row.severity}",alertstate="firing"})`,
      eval_time: `${Math.floor(step) * stepSeconds}s`,
      exp_samples: firing ? [{ labels: '{}', value: 1 }] : [],
    })),
  }
}

function seriesOf(objective: string, { target }: Detection, phases: readonly Phase[]): { series: string; values: string }[] {
  const { measure, limit } = readObjectives().find(({ id }) => id === objective)!
  if (measure.kind !== 'ratio' && measure.kind !== 'latency') throw new Error(`cannot simulate ${objective}`)
  const steps = phases.reduce((sum, phase) => sum + phase.steps, 0)
  const counter = (of: (phase: Phase) => number) => {
    let value = 1e9
    // Each sample by itself: one that begins a phase has already an increase behind it.
    return [value, ...phases.flatMap((phase) => Array.from({ length: phase.steps }, () => (value += of(phase))))].join(' ')
  }
  const bad = ({ requests, badShare }: Phase) => Math.round(requests * badShare)
  const good = (phase: Phase) => phase.requests - bad(phase)
  const published = { series: `agent_objective{objective="${objective}"}`, values: `${measure.kind === 'ratio' ? target : limit}x${steps}` }
  if (measure.kind === 'ratio') return [published, { series: `${measure.metric}{outcome="success"}`, values: counter(good) }, { series: `${measure.metric}{outcome="${measure.bad[0]}"}`, values: counter(bad) }]
  return [
    published,
    { series: 'agent_requests_total{outcome="success"}', values: `0x${steps}` },
    { series: `${measure.metric}_bucket{le="${limit}"}`, values: counter(good) },
    { series: `${measure.metric}_count`, values: counter(({ requests }) => requests) },
  ]
}
