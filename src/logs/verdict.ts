/** Whether a request is worth a line, and why. */
import { Outcome, ProblemKind, type Problem, type Settled } from '../traces/settled.ts'

export type Why = 'failed' | 'slow' | 'expensive' | 'low_quality'

const WHY: readonly Why[] = ['slow', 'expensive', 'low_quality']

export interface Verdict {
  readonly why: readonly Why[]
  /** The lowest score, where that is below its limit. */
  readonly badAnswer: Problem | undefined
}

/** undefined for a healthy request, which costs no allocation. */
export function verdictOn(settled: Settled): Verdict | undefined {
  const failed = settled.isRequest && settled.outcome !== Outcome.success
  if (!failed && settled.problems.length === 0) return undefined
  const why = settled.problems.map(({ problem }) => WHY[problem]!)
  return { why: failed ? ['failed', ...why] : why, badAnswer: settled.problems.find(({ problem }) => problem === ProblemKind.badAnswer) }
}
