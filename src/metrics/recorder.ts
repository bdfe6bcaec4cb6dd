/** Counts a settled request into the series: the last stage, and the only one that knows the label order. */
import { ERROR_TYPES, Kind, LAYERS, STEP_NAMES, type Layer } from '../spans/names.ts'
import type { StringTable } from '../spans/strings.ts'
import { ACTIONS, AVOIDABLE, BASES, CHECK_RESULTS, floorUsd, OUTCOMES, Outcome, PROBLEMS, quantize, RESULTS, type Settled } from '../traces/settled.ts'
import { ByContext } from './context.ts'
import type { Family } from './family.ts'
import { Features } from './features.ts'
import { StepRows } from './steprows.ts'
import type { SeriesStore } from './store.ts'

/** Steps whose cost is unknown, as the cost stage tells them. */
export interface UnpricedSteps {
  readonly noPrice: readonly number[]
  readonly noTokens: readonly number[]
}

/** Places in the rows of a request: first those of its outcomes. */
const DURATION = OUTCOMES.length, COST = DURATION + 1

export class Recorder {
  readonly #family: Record<string, Family>
  readonly #outcomes: number[]
  readonly #success: number
  readonly #error: number
  readonly #steps: number[]
  readonly #classes: number[]
  readonly #types: number[]
  readonly #bases: number[]
  readonly #actions: number[]
  readonly #results: number[]
  readonly #reasons: number[]
  /** Those that are looked for. */
  readonly #told: number[]
  readonly #tokens: { input: number; output: number; cachedInput: number; cacheWrite: number; reasoning: number; embedding: number }
  readonly #checkResults: number[]
  readonly #noPrice: number
  readonly #noTokens: number
  readonly #layers: Readonly<Record<Layer, number>>
  readonly #context: ByContext
  readonly #perKind = new Int32Array(16)
  readonly #store: SeriesStore
  readonly #strings: StringTable
  readonly #requests: Family
  readonly #duration: Family
  readonly #requestCost: Family
  readonly #stepsPerRequest: Family
  readonly #stepDuration: Family
  readonly #cost: Family
  readonly #tokenFamily: Family
  readonly #rows = new StepRows(4)
  readonly #requestRows = new StepRows(COST + 1)
  readonly #features: Features
  readonly #problems: readonly number[]
  /** Of the request in hand. Not handed on from one to the other: each call would allocate it. */
  #nowMs = 0
  #second = 0
  #expired = 0
  #generation = 0

  constructor(store: SeriesStore, strings: StringTable, reasons: readonly string[] = []) {
    const ids = (text: string) => strings.pin(text)
    this.#family = Object.fromEntries(store.families.map((f) => [f.definition.name, f]))
    this.#store = store
    this.#strings = strings
    this.#requests = store.family('agent_requests_total')
    this.#duration = store.family('agent_request_duration_seconds')
    this.#requestCost = store.family('agent_request_cost_usd')
    this.#stepsPerRequest = store.family('agent_steps_per_request')
    this.#stepDuration = store.family('agent_step_duration_seconds')
    this.#cost = store.family('agent_cost_usd_total')
    this.#tokenFamily = store.family('agent_tokens_total')
    this.#outcomes = OUTCOMES.map(ids)
    this.#success = ids('success')
    this.#error = ids('error')
    this.#steps = STEP_NAMES.map(ids)
    this.#classes = ERROR_TYPES.map((e) => ids(e.class))
    this.#types = ERROR_TYPES.map((e) => ids(e.type))
    this.#bases = BASES.map(ids)
    this.#actions = ACTIONS.map(ids)
    this.#results = RESULTS.map(ids)
    this.#reasons = AVOIDABLE.map(ids)
    this.#told = reasons.map(ids)
    this.#tokens = { input: ids('input'), output: ids('output'), cachedInput: ids('cached_input'), cacheWrite: ids('cache_write'), reasoning: ids('reasoning'), embedding: ids('embedding') }
    this.#features = new Features(store.family('agent_request_features_total'), strings)
    this.#problems = PROBLEMS.map(ids)
    this.#checkResults = CHECK_RESULTS.map(ids)
    this.#noPrice = ids('no_price')
    this.#noTokens = ids('no_tokens')
    this.#layers = Object.fromEntries(LAYERS.map((layer) => [layer, ids(layer)])) as Record<Layer, number>
    this.#context = new ByContext(store, strings)
  }

