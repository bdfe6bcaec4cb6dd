/**
 * What judging may cost in a day (UTC), for each tenant and in all. The most that a call can cost is reserved before it is
 * made, and what it did cost takes the place of the reservation after it. So what is spent and reserved is never more than
 * the limits, however many calls are under way. In whole nanodollars: their sums are exact.
 */
export interface BudgetLimits {
  readonly usdPerDay: number
  readonly tenantUsdPerDay: number
  readonly tenantRequestsPerDay: number
  /** Tenants with limits of their own. */
  readonly tenants: readonly TenantLimits[]
}

export interface TenantLimits {
  readonly tenant: string
  readonly usdPerDay: number | undefined
  readonly requestsPerDay: number | undefined
}

export type BudgetRefusal = 'budget_usd' | 'budget_tenant_usd' | 'budget_tenant_requests'

export interface Reservation {
  readonly day: number
  readonly tenant: string
  readonly nanos: number
}

/** Remembers over a restart what a day has cost. */
export interface Ledger {
  read(day: number): readonly Entry[]
  write(day: number, entry: Entry): void
}

export interface Entry {
  readonly tenant: string
  readonly requests: number
  /** Spent and reserved: what is under way when a process dies may have been paid. */
  readonly nanos: number
}

const DAY_MS = 86_400_000
/** Of a day; those past it share one budget. */
const MOST_TENANTS = 10_000
const OTHERS = '__overflow__'

export class Budget {
  readonly #limits: BudgetLimits
  readonly #ledger: Ledger
  readonly #own: ReadonlyMap<string, TenantLimits>
  #day = -1
  #nanos = 0
  #tenants = new Map<string, { requests: number; nanos: number }>()

  constructor(limits: BudgetLimits, ledger: Ledger) {
    this.#limits = limits
    this.#ledger = ledger
    this.#own = new Map(limits.tenants.map((row) => [row.tenant, row]))
  }

  /** USD of today, spent or reserved. */
  usedUsd(nowMs: number): number {
    this.#turn(nowMs)
    return this.#nanos / 1e9
  }

  /** Counts one more request of a tenant, unless it has had all of its day. */
  admit(tenant: string, nowMs: number): BudgetRefusal | undefined {
    this.#turn(nowMs)
    const [name, used] = this.#of(tenant)
    if (used.requests >= (this.#own.get(tenant)?.requestsPerDay ?? this.#limits.tenantRequestsPerDay)) return 'budget_tenant_requests'
    used.requests++
    this.#ledger.write(this.#day, { tenant: name, ...used })
    return undefined
  }

  /** Sets aside the most that a call can cost. */
  reserve(tenant: string, usd: number, nowMs: number): Reservation | BudgetRefusal {
    this.#turn(nowMs)
    const [name, used] = this.#of(tenant)
    const nanos = Math.ceil(usd * 1e9)
    if (!(this.#nanos + nanos <= nanosOf(this.#limits.usdPerDay))) return 'budget_usd'
    if (!(used.nanos + nanos <= nanosOf(this.#own.get(tenant)?.usdPerDay ?? this.#limits.tenantUsdPerDay))) return 'budget_tenant_usd'
    const reservation = { day: this.#day, tenant: name, nanos }
    this.#change(reservation, nanos)
    return reservation
  }

  /** Puts what a call has cost in the place of what was set aside for it: 0 for one that was not answered and is not charged for. */
  settle(reservation: Reservation, usd: number): void {
    // A call that ends after midnight is paid by the day before, whose limit is no longer asked for.
    if (reservation.day === this.#day) this.#change(reservation, Math.ceil(usd * 1e9) - reservation.nanos)
  }

  #change({ tenant, day }: Reservation, nanos: number): void {
    const used = this.#tenants.get(tenant)!
    used.nanos += nanos
    this.#nanos += nanos
    this.#ledger.write(day, { tenant, ...used })
  }

  #of(tenant: string): [string, { requests: number; nanos: number }] {
    const name = this.#tenants.has(tenant) || this.#tenants.size < MOST_TENANTS ? tenant : OTHERS
    let used = this.#tenants.get(name)
    if (used === undefined) this.#tenants.set(name, (used = { requests: 0, nanos: 0 }))
    return [name, used]
  }

  /** A clock that is set back does not give the day before once more. */
  #turn(nowMs: number): void {
    const day = Math.floor(nowMs / DAY_MS)
    if (day <= this.#day) return
    this.#day = day
    this.#tenants = new Map(this.#ledger.read(day).map(({ tenant, requests, nanos }) => [tenant, { requests, nanos }]))
    this.#nanos = [...this.#tenants.values()].reduce((sum, { nanos }) => sum + nanos, 0)
  }
}

function nanosOf(usd: number): number {
  return Math.floor(usd * 1e9 + 1e-3)
}
