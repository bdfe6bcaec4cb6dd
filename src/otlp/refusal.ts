import { Malformed } from './sink.ts'

/** google.rpc.Code, which gRPC calls and the Status in an HTTP answer share. */
export const Code = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const

/**
 * Every way a request is not accepted, with its HTTP status and gRPC code. Senders retry 429, 502, 503, 504 and
 * UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED with RetryInfo; nothing else (OTLP specification, "Failures").
 *
 * `overloaded` is 429 and not 503, though both are retried: it pairs with RESOURCE_EXHAUSTED, to which the
 * specification ties 429, and proxies that take a backend out of service on 5xx do not do so just when the others are
 * overloaded too. 503 pairs with UNAVAILABLE and means that this process is going away.
 */
export const REFUSALS = {
  too_large: { http: 413, code: Code.RESOURCE_EXHAUSTED },
  malformed: { http: 400, code: Code.INVALID_ARGUMENT },
  overloaded: { http: 429, code: Code.RESOURCE_EXHAUSTED },
  stopping: { http: 503, code: Code.UNAVAILABLE },
  unsupported_type: { http: 415, code: Code.INVALID_ARGUMENT },
  unsupported_encoding: { http: 415, code: Code.UNIMPLEMENTED },
  not_found: { http: 404, code: Code.NOT_FOUND },
  method: { http: 405, code: Code.UNIMPLEMENTED },
  /** gRPC only: over HTTP, node answers 408 itself. */
  too_slow: { http: 408, code: Code.DEADLINE_EXCEEDED },
  /** A fault of the bridge, not of the sender. Not retried: the same bytes would meet the same fault. */
  internal: { http: 500, code: Code.INTERNAL },
} as const

export type RefusalReason = keyof typeof REFUSALS

/** Called once for every request that is not accepted. `error` is the cause where the reason is `internal`. */
export type OnRefused = (reason: RefusalReason, error?: unknown) => void

/** Why a request is not accepted. The message goes to the sender. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly reason: RefusalReason
  /** Seconds after which the sender should try again; 0: it must not. */
  readonly retrySeconds: number

  constructor(reason: RefusalReason, message: string, retrySeconds = 0, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.retrySeconds = retrySeconds
  }
}

/** What was thrown while a request was handled, as a refusal. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown
  if (thrown instanceof Malformed) return new Refusal('malformed', thrown.message)
  return new Refusal('internal', 'cannot process the request: internal error', 0, { cause: thrown })
}

export function overloaded(retrySeconds: number): Refusal {
  const seconds = Math.max(1, Math.ceil(retrySeconds))
  return new Refusal('overloaded', `cannot take the request: overloaded, try again in ${seconds} s`, seconds)
}
