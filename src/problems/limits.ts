/** The limits of one request in force for a tenant and an agent. */
import type { ObjectiveRow } from '../config/objectives.ts'
import type { StringTable } from '../spans/strings.ts'
import type { RequestLimits } from '../traces/settled.ts'

/**
 * The objective of P99 and not of P95, which one request in twenty breaks while all is well: past the P99's limit at most one in a hundred is
 * told of as slow.
 */
const OBJECTIVES = { durationSeconds: 'latency_p99', costUsd: 'cost_per_request', score: 'quality_score' } as const
/** Pairs of tenant and agent whose limits are remembered. */
const MOST_KNOWN = 20_000

export class ObjectiveLimits {
  readonly #rows: ReadonlyMap<string, number>
  readonly #strings: StringTable
  /** By the numbers of tenant and agent, which a sweep of the strings gives to others. */
  readonly #known = new Map<number, Map<number, RequestLimits>>()
  #knownSize = 0
  #generation = 0

  constructor(rows: readonly ObjectiveRow[], strings: StringTable) {
    this.#rows = new Map(rows.map((row) => [key(row.objective, row.tenant_id, row.agent), row.value]))
    this.#strings = strings
  }

  of(tenant: number, agent: number): RequestLimits {
    if (this.#generation !== this.#strings.generation || this.#knownSize >= MOST_KNOWN) {
      this.#generation = this.#strings.generation
      this.#known.clear()
      this.#knownSize = 0
    }
    let byAgent = this.#known.get(tenant)
    if (byAgent === undefined) this.#known.set(tenant, (byAgent = new Map()))
    let limits = byAgent.get(agent)
    if (limits === undefined) {
      limits = this.#find(this.#strings.text(tenant), this.#strings.text(agent))
      byAgent.set(agent, limits)
      this.#knownSize++
    }
    return limits
  }

  #find(tenant: string, agent: string): RequestLimits {
    return {
      durationSeconds: this.#inForce(OBJECTIVES.durationSeconds, tenant, agent),
      costUsd: this.#inForce(OBJECTIVES.costUsd, tenant, agent),
      score: this.#inForce(OBJECTIVES.score, tenant, agent),
    }
  }

  /** The most specific wins, as it does in the rules. */
  #inForce(objective: string, tenant: string, agent: string): number | undefined {
    const rows = this.#rows
    return rows.get(key(objective, tenant, agent)) ?? rows.get(key(objective, tenant, '')) ?? rows.get(key(objective, '', agent)) ?? rows.get(key(objective, '', ''))
  }
}

function key(objective: string, tenant: string, agent: string): string {
  return JSON.stringify([objective, tenant, agent])
}
