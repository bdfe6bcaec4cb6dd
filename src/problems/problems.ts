/**
 * The stage: why a request was slow, expensive or badly answered, by the limits in force for its tenant and agent. Slow: the step it
 * waited for longest. Expensive: the step that cost most beyond what it usually costs. A bad answer: the earliest
 * check that failed, else the error that nobody made up for, else the evaluator that liked it least.
 */
import type { ObjectiveRow } from '../config/objectives.ts'
import { Kind } from '../spans/names.ts'
import type { StringTable } from '../spans/strings.ts'
import { ProblemKind, type Problem, type Settled } from '../traces/settled.ts'
import { ObjectiveLimits } from './limits.ts'
import { TypicalCost } from './typical.ts'

export class Problems {
  readonly #limits: ObjectiveLimits
  readonly #typical: TypicalCost
  /** Of the request in hand: what each group of steps cost in all. */
  #usd = new Float64Array(64)

  constructor(objectives: readonly ObjectiveRow[], strings: StringTable) {
    this.#limits = new ObjectiveLimits(objectives, strings)
    this.#typical = new TypicalCost(strings)
  }

  /** Fills `limits` and `problems`. Scores that came late are judged too, without the request that has settled. */
  explain(settled: Settled): void {
    const limits = settled.limits = this.#limits.of(settled.tenant, settled.agent)
    if (settled.isRequest) {
      if (limits.durationSeconds !== undefined && settled.seconds > limits.durationSeconds) settled.problems.push(slow(settled))
      const expensive = limits.costUsd !== undefined && settled.totalUsd > limits.costUsd
      const learns = settled.totalUsd > 0 && this.#typical.wants(settled.agent)
      if (expensive || learns) this.#addUp(settled)
      if (expensive) settled.problems.push(this.#expensive(settled))
      if (learns) this.#typical.learn(settled, this.#usd)
    }
    if (limits.score !== undefined && settled.scores.length > 0) {
      const bad = badAnswer(settled, limits.score)
      if (bad !== undefined) settled.problems.push(bad)
    }
  }

  #addUp({ steps, group, groups, costUsd }: Settled): void {
    if (this.#usd.length < groups.size) this.#usd = new Float64Array(groups.size * 2)
    const usd = this.#usd.fill(0, 0, groups.size)
    for (let i = 0; i < steps; i++) usd[group[i]!]! += costUsd[i]!
  }

  #expensive(settled: Settled): Problem {
    const { agent, groups, totalUsd } = settled
    let worst = -1
    let most = -Infinity
    for (let group = 0; group < groups.size; group++) {
      const usd = this.#usd[group]!
      if (!(usd > 0)) continue
      const beyond = usd - this.#typical.of(agent, groups.key(group))
      if (beyond <= most) continue
      most = beyond
      worst = group
    }
    if (worst < 0) return { problem: ProblemKind.expensive, kind: Kind.agent, name: agent, amount: totalUsd, share: 1 }
    const usd = this.#usd[worst]!
    return { problem: ProblemKind.expensive, kind: groups.kind[worst]!, name: groups.name[worst]!, amount: usd, share: usd / totalUsd }
  }
}

function slow(settled: Settled): Problem {
  const dominant = settled.dominant()
  return {
    problem: ProblemKind.slow, kind: dominant?.kind ?? Kind.agent, name: dominant?.name ?? settled.agent,
    amount: dominant?.seconds ?? settled.seconds, share: dominant?.share ?? 1,
  }
}

function badAnswer(settled: Settled, limit: number): Problem | undefined {
  let worst = -1
  for (let i = 0; i < settled.scores.length; i++) {
    const { value } = settled.scores[i]!
    if (value < limit && (worst < 0 || value < settled.scores[worst]!.value)) worst = i
  }
  if (worst < 0) return undefined
  const { evaluator, value } = settled.scores[worst]!
  const because = settled.checks[0] ?? settled.errors.find(({ met }) => !met)
  return { problem: ProblemKind.badAnswer, kind: because?.kind ?? Kind.evaluation, name: because?.name ?? evaluator, amount: value, share: 1, evaluator }
}
