/** Answers of Prometheus' HTTP API, as far as the command line asks. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly path: string
  readonly query: string
}

export async function fakePrometheus(result: (asked: Asked) => unknown[]): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      const path = request.url!
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ status: 'success', data: { resultType: path.endsWith('_range') ? 'matrix' : 'vector', result: result({ path, query: new URLSearchParams(body).get('query') ?? '' }) } }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}
