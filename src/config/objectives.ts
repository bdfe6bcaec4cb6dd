/**
 * The documented thresholds of alerts/objectives.json, typed, and the limits in force once a configuration has had its say.
 * The bridge publishes each row as `agent_objective{objective,agent,tenant_id}`; the rules read their limits from there.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { ObjectiveLimit } from './config.ts'

const metric = z.string().regex(/^(agent|spanbridge)_[a-z0-9_]+$/)
const measure = z.discriminatedUnion('kind', [
  /** Share of a histogram's events at or below the limit, which must be a bucket boundary. */
  z.strictObject({ kind: z.literal('latency'), metric, quantile: z.number().gt(0).lt(1) }),
  /** Share of a counter's events that are not `bad` by the value of `label`. The limit is the target itself. */
  z.strictObject({ kind: z.literal('ratio'), metric, label: z.string(), bad: z.array(z.string()).min(1) }),
  /** Mean of a histogram: sum by count. */
  z.strictObject({ kind: z.literal('mean'), metric }),
  /** One counter as a share of another. */
  z.strictObject({ kind: z.literal('share'), metric, of: metric }),
  /** Labels of the counter that agree: predicted = actual. */
  z.strictObject({ kind: z.literal('accuracy'), metric }),
  /** (this month - last month) / last month. */
  z.strictObject({ kind: z.literal('growth'), metric }),
  /** Observations of a histogram past the limit. */
  z.strictObject({ kind: z.literal('level'), metric }),
  /** A quantile of a histogram's events, as it is; without a budget, because they are few. */
  z.strictObject({ kind: z.literal('quantile'), metric, quantile: z.number().gt(0).lt(1) }),
  /** Measured by the fire drill, not by a series. */
  z.strictObject({ kind: z.literal('drill') }),
])

const objective = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_]*$/),
  title: z.string().min(1),
  measure,
  /** The labels that its metrics have, and a limit of its own can be given for; none: it is measured of the bridge as a whole. */
  per: z.array(z.enum(['tenant_id', 'agent'])),
  /** In `unit`. null: shown, but nothing is documented to compare it with. */
  limit: z.number().nonnegative().nullable(),
  unit: z.enum(['seconds', 'ratio', 'usd', 'messages']),
  /** What holds while the objective is met: value `comparison` limit. */
  comparison: z.enum(['<', '<=', '>']),
  window: z.string().regex(/^(\d+[mhd]|drill)$/),
  severity: z.enum(['critical', 'warning', 'info']),
  owner: z.string().min(1),
  /** Other documented limits, by the kind of agent they are for. */
  profiles: z.record(z.string(), z.number().nonnegative()).optional(),
})

const document = z.strictObject({ objectives: z.array(objective).min(1) })

export type Objective = z.output<typeof objective>

/** One `agent_objective` series; '' is everyone. */
export interface ObjectiveRow {
  readonly objective: string
  readonly agent: string
  readonly tenant_id: string
  /** In the objective's unit. */
  readonly value: number
}

/** The bucket boundaries of a histogram, undefined for a metric that is not known. */
export type Boundaries = (metric: string) => readonly number[] | undefined

const FILE = new URL('../../alerts/objectives.json', import.meta.url)

