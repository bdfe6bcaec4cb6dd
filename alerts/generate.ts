/**
 * Writes the committed outputs: rules and routing from the jsonnet mixin, dashboards, and the configurations for docker compose.
 *   node alerts/generate.ts           writes what differs
 *   node alerts/generate.ts --check   writes nothing, names what differs, and exits 1 if anything does
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { dashboardFiles } from '../dashboards/all.ts'
import { alertmanagerConfig, COMPOSE_PAGER } from '../provisioning/alertmanager.ts'
import { COMPOSE_GRAFANA, grafanaDashboards, grafanaDatasources } from '../provisioning/grafana.ts'
import { COMPOSE_LOKI, lokiConfig } from '../provisioning/loki.ts'
import { COMPOSE, prometheusConfig } from '../provisioning/prometheus.ts'
import { findEvaluator, type Evaluator } from './evaluate.ts'

const ROOT = join(import.meta.dirname, '..')

export interface Output {
  /** Relative to the root of the project. */
  readonly path: string
  readonly text: string
}

/** Every generated file, the same bytes every time. */
export async function outputs(evaluator: Evaluator): Promise<Output[]> {
  const mixin = `local mixin = import 'mixin.libsonnet';`
  const evaluate = (expression: string) => evaluator.evaluate(`${mixin} ${expression}`, join(ROOT, 'alerts'))
  const templates = (await evaluate('mixin.alertmanagerTemplates')) as Record<string, string>
  const alertmanager = yaml('alerts/mixin.libsonnet', await evaluate('mixin.alertmanagerConfig'))
  return [
    {
      path: 'alerts/generated/prometheus-rules.yaml',
      text: yaml('alerts/mixin.libsonnet', await evaluate('{ groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups }')),
    },
    { path: 'alerts/generated/loki-rules.yaml', text: yaml('alerts/mixin.libsonnet', await evaluate('mixin.lokiAlerts')) },
    { path: 'alerts/generated/alertmanager.yaml', text: alertmanager },
    ...Object.entries(templates).map(([name, text]) => ({ path: `alerts/generated/templates/${name}`, text })),
    { path: 'provisioning/prometheus.yml', text: header('provisioning/prometheus.ts') + prometheusConfig(COMPOSE) },
    { path: 'provisioning/loki.yml', text: header('provisioning/loki.ts') + lokiConfig(COMPOSE_LOKI) },
    { path: 'provisioning/alertmanager.yml', text: alertmanagerConfig(alertmanager, COMPOSE_PAGER) },
    { path: 'provisioning/grafana/datasources.yml', text: header('provisioning/grafana.ts') + grafanaDatasources(COMPOSE_GRAFANA) },
    { path: 'provisioning/grafana/dashboards.yml', text: header('provisioning/grafana.ts') + grafanaDashboards(COMPOSE_GRAFANA) },
    ...dashboardFiles(),
  ]
}

/** Outputs whose committed file is missing or has other text. */
export function differing(all: readonly Output[]): Output[] {
  return all.filter(({ path, text }) => {
    try {
      return readFileSync(join(ROOT, path), 'utf8') !== text
    } catch {
      return true
    }
  })
}

/** As people order the keys of a rule; jsonnet sorts keys by name. */
const KEY_ORDER = ['name', 'interval', 'alert', 'record', 'expr', 'labels', 'annotations', 'rules']

export function yaml(source: string, value: unknown): string {
  return header(source) + stringify(inOrder(value), { lineWidth: 0, aliasDuplicateObjects: false })
}

function header(source: string): string {
  return `# Generated from ${source} by \`npm run generate\`. Changes here are lost.\n`
}

function inOrder(value: unknown): unknown {
  if (typeof value === 'string') return value.trimEnd()
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const rank = (key: string) => (KEY_ORDER.includes(key) ? KEY_ORDER.indexOf(key) : KEY_ORDER.length)
  const entries = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]))
}

async function main(): Promise<number> {
  const evaluator = await findEvaluator()
  if (evaluator === null) {
    console.error('cannot generate: no jsonnet. Install the optional dependency (npm install @hanazuki/node-jsonnet, needs cmake and a C++ compiler) or put a jsonnet on the PATH.')
    return 1
  }
  const stale = differing(await outputs(evaluator))
  if (process.argv.includes('--check')) {
    for (const { path } of stale) console.error(`${path} is not what its source generates: run \`npm run generate\``)
    return stale.length > 0 ? 1 : 0
  }
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), text)
    console.log(`wrote ${path}`)
  }
  if (stale.length === 0) console.log('nothing to write: every generated file is up to date')
  return 0
}

if (import.meta.main) process.exitCode = await main()
