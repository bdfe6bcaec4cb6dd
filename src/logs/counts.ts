/** What became of every line, and of every push: read by the bridge's health. */

/** Why a line was never stored. */
export const DROP_REASONS = ['rate_limit', 'queue_full', 'refused', 'undeliverable', 'shutdown'] as const
export type DropReason = (typeof DROP_REASONS)[number]

/** Answers of a push that was not taken, and what kept one from coming. */
export const PUSH_ERRORS = ['429', '4xx', '5xx', 'blocked', 'network', 'timeout'] as const
export type PushError = (typeof PUSH_ERRORS)[number]

export class LogCounts {
  /** Lines that Loki took. */
  lines = 0
  readonly dropped: Record<DropReason, number> = { rate_limit: 0, queue_full: 0, refused: 0, undeliverable: 0, shutdown: 0 }
  readonly pushErrors: Record<PushError, number> = { '429': 0, '4xx': 0, '5xx': 0, blocked: 0, network: 0, timeout: 0 }
  /** Tenants whose outcomes found no room in the tally. */
  tenantsOverflowed = 0
}
