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

/** Kind and name of a step as one number: numbers of strings are below 2^21. */
const KIND = 2 ** 21

export class Problems {
  readonly #limits: ObjectiveLimits
  readonly #typical: TypicalCost
  /** Of the request in hand: what each step cost in all. */
  readonly #usd = new Map<number, number>()

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
      if (learns) this.#typical.learn(settled.agent, settled.totalUsd, this.#usd)
    }
    if (limits.score !== undefined && settled.scores.length > 0) {
      const bad = badAnswer(settled, limits.score)
      if (bad !== undefined) settled.problems.push(bad)
    }
  }

  #addUp(settled: Settled): void {
    this.#usd.clear()
    for (let i = 0; i < settled.steps; i++) {
      if (settled.costUsd[i]! <= 0) continue
      const step = settled.kind[i]! * KIND + settled.name[i]!
      this.#usd.set(step, (this.#usd.get(step) ?? 0) + settled.costUsd[i]!)
    }
  }

  #expensive(settled: Settled): Problem {
    let worst = -1
    let most = -Infinity
    for (const [step, usd] of this.#usd) {
      const beyond = usd - this.#typical.of(settled.agent, step)
      if (beyond <= most) continue
      most = beyond
      worst = step
    }
    if (worst < 0) return { problem: ProblemKind.expensive, kind: Kind.agent, name: settled.agent, amount: settled.totalUsd, share: 1 }
    const usd = this.#usd.get(worst)!
    return { problem: ProblemKind.expensive, kind: Math.floor(worst / KIND), name: worst % KIND, amount: usd, share: usd / settled.totalUsd }
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
