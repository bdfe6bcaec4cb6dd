/**
 * How the requests of each tenant ended. "Failures and no success" cannot be seen in lines of failures alone, and a rule over those would take
 * the silence of a healthy tenant for an outage: so successes are told too, as counts. Of every tenant, also of one that is well
 * here, because another bridge may see its failures; of such a one seldom.
 */
import { told, type LogLine } from './line.ts'

/** Tenants counted at once. */
const MOST_TENANTS = 20_000
/** A tenant that failed this recently is told of each time. */
const FAILED_RECENTLY_MS = 15 * 60_000
/** Any other no more often than this, which has to be well below the range of the rule. */
const HEALTHY_EVERY_MS = 5 * 60_000

interface Counts {
  succeeded: number
  failed: number
  failedMs: number
  toldMs: number
}

export class Tally {
  readonly #tenants = new Map<string, Counts>()
  /** Requests of tenants that found no room. */
  overflowed = 0

  count(tenant: string, succeeded: boolean, weight: number, nowMs: number): void {
    let counts = this.#tenants.get(tenant)
    if (counts === undefined) {
      if (this.#tenants.size >= MOST_TENANTS) {
        this.overflowed++
        return
      }
      this.#tenants.set(tenant, (counts = { succeeded: 0, failed: 0, failedMs: -Infinity, toldMs: nowMs }))
    }
    if (succeeded) counts.succeeded += weight
    else {
      counts.failed += weight
      counts.failedMs = nowMs
    }
  }

  /** Lines of the tenants that are due, with `all` of every one, for what happened since its last line. */
  lines(nowMs: number, all = false): LogLine[] {
    const lines: LogLine[] = []
    for (const [tenant, counts] of this.#tenants) {
      const { succeeded, failed } = counts
      const rested = Math.abs(nowMs - counts.toldMs) >= HEALTHY_EVERY_MS
      if (succeeded === 0 && failed === 0) {
        if (rested) this.#tenants.delete(tenant)
        continue
      }
      if (!all && !rested && nowMs - counts.failedMs > FAILED_RECENTLY_MS) continue
      counts.succeeded = counts.failed = 0
      counts.toldMs = nowMs
      lines.push({
        stream: { event: 'tally' }, timeMs: nowMs,
        text: JSON.stringify({ tenant_id: tenant, succeeded, failed }),
        metadata: told({ tenant_id: tenant, succeeded: String(succeeded), failed: String(failed), level: 'info' }),
      })
    }
    return lines
  }
}
