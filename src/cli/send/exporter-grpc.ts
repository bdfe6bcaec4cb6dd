import { compressionAlgorithms, credentials, Client, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { partialSuccess, type Exporter, type ExporterOptions, type Reply } from './exporter.ts'
import { eachField, messages, readVarint } from '../recorded/protobuf.ts'
import type { Body } from '../recorded/recording.ts'

const METHODS = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const
/** OTLP/gRPC's list of what may be sent again. RESOURCE_EXHAUSTED only when the answer says when. */
const RETRYABLE = new Set([status.CANCELLED, status.DEADLINE_EXCEEDED, status.ABORTED, status.OUT_OF_RANGE, status.UNAVAILABLE, status.DATA_LOSS])

export function grpcExporter({ endpoint, gzip, headers, timeoutSeconds }: ExporterOptions): Exporter {
  const channel = endpoint.protocol === 'https:' ? credentials.createSsl() : credentials.createInsecure()
  const client = new Client(endpoint.host, channel, {
    'grpc.default_compression_algorithm': gzip ? compressionAlgorithms.gzip : compressionAlgorithms.identity,
  })
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value)
  const same = (bytes: Buffer): Buffer => bytes

  function send(body: Body): Promise<Reply> {
    return new Promise((resolve) => {
      const deadline = Date.now() + timeoutSeconds * 1000
      client.makeUnaryRequest(METHODS[body.signal], same, same, body.bytes, metadata, { deadline }, (error, response) => {
        if (error !== null) resolve(readError(error))
        else resolve({ status: 'OK', ok: true, retryable: false, ...partialSuccess(response ?? Buffer.alloc(0)) })
      })
    })
  }

  return { send, close: () => client.close() }
}

function readError(error: ServiceError): Reply {
  const retryAfterSeconds = retryInfo(error.metadata.get('grpc-status-details-bin')[0])
  const retryable = RETRYABLE.has(error.code) || (error.code === status.RESOURCE_EXHAUSTED && retryAfterSeconds !== undefined)
  return { status: status[error.code], ok: false, rejected: 0, message: error.details, retryable, retryAfterSeconds }
}

/** google.rpc.Status { details = 3: Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1: Duration { seconds = 1, nanos = 2 } } } } */
function retryInfo(details: string | Buffer | undefined): number | undefined {
  if (!Buffer.isBuffer(details)) return undefined
  let seconds: number | undefined
  try {
    for (const any of messages(details, 3)) {
      const type = messages(any, 1)[0]?.toString('utf8') ?? ''
      if (!type.endsWith('google.rpc.RetryInfo')) continue
      for (const delay of messages(any, 2).flatMap((info) => messages(info, 1))) {
        seconds = 0
        eachField(delay, 0, delay.length, (field, from, to) => {
          const value = Number(readVarint(delay, from, to).value)
          seconds! += field === 1 ? value : field === 2 ? value / 1e9 : 0
        })
      }
    }
  } catch {
    return undefined
  }
  return seconds
}
