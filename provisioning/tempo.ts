/** Tempo's configuration for docker compose: one process, blocks on a disk. */
import { stringify } from 'yaml'

export interface TempoParameters {
  /** host:port where the Collector sends traces to. */
  readonly grpc: string
  readonly httpPort: number
  /** Everything that Tempo keeps. */
  readonly dataDir: string
  readonly retentionDays: number
}

/** The image's own directory, which belongs to the user that it runs as. */
export const COMPOSE_TEMPO: TempoParameters = { grpc: '0.0.0.0:4317', httpPort: 3200, dataDir: '/var/tempo', retentionDays: 14 }

/** The text of tempo.yml, for Tempo 3. */
export function tempoConfig({ grpc, httpPort, dataDir, retentionDays }: TempoParameters): string {
  const compaction = { block_retention: `${retentionDays * 24}h` }
  return stringify({
    server: { http_listen_port: httpPort, log_level: 'warn' },
    distributor: { receivers: { otlp: { protocols: { grpc: { endpoint: grpc } } } } },
    storage: { trace: { backend: 'local', wal: { path: `${dataDir}/wal` }, local: { path: `${dataDir}/blocks` } } },
    // Who plans and who does the work are told the same.
    backend_scheduler: { local_work_path: dataDir, provider: { compaction: { compaction } } },
    backend_worker: { compaction },
    live_store: { wal: { path: `${dataDir}/live-store/traces` } },
    usage_report: { reporting_enabled: false },
  }, { lineWidth: 0, aliasDuplicateObjects: false })
}
