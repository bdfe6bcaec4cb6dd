/** Loki's configuration, one implementation for `make up` and for docker compose: one process, files on a disk, rules from a folder. */
import { stringify } from 'yaml'

export interface LokiParameters {
  /** Everything that Loki keeps. */
  readonly dataDir: string
  /** The rules are in `<rulesDir>/fake/`: Loki's own name for whoever it serves without asking who they are. */
  readonly rulesDir: string
  readonly alertmanagerUrl: string
  /** Of rule groups that do not tell their own. */
  readonly evaluationIntervalSeconds: number
  /** How long lines are kept. The rules look back two days. */
  readonly retentionDays: number
}

/** Folder of `rulesDir` where Loki without tenants looks. */
export const RULES_TENANT = 'fake'

/** The generated rules, to be read by whoever calls: needs no jsonnet. */
export const LOKI_RULES_FILE = new URL('../alerts/generated/loki-rules.yaml', import.meta.url)

/** Names and paths inside docker-compose.yml. */
export const COMPOSE_LOKI: LokiParameters = {
  dataDir: '/loki',
  rulesDir: '/etc/loki/rules',
  alertmanagerUrl: 'http://alertmanager:9093',
  evaluationIntervalSeconds: 10,
  retentionDays: 31,
}

/** The text of loki.yml. It listens on every interface, as in a container, unless a flag says otherwise. */
export function lokiConfig(parameters: LokiParameters): string {
  const { dataDir, rulesDir, alertmanagerUrl, evaluationIntervalSeconds, retentionDays } = parameters
  return stringify({
    auth_enabled: false,
    analytics: { reporting_enabled: false },
    server: { grpc_listen_address: '127.0.0.1', log_level: 'warn' },
    common: {
      // The parts of the one process find each other here, whatever interfaces the machine has.
      instance_addr: '127.0.0.1',
      path_prefix: dataDir,
      storage: { filesystem: { chunks_directory: `${dataDir}/chunks`, rules_directory: `${dataDir}/rules` } },
      replication_factor: 1,
      ring: { kvstore: { store: 'inmemory' } },
    },
    schema_config: {
      configs: [{ from: '2024-01-01', store: 'tsdb', object_store: 'filesystem', schema: 'v13', index: { prefix: 'index_', period: '24h' } }],
    },
    ingester: {
      // By default Loki says that it is ready 15 s after it is: a guard for clusters that roll over.
      lifecycler: { min_ready_duration: '0s' },
      query_store_max_look_back_period: '72h',
    },
    // What is not on the disk yet is asked for in memory however old it is, by default for three hours only: old lines that come now are seen now. Searches
    // go by the setting above, and the ruler by either of the two, by the order in which its parts happen to start.
    querier: { query_ingesters_within: '0s' },
    // Its parts look for each other this often, and by default find each other only the second time, after 10 s.
    frontend: { scheduler_dns_lookup_period: '1s' },
    frontend_worker: { dns_lookup_duration: '1s' },
    limits_config: { retention_period: `${retentionDays * 24}h`, allow_structured_metadata: true },
    compactor: { working_directory: `${dataDir}/compactor`, retention_enabled: true, delete_request_store: 'filesystem' },
    ruler: {
      alertmanager_url: alertmanagerUrl,
      evaluation_interval: `${evaluationIntervalSeconds}s`,
      // An alert that Alertmanager did not hear of, because it was not up yet, is sent again this soon.
      resend_delay: `${Math.max(5, evaluationIntervalSeconds)}s`,
      poll_interval: '10s',
      rule_path: `${dataDir}/rules-temp`,
      storage: { type: 'local', local: { directory: rulesDir } },
      ring: { kvstore: { store: 'inmemory' } },
    },
  }, { lineWidth: 0 })
}
