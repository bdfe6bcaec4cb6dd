/** Who judges: what the three ways of asking a model have in common. */
import type { Case } from './case.ts'
import type { Mark } from './mark.ts'

export interface Provider {
  /** Of `agent_quality_score`. */
  readonly evaluator: string
  prepare(one: Case): PreparedCall
}

/** A call that has been put together and not made: it is known how much it can cost. May be sent several times. */
export interface PreparedCall {
  /** What is sent, for a person who wants to see it. */
  readonly text: string
  /** Of all texts in it. */
  readonly bytes: number
  /** Rejects with `CallFailed`. */
  send(ended: AbortSignal): Promise<Reply>
}

export interface Reply {
  /** undefined: the endpoint does not tell. */
  readonly usage: Usage | undefined
  readonly mark: Mark | ReplyError
}

export interface Usage {
  /** All of it, cached or not. */
  readonly input: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly output: number
}

/** An answer that is no mark. */
export const REPLY_ERRORS = ['malformed', 'out_of_range', 'truncated', 'refusal'] as const
export type ReplyError = (typeof REPLY_ERRORS)[number]

/** No answer. */
export const CALL_ERRORS = ['429', '4xx', '5xx', 'timeout', 'network'] as const
export type CallError = (typeof CALL_ERRORS)[number]

export interface CallFailure {
  readonly error: CallError
  readonly retryable: boolean
  /** The model may have done its work all the same. */
  readonly charged: boolean
  readonly retryAfterMs: number | undefined
  /** For a person: never words of the endpoint, which may repeat a key or content. */
  readonly message: string
}

export class CallFailed extends Error {
  override name = 'CallFailed'
  readonly failure: CallFailure

  constructor(failure: CallFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/** What is sent with each call. The trace context is one that nobody records: a gateway on the way would else make a request to judge of each judging. */
export function untraced(random: () => string): Readonly<Record<string, string>> {
  return { traceparent: `00-${random()}-${random().slice(0, 16)}-00` }
}
