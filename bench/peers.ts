/** The two programs that are compared, each started anew for each measurement. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type Native, startCollector, startNative } from '../provisioning/run.ts'
import { counters } from './counters.ts'

export interface Peer {
  readonly name: 'collector' | 'bridge'
  readonly pid: number
  readonly httpPort: number
  readonly grpcPort: number
  /** `/metrics` of what it made of the spans. */
  readonly metricsUrl: string
  /** After the last span, until all work that it causes is done. */
  readonly settleSeconds: number
  /** Spans that it says it has received. Rejects where its own counts show that it did not do the work. */
  receivedSpans(): Promise<number>
  stop(): Promise<void>
}

const COLLECTOR_CONFIG = fileURLToPath(new URL('collector.yaml', import.meta.url))
const SPANBRIDGE = fileURLToPath(new URL('../bin/spanbridge', import.meta.url))
/** The bridge's default. */
const SETTLE_GRACE_SECONDS = 5

export async function startCollectorPeer(directory: string): Promise<Peer> {
  const [httpPort, grpcPort, webPort, healthPort, telemetryPort] = await ports(5)
  const native = await startCollector({
    configFile: COLLECTOR_CONFIG,
    logDir: directory,
    healthUrl: `http://127.0.0.1:${healthPort}/`,
    env: {
      ...process.env,
      BENCH_HTTP_PORT: String(httpPort), BENCH_GRPC_PORT: String(grpcPort), BENCH_WEB_PORT: String(webPort),
      BENCH_HEALTH_PORT: String(healthPort), BENCH_TELEMETRY_PORT: String(telemetryPort),
    },
  })
  return {
    ...peer('collector', native, httpPort!, grpcPort!, `http://127.0.0.1:${webPort}/metrics`),
    // Each batch is counted before it is answered.
    settleSeconds: 0,
    receivedSpans: async () => sum(await counters(`http://127.0.0.1:${telemetryPort}/metrics`), 'otelcol_receiver_accepted_spans'),
  }
}

export async function startBridgePeer(directory: string, flags: readonly string[] = []): Promise<Peer> {
  const [httpPort, grpcPort, webPort] = await ports(3)
  const at = (port: number | undefined) => `127.0.0.1:${port}`
  const native = await startNative({
    name: 'bridge',
    binary: SPANBRIDGE,
    args: ['serve', '--http-address', at(httpPort), '--grpc-address', at(grpcPort), '--web-address', at(webPort), '--data-dir', join(directory, 'data'), ...flags],
    logFile: join(directory, 'bridge.log'),
    ready: { url: `http://${at(webPort)}/-/ready` },
    // It settles what it holds.
    stopLimitSeconds: 30,
  })
  const metricsUrl = `http://${at(webPort)}/metrics`
  return {
    ...peer('bridge', native, httpPort!, grpcPort!, metricsUrl),
    settleSeconds: SETTLE_GRACE_SECONDS + 0.5,
    receivedSpans: async () => {
      const found = await counters(metricsUrl)
      const repeated = sum(found, 'spanbridge_spans_duplicate_total')
      if (repeated > 0) throw new Error(`cannot measure bridge: it took ${repeated} spans for duplicates, which cost less`)
      return sum(found, 'spanbridge_spans_accepted_total')
    },
  }
}

function peer(name: Peer['name'], { pid, stop }: Native, httpPort: number, grpcPort: number, metricsUrl: string) {
  return { name, pid, stop, httpPort, grpcPort, metricsUrl }
}

function ports(n: number): Promise<number[]> {
  return Promise.all(Array.from({ length: n }, freePort))
}

export function sum(found: ReadonlyMap<string, number>, name: string): number {
  return found.get(name) ?? 0
}