/** Throws what is wrong with the file and where. */
export function readObjectives(file: URL | string = FILE): readonly Objective[] {
  try {
    const parsed = document.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
    const { objectives } = parsed.data
    const twice = objectives.find((one, at) => objectives.findIndex((other) => other.id === one.id) !== at)
    if (twice) throw new Error(`${twice.id} is there twice`)
    return objectives
  } catch (error) {
    throw new Error(`cannot read objectives: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * The limits in force: every objective that has a limit, for everyone, then the limits of the configuration. A limit
 * without tenant and agent takes the place of the documented one, and one told by itself that of a profile for the same tenant and
 * agent. The rules choose for a request, in this order: the limit of its tenant and agent, of its tenant, of its agent, of everyone.
 *
 * Throws for a limit that no rule could judge: an unknown objective or profile, one told twice, one for a tenant of what is not measured
 * by tenant, a latency without a bucket boundary, a ratio outside 0 to 1.
 */
export function objectiveRows(objectives: readonly Objective[], own: readonly ObjectiveLimit[], boundaries: Boundaries): ObjectiveRow[] {
  const rows = new Map<string, ObjectiveRow>()
  for (const { id, limit } of objectives) if (limit !== null) rows.set(keyOf(id, '', ''), { objective: id, agent: '', tenant_id: '', value: limit })

  // By whom a limit was told, so that a contradiction is noticed.
  const told = new Map<string, 'profile' | 'itself'>()
  own.forEach((one, at) => {
    const fail = (cause: string) => new Error(`cannot use objectives[${at}]: ${cause}`)
    const by = 'profile' in one ? 'profile' : 'itself'
    for (const [objective, limit] of limitsOf(one, objectives, fail)) {
      const problem = unmeasured(objective, one) || unjudgeable(objective, limit, boundaries)
      if (problem !== '') throw fail(problem)
      const key = keyOf(objective.id, one.agent, one.tenant)
      const before = told.get(key)
      if (before === by) throw fail(`${objective.id} is set twice for the same tenant and agent`)
      told.set(key, by)
      if (before === undefined || by === 'itself') rows.set(key, { objective: objective.id, agent: one.agent, tenant_id: one.tenant, value: limit })
    }
  })
  return [...rows.values()]
}

function keyOf(objective: string, agent: string, tenant: string): string {
  return JSON.stringify([objective, agent, tenant])
}

function limitsOf(one: ObjectiveLimit, objectives: readonly Objective[], fail: (cause: string) => Error): [Objective, number][] {
  if (!('profile' in one)) {
    const found = objectives.find(({ id }) => id === one.objective)
    if (!found) throw fail(`no objective ${JSON.stringify(one.objective)}; there are ${objectives.map(({ id }) => id).join(', ')}`)
    return [[found, one.limit]]
  }
  const limits = objectives.flatMap((objective): [Objective, number][] => {
    const profiles = objective.profiles ?? {}
    return Object.hasOwn(profiles, one.profile) ? [[objective, profiles[one.profile]!]] : []
  })
  if (limits.length > 0) return limits
  const known = new Set(objectives.flatMap(({ profiles }) => Object.keys(profiles ?? {})))
  throw fail(`no profile ${JSON.stringify(one.profile)}; there are ${[...known].join(', ')}`)
}

/** Why there is nothing that a limit for this tenant or agent would be compared with, '' when there is. */
function unmeasured({ id, per }: Objective, { tenant, agent }: ObjectiveLimit): string {
  const wrong = [tenant !== '' && !per.includes('tenant_id') ? 'tenant' : '', agent !== '' && !per.includes('agent') ? 'agent' : ''].filter((label) => label !== '')
  return wrong.length === 0 ? '' : `${id} is not measured by ${wrong.join(' and ')}, so it cannot have a limit of its own there`
}

/** Why no rule could judge this limit, '' when one can. */
function unjudgeable({ id, measure, unit }: Objective, limit: number, boundaries: Boundaries): string {
  if (measure.kind === 'drill') return `${id} is measured by the fire drill, not by a rule`
  // A budget of 0 would page for every single failure, and a burn rate is a division by it.
  if (measure.kind === 'ratio' && !(limit > 0 && limit < 1)) return `${id} has to be above 0 and below 1, and is ${limit}`
  // A growth is a change: it may be a fall, and it may be more than double.
  if (measure.kind === 'growth') return ''
  if (limit < 0) return `${id} has to be at least 0, and is ${limit}`
  if (unit === 'ratio' && limit > 1) return `${id} is a ratio, at most 1, and is ${limit}`
  if (measure.kind !== 'latency' && measure.kind !== 'level') return ''
  const edges = boundaries(measure.metric)
  if (!edges || edges.includes(limit)) return ''
  const below = edges.filter((edge) => edge < limit).at(-1)
  const above = edges.find((edge) => edge > limit)
  const near = [below, above].filter((edge) => edge !== undefined).join(' or ')
  return `${measure.metric} has no bucket boundary at ${limit}, so it cannot be judged exactly; use ${near}`
}
