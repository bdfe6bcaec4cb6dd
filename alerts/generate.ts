/**
 * Writes the committed outputs: rules and routing from the jsonnet mixin, dashboards, the configurations for docker compose, the reference in docs/.
 *   node alerts/generate.ts           writes what differs, and tells how fast the alerts are
 *   node alerts/generate.ts --check   writes nothing, names what differs, and exits 1 if anything does
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dashboardFiles } from '../dashboards/all.ts'
import { referencePages } from '../docs/reference.ts'
import { alertmanagerConfig, COMPOSE_PAGER } from '../provisioning/alertmanager.ts'
import { collectorConfig, COMPOSE_COLLECTOR, COMPOSE_KAFKA, kafkaConfig } from '../provisioning/collector.ts'
import { demoEnvironment } from '../provisioning/demo.ts'
import { COMPOSE_GRAFANA, grafanaDashboards, grafanaDatasources } from '../provisioning/grafana.ts'
import { COMPOSE_LOKI, lokiConfig } from '../provisioning/loki.ts'
import { COMPOSE, prometheusConfig } from '../provisioning/prometheus.ts'
import { COMPOSE_TEMPO, tempoConfig } from '../provisioning/tempo.ts'
import { detections } from '../src/bundle/detection.ts'
import { findEvaluator, NO_EVALUATOR } from '../src/bundle/evaluator.ts'
import { committedFiles, header as headerOf, type Output } from '../src/bundle/files.ts'
import { evaluateMixin, type Groups, type Mixin } from '../src/bundle/mixin.ts'
import { detectionText } from '../src/bundle/table.ts'

const ROOT = join(import.meta.dirname, '..')
const COMMAND = 'npm run generate'

/** Every generated file, relative to the root of the project, the same bytes every time. */
export function outputs(mixin: Mixin): Output[] {
  const header = (source: string) => headerOf({ source, command: COMMAND })
  const bundle = committedFiles(mixin, { source: 'alerts/mixin.libsonnet', command: COMMAND }).map(({ path, text }) => ({ path: `alerts/generated/${path}`, text }))
  const alertmanager = bundle.find(({ path }) => path === 'alerts/generated/alertmanager.yaml')!.text
  return [
    ...bundle,
    { path: 'provisioning/prometheus.yml', text: header('provisioning/prometheus.ts') + prometheusConfig(COMPOSE) },
    { path: 'provisioning/loki.yml', text: header('provisioning/loki.ts') + lokiConfig(COMPOSE_LOKI) },
    { path: 'provisioning/collector.yml', text: header('provisioning/collector.ts') + collectorConfig(COMPOSE_COLLECTOR) },
    { path: 'provisioning/collector-kafka.yml', text: header('provisioning/collector.ts') + kafkaConfig(COMPOSE_KAFKA) },
    { path: 'provisioning/tempo.yml', text: header('provisioning/tempo.ts') + tempoConfig(COMPOSE_TEMPO) },
    { path: 'provisioning/demo.env', text: header('provisioning/demo.ts') + demoEnvironment() },
    { path: 'provisioning/alertmanager.yml', text: alertmanagerConfig(alertmanager, COMPOSE_PAGER) },
    { path: 'provisioning/grafana/datasources.yml', text: header('provisioning/grafana.ts') + grafanaDatasources(COMPOSE_GRAFANA) },
    { path: 'provisioning/grafana/dashboards.yml', text: header('provisioning/grafana.ts') + grafanaDashboards(COMPOSE_GRAFANA) },
    ...dashboardFiles(),
    ...referencePages(rulesOf(mixin.prometheus), rulesOf(mixin.loki)),
  ]
}

const rulesOf = ({ groups }: Groups) => groups.flatMap(({ rules }) => rules)

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

async function main(): Promise<number> {
  const evaluator = await findEvaluator()
  if (evaluator === null) {
    console.error(`cannot generate: ${NO_EVALUATOR}`)
    return 1
  }
  const mixin = await evaluateMixin(evaluator)
  const stale = differing(outputs(mixin))
  if (process.argv.includes('--check')) {
    for (const { path } of stale) console.error(`${path} is not what its source generates: run \`${COMMAND}\``)
    return stale.length > 0 ? 1 : 0
  }
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), text)
    console.log(`wrote ${path}`)
  }
  if (stale.length === 0) console.log('nothing to write: every generated file is up to date')
  console.log(`\n${detectionText(detections(mixin.burn, mixin.settings))}`)
  return 0
}

if (import.meta.main) process.exitCode = await main()
