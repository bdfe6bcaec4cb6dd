/** A server that takes pushes as Loki's API is documented, and answers as it is told. Whatever is not as documented is answered 400, as Loki does. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface FakeAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly text?: string
}

export interface TakenLine {
  readonly labels: Readonly<Record<string, string>>
  readonly nanos: bigint
  readonly text: string
  readonly metadata: Readonly<Record<string, string>>
}

export interface FakeLoki {
  readonly url: string
  /** Of the pushes that it took. */
  readonly lines: TakenLine[]
  /** Of every push. */
  readonly headers: IncomingHttpHeaders[]
  /** What the next pushes are answered; then 204 again. */
  answer(...answers: FakeAnswer[]): void
  stop(): Promise<void>
}

export async function fakeLoki(): Promise<FakeLoki> {
  const lines: TakenLine[] = []
  const headers: IncomingHttpHeaders[] = []
  const answers: FakeAnswer[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      headers.push(request.headers)
      let answer = answers.shift() ?? { status: 204 }
      try {
        if (request.method !== 'POST' || request.url !== '/loki/api/v1/push') throw new Error(`${request.method} ${request.url} is no push`)
        const taken = linesOf(request.headers, Buffer.concat(parts))
        if (answer.status === 204) lines.push(...taken)
      } catch (error) {
        answer = { status: 400, text: (error as Error).message }
      }
      response.writeHead(answer.status, answer.headers).end(answer.text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines, headers,
    answer: (...next) => void answers.push(...next),
    stop: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

function linesOf(headers: IncomingHttpHeaders, body: Buffer): TakenLine[] {
  if (headers['content-type'] !== 'application/json' || headers['content-encoding'] !== 'gzip') throw new Error('not gzipped JSON')
  const { streams } = JSON.parse(gunzipSync(body).toString()) as { streams: { stream: unknown; values: unknown[][] }[] }
  return streams.flatMap(({ stream, values }) => values.map((value) => {
    const [nanos, text, metadata, ...rest] = value
    if (typeof nanos !== 'string' || !/^\d{19}$/.test(nanos) || typeof text !== 'string' || rest.length > 0) throw new Error(`a value is not as documented: ${JSON.stringify(value)}`)
    return { labels: texts(stream), nanos: BigInt(nanos), text, metadata: texts(metadata) }
  }))
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(value as object)
  if (entries.some(([name, text]) => !/^[a-zA-Z_]\w*$/.test(name) || typeof text !== 'string')) throw new Error(`not an object of texts: ${JSON.stringify(value)}`)
  return Object.fromEntries(entries) as Record<string, string>
}
