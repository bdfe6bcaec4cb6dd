import { Agent, request as httpRequest } from 'node:http'
import { Agent as TlsAgent, request as httpsRequest } from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { partialSuccess, type Exporter, type ExporterOptions, type Reply } from './exporter.ts'
import { toJson } from '../recorded/protobuf.ts'
import type { Body } from '../recorded/recording.ts'
import { REQUESTS } from '../recorded/shape.ts'
import { retryAfterSeconds } from '../../web/retry.ts'

const deflate = promisify(gzip)
/** An answer is small; more of one is not read. */
const LONGEST_ANSWER_BYTES = 64 * 1024
/** OTLP/HTTP's list of what may be sent again. */
const RETRYABLE = new Set([429, 502, 503, 504])

/** OTLP/HTTP: `/v1/traces` and `/v1/logs` under the endpoint. */
export function httpExporter({ endpoint, protocol, gzip: compress, headers, timeoutSeconds }: ExporterOptions): Exporter {
  const secure = endpoint.protocol === 'https:'
  const agent = new (secure ? TlsAgent : Agent)({ keepAlive: true, maxSockets: 256 })
  const json = protocol === 'http/json'
  const base = endpoint.pathname.replace(/\/+$/, '')

  async function send(body: Body): Promise<Reply> {
    const plain = json ? Buffer.from(JSON.stringify(toJson(body.bytes, REQUESTS[body.signal]))) : body.bytes
    const payload = compress ? await deflate(plain) : plain
    return new Promise<Reply>((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void =>
        resolve({ status: error.code ?? error.name, ok: false, rejected: 0, message: error.message, retryable: true })
      const request = (secure ? httpsRequest : httpRequest)(
        {
          agent, method: 'POST', hostname: endpoint.hostname.replace(/^\[|\]$/g, ''), port: endpoint.port, path: `${base}/v1/${body.signal}`,
          timeout: timeoutSeconds * 1000,
          headers: { 'content-type': json ? 'application/json' : 'application/x-protobuf', 'content-length': payload.length, ...(compress ? { 'content-encoding': 'gzip' } : {}), ...headers },
        },
        (response) => {
          const parts: Buffer[] = []
          let length = 0
          response.on('data', (part: Buffer) => {
            if (length < LONGEST_ANSWER_BYTES) parts.push(part)
            length += part.length
          })
          response.on('error', fail)
          response.on('end', () => resolve(readReply(response.statusCode ?? 0, response.headers, Buffer.concat(parts))))
        },
      )
      request.on('timeout', () => request.destroy(Object.assign(new Error(`no answer within ${timeoutSeconds} s`), { code: 'TIMEOUT' })))
      request.on('error', fail)
      request.end(payload)
    })
  }

  return { send, close: () => agent.destroy() }
}

function readReply(status: number, headers: Readonly<Record<string, string | string[] | undefined>>, answer: Buffer): Reply {
  const ok = status >= 200 && status < 300
  const type = String(headers['content-type'] ?? '')
  const said = !ok ? { rejected: 0, message: reason(type, answer) } : type.includes('json') ? jsonSuccess(answer) : partialSuccess(answer)
  return { status: String(status), ok, ...said, retryable: RETRYABLE.has(status), retryAfterSeconds: retryAfterSeconds(String(headers['retry-after'] ?? ''), Date.now()) }
}

function jsonSuccess(answer: Buffer): { rejected: number; message: string } {
  try {
    const partial = (JSON.parse(answer.toString()) as { partialSuccess?: Record<string, unknown> }).partialSuccess ?? {}
    return { rejected: Number(partial['rejectedSpans'] ?? partial['rejectedLogRecords'] ?? 0), message: String(partial['errorMessage'] ?? '') }
  } catch {
    return { rejected: 0, message: '' }
  }
}

/** An error is a google.rpc.Status: protobuf field 2, JSON `message`; or what a proxy in between wrote. */
function reason(type: string, answer: Buffer): string {
  const text = answer.toString('utf8').slice(0, 300)
  try {
    if (type.includes('json')) return String((JSON.parse(text) as { message?: unknown }).message ?? text)
  } catch {
    return text
  }
  return text.replace(/^[\s\S]*?([ -~]{8,})[\s\S]*$/, '$1')
}
