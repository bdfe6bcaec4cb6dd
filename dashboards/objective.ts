/** What rules record of an objective, for what is chosen: only by the labels that what it measures has. A context has an agent and no tenant. */
import { type Objective, readObjectives } from '../src/config/objectives.ts'
import { METRICS, type MetricDefinition } from '../src/metrics/catalogue.ts'
import type { Query } from './panel.ts'
import { type Chosen, recordedOf } from './query.ts'

const OBJECTIVES = new Map(readObjectives().map((objective) => [objective.id, objective]))
const JUDGED_BY: readonly Chosen[] = ['tenant_id', 'agent']

export function ofObjective(id: string, name: 'value' | 'limit' | 'met' | 'error_budget_remaining'): string {
  return recordedOf(labelsOf(OBJECTIVES.get(id)!), `tenant_agent:objective:${name}`, `objective="${id}"`)
}

/** A limit for a graph of more than one tenant and agent: the strictest among them. */
export function limitLine(id: string, legend = ''): Query {
  const strictest = OBJECTIVES.get(id)!.comparison === '>' ? 'max' : 'min'
  return { legend: `limit ${legend}`.trimEnd(), expr: `${strictest}(${ofObjective(id, 'limit')})` }
}

function labelsOf({ measure }: Objective): Chosen[] {
  const labels = 'metric' in measure ? ((METRICS as Readonly<Record<string, MetricDefinition>>)[measure.metric]?.labels ?? []) : []
  return JUDGED_BY.filter((label) => labels.includes(label))
}
