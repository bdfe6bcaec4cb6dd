/** Every objective as the rules see it now, read from Prometheus: what is recorded under tenant_agent:objective:*. */
import { z } from 'zod'
import { reasonOf } from '../web/reach.ts'

export interface ScoredObjective {
  readonly id: string
  readonly title: string
  readonly unit: 'seconds' | 'ratio' | 'usd' | 'messages'
  readonly comparison: '<' | '<=' | '>'
  readonly limit: number | null
  readonly measure: { readonly kind: string }
}

/** One objective where it is worst. */
export interface Score {
  readonly objective: ScoredObjective
  /** null: Prometheus has no value for it. */
  readonly value: number | null
  readonly limit: number | null
  readonly met: boolean | null
  /** Of the error budget, 1 untouched; null for an objective without one. */
  readonly budget: number | null
  /** Whom the value is about: the worst of all. */
  readonly tenant: string
  readonly agent: string
  /** How many tenants and agents have a value, and how many of them miss the objective. */
  readonly judged: number
  readonly missed: number
}

export interface Scores {
  readonly scores: readonly Score[]
  readonly readMs: number
  /** Why there is nothing to show, '' when there is. */
  readonly error: string
}

const FRESH_MS = 10_000
const ANSWER_MS = 5000
/** Series read of one name; past it the scoreboard says what it saw. */
const MOST_SERIES = 20_000
const NAMES = ['value', 'limit', 'met', 'error_budget_remaining'] as const

const answer = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })) }),
})

type Rows = ReadonlyMap<string, number>

export class Scoreboard {
  readonly #options: { readonly prometheusUrl: string; readonly objectives: readonly ScoredObjective[]; readonly nowMs: () => number }
  readonly #closed = new AbortController()
  #last: Scores | undefined
  #reading: Promise<Scores> | undefined

  constructor(options: { readonly prometheusUrl: string; readonly objectives: readonly ScoredObjective[]; readonly nowMs: () => number }) {
    this.#options = options
  }

  /** At most ten seconds old; however many ask, Prometheus is asked once. Never rejects. */
  async read(): Promise<Scores> {
    const { nowMs } = this.#options
    if (this.#last !== undefined && Math.abs(nowMs() - this.#last.readMs) < FRESH_MS) return this.#last
    this.#reading ??= this.#ask().finally(() => { this.#reading = undefined })
    return this.#last = await this.#reading
  }

  close(): void {
    this.#closed.abort()
  }

  async #ask(): Promise<Scores> {
    const { objectives, nowMs } = this.#options
    try {
      const [values, limits, met, budgets] = await Promise.all(NAMES.map((name) => this.#rows(`tenant_agent:objective:${name}`)))
      return { scores: objectives.map((objective) => scoreOf(objective, values!, limits!, met!, budgets!)), readMs: nowMs(), error: '' }
    } catch (error) {
      return { scores: [], readMs: nowMs(), error: `cannot read Prometheus: ${reasonOf(error)}` }
    }
  }

  /** Values by objective, tenant and agent. */
  async #rows(name: string): Promise<Rows> {
    const response = await fetch(new URL(`api/v1/query?query=${encodeURIComponent(name)}`, `${this.#options.prometheusUrl.replace(/\/$/, '')}/`), {
      signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(ANSWER_MS)]),
    })
    if (!response.ok) throw new Error(`it answered ${response.status}`)
    const { data } = answer.parse(await response.json())
    if (data.result.length > MOST_SERIES) throw new Error(`${name} has ${data.result.length} series, ${MOST_SERIES} are read at most`)
    return new Map(data.result.map(({ metric, value }) => [keyOf(metric['objective'], metric['tenant_id'], metric['agent']), Number(value[1])]))
  }
}

/** JSON, because a tenant's name may hold whatever would separate the parts. */
function keyOf(objective = '', tenant = '', agent = ''): string {
  return JSON.stringify([objective, tenant, agent])
}

function scoreOf(objective: ScoredObjective, values: Rows, limits: Rows, met: Rows, budgets: Rows): Score {
  let worst: Omit<Score, 'objective' | 'judged' | 'missed'> | undefined
  let judged = 0
  let missed = 0
  for (const [key, value] of values) {
    const [id, tenant, agent] = JSON.parse(key) as [string, string, string]
    if (id !== objective.id || !Number.isFinite(value)) continue
    judged++
    const told = met.get(key)
    const limit = limits.get(key) ?? objective.limit
    const is = told !== undefined ? told === 1 : limit === null ? null : holds(value, limit, objective.comparison)
    if (is === false) missed++
    const score = { value, limit, met: is, budget: budgets.get(key) ?? null, tenant, agent }
    if (worst === undefined || badness(objective, score) > badness(objective, worst)) worst = score
  }
  return { objective, judged, missed, ...(worst ?? { value: null, limit: objective.limit, met: null, budget: null, tenant: '', agent: '' }) }
}

function holds(value: number, limit: number, comparison: ScoredObjective['comparison']): boolean {
  return comparison === '>' ? value > limit : comparison === '<' ? value < limit : value <= limit
}

/** How far beyond its limit, as a share of it, so that tenants with limits of their own can be compared; a missed one above all that are met. */
function badness({ comparison }: ScoredObjective, { value, limit, met }: { readonly value: number | null; readonly limit: number | null; readonly met: boolean | null }): number {
  const beyond = limit === null || limit === 0 ? value! : (value! - limit) / Math.abs(limit)
  return (met === false ? 1e6 : 0) + (comparison === '>' ? -beyond : beyond)
}
