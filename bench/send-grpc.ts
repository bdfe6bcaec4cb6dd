import { connect, type ClientHttp2Session } from 'node:http2'
import { type Answer, type Connection, taken } from './connection.ts'

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const FRAME_HEADER_BYTES = 5

/**
 * OTLP/gRPC on one connection, written as the HTTP/2 that it is: a gRPC library would compress every message again, and
 * the sender shares its cores with what is measured.
 */
export function grpcConnection(port: number, gzip: boolean): Connection {
  let session: ClientHttp2Session | undefined
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session
    session = connect(`http://127.0.0.1:${port}`)
    // Each stream tells of it too.
    session.on('error', () => {})
    return session
  }
  const headers = { ':method': 'POST', ':path': METHOD, 'content-type': 'application/grpc', te: 'trailers', ...(gzip ? { 'grpc-encoding': 'gzip' } : {}) }

  const send = (body: Buffer) =>
    new Promise<Answer>((resolve) => {
      const stream = open().request(headers)
      const parts: Buffer[] = []
      let status: string | undefined
      let message = ''
      const note = (fields: Readonly<Record<string, unknown>>): void => {
        if (fields['grpc-status'] === undefined) return
        status = String(fields['grpc-status'])
        message = String(fields['grpc-message'] ?? '')
      }
      // A call that is refused at once has its status in the headers, any other one in the trailers.
      stream.on('response', note)
      stream.on('trailers', note)
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('error', (error) => { message ||= error.message })
      stream.on('close', () => resolve(status === '0' ? taken(Buffer.concat(parts).subarray(FRAME_HEADER_BYTES)) : { ok: false, rejected: 0, error: `grpc-status ${status ?? 'missing'} ${message}` }))
      const frame = Buffer.alloc(FRAME_HEADER_BYTES)
      frame[0] = gzip ? 1 : 0
      frame.writeUInt32BE(body.length, 1)
      stream.write(frame)
      stream.end(body)
    })
  return { send, close: () => session?.close() }
}
