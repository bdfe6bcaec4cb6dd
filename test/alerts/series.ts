/** Which series there are for a rule or a panel to read, with their labels: those of the bridge, of other programs that are scraped, and what rules record. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { METRICS, type MetricDefinition } from '../../src/metrics/catalogue.ts'
import { HEALTH_HISTOGRAMS, HEALTH_METRICS } from '../../src/metrics/health.ts'
import { ProcessMetrics } from '../../src/metrics/process.ts'
import { readQuery, secondsOf } from './promql.ts'
import { queriesOf, ROOT, type Rule } from './rulefile.ts'

/** Labels that Prometheus itself puts on what it scrapes. */
const SCRAPED = ['job', 'instance']

/** Label names of each series, without those that Prometheus adds. */
export const SERIES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...Object.values<MetricDefinition>(METRICS).flatMap(({ name, kind, labels }) => withParts(name, kind, labels)),
  ...Object.entries(HEALTH_METRICS).flatMap(([name, { kind, label }]) => withParts(name, kind, label === undefined ? [] : [label])),
  ...Object.entries(HEALTH_HISTOGRAMS).flatMap(([name, { label }]) => withParts(name, 'histogram', label === undefined ? [] : [label])),
  ...(await ofProcess()),
  // What Prometheus itself writes of each target.
  ...['up', 'scrape_duration_seconds'].flatMap((name) => withParts(name, 'gauge', [])),
  ...foreign().flatMap(({ name, type, labels }) => withParts(name, type, labels)),
])

/** As the bridge's process writes them. */
async function ofProcess(): Promise<[string, ReadonlySet<string>][]> {
  const lines = (await new ProcessMetrics().text('classic')).matchAll(/^# TYPE (\S+) (\S+)$/gm)
  return [...lines].flatMap(([, name, kind]) => withParts(name!, kind!, []))
}

interface Foreign {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
}

/** Metrics of Prometheus, Alertmanager and the Collector. */
function foreign(): readonly Foreign[] {
  const file = join(ROOT, 'alerts/foreign.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { metrics: Foreign[] }).metrics : []
}

/** A histogram is three series, and its own name is none. */
function withParts(name: string, kind: string, labels: readonly string[]): [string, ReadonlySet<string>][] {
  const own = [...labels, ...SCRAPED]
  if (kind !== 'histogram') return [[name, new Set(own)]]
  return [[`${name}_bucket`, new Set([...own, 'le'])], [`${name}_sum`, new Set(own)], [`${name}_count`, new Set(own)]]
}

/** Labels that only rules make. */
export const RULE_LABELS = ['objective', 'signal', 'history', 'method', 'severity', 'alertname', 'alertstate', 'owner', 'rubric'] as const

/** What a rule or a panel names that does not exist: a metric, or a label that the metric does not have. */
export function unknownIn(query: { readonly selected: readonly { readonly metric: string; readonly labels: readonly string[] }[]; readonly labels: readonly string[] }, recorded: ReadonlySet<string>, more: readonly string[] = []): string[] {
  const anywhere = new Set([...[...SERIES.values()].flatMap((labels) => [...labels]), ...RULE_LABELS, ...more])
  const wrong: string[] = []
  for (const { metric, labels } of query.selected) {
    const own = SERIES.get(metric)
    if (own === undefined && !recorded.has(metric) && metric !== 'ALERTS' && metric !== 'ALERTS_FOR_STATE') wrong.push(metric)
    if (own !== undefined) wrong.push(...labels.filter((label) => !own.has(label) && !more.includes(label)).map((label) => `${metric}{${label}}`))
  }
  wrong.push(...query.labels.filter((label) => !anywhere.has(label)))
  return [...new Set(wrong)]
}

export function recordedBy(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])))
}

const SCRAPES_IN_RANGE = 4

/** Ranges over a series of the bridge that are shorter than four scrapes. */
export function tooShort(all: readonly Rule[], scrapeInterval: string): string[] {
  const least = SCRAPES_IN_RANGE * secondsOf(scrapeInterval)
  return all.flatMap(({ expr, annotations, record, alert }) => [expr, ...queriesOf(annotations)].flatMap((query) =>
    readQuery(query).ranges.filter(({ metric, seconds }) => SERIES.has(metric) && seconds < least).map(({ metric, text }) => `${alert ?? record}: ${metric}[${text}]`)))
}
