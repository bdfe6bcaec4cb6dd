import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { COMPOSE_TEMPO, tempoConfig } from '../../provisioning/tempo.ts'

/**
 * Tempo has no binary that the tests could run. These are the keys of its documented manifest, of version 3.0.3, that the configuration
 * uses: https://grafana.com/docs/tempo/v3.0.x/configuration/manifest/. What is below a receiver is the Collector's.
 */
const DOCUMENTED = [
  'server.http_listen_port', 'server.log_level', 'distributor.receivers', 'storage.trace.backend', 'storage.trace.wal.path', 'storage.trace.local.path',
  'backend_scheduler.local_work_path', 'backend_scheduler.provider.compaction.compaction.block_retention', 'backend_worker.compaction.block_retention',
  'live_store.wal.path', 'usage_report.reporting_enabled',
]

function leaves(value: unknown, path: string): string[] {
  if (path === 'distributor.receivers' || typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, child]) => leaves(child, path === '' ? key : `${path}.${key}`))
}

test("Tempo's configuration has documented keys and no others", () => {
  const config = parse(tempoConfig(COMPOSE_TEMPO)) as { distributor: unknown; storage: unknown }
  expect(leaves(config, '').toSorted()).toEqual(DOCUMENTED.toSorted())
  expect(config.distributor).toEqual({ receivers: { otlp: { protocols: { grpc: { endpoint: '0.0.0.0:4317' } } } } })
})

test('everything that Tempo keeps is in its volume', () => {
  const paths = [...tempoConfig(COMPOSE_TEMPO).matchAll(/path: (\S+)/g)].map(([, path]) => path!)
  expect(paths).toHaveLength(4)
  expect(paths.filter((path) => path !== COMPOSE_TEMPO.dataDir && !path.startsWith(`${COMPOSE_TEMPO.dataDir}/`))).toEqual([])
})
