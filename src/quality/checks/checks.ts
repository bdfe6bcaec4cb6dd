/**
 * The unit layer of quality: results of tools and answers of agents against what the user expects of them. Each settled request is
 * checked at once, in code, so that every request has a verdict and not only those a judge has time for.
 */
import type { Check, Expectations, ExpectationsOf } from '../../config/expectations.ts'
import { Content } from '../../spans/dialect.ts'
import { Kind } from '../../spans/names.ts'
import type { Span } from '../../spans/span.ts'
import type { StringTable } from '../../spans/strings.ts'
import { CheckResult, Outcome, type Settled } from '../../traces/settled.ts'
import { readingsOf } from './envelope.ts'
import { NO_CONTENT, TOO_LONG, verdictOn, type CheckVerdict } from './verdict.ts'

/** Evaluator of the score that a request's checks make. */
export const EVALUATOR = 'checks'
/** Failed checks of one request that are remembered; the series count them all. */
const MOST_FAILED = 100
/** Names of tools and agents whose checks are remembered. */
const MOST_NAMES = 10_000
const OUTPUT = 1 << Content.output

/** Checks by a name as a number of the string table. */
type ByName = Map<number, readonly ForAgent[]>
interface ForAgent {
  readonly agent: RegExp | undefined
  readonly checks: readonly Check[]
}

export class Checks {
  readonly #expectations: Expectations
  readonly #strings: StringTable
  readonly #evaluator: number
  readonly #tools: ByName = new Map()
  readonly #agents: ByName = new Map()
  #generation = 0

  constructor(expectations: Expectations, strings: StringTable) {
    this.#expectations = expectations
    this.#strings = strings
    this.#evaluator = strings.pin(EVALUATOR)
    for (const { checks } of [...expectations.tools, ...expectations.agents]) for (const { name } of checks) strings.pin(name)
  }

  /**
   * Which content of a span to keep. Which agent a request is of is known at its end alone, and so is whether its root tells the answer: with
   * expectations of agents the roots, the agents and the model calls are kept.
   */
  wants(span: Span): number {
    const { agents } = this.#expectations
    if (span.kind === Kind.tool) return this.#of(this.#tools, this.#expectations.tools, span.name).length > 0 ? OUTPUT : 0
    if (agents.length === 0) return 0
    const isRoot = (span.parentHi | span.parentLo) === 0 || span.remoteParent
    return isRoot || span.kind === Kind.model || span.kind === Kind.agent ? OUTPUT : 0
  }

  /** Checks a settled request: fills `checked`, `checks` and, where anything was checked, `scores`. */
  check(settled: Settled): void {
    // Late spans come without their content, and without what they belong to.
    if (!settled.isRequest) return
    const { content } = settled
    for (let step = 0; step < settled.steps; step++) {
      const kind = settled.kind[step]
      // What failed gave nothing back: that is an error, and no bad result.
      if ((kind !== Kind.tool && kind !== Kind.agent) || settled.failed[step] === 1) continue
      const checks = kind === Kind.tool ? this.#ofTool(settled, step) : this.#ofAgent(settled.name[step]!)
      // An agent of the request's name is the request's, whose answer is looked for further on.
      if (checks.length === 0 || (kind === Kind.agent && settled.name[step] === settled.agent)) continue
      const teller = kind === Kind.agent ? tellerOf(settled, step) : step
      this.#hold(settled, step, settled.name[step]!, checks, teller < 0 ? undefined : content?.step(teller, Content.output), teller < 0 || content?.whole(teller, Content.output) !== false)
    }
    const checks = this.#ofAgent(settled.agent)
    if (checks.length > 0 && settled.outcome === Outcome.success) this.#hold(settled, -1, settled.agent, checks, content?.root(Content.output), content?.rootIsWhole(Content.output) ?? true)
    if (settled.checked.length > 0) this.#conclude(settled)
  }

  #hold(settled: Settled, step: number, name: number, checks: readonly Check[], said: string | undefined, whole: boolean): void {
    const readings = said === undefined || !whole ? undefined : readingsOf(said)
    // A model that only calls tools has not answered yet.
    if (readings?.text === '' && readings.values.length > 1) return
    const without = said === undefined ? NO_CONTENT : whole ? undefined : TOO_LONG
    for (const check of checks) {
      const { result, why }: CheckVerdict = without ?? verdictOn(check, readings!)
      const id = this.#strings.internText(check.name)
      const counted = settled.checked.find((one) => one.name === name && one.check === id && one.result === result)
      if (counted === undefined) settled.checked.push({ name, check: id, result, times: 1 })
      else counted.times++
      if (result === CheckResult.fail && settled.checks.length < MOST_FAILED) settled.checks.push({ step, kind: step < 0 ? Kind.agent : settled.kind[step]!, name, check: id, why })
    }
  }

  #conclude(settled: Settled): void {
    const times = (result: number) => settled.checked.reduce((sum, one) => (one.result === result ? sum + one.times : sum), 0)
    const passed = times(CheckResult.pass)
    const judged = passed + times(CheckResult.fail)
    if (judged > 0) settled.scores.push({ evaluator: this.#evaluator, value: passed / judged, layer: 'unit' })
    // The answer comes at the end of everything.
    const end = (step: number) => (step < 0 ? Infinity : settled.stepStartMs[step]! + settled.stepSeconds[step]! * 1000)
    if (settled.checks.length > 1) settled.checks.sort((a, b) => (end(a.step) === end(b.step) ? a.step - b.step : end(a.step) - end(b.step)))
  }

  #ofTool(settled: Settled, step: number): readonly Check[] {
    const found = this.#of(this.#tools, this.#expectations.tools, settled.name[step]!)
    if (found.length === 0) return []
    const agents = [settled.agent, settled.stepAgent[step]!].map((id) => this.#strings.text(id))
    return found.flatMap(({ agent, checks }) => (agent === undefined || agents.some((one) => agent.test(one)) ? checks : []))
  }

  #ofAgent(name: number): readonly Check[] {
    return this.#of(this.#agents, this.#expectations.agents, name).flatMap(({ checks }) => checks)
  }

  #of(known: ByName, all: readonly ExpectationsOf[], name: number): readonly ForAgent[] {
    if (this.#generation !== this.#strings.generation) {
      this.#generation = this.#strings.generation
      this.#tools.clear()
      this.#agents.clear()
    }
    let found = known.get(name)
    if (found === undefined) {
      if (known.size >= MOST_NAMES) known.clear()
      const text = this.#strings.text(name)
      known.set(name, found = all.filter(({ match }) => match.test(text)))
    }
    return found
  }
}

/** The step that tells what an agent answered: its own, else its last model call; -1 where none tells. */
function tellerOf(settled: Settled, agent: number): number {
  const { content, stepStartMs, stepSeconds, stepAgent, name, kind } = settled
  if (content === undefined || content.step(agent, Content.output) !== undefined) return content === undefined ? -1 : agent
  const end = stepStartMs[agent]! + stepSeconds[agent]! * 1000 + 1
  let last = -1
  for (let i = 0; i < settled.steps; i++) {
    if (kind[i] !== Kind.model || stepAgent[i] !== name[agent] || stepStartMs[i]! < stepStartMs[agent]! - 1 || stepStartMs[i]! > end) continue
    if (last < 0 || stepStartMs[i]! > stepStartMs[last]!) last = i
  }
  return last >= 0 && content.step(last, Content.output) !== undefined ? last : -1
}
