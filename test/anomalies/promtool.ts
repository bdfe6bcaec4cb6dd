/** The committed rules over simulated agents, by promtool: which alert fired when. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { groups, type Rule } from '../alerts/rulefile.ts'
import { BOUNDS, STEP_MINUTES, type Step } from './traffic.ts'

export interface Firing {
  readonly agent: string
  readonly alert: string
  readonly minute: number
}

const INTERVAL = `${STEP_MINUTES}m`
/** Without what only the words of an alert are made of. */
const RULES = ['spanbridge-anomalies-long', 'spanbridge-anomalies-memory', 'spanbridge-anomalies']
const QUERY = 'ALERTS{alertstate="firing",alertname=~"Agent.*Anomalous"}'

/**
 * promtool evaluates the rules of the anomalies, every two minutes where the default is one, over the agents' series. It has no way to ask what was recorded but to
 * expect something else: every moment is expected to have no firing alert, and where that is wrong it tells what there was.
 */
export async function firings(promtool: string, agents: ReadonlyMap<string, readonly Step[]>): Promise<Firing[]> {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-anomalies-'))
  try {
    const own = groups.filter(({ name }) => RULES.includes(name)).map((group) => ({ ...group, interval: INTERVAL, rules: group.rules.map(everyTenMinutes) }))
    writeFileSync(join(directory, 'rules.yaml'), stringify({ groups: own }))
    const steps = Math.max(...[...agents.values()].map(({ length }) => length))
    writeFileSync(join(directory, 'test.yaml'), JSON.stringify({
      rule_files: ['rules.yaml'],
      evaluation_interval: INTERVAL,
      tests: [{
        interval: INTERVAL,
        input_series: [...agents].flatMap(([agent, all]) => seriesOf(agent, all)),
        promql_expr_test: Array.from({ length: steps }, (_, step) => ({ expr: QUERY, eval_time: `${step * STEP_MINUTES}m`, exp_samples: [] })),
      }],
    }))
    return read(await output(promtool, ['test', 'rules', join(directory, 'test.yaml')]))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** promtool evaluates every group as often as the others. The slow group records its one series that is remembered no more often than it would. */
function everyTenMinutes(rule: Rule): Rule {
  return rule.record === 'agent:anomaly:deviation' ? { ...rule, expr: `(\n${rule.expr}\n)\nand on () minute() % 10 == 0` } : rule
}

function seriesOf(agent: string, steps: readonly Step[]): { series: string; values: string }[] {
  const counter = (name: string, labels: string, of: (step: Step) => number) => {
    let sum = 0
    return { series: `${name}{agent="${agent}"${labels}}`, values: steps.map((step) => Number((sum += of(step)).toPrecision(12))).join(' ') }
  }
  const all = ({ succeeded, failed }: Step) => succeeded + failed
  return [
    counter('agent_requests_total', ',outcome="success"', ({ succeeded }) => succeeded),
    counter('agent_requests_total', ',outcome="error"', ({ failed }) => failed),
    ...[...BOUNDS, '+Inf'].map((le, place) => counter('agent_request_duration_seconds_bucket', `,le="${le}"`, ({ durations }) => durations.slice(0, place + 1).reduce((a, b) => a + b, 0))),
    counter('agent_request_cost_usd_sum', '', ({ costUsd }) => costUsd),
    counter('agent_request_cost_usd_count', '', all),
    counter('agent_tokens_total', ',type="input"', ({ tokens }) => tokens),
    counter('agent_quality_score_sum', '', ({ scoreSum }) => scoreSum),
    counter('agent_quality_score_count', '', ({ scores }) => scores),
  ]
}

function output(promtool: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(promtool, args, { maxBuffer: 1 << 30 }, (error, stdout, stderr) => {
      const text = stdout + stderr
      // Failed expectations are what it is run for; anything else is a fault.
      if (error !== null && !text.includes('FAILED:')) reject(new Error(`cannot run ${promtool} ${args.join(' ')}: ${text.slice(0, 2000)}`))
      else resolve(text)
    })
  })
}

/** `expr: "…", time: 1d2h4m, ⏎ exp: … ⏎ got: {…, agent="a", alertname="B"} 1E+00, {…} …` */
function read(text: string): Firing[] {
  const found: Firing[] = []
  for (const [, time, got] of text.matchAll(/, time: (\w+),\s+exp:.*\s+got:([^\n]*)/g)) {
    for (const [, labels] of got!.matchAll(/\{([^}]*)\}/g)) {
      const label = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(labels!)![1]!
      found.push({ agent: label('agent'), alert: label('alertname'), minute: minutesOf(time!) })
    }
  }
  return found
}

function minutesOf(duration: string): number {
  const unit: Record<string, number> = { w: 10_080, d: 1440, h: 60, m: 1, s: 1 / 60 }
  return [...duration.matchAll(/(\d+)([a-z])/g)].reduce((sum, [, number, name]) => sum + Number(number) * unit[name!]!, 0)
}
