/** `node test/faults/measure.ts`: how often the injected fault is what is named, and the mistakes of the seeds that rules may be improved on. */
import type { ObjectiveRow } from '../../src/config/objectives.ts'
import { ERROR_TYPES, STEP_NAMES } from '../../src/spans/names.ts'
import { PROBLEMS } from '../../src/traces/settled.ts'
import { testEngine } from '../conformance/recordings.ts'
import { told, wilson } from '../errors/agreement.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { type Fault, faultOf, KINDS } from './faults.ts'
import { spansOf, START_MS } from './request.ts'

export const LIMITS: readonly ObjectiveRow[] = [['latency_p99', 1], ['cost_per_request', 0.01], ['quality_score', 0.85]].map(([objective, value]) => ({ objective: String(objective), tenant_id: '', agent: '', value: Number(value) }))

export interface Named {
  readonly fault: Fault
  /** `type at step name`. */
  readonly should: string
  readonly is: string
}

/** What the bridge names for each fault, all of them in one bridge at once. */
export function named(faults: readonly Fault[]): Named[] {
  const found = new Map<number, string>()
  const byTrace = new Map(faults.map((fault) => [fault.run.trace, fault]))
  const engine = testEngine({
    objectives: LIMITS,
    onSettled: (settled) => {
      const fault = byTrace.get(settled.trace[3]!)
      if (fault === undefined || !settled.isRequest) return
      const text = (id: number) => engine.strings.text(id)
      const { problem, type } = fault.truth
      const cause = settled.rootCause
      if (problem === 'failed') found.set(fault.run.trace, cause === undefined ? 'nothing' : `${ERROR_TYPES[cause.type]!.type} at ${STEP_NAMES[cause.kind]} ${text(cause.name)}`)
      else {
        const broken = settled.problems.find((one) => PROBLEMS[one.problem] === problem)
        const error = type === '' ? undefined : settled.errors.find(({ name }) => text(name) === fault.truth.name)
        found.set(fault.run.trace, broken === undefined ? 'nothing' : `${error === undefined ? problem : ERROR_TYPES[error.type]!.type} at ${STEP_NAMES[broken.kind]} ${text(broken.name)}`)
      }
    },
  })
  // Usual requests first: what is dear is dear against them.
  const faulty = faults.flatMap(({ run }) => spansOf(run))
  for (let at = 0; at < faulty.length; at += 4000) engine.traces(tracesBody(faulty.slice(at, at + 4000)), START_MS + 60_000)
  engine.finish(START_MS + 600_000)
  return faults.map((fault) => ({
    fault, should: `${fault.truth.type || fault.truth.problem} at ${fault.truth.step} ${fault.truth.name}`, is: found.get(fault.run.trace) ?? 'nothing',
  }))
}

export function faultsOf(seeds: readonly number[]): Fault[] {
  return seeds.flatMap((seed) => KINDS.map((kind) => faultOf(kind, seed)))
}

export function accuracyOf(all: readonly Named[]) {
  const right = all.filter(({ is, should }) => is === should).length
  const [least, most] = wilson(right, all.length)
  return { right, of: all.length, accuracy: right / all.length, least, most }
}

/** A line for each kind of fault: how many are named right, and what is named instead. */
export function report(all: readonly Named[]): string {
  return KINDS.map((kind) => {
    const own = all.filter(({ fault }) => fault.kind === kind)
    const wrong = own.filter(({ is, should }) => is !== should)
    const instead = Map.groupBy(wrong, ({ is, should }) => (is === 'nothing' ? is : is.split(' at ')[0] === should.split(' at ')[0] ? 'another step' : is.split(' at ')[0]!))
    return `${kind.padEnd(20)}${String(own.length - wrong.length).padStart(4)} of ${own.length}${[...instead].map(([what, which]) => `  ${what} ${which.length}`).join('')}`
  }).join('\n')
}

export const TUNE = Array.from({ length: 30 }, (_, i) => i)
export const HELD_OUT = Array.from({ length: 40 }, (_, i) => 1000 + i)

if (import.meta.main) {
  const all = named(faultsOf(TUNE))
  console.log(`${told(accuracyOf(all))}\n${report(all)}`)
  for (const { fault, is, should } of all.filter((one) => one.is !== one.should).slice(0, 40)) console.log(`${fault.run.trace} ${fault.kind}: ${is}, not ${should}: ${JSON.stringify(fault.run.failed)} ${fault.run.dialect}`)
}
