/** Grafana's provisioning files: where its data comes from, how one signal leads to the next, and where the dashboards lie. */
import { stringify } from 'yaml'
import { COMPOSE } from './prometheus.ts'

export interface GrafanaParameters {
  readonly prometheusUrl: string
  readonly lokiUrl: string
  readonly tempoUrl: string
  /** Grafana makes no range shorter than four of these. */
  readonly scrapeIntervalSeconds: number
  /** Directory of the dashboards, as Grafana sees it. */
  readonly dashboards: string
}

/** Names and paths inside docker-compose.yml. */
export const COMPOSE_GRAFANA: GrafanaParameters = {
  prometheusUrl: 'http://prometheus:9090', lokiUrl: 'http://loki:3100', tempoUrl: 'http://tempo:3200',
  scrapeIntervalSeconds: COMPOSE.scrapeIntervalSeconds,
  dashboards: '/etc/grafana/dashboards',
}

const UID = { prometheus: 'spanbridge-prometheus', loki: 'spanbridge-loki', tempo: 'spanbridge-tempo' } as const

/** The text of datasources.yml. Grafana reads `$name` in it as an environment variable, and `$$` as a dollar. */
export function grafanaDatasources({ prometheusUrl, lokiUrl, tempoUrl, scrapeIntervalSeconds }: GrafanaParameters): string {
  return stringify({
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus', type: 'prometheus', uid: UID.prometheus, access: 'proxy', url: prometheusUrl, isDefault: true,
        jsonData: {
          httpMethod: 'POST',
          timeInterval: `${scrapeIntervalSeconds}s`,
          // The label that the bridge puts on its exemplars.
          exemplarTraceIdDestinations: [{ name: 'trace_id', datasourceUid: UID.tempo, urlDisplayLabel: 'Show the trace' }],
        },
      },
      {
        name: 'Loki', type: 'loki', uid: UID.loki, access: 'proxy', url: lokiUrl,
        jsonData: { derivedFields: [{ name: 'trace', matcherType: 'label', matcherRegex: 'trace_id', url: '$${__value.raw}', datasourceUid: UID.tempo, urlDisplayLabel: 'Show the trace' }] },
      },
      {
        name: 'Tempo', type: 'tempo', uid: UID.tempo, access: 'proxy', url: tempoUrl,
        jsonData: {
          tracesToLogsV2: {
            datasourceUid: UID.loki, customQuery: true, query: '{service_name="spanbridge"} | trace_id="$${__trace.traceId}"',
            // A line is written when its request settles: a grace after the trace, or an idle time after it where the root never came.
            spanStartTimeShift: '-5m', spanEndTimeShift: '30m',
          },
        },
      },
    ],
  }, { lineWidth: 0 })
}

/** The text of dashboards.yml. */
export function grafanaDashboards({ dashboards }: GrafanaParameters): string {
  return stringify({
    apiVersion: 1,
    providers: [{ name: 'spanbridge', folder: 'Spanbridge', type: 'file', allowUiUpdates: false, options: { path: dashboards } }],
  }, { lineWidth: 0 })
}
