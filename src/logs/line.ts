/**
 * What is told of an unhealthy request: a JSON text for people and programs, and beside it what rules and searches select by. No
 * prompt and no answer is in it: the record that comes here has none.
 */
import { ERROR_TYPES, STEP_NAMES } from '../spans/names.ts'
import type { StringTable } from '../spans/strings.ts'
import { ACTIONS, AVOIDABLE, OUTCOMES, Outcome, PROBLEMS, RESULTS, type Settled, type SettledError } from '../traces/settled.ts'
import { fingerprintOf, type Cause } from './fingerprint.ts'
import type { Admitted } from './throttle.ts'
import type { Verdict } from './verdict.ts'

/** What Loki indexes. One stream for each combination of values, so each label has a handful: no tenant, agent or name is ever one. */
export interface Stream {
  readonly event: 'request' | 'tally' | 'bridge'
  readonly outcome?: (typeof OUTCOMES)[number]
  /** The first of its tenant, agent and cause in a minute. Whether something was seen at all is asked of these few, and not of a day of lines. */
  readonly first?: 'true'
}

export interface LogLine {
  readonly stream: Stream
  readonly timeMs: number
  /** JSON. */
  readonly text: string
  /** Structured metadata: strings that a query selects and groups by without reading the text. Values come from strangers. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Errors, recoveries and steps on the way to the root that are told; an agent in a loop makes thousands, all alike. */
const MOST_TOLD = 20

/** What the amount of each problem is. */
const AMOUNTS = ['seconds', 'cost_usd', 'score'] as const

export function causeOf(error: SettledError, strings: StringTable): Cause {
  return {
    ...ERROR_TYPES[error.type]!,
    step: STEP_NAMES[error.kind]!, name: strings.text(error.name), agent: strings.text(error.agent),
  }
}

/** Not part of what an error is: the same failure says it in other words each time. */
function evidenceOf({ rule, words }: SettledError): { readonly rule: string; readonly matched?: string } {
  return { rule, ...(words !== '' && { matched: words }) }
}

export function requestLine(settled: Settled, verdict: Verdict, { requests, first }: Admitted, strings: StringTable, nowMs: number): LogLine {
  const text = (id: number) => strings.text(id)
  const cause = settled.rootCause && causeOf(settled.rootCause, strings)
  const who = { trace_id: traceId(settled.trace), tenant_id: text(settled.tenant), project_id: text(settled.project), agent: text(settled.agent), service: text(settled.service), ...(settled.version !== 0 && { version: text(settled.version) }) }
  const fingerprint = cause && fingerprintOf(cause)
  const outcome = settled.isRequest ? OUTCOMES[settled.outcome] : undefined
  return {
    stream: { event: 'request', ...(outcome && { outcome }), ...(first && { first: 'true' }) },
    timeMs: nowMs,
    text: JSON.stringify({
      ...who, outcome, why: verdict.why, requests,
      started: timeOf(settled.startMs),
      ...(settled.isRequest && {
        duration_seconds: settled.seconds, duration_limit_seconds: settled.limits.durationSeconds,
        cost_usd: settled.totalUsd, cost_limit_usd: settled.limits.costUsd,
      }),
      ...(settled.hasAvoidable && { avoidable: avoidableOf(settled, strings) }),
      ...(settled.messages >= 0 && { messages: settled.messages }),
      ...(verdict.badAnswer && { score: verdict.badAnswer.amount, score_limit: settled.limits.score, evaluator: text(verdict.badAnswer.evaluator!) }),
      ...(settled.problems.length > 0 && {
        because: settled.problems.map(({ problem, kind, name, amount, share }) => ({ problem: PROBLEMS[problem], step: STEP_NAMES[kind], name: text(name), [AMOUNTS[problem]!]: amount, share })),
      }),
      ...(settled.checks.length > 0 && { checks_failed: settled.checks.slice(0, MOST_TOLD).map((one) => ({ step: STEP_NAMES[one.kind], name: text(one.name), check: text(one.check), why: one.why })) }),
      ...(cause && { root_cause: { ...cause, ...evidenceOf(settled.rootCause!) }, fingerprint }),
      ...(settled.path.length > 0 && { passed_on_by: settled.path.slice(0, MOST_TOLD).map((step) => ({ step: STEP_NAMES[step.kind], name: text(step.name), agent: text(step.agent), failed: step.failed })) }),
      ...(settled.errors.length > 0 && { errors: settled.errors.slice(0, MOST_TOLD).map((error) => ({ ...causeOf(error, strings), ...evidenceOf(error) })), errors_total: settled.errors.length }),
      ...(settled.recoveries.length > 0 && {
        recoveries: settled.recoveries.slice(0, MOST_TOLD).map((one) => ({ step: STEP_NAMES[one.kind], name: text(one.name), agent: text(one.agent), action: ACTIONS[one.action], result: RESULTS[one.result], seconds: one.seconds, cost_usd: one.step < 0 ? 0 : settled.costUsd[one.step] })),
      }),
    }),
    metadata: told({
      ...who, why: verdict.why.join(','), requests: String(requests),
      // Known to Grafana, which colours lines by it.
      level: settled.isRequest && settled.outcome !== Outcome.success ? 'error' : 'warn',
      ...(cause && { class: cause.class, type: cause.type, step: cause.step, name: cause.name, fingerprint: fingerprint! }),
    }),
  }
}

/** The dearest of what need not have been, with what it was told by. */
function avoidableOf(settled: Settled, strings: StringTable) {
  return [...settled.avoidable].sort((a, b) => b.usd - a.usd).slice(0, MOST_TOLD).map(({ reason, usd, step, tokens, instead }) => ({
    reason: AVOIDABLE[reason], usd, step: STEP_NAMES[settled.kind[step]!], name: strings.text(settled.name[step]!), agent: strings.text(settled.stepAgent[step]!),
    ...(tokens >= 0 && { tokens }), ...(instead !== 0 && { instead: strings.text(instead) }),
  }))
}

/** Without what is not told: a label that is missing and one that is empty are the same to Loki. */
export function told(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== ''))
}

/** A sender's clock may say anything, also what no calendar has. */
function timeOf(ms: number): string | undefined {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined
}

/** '' for scores whose trace never came. */
function traceId(words: Int32Array): string {
  if (words.every((word) => word === 0)) return ''
  let hex = ''
  for (const word of words) hex += (word >>> 0).toString(16).padStart(8, '0')
  return hex
}
