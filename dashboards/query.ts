/**
 * The text of the queries. A metric is written with its name alone; the matchers for the variables that are chosen on the dashboard
 * come from the labels that the catalogue gives it, so that no query can forget one.
 */
import { METRICS, type MetricDefinition } from '../src/metrics/catalogue.ts'

/** Labels that a person chooses by. The variables have the same names, since the links in alerts fill in `var-tenant_id=…`. */
export const CHOSEN = ['tenant_id', 'project_id', 'agent'] as const
export type Chosen = (typeof CHOSEN)[number]

const LABELS: ReadonlyMap<string, readonly string[]> = new Map(Object.values<MetricDefinition>(METRICS).map(({ name, labels }) => [name, labels]))

/** A series of the bridge or of its process, as it is scraped. */
export function scraped(metric: string, ...matchers: string[]): string {
  const labels = LABELS.get(metric) ?? LABELS.get(metric.replace(/_(bucket|sum|count)$/, '')) ?? []
  return selector(metric, [chosen('cluster'), chosen('job'), chosen('instance'), ...CHOSEN.filter((name) => labels.includes(name)).map(chosen), ...matchers])
}

/** The limit of an objective that holds for everyone who has none of their own. */
export function documentedLimit(objective: string): string {
  return `max(${selector('agent_objective', [chosen('cluster'), chosen('job'), chosen('instance'), `objective="${objective}"`, 'tenant_id=""', 'agent=""'])})`
}

/** A series that a rule records. The level in front of its name says which labels it is left with: `tenant_agent:objective:value`. */
export function recorded(name: string, ...matchers: string[]): string {
  const level = name.split(':')[0]!.split('_')
  return recordedOf(CHOSEN.filter((label) => level.includes(label.replace('_id', ''))), name, ...matchers)
}

/** The same, where only some labels of its level are ever filled. */
export function recordedOf(labels: readonly Chosen[], name: string, ...matchers: string[]): string {
  return selector(name, [chosen('cluster'), ...labels.map(chosen), ...matchers])
}

/** Per second now, for graphs. */
export function rate(metric: string, by: readonly string[] = [], ...matchers: string[]): string {
  return sum(`rate(${scraped(metric, ...matchers)}[$__rate_interval])`, by)
}

/** The whole of the time range on the screen, for numbers, bars and tables. */
export function total(metric: string, by: readonly string[] = [], ...matchers: string[]): string {
  return sum(`increase(${scraped(metric, ...matchers)}[$__range])`, by)
}

/** The same of as long a time before it. */
export function totalBefore(metric: string, by: readonly string[] = [], ...matchers: string[]): string {
  return sum(`increase(${scraped(metric, ...matchers)}[$__range] offset $__range)`, by)
}

export function sum(expr: string, by: readonly string[] = []): string {
  return by.length === 0 ? `sum(${expr})` : `sum by (${by.join(', ')}) (${expr})`
}

/** Of a histogram, over the `range` of a graph's point or of the whole screen. */
export function quantile(q: number, histogram: string, by: readonly string[] = [], range: 'now' | 'total' = 'now', ...matchers: string[]): string {
  // Without the comparison, what had nothing to measure would be a line of NaN with a legend.
  return `histogram_quantile(${q}, ${(range === 'now' ? rate : total)(`${histogram}_bucket`, [...by, 'le'], ...matchers)}) >= 0`
}

export function mean(histogram: string, by: readonly string[] = [], range: 'now' | 'total' = 'now', ...matchers: string[]): string {
  const of = range === 'now' ? rate : total
  return ratio(of(`${histogram}_sum`, by, ...matchers), of(`${histogram}_count`, by, ...matchers))
}

/**
 * Of one request, where the metric has no tenant: then the requests of all tenants are what it is divided by, or a chosen tenant would seem to
 * have few requests with many steps.
 */
export function ofRequest(metric: string, by: readonly string[], range: 'now' | 'total', ...matchers: string[]): string {
  const [call, window] = range === 'now' ? ['rate', '$__rate_interval'] : ['increase', '$__range']
  const requests = scraped('agent_requests_total').replace(/,(tenant_id|project_id)=~"[^"]*"/g, '')
  return `${(range === 'now' ? rate : total)(metric, by, ...matchers)}\n/ on () group_left ()\n(sum(${call}(${requests}[${window}])) > 0)`
}

/** Nothing where there is nothing to divide by. */
export function ratio(part: string, whole: string): string {
  return `${part}\n/\n(${whole} > 0)`
}

/** `part` of `whole` where a part that never happened has no series: 0, as long as there is a whole. */
export function share(part: string, whole: string): string {
  return `(${part} or 0 * ${whole})\n/\n(${whole} > 0)`
}

/** Of what `rows` finds alone: a later column of a table whose first has only some rows. */
export function among(rows: string, by: readonly string[], expr: string): string {
  return `${expr}\nand on (${by.join(', ')})\n(${rows})`
}

/** An empty label is a true value (a request without a tenant), and unreadable in a legend. */
export function named(expr: string, ...labels: string[]): string {
  return labels.reduce((inner, label) => `label_replace(${inner}, "${label}", "none", "${label}", "")`, expr)
}

function chosen(label: string): string {
  return `${label}=~"$${label}"`
}

function selector(metric: string, matchers: readonly string[]): string {
  return `${metric}{${matchers.join(',')}}`
}
