/** Every objective of alerts/objectives.json with its value now, its limit, what is left of its error budget and how many meet it. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { type Objective, readObjectives } from '../src/config/objectives.ts'
import { ofObjective } from './objective.ts'
import { BUDGET, linkTo, type Query, type Steps } from './panel.ts'
import { number, states } from './panels.ts'
import { CHOSEN, documentedLimit, recordedOf } from './query.ts'
import { table } from './table.ts'

/** Where an objective is looked into. */
const DASHBOARD: Readonly<Record<string, string>> = {
  latency: 'requests', success: 'requests', pipeline: 'bridge', quality: 'quality', classification: 'errors', cost: 'cost', context: 'quality', anomaly: 'overview', time: 'errors',
}
const MET: Steps = ['text', [0, 'red'], [0.5, 'orange'], [1, 'green']]
const PER = 'cluster, tenant_id, agent'
const PER_LINE = 4

/** What is measured where the agents run; the rest is measured by the fire drill of the tests, and only its limit is known here. */
const isLive = ({ measure }: Objective) => measure.kind !== 'drill'

export function scoreboard(): Builder<Panel>[] {
  const all = readObjectives()
  const short = all.length % PER_LINE
  return all.map((objective, index) => number({
    title: nameOf(objective), description: describe(objective), height: 5,
    // The last line is as full as the others.
    width: 24 / (index < all.length - short ? PER_LINE : short),
    unit: objective.unit,
    queries: isLive(objective) ? live(objective) : [{ legend: 'limit', expr: documentedLimit(objective.id) }],
    trend: true, none: 'no data yet',
    overrides: [
      { of: 'met by', properties: [{ id: 'unit', value: 'percentunit' }, { id: 'decimals', value: 0 }, { id: 'thresholds', value: { mode: 'absolute', steps: stepsOf(MET) } }] },
      { of: 'budget', properties: [{ id: 'unit', value: 'percentunit' }, { id: 'decimals', value: 0 }, { id: 'thresholds', value: { mode: 'absolute', steps: stepsOf(BUDGET) } }] },
    ],
    steps: ['text'],
    links: [linkTo(DASHBOARD[objective.id.split('_')[0]!]!, 'Look into it', {})],
  }))
}

export function metOverTime(): Builder<Panel> {
  return states({
    title: 'Objectives over time', description: 'When each objective was met by every chosen tenant and agent, and when one of them missed it.', width: 12, height: 11,
    query: { expr: `min by (objective) (${recordedOf([], 'tenant_agent:objective:met', ...perTenant())})`, legend: '{{objective}}' },
    states: { 0: { text: 'missed', color: 'red' }, 1: { text: 'met', color: 'green' } },
  })
}

export function missed(): Builder<Panel> {
  const own = (name: string, ...matchers: string[]) => recordedOf([], name, ...perTenant(), ...matchers)
  return table({
    title: 'Missed now', description: `Who misses which objective at this moment. ${OF_THE_ALLOWED}`, width: 12, height: 11,
    labels: [
      { label: 'objective', title: 'Objective' },
      { label: 'tenant_id', title: 'Tenant', link: linkTo('tenant', 'Show this tenant', { tenant_id: '${__value.text:percentencode}' }) },
      { label: 'agent', title: 'Agent', link: linkTo('agent', 'Show this agent', { agent: '${__value.text:percentencode}' }) },
    ],
    values: [{
      title: 'Of the allowed', unit: 'ratio', decimals: 0, width: 130,
      expr: `sum by (objective, tenant_id, agent) ((${ofTheAllowed(own)}) and ${own('tenant_agent:objective:met')} == 0)`,
    }],
    sortBy: 'Of the allowed', none: 'nothing',
  })
}

export const OF_THE_ALLOWED = '"Of the allowed" is how much there is of what may be: 200 % of a latency is twice its limit, 200 % of a success rate twice as many failures as it allows.'

/** Where more is better, it is what is missing that is held against what may be missing: 90 % of a limit of 99.5 % would look like little. */
export function ofTheAllowed(own: (name: string, ...matchers: string[]) => string): string {
  const [less, more] = ['<', '>'].map((comparison) => `objective=~"${readObjectives().filter((objective) => objective.comparison.startsWith(comparison)).map(({ id }) => id).join('|')}"`)
  const [value, limit] = ['tenant_agent:objective:value', 'tenant_agent:objective:limit']
  return `${own(value, less!)} / ${own(limit, less!)} or (1 - ${own(value, more!)}) / (1 - ${own(limit, more!)})`
}

/** An objective that is not of a tenant or an agent has them empty, and then the choice leaves it alone. */
function perTenant(): string[] {
  return CHOSEN.filter((label) => label !== 'project_id').map((label) => `${label}=~"$${label}|"`)
}

function live(objective: Objective): Query[] {
  const { id, limit: documented } = objective
  const value = ofObjective(id, 'value')
  const limit = ofObjective(id, 'limit')
  const most = objective.comparison.startsWith('<')
  const [first, worst] = most ? ['topk', 'max'] : ['bottomk', 'min']
  if (documented === null) return [{ legend: 'now', expr: `${worst}(${value})` }]
  // The one that is furthest from its own limit, which is not always the one with the greatest value.
  const furthest = `${first}(1, ${value} / ${limit})`
  return [
    { legend: 'now', expr: `${worst}(${value} and on (${PER}) ${furthest})` },
    { legend: 'limit', expr: `${worst}(${limit} and on (${PER}) ${furthest})` },
    { legend: 'met by', expr: `avg(${ofObjective(id, 'met')})` },
    ...(hasBudget(objective) ? [{ legend: 'budget', expr: `clamp_min(min(${ofObjective(id, 'error_budget_remaining')}), -1)` }] : []),
  ]
}

function hasBudget({ measure }: Objective): boolean {
  return measure.kind === 'ratio' || measure.kind === 'latency'
}

function nameOf({ title }: Objective): string {
  return title.split(/[,.:]/)[0]!
}

function describe(objective: Objective): string {
  const { title, comparison, limit: documented, unit, window } = objective
  const shown = documented === null ? 'without a limit' : `documented limit ${comparison} ${documented} ${unit}`
  if (!isLive(objective)) return `${title}; ${shown}. Measured by the fire drill of the tests.`
  return `${title}; ${shown}, judged over ${window}. "now" and "limit" are of the tenant and agent furthest from their limit, "met by" is the share of tenants and agents within theirs${hasBudget(objective) ? ', and "budget" is what is left of the smallest error budget of 30 days: 0 % is spent, and -100 % is twice as much as there was, or more' : ''}.`
}

function stepsOf([first, ...rest]: Steps): { value: number | null; color: string }[] {
  return [{ value: null, color: first }, ...rest.map(([value, color]) => ({ value, color }))]
}
