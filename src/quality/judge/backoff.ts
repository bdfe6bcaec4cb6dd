/** How long to wait before the next try. */

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** An endpoint that asks for more is not waited for by one request. */
export const LONGEST_RETRY_AFTER_MS = 300_000

/** After `tries` tries; never before the endpoint says. `random` in [0, 1): with jitter, so that many bridges do not come back at once. */
export function pauseMs(tries: number, retryAfterMs: number | undefined, random: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS)
  return Math.max(pause, retryAfterMs ?? 0) * (1 + random * 0.5)
}
