/**
 * Spares an endpoint that fails: after some failures in a row nothing is asked of it for a while (open), then one call tries
 * (half-open), and if that fails too the while is twice as long.
 */
export const BREAKER_STATES = ['closed', 'half_open', 'open'] as const
export type BreakerState = (typeof BREAKER_STATES)[number]

export interface BreakerOptions {
  /** In a row. */
  readonly failures: number
  readonly openMs: number
  readonly longestOpenMs: number
}

export class Breaker {
  readonly #options: BreakerOptions
  #failures = 0
  #openings = 0
  #untilMs = 0
  #trying = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  state(nowMs: number): BreakerState {
    if (this.#openings === 0) return 'closed'
    return this.#trying || nowMs >= this.#untilMs ? 'half_open' : 'open'
  }

  /** Milliseconds to wait before the next call, 0 for none; Infinity while another one tries. Who is told 0 makes a call, and tells how it went. */
  enter(nowMs: number): number {
    if (nowMs < this.#untilMs) return this.#untilMs - nowMs
    if (this.#openings === 0) return 0
    if (this.#trying) return Infinity
    this.#trying = true
    return 0
  }

  /** The call was not made after all, or told nothing of the endpoint. */
  leave(): void {
    this.#trying = false
  }

  /** The endpoint answered. */
  succeed(): void {
    this.#trying = false
    this.#failures = 0
    this.#openings = 0
  }

  /** It did not; `restMs`: how long it asks to be left alone. */
  fail(nowMs: number, restMs = 0): void {
    const { failures, openMs, longestOpenMs } = this.#options
    this.#failures++
    if (this.#trying || (this.#openings === 0 && this.#failures >= failures)) {
      this.#untilMs = Math.max(this.#untilMs, nowMs + Math.min(openMs * 2 ** this.#openings, longestOpenMs))
      this.#openings++
    }
    this.#trying = false
    this.#untilMs = Math.max(this.#untilMs, nowMs + restMs)
  }
}
