/** The pages of docs/ that say what the code says: metrics from the catalogue, settings from the schema, objectives and alerts from what the rules are made of. */
import { allSettings } from '../src/config/keys.ts'
import { readObjectives, type Objective } from '../src/config/objectives.ts'
import { METRICS, type MetricDefinition } from '../src/metrics/catalogue.ts'
import { HEALTH_HISTOGRAMS, HEALTH_METRICS } from '../src/metrics/health.ts'
import { CAUSE_RULES } from '../src/spans/causes.ts'
import { CODE_RULES, GRPC } from '../src/spans/codes.ts'
import { Cause, ERROR_TYPES, errorType, Kind, MOST_WORDS } from '../src/spans/names.ts'
import { RESULT_RULES } from '../src/spans/results.ts'
import { SIGNAL_RULES } from '../src/spans/signals.ts'
import { STRUCTURE_RULES } from '../src/traces/structure.ts'
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
    { path: 'docs/errors.md', text: HEADER + errorsPage() },
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

function errorsPage(): string {
  const typeOn = (cause: number, kind: Kind) => {
    const { class: cls, type } = ERROR_TYPES[errorType(cause, kind)]!
    return cls === type ? type : `${cls}.${type}`
  }
  const types = (cause: number, ofTool: number = cause) => [typeOn(cause, Kind.model), typeOn(ofTool, Kind.tool)]
  const ended = typeOn(Cause.loop, Kind.agent)
  return `# How an error gets its type

Every failed span gets a reason: a cause, the id of the rule that decided, and the few words that it went by, cut at ${MOST_WORDS} characters. Rule and words are in the
[log line](log.md) of the request (\`rule\`, \`matched\`). How often they are right is in [accuracy.md](accuracy.md). In order, the first that applies decides:

1. Errors of the configuration (\`configured.1\`, by their place in \`errors\`).
2. Codes of providers and protocols, in \`error.type\`, \`error.code\`, \`gen_ai.error.code\`, \`rpc.response.status_code\`, \`db.response.status_code\`, or quoted in the words.
3. The words: class names, phrases, and HTTP statuses in them; then those at the end of a traceback; then the HTTP status in an attribute.
4. What else the span tells.
5. The shape of the run, for one that failed or never ended without any cause in its words.

The same cause has another type on another step. What nothing decides is \`unclassified\`, by rule \`none\`.

## Words

${table(['rule', 'on a model', 'on a tool', 'for example'], CAUSE_RULES.map(({ id, cause, ofTool, example }) => [code(id), ...types(cause, ofTool), example]))}
## Codes

${table(['rule', 'on a model', 'on a tool'], CODE_RULES.map(({ id, cause, ofTool }) => [code(id), ...types(cause, ofTool)]))}
${table(['status of gRPC', 'rule', 'on a model', 'on a tool'], [...GRPC].map(([status, { id, cause }]) => [String(status), code(id), ...types(cause)]))}
## What else a span tells

Finish reasons are read in every dialect. A deadline is read in \`gen_ai.request.timeout\`, \`deadline_seconds\`, \`timeout_seconds\`, \`deadline_ms\` and \`timeout_ms\`; ages in
\`data.age_seconds\`, \`gen_ai.data_source.age_seconds\`, \`data.as_of\`, \`gen_ai.data_source.updated_at\` and the date in the metadata of the first document of a retrieval; limits of age in
\`data.max_age_seconds\` and \`gen_ai.data_source.max_age_seconds\`, else \`staleAfter\` of the configuration.

${table(['rule', 'what it goes by'], SIGNAL_RULES.map(({ id, about }) => [code(id), about]))}
## The result of a tool that says it went well

Read only where the bridge reads content at all, for a judge or for expectations.

${table(['rule', 'what it goes by'], Object.entries(RESULT_RULES).map(([id, about]) => [code(id), about]))}
## The shape of a run

${table(['rule', 'type', 'what it goes by'], Object.entries(STRUCTURE_RULES).map(([id, about]) => [code(id), id === 'gap.model' ? typeOn(Cause.modelTimeout, Kind.model) : ended, about]))}`
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
