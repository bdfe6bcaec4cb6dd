/** Are the bridge's ports open, and is it the bridge that answers? */
import type { Config } from '../../config/config.ts'
import { writeAddress, type Address } from '../../config/values.ts'
import { reachable } from '../../web/port.ts'
import type { Finding } from './finding.ts'
import { type Reply } from '../send/exporter.ts'
import { openExporter } from '../send/transport.ts'
import { readSamples, type Sample } from '../exposition.ts'

const TIMEOUT_SECONDS = 3
const LONGEST_METRICS_BYTES = 256 * 1024 ** 2

type Addresses = Pick<Config, 'httpAddress' | 'grpcAddress' | 'webAddress'>

/** `metrics` is undefined when they cannot be read. */
export async function checkEndpoints(config: Addresses): Promise<{ findings: Finding[]; metrics: Sample[] | undefined }> {
  const web = `http://${writeAddress(reachable(config.webAddress))}`
  const [http, grpc, ready, metrics] = await Promise.all([checkHttp(config.httpAddress), checkGrpc(config.grpcAddress), checkReady(web), readMetrics(web)])
  return { findings: [http, grpc, ready, metrics.finding], metrics: metrics.samples }
}

async function checkHttp(address: Address): Promise<Finding> {
  const at = writeAddress(reachable(address))
  const reply = await emptyExport('http/protobuf', at)
  return finding(reply, `OTLP/HTTP on ${at}`, 'start spanbridge serve, or name its address with --http-address')
}

async function checkGrpc(address: Address): Promise<Finding> {
  const at = writeAddress(reachable(address))
  const reply = await emptyExport('grpc', at)
  return finding(reply, `OTLP/gRPC on ${at}`, 'start spanbridge serve, or name its address with --grpc-address')
}

/** A request without spans is a valid one, and is counted nowhere. */
async function emptyExport(protocol: 'http/protobuf' | 'grpc', at: string): Promise<Reply> {
  const exporter = await openExporter({ protocol, endpoint: new URL(`http://${at}`), gzip: false, headers: {}, timeoutSeconds: TIMEOUT_SECONDS })
  try {
    return await exporter.send({ signal: 'traces', bytes: Buffer.alloc(0), items: 0 })
  } finally {
    exporter.close()
  }
}

function finding(reply: Reply, what: string, next: string): Finding {
  if (reply.ok) return { level: 'ok', what: `${what} takes spans`, next: '' }
  if (/^(429|503|RESOURCE_EXHAUSTED)$/.test(reply.status)) {
    return { level: 'warn', what: `${what} has no room now (${reply.status})`, next: 'raise maxInFlight, or send less: SDKs come back by themselves' }
  }
  return { level: 'fail', what: `${what} does not take spans: ${reply.status} ${reply.message}`.trimEnd(), next }
}

async function checkReady(web: string): Promise<Finding> {
  const what = `${web}/-/ready`
  try {
    const response = await fetch(what, { signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000) })
    await response.body?.cancel()
    if (response.ok) return { level: 'ok', what: `${what} is ready`, next: '' }
    return { level: 'fail', what: `${what} answers ${response.status}`, next: 'wait for the bridge to start, or look at what it printed' }
  } catch (error) {
    return { level: 'fail', what: `${what} does not answer: ${cause(error)}`, next: 'start spanbridge serve, or name its address with --web-address' }
  }
}

async function readMetrics(web: string): Promise<{ finding: Finding; samples: Sample[] | undefined }> {
  const what = `${web}/metrics`
  try {
    const response = await fetch(what, { signal: AbortSignal.timeout(TIMEOUT_SECONDS * 10_000) })
    const text = await response.text()
    if (!response.ok || text.length > LONGEST_METRICS_BYTES) {
      return { finding: { level: 'fail', what: `${what} answers ${response.status}, ${text.length} bytes`, next: 'look at what the bridge printed' }, samples: undefined }
    }
    const samples = readSamples(text)
    return { finding: { level: 'ok', what: `${what} has ${samples.length} samples`, next: '' }, samples }
  } catch (error) {
    return { finding: { level: 'fail', what: `${what} does not answer: ${cause(error)}`, next: 'start spanbridge serve, or name its address with --web-address' }, samples: undefined }
  }
}

function cause(error: unknown): string {
  const inner = (error as { cause?: NodeJS.ErrnoException }).cause
  return inner?.code ?? (error as Error).message
}
