/** What becomes of one request: redacted, asked about within the budget and as often as it takes, and either marked or not for a reason. */
import { setTimeout as sleep } from 'node:timers/promises'
import { cost, type ModelPrice } from '../../cost/price.ts'
import { LONGEST_RETRY_AFTER_MS, pauseMs } from './backoff.ts'
import type { Breaker } from './breaker.ts'
import type { Budget, Reservation } from './budget.ts'
import type { Case } from './case.ts'
import type { JudgeCounts, Skip } from './counts.ts'
import type { Mark } from './mark.ts'
import { mostUsd, tokensOf } from './price.ts'
import { CallFailed, type PreparedCall, type Provider, type Reply } from './provider.ts'
import { redacted, type RedactOptions } from './redact.ts'

export interface WorkerOptions {
  readonly provider: Provider
  readonly redact: RedactOptions
  readonly budget: Budget
  readonly breaker: Breaker
  readonly counts: JudgeCounts
  /** Of the judge's model at a time. */
  readonly price: (atMs: number) => ModelPrice | undefined
  readonly maxTokens: number
  readonly timeoutMs: number
  readonly tries: number
  readonly now: () => number
  readonly random: () => number
  /** Seconds that a call took. */
  readonly took: (seconds: number) => void
  /** Told of failures and of the end of them. */
  readonly tell: (failure: string | undefined) => void
}

export interface Signals {
  /** No more waiting: each request is tried once more at most. */
  readonly stopping: AbortSignal
  /** No more calls either. */
  readonly ended: AbortSignal
}

export type Outcome = Mark | Skip

/** Never rejects: whatever goes wrong with one request, such as a disk that takes no more of the budget's book, is that request's. */
export async function judge(one: Case, options: WorkerOptions, signals: Signals): Promise<Outcome> {
  if (signals.ended.aborted) return 'shutdown'
  try {
    return await ask(one, options, signals)
  } catch (error) {
    options.breaker.leave()
    options.tell((error as Error).message)
    return 'failed'
  }
}

async function ask(one: Case, options: WorkerOptions, signals: Signals): Promise<Outcome> {
  const { budget, provider, now } = options
  let prepared: PreparedCall
  try {
    prepared = provider.prepare(await redacted(one, options.redact))
  } catch {
    return 'redaction_failed'
  }
  const refusal = budget.admit(one.tenant, now())
  if (refusal !== undefined) return refusal
  for (let tries = 1; ; tries++) {
    if (!(await entered(options.breaker, options.now, signals))) return 'shutdown'
    const last = tries >= options.tries || signals.stopping.aborted
    const done = await attempt(one.tenant, prepared, options, signals.ended)
    if (done.outcome !== undefined) return done.outcome
    if (signals.ended.aborted) return 'shutdown'
    if (last || !done.retryable) return 'failed'
    await sleep(pauseMs(tries, done.retryAfterMs, options.random()), undefined, { signal: signals.stopping }).catch(() => undefined)
  }
}

/** Waits until the breaker lets a call through; false when there is no more time for one. */
async function entered(breaker: Breaker, now: () => number, { stopping, ended }: Signals): Promise<boolean> {
  for (;;) {
    if (ended.aborted) return false
    const wait = breaker.enter(now())
    if (wait === 0) return true
    if (stopping.aborted) return false
    await sleep(Math.min(wait, 1000), undefined, { signal: stopping }).catch(() => undefined)
  }
}

interface Attempt {
  /** undefined: it failed, and may be tried again. */
  readonly outcome?: Outcome
  readonly retryable?: boolean
  readonly retryAfterMs?: number | undefined
}

/** One call: paid for before it is made. */
async function attempt(tenant: string, prepared: PreparedCall, options: WorkerOptions, ended: AbortSignal): Promise<Attempt> {
  const { budget, breaker, counts, now } = options
  const startMs = now()
  const price = options.price(startMs)
  if (price === undefined) return left(breaker, 'unpriced')
  const reserved = budget.reserve(tenant, mostUsd(price, prepared.bytes, options.maxTokens, options.timeoutMs / 1000), startMs)
  if (typeof reserved === 'string') return left(breaker, reserved)
  counts.calls++
  try {
    const reply = await prepared.send(ended)
    breaker.succeed()
    options.tell(undefined)
    return settled(reply, reserved, price, (now() - startMs) / 1000, options)
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error
    const { failure } = error
    // What may be charged for stays reserved.
    if (!failure.charged) budget.settle(reserved, 0)
    counts.errors[failure.error]++
    if (ended.aborted) breaker.leave()
    else {
      breaker.fail(now(), Math.min(failure.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS))
      options.tell(failure.message)
    }
    return { retryable: failure.retryable && (failure.retryAfterMs ?? 0) <= LONGEST_RETRY_AFTER_MS, retryAfterMs: failure.retryAfterMs }
  } finally {
    options.took((now() - startMs) / 1000)
  }
}

function left(breaker: Breaker, outcome: Skip): Attempt {
  breaker.leave()
  return { outcome }
}

function settled({ usage, mark }: Reply, reserved: Reservation, price: ModelPrice, seconds: number, { budget, counts }: WorkerOptions): Attempt {
  if (usage !== undefined) {
    const usd = cost(price, tokensOf(usage), seconds)
    budget.settle(reserved, usd)
    counts.usd += usd
    counts.tokens.input += usage.input
    counts.tokens.output += usage.output
  }
  if (typeof mark !== 'string') return { outcome: mark }
  counts.errors[mark]++
  return { outcome: 'no_mark' }
}
