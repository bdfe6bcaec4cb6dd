/** Whether a request is worth a line, and why. */
import { Outcome, type Settled } from '../traces/settled.ts'
import type { RequestLimits } from './limits.ts'

export type Why = 'failed' | 'slow' | 'expensive' | 'low_quality'

export interface Verdict {
  readonly why: readonly Why[]
  readonly limits: RequestLimits
  /** The lowest score, where that is below its limit. */
  readonly score: { readonly evaluator: number; readonly value: number } | undefined
}

/** undefined for a healthy request, which costs no allocation. Scores that came late are judged too, without the request that has settled. */
export function verdictOn(settled: Settled, limits: RequestLimits): Verdict | undefined {
  const failed = settled.isRequest && settled.outcome !== Outcome.success
  const slow = settled.isRequest && limits.durationSeconds !== undefined && settled.seconds > limits.durationSeconds
  const expensive = settled.isRequest && limits.costUsd !== undefined && settled.totalUsd > limits.costUsd
  const lowest = limits.score === undefined ? -1 : lowestScore(settled, limits.score)
  if (!failed && !slow && !expensive && lowest < 0) return undefined
  const why: Why[] = []
  if (failed) why.push('failed')
  if (slow) why.push('slow')
  if (expensive) why.push('expensive')
  if (lowest >= 0) why.push('low_quality')
  return { why, limits, score: settled.scores[lowest] }
}

/** Its index; -1 where none is below the limit. */
function lowestScore(settled: Settled, limit: number): number {
  let lowest = -1
  let least = limit
  for (let i = 0; i < settled.scores.length; i++) {
    const { value } = settled.scores[i]!
    if (value >= least) continue
    least = value
    lowest = i
  }
  return lowest
}
