import { Agent, request } from 'node:http'
import { type Answer, type Connection, taken } from './connection.ts'

/** OTLP/HTTP with protobuf, on one kept connection: no SDK in between whose own cost would slow the sender down. */
export function httpConnection(port: number, gzip: boolean): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const encoding = gzip ? { 'content-encoding': 'gzip' } : {}
  const send = (body: Buffer) =>
    new Promise<Answer>((resolve) => {
      const sent = request({ agent, host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length, ...encoding } }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => resolve(response.statusCode === 200 ? taken(Buffer.concat(parts)) : { ok: false, rejected: 0, error: `status ${response.statusCode}` }))
      })
      sent.on('error', (error) => resolve({ ok: false, rejected: 0, error: error.message }))
      sent.end(body)
    })
  return { send, close: () => agent.destroy() }
}
