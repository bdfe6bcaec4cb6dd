/** Prometheus's configuration, one implementation for `make up` and for docker compose. */
import { stringify } from 'yaml'

/** What else may be scraped, so that its own failures are seen: job names that the rules look for (`targets` in alerts/health/settings.libsonnet). */
export const OTHER_JOBS = ['prometheus', 'alertmanager', 'otel-collector', 'loki'] as const
export type OtherJob = (typeof OTHER_JOBS)[number]

export interface PrometheusParameters {
  /** host:port of each bridge's /metrics. */
  readonly bridges: readonly string[]
  /** Path of the rule file, as Prometheus sees it. */
  readonly ruleFile: string
  /** host:port of each Alertmanager. */
  readonly alertmanagers: readonly string[]
  /** host:port of the /metrics of each, by job. */
  readonly others?: Readonly<Partial<Record<OtherJob, readonly string[]>>>
  readonly scrapeIntervalSeconds: number
  readonly evaluationIntervalSeconds: number
}

/** Short intervals, so that a page of the demo comes within a minute of its cause. */
export const DEMO_INTERVALS = { scrapeIntervalSeconds: 5, evaluationIntervalSeconds: 5 } as const

/** Names and paths inside docker-compose.yml. */
export const COMPOSE: PrometheusParameters = {
  bridges: ['bridge:9464'],
  ruleFile: '/etc/prometheus/prometheus-rules.yaml',
  alertmanagers: ['alertmanager:9093'],
  others: { prometheus: ['prometheus:9090'], alertmanager: ['alertmanager:9093'], 'otel-collector': ['collector:8888'], loki: ['loki:3100'] },
  ...DEMO_INTERVALS,
}

/** The text of prometheus.yml. */
export function prometheusConfig(parameters: PrometheusParameters): string {
  const { bridges, ruleFile, alertmanagers, others = {}, scrapeIntervalSeconds, evaluationIntervalSeconds } = parameters
  return stringify({
    global: {
      scrape_interval: `${scrapeIntervalSeconds}s`,
      // /metrics may take a second at 100,000 series; Prometheus refuses a timeout above the interval.
      scrape_timeout: `${Math.min(10, scrapeIntervalSeconds)}s`,
      evaluation_interval: `${evaluationIntervalSeconds}s`,
      // Of whoever has them; the bridge's own are classic ones, with an edge at each objective.
      scrape_native_histograms: true,
    },
    // Agents' own metrics, which the Collector brings: by what their senders are told apart.
    otlp: { promote_resource_attributes: ['service.name', 'service.instance.id', 'deployment.environment.name', 'tenant_id', 'project_id'] },
    storage: { exemplars: { max_exemplars: 100_000 } },
    rule_files: [ruleFile],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [...alertmanagers] }] }] },
    scrape_configs: [
      {
        job_name: 'spanbridge',
        // OpenMetrics carries exemplars; the classic text is for whoever puts a proxy between.
        scrape_protocols: ['OpenMetricsText1.0.0', 'OpenMetricsText0.0.1', 'PrometheusText0.0.4'],
        static_configs: [{ targets: [...bridges] }],
      },
      ...OTHER_JOBS.flatMap((job) => (others[job] === undefined ? [] : [{ job_name: job, static_configs: [{ targets: [...others[job]] }] }])),
    ],
  }, { lineWidth: 0 })
}
