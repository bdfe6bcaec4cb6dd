/** A loopback server in place of those that Alertmanager tells: what it is sent is kept, and can be awaited. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
  readonly atMs: number
}

export interface Recorder {
  readonly url: string
  readonly received: readonly Received[]
  /** The first that fits, come or still to come. Rejects after `seconds` with the paths of those that came. */
  fitting(fits: (received: Received) => boolean, seconds?: number): Promise<Received>
  close(): Promise<void>
}

export async function startRecorder(): Promise<Recorder> {
  const received: Received[] = []
  const looking = new Set<() => void>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ path: request.url!, authorization: request.headers.authorization, body: Buffer.concat(chunks).toString(), atMs: performance.now() })
      // Slack's answer, which Alertmanager reads; the others read the status alone.
      response.setHeader('content-type', 'text/plain').end('ok')
      for (const look of looking) look()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    fitting: (fits, seconds = 30) => new Promise((resolve, reject) => {
      const look = () => {
        const found = received.find(fits)
        if (found === undefined) return
        clearTimeout(limit)
        looking.delete(look)
        resolve(found)
      }
      const limit = setTimeout(() => {
        looking.delete(look)
        reject(new Error(`nothing that fits within ${seconds} s; received: ${received.map(({ path }) => path).join(' ')}`))
      }, seconds * 1000)
      looking.add(look)
      look()
    }),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
