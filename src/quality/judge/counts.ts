/** What the judge counts: its part of /metrics. */
import { BREAKER_STATES, type BreakerState } from './breaker.ts'
import { CALL_ERRORS, REPLY_ERRORS, type CallError, type ReplyError } from './provider.ts'
import { WHYS, type Why } from './selection.ts'

/** Why a request that was selected got no mark. */
export const SKIPS = ['no_content', 'no_answer', 'queue_full', 'too_late', 'redaction_failed', 'budget_usd', 'budget_tenant_usd', 'budget_tenant_requests', 'unpriced', 'failed', 'no_mark', 'shutdown'] as const
export type Skip = (typeof SKIPS)[number]

export class JudgeCounts {
  /** Requests, by why they were selected. */
  readonly selected = zeros<Why>(WHYS)
  marks = 0
  readonly skipped = zeros<Skip>(SKIPS)
  calls = 0
  readonly errors = zeros<CallError | ReplyError>([...CALL_ERRORS, ...REPLY_ERRORS])
  readonly tokens = zeros<'input' | 'output'>(['input', 'output'])
  usd = 0
}

/** What /metrics reads. */
export interface JudgeHealth extends Readonly<Pick<JudgeCounts, 'selected' | 'marks' | 'skipped' | 'calls' | 'errors' | 'tokens' | 'usd'>> {
  /** USD of today that are spent or reserved, and that there are. */
  readonly usedUsd: number
  readonly budgetUsd: number
  readonly queued: number
  readonly running: number
  /** 1 for the state that it is in. */
  readonly breaker: Readonly<Record<BreakerState, number>>
}

/** Of a bridge without a judge. */
export const NO_JUDGE_HEALTH: JudgeHealth = { ...new JudgeCounts(), usedUsd: 0, budgetUsd: 0, queued: 0, running: 0, breaker: breakerGauge('closed') }

export function breakerGauge(state: BreakerState): Readonly<Record<BreakerState, number>> {
  return Object.fromEntries(BREAKER_STATES.map((each) => [each, each === state ? 1 : 0])) as Record<BreakerState, number>
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>
}
