/** The pages of docs/ that say what the code says: metrics from the catalogue, settings from the schema, objectives and alerts from what the rules are made of. */
import { allSettings } from '../src/config/keys.ts'
import { readObjectives, type Objective } from '../src/config/objectives.ts'
import { METRICS, type MetricDefinition } from '../src/metrics/catalogue.ts'
import { HEALTH_HISTOGRAMS, HEALTH_METRICS } from '../src/metrics/health.ts'
import type { Output } from '../src/bundle/files.ts'

/** What a page needs to know of a rule. */
export interface ReferenceRule {
  readonly alert?: string
  readonly for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const HEADER = '<!-- Generated from docs/reference.ts by `npm run generate`. Changes here are lost. -->\n'

export function referencePages(prometheus: readonly ReferenceRule[], loki: readonly ReferenceRule[]): Output[] {
  return [
    { path: 'docs/metrics.md', text: HEADER + metricsPage() },
    { path: 'docs/configuration.md', text: HEADER + configurationPage() },
    { path: 'docs/objectives.md', text: HEADER + objectivesPage(readObjectives()) },
    { path: 'docs/alerts.md', text: HEADER + alertsPage(prometheus, loki) },
  ]
}

function metricsPage(): string {
  const own = Object.values<MetricDefinition>(METRICS).map(({ name, kind, labels, help, buckets, exemplars }) =>
    [code(name), kind + (exemplars === true ? ', exemplars' : ''), labels.map(code).join(' '), help + (buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')}.`)])
  const health = [
    ...Object.entries(HEALTH_METRICS).map(([name, { kind, label, help }]) => [code(name), kind, label === undefined ? '' : code(label), help]),
    ...Object.entries(HEALTH_HISTOGRAMS).map(([name, { label, help, buckets }]) => [code(name), 'histogram', label === undefined ? '' : code(label), `${help} Buckets: ${buckets.join(', ')}.`]),
  ]
  return `# Metrics

\`/metrics\` on the web port, as OpenMetrics with exemplars (\`trace_id\`) or as classic text, whichever the scraper asks for. Base units: seconds, USD,
ratios from 0 to 1. A label that is not known is the empty string. Past its limit of series a metric counts new names under \`__overflow__\`; tenant
and outcome stay.

## Agents

${table(['metric', 'type', 'labels', 'what it counts'], own)}
\`name\` is the model, the tool or the collection. \`step\` is \`model\`, \`embedding\`, \`retrieval\`, \`tool\`, \`state\`, \`guardrail\`, \`agent\` or \`evaluation\`.

## The bridge itself

${table(['metric', 'type', 'label', 'what it counts'], health)}
Besides these, \`process_*\` and \`nodejs_*\` of prom-client.
`
}

function configurationPage(): string {
  const rows = allSettings().map(({ path, variable, about, fallback }) => [code(path.join('.')), code(variable), fallback === undefined || (Array.isArray(fallback) && fallback.length === 0) ? '' : code(shown(fallback)), about])
  return `# Configuration

\`spanbridge serve --config spanbridge.yaml\`. Flags win over the environment, that over the file, that over the defaults. Errors name the key and the
line. Durations are written \`5s\`, \`10m\`, \`1h30m\`; sizes \`16MiB\`. A key with a dot is nested. Lists and objects in a variable are YAML or JSON.

${table(['key', 'variable', 'default', 'what it is for'], rows)}`
}

function objectivesPage(objectives: readonly Objective[]): string {
  const profiles = new Set(objectives.flatMap(({ profiles = {} }) => Object.keys(profiles)))
  return `# Objectives

Every documented threshold, from \`alerts/objectives.json\`. The bridge publishes each limit in force as \`agent_objective\`, and the rules read it there: a limit
of your own for a tenant or an agent is a row of \`objectives\` in the bridge's configuration, and no rule is generated again.

${table(['objective', 'what', 'holds while', 'window', 'owner'], objectives.map((objective) => [code(objective.id), objective.title, holds(objective, objective.limit), objective.window, objective.owner]))}
## Profiles

\`{ profile: NAME, agent: AGENT }\` in \`objectives\` sets all limits of a profile.

${table(['profile', 'limits'], [...profiles].sort().map((profile) => [code(profile), objectives.flatMap((objective) => (objective.profiles?.[profile] === undefined ? [] : [`${code(objective.id)} ${holds(objective, objective.profiles[profile])}`])).join(', ')]))}`
}

function alertsPage(prometheus: readonly ReferenceRule[], loki: readonly ReferenceRule[]): string {
  const rows = (rules: readonly ReferenceRule[]) => {
    const names = [...new Set(rules.flatMap(({ alert }) => (alert === undefined ? [] : [alert])))].sort()
    return names.map((name) => {
      const own = rules.filter(({ alert }) => alert === name)
      const distinct = (values: readonly (string | undefined)[]) => [...new Set(values.filter((value) => value !== undefined))].join(', ')
      return [`[${name}](../alerts/runbooks/${name}.md)`, distinct(own.map(({ labels }) => labels?.['severity'])), distinct(own.map((rule) => rule.for ?? '')), distinct(own.map(({ labels }) => labels?.['owner'])), distinct(own.map(({ annotations }) => annotations?.['summary']))]
    })
  }
  const headings = ['alert and runbook', 'severity', 'for', 'owner', 'what it says']
  return `# Alerts

\`critical\` pages a person, \`warning\` is a ticket, \`info\` is told to nobody unless you want a digest. Each carries its value, its limit, who is affected, the
root cause, the first remedy, its runbook and its dashboard. How fast the burn-rate alerts are is in [detection.md](../alerts/generated/detection.md).

## Prometheus

${table(headings, rows(prometheus))}
## Loki

${table(headings, rows(loki))}`
}

function holds({ id, comparison, unit }: Objective, limit: number | null): string {
  if (limit === null) return 'shown only'
  const words = { '<': 'below', '<=': 'at most', '>': 'above' }[comparison]
  // A score is read as it is given.
  const quantity = id === 'quality_score' ? String(limit) : unit === 'ratio' ? `${Number((limit * 100).toFixed(4))} %` : unit === 'usd' ? `$${limit}` : unit === 'seconds' ? (limit < 1 ? `${limit * 1000} ms` : `${limit} s`) : `${limit} messages`
  return `${words} ${quantity}`
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function code(text: string): string {
  return `\`${text}\``
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`
  return line(headings) + line(headings.map(() => '---')) + rows.map(line).join('')
}
