/** The limits of one request in force for a tenant and an agent. */
import type { ObjectiveRow } from '../config/objectives.ts'

export interface RequestLimits {
  readonly durationSeconds: number | undefined
  readonly costUsd: number | undefined
  readonly score: number | undefined
}

/**
 * The objective of P99 and not of P95, which one request in twenty breaks while all is well: past the P99's limit at most one in a hundred is
 * told of as slow.
 */
const OBJECTIVES = { durationSeconds: 'latency_p99', costUsd: 'cost_per_request', score: 'quality_score' } as const

export class ObjectiveLimits {
  readonly #rows: ReadonlyMap<string, number>

  constructor(rows: readonly ObjectiveRow[]) {
    this.#rows = new Map(rows.map((row) => [key(row.objective, row.tenant_id, row.agent), row.value]))
  }

  of(tenant: string, agent: string): RequestLimits {
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