  record(settled: Settled, unpriced: UnpricedSteps, nowMs: number): void {
    const { tenant, project, agent, weight } = settled
    this.#nowMs = nowMs
    this.#second = Math.floor(nowMs / 1000) | 0
    if (this.#expired !== this.#store.expired || this.#generation !== this.#strings.generation) {
      this.#expired = this.#store.expired
      this.#generation = this.#strings.generation
      this.#rows.clear()
      this.#requestRows.clear()
      this.#features.clear()
      this.#context.clear()
    }
    const totalUsd = weight === 1 ? settled.totalUsd : weightedTotal(settled)
    if (settled.isRequest) this.#request(settled, totalUsd)
    else if (totalUsd > 0) this.#requestCost.addSum(this.#requestCost.at(tenant, project, agent), totalUsd)
    for (let i = 0; i < settled.steps; i++) this.#step(settled, i)
    if (settled.isRequest) {
      const { groups } = settled
      const perKind = this.#perKind.fill(0)
      for (let group = 0; group < groups.size; group++) perKind[groups.kind[group]!]! += groups.steps[group]!
      const steps = this.#stepsPerRequest
      for (let kind = 1; kind < perKind.length; kind++) if (perKind[kind]! > 0) steps.observe(steps.at(agent, this.#steps[kind]!), perKind[kind]!, weight)
    }
    const calls = this.#family['agent_unpriced_calls_total']!
    for (const i of unpriced.noPrice) calls.add(calls.at(settled.name[i]!, this.#noPrice), weight)
    for (const i of unpriced.noTokens) calls.add(calls.at(settled.name[i]!, this.#noTokens), weight)
    if (settled.isRequest) {
      this.#features.count(settled, this.#second)
      this.#context.request(settled, totalUsd, this.#second)
    }
    if (settled.problems.length > 0) this.#causes(settled)
    if (settled.errors.length > 0 || settled.recoveries.length > 0) this.#errors(settled)
    if (settled.hasAvoidable) this.#avoidable(settled)
    if (settled.checked.length > 0) this.#checks(settled)
    if (settled.scores.length > 0) this.#scores(settled)
  }

  #request(settled: Settled, totalUsd: number): void {
    const { tenant, project, agent, weight, trace } = settled
    const { rows } = this.#requestRows
    const at = this.#requestRows.find(this.#second, tenant, project, agent, 0, 0, 0, 0, 0)
    const duration = this.#duration
    const cost = this.#requestCost
    if (rows[at]! < 0) {
      // A series that begins with a failure has no increase yet, so all outcomes, and all reasons to save, begin at 0 with the first request of an agent.
      const avoidable = this.#family['agent_avoidable_cost_usd_total']!
      for (const reason of this.#told) avoidable.at(tenant, project, agent, reason)
      for (let outcome = 0; outcome < OUTCOMES.length; outcome++) rows[at + outcome] = this.#requests.at(tenant, project, agent, this.#outcomes[outcome]!)
      rows[at + DURATION] = duration.at(tenant, project, agent)
      rows[at + COST] = cost.at(tenant, project, agent)
    }
    this.#requests.add(rows[at + settled.outcome]!, weight)
    const reason = settled.outcome === Outcome.success ? 'slow' : 'error'
    duration.observe(rows[at + DURATION]!, settled.seconds, weight)
    duration.exemplar(rows[at + DURATION]!, settled.seconds, trace[0]!, trace[1]!, trace[2]!, trace[3]!, this.#nowMs, reason)
    cost.observe(rows[at + COST]!, settled.totalUsd, weight, totalUsd)
    cost.exemplar(rows[at + COST]!, settled.totalUsd, trace[0]!, trace[1]!, trace[2]!, trace[3]!, this.#nowMs, 'slow')
  }

  #step(settled: Settled, i: number): void {
    const { weight, trace } = settled
    const kind = settled.kind[i]!
    const name = settled.name[i]!
    const agent = settled.stepAgent[i]!
    const service = settled.stepService[i]!
    const step = this.#steps[kind]!
    const failed = settled.failed[i] === 1
    const seconds = settled.stepSeconds[i]!
    const costUsd = settled.costUsd[i]!
    const rows = this.#rows.rows
    const at = this.#rows.find(this.#second, service, agent, name, settled.tenant, settled.project, settled.agent, step, (failed ? 1 : 0) | (settled.basis[i]! << 1))
    const duration = this.#stepDuration
    if (rows[at]! < 0) rows[at] = duration.at(service, agent, step, name, failed ? this.#error : this.#success)
    duration.observe(rows[at]!, seconds, weight)
    if (failed) duration.exemplar(rows[at]!, seconds, trace[0]!, trace[1]!, trace[2]!, trace[3]!, this.#nowMs, 'error')
    if (costUsd > 0) {
      if (rows[at + 1]! < 0) rows[at + 1] = this.#cost.at(settled.tenant, settled.project, settled.agent, step, name, this.#bases[settled.basis[i]!]!)
      this.#cost.add(rows[at + 1]!, weight === 1 ? costUsd : weighted(costUsd, weight))
    }
    if (kind !== Kind.model && kind !== Kind.embedding) return
    const tokens = this.#tokenFamily
    const types = this.#tokens
    if (settled.input[i]! > 0) {
      // What was embedded has a type of its own: `input` is then the tokens of model calls alone.
      if (rows[at + 2]! < 0) rows[at + 2] = tokens.at(service, agent, name, kind === Kind.embedding ? types.embedding : types.input)
      tokens.add(rows[at + 2]!, settled.input[i]! * weight)
    }
    if (kind === Kind.embedding) return
    if (settled.output[i]! > 0) {
      if (rows[at + 3]! < 0) rows[at + 3] = tokens.at(service, agent, name, types.output)
      tokens.add(rows[at + 3]!, settled.output[i]! * weight)
    }
    if (settled.cachedInput[i]! > 0) tokens.add(tokens.at(service, agent, name, types.cachedInput), settled.cachedInput[i]! * weight)
    if (settled.cacheWrite[i]! > 0) tokens.add(tokens.at(service, agent, name, types.cacheWrite), settled.cacheWrite[i]! * weight)
    if (settled.reasoning[i]! > 0) tokens.add(tokens.at(service, agent, name, types.reasoning), settled.reasoning[i]! * weight)
    if (settled.firstTokenSeconds[i]! >= 0) {
      const first = this.#family['agent_time_to_first_token_seconds']!
      first.observe(first.at(service, name), settled.firstTokenSeconds[i]!, weight)
    }
    if (settled.stepMessages[i]! > 0) {
      const messages = this.#family['agent_context_messages']!
      messages.observe(messages.at(agent, name), settled.stepMessages[i]!, weight)
    }
  }

  #avoidable({ tenant, project, agent, weight, avoidableUsd, steps }: Settled): void {
    const avoidable = this.#family['agent_avoidable_cost_usd_total']!
    for (let reason = 0; reason < avoidableUsd.length; reason++) {
      const usd = avoidableUsd[reason]!
      if (usd > 0) avoidable.add(avoidable.at(tenant, project, agent, this.#reasons[reason]!), floorUsd(usd * weight, Number.isInteger(weight) ? 0 : steps))
    }
  }

  #errors(settled: Settled): void {
    const f = this.#family
    const { weight, trace } = settled
    const errors = f['agent_errors_total']!
    for (const e of settled.errors) {
      errors.add(errors.at(e.service, e.agent, this.#classes[e.type]!, this.#types[e.type]!, this.#steps[e.kind]!, e.name), weight)
    }
    const cause = settled.rootCause
    if (cause !== undefined && settled.isRequest) {
      const causes = f['agent_root_causes_total']!
      const row = causes.at(settled.tenant, settled.agent, this.#classes[cause.type]!, this.#types[cause.type]!, this.#steps[cause.kind]!, cause.name)
      causes.add(row, weight)
      causes.exemplar(row, weight, trace[0]!, trace[1]!, trace[2]!, trace[3]!, this.#nowMs, 'error')
    }
    for (const r of settled.recoveries) {
      const add = (name: 'agent_recoveries_total' | 'agent_recovery_seconds_total' | 'agent_recovery_cost_usd_total', value: number) => {
        const family = f[name]!
        family.add(family.at(r.agent, this.#steps[r.kind]!, r.name, this.#actions[r.action]!, this.#results[r.result]!), value)
      }
      add('agent_recoveries_total', weight)
      add('agent_recovery_seconds_total', r.seconds * weight)
      add('agent_recovery_cost_usd_total', r.step < 0 ? 0 : weighted(settled.costUsd[r.step]!, weight))
    }
  }

  #causes(settled: Settled): void {
    const { tenant, agent, weight, trace } = settled
    const causes = this.#family['agent_problem_causes_total']!
    for (const { problem, kind, name } of settled.problems) {
      const row = causes.at(tenant, agent, this.#problems[problem]!, this.#steps[kind]!, name)
      causes.add(row, weight)
      if ((trace[0]! | trace[1]! | trace[2]! | trace[3]!) !== 0) causes.exemplar(row, weight, trace[0]!, trace[1]!, trace[2]!, trace[3]!, this.#nowMs, 'last')
    }
  }

  #checks({ agent, checked, weight }: Settled): void {
    const checks = this.#family['agent_quality_checks_total']!
    for (const { name, check, result, times } of checked) {
      // All results begin at 0 together, as outcomes do, so that the first failure is a rise.
      for (const one of this.#checkResults) checks.at(agent, name, check, one)
      checks.add(checks.at(agent, name, check, this.#checkResults[result]!), times * weight)
    }
  }

  #scores(settled: Settled): void {
    const { tenant, project, agent, weight, trace } = settled
    const quality = this.#family['agent_quality_score']!
    for (const score of settled.scores) {
      const row = quality.at(tenant, project, agent, this.#layers[score.layer], score.evaluator)
      const sum = weighted(score.value, weight)
      quality.observe(row, score.value, weight, sum)
      // Scores whose trace never came have none to show.
      if ((trace[0]! | trace[1]! | trace[2]! | trace[3]!) !== 0) quality.exemplar(row, score.value, trace[0]!, trace[1]!, trace[2]!, trace[3]!, this.#nowMs, 'last')
      this.#context.score(settled, score.value, sum)
    }
  }
}

/** Rounded as costs are, so that sums are exact and do not depend on their order: those of sampled steps are their requests', to the last digit. */
function weighted(value: number, weight: number): number {
  return quantize(value * weight)
}

function weightedTotal(settled: Settled): number {
  let total = 0
  for (let i = 0; i < settled.steps; i++) total += weighted(settled.costUsd[i]!, settled.weight)
  return total
}
