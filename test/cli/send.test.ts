import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { AddressInfo } from 'node:net'
import { Metadata, Server as GrpcServer, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { delimited, toJson } from '../../src/cli/recorded/protobuf.ts'
import { find, readBody } from '../../src/cli/recorded/recordings.ts'
import { REQUESTS } from '../../src/cli/recorded/shape.ts'
import { commandLine } from './spanbridge.ts'

const recording = (name: string): string => fileURLToPath(new URL(`../recordings/${name}`, import.meta.url))
const RUN = recording('openai-otel-v2/ok')

interface Received {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly atMs: number
}

let server: Server
let received: Received[]
let answer: (response: ServerResponse, body: Received) => void

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = { url: request.url ?? '', headers: request.headers, body: Buffer.concat(parts), atMs: Date.now() }
      received.push(body)
      answer(response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  reset()
  return () => server.close()
})
afterEach(reset)

function reset(): void {
  received = []
  answer = (response) => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
}

const endpoint = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const row = (stdout: string, name: string): string => new RegExp(`^ *${name} +(.*)$`, 'm').exec(stdout)?.[1] ?? ''
const spansOf = (json: unknown): { traceId: string; startTimeUnixNano: string; endTimeUnixNano: string }[] =>
  (json as { resourceSpans: { scopeSpans: { spans: never[] }[] }[] }).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))

describe('spanbridge send', () => {
  it('plays each run of a folder: bodies by name, ids new, times current, tenant added', async () => {
    const { code, stdout, stderr } = await commandLine(['send', RUN, recording('vercel-ai-v6/ok'), '-e', endpoint(), '--rate', '0', '--tenant', 'acme', '--header', 'x-key=a=b'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: `sending 2 recordings to ${endpoint()}/ (http/protobuf)\n` })
    expect(row(stdout, 'bodies')).toBe('3')
    expect(row(stdout, 'failed bodies')).toBe('0')
    expect(received.filter(({ url }) => url === '/v1/logs')).toHaveLength(1)
    const traces = received.filter(({ url }) => url === '/v1/traces')
    expect(traces).toHaveLength(2)
    expect(received[0]!.headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-key': 'a=b' })
    const recorded = spansOf(toJson(readBody(find(RUN)[1]!).bytes, REQUESTS.traces))
    const played = traces.map(({ body, atMs }) => ({ spans: spansOf(toJson(body, REQUESTS.traces)), text: JSON.stringify(toJson(body, REQUESTS.traces)), atMs })).find(({ spans }) => spans.length === recorded.length)!
    expect(played.spans.some(({ traceId }) => recorded.some((old) => old.traceId === traceId))).toBe(false)
    const durations = (spans: typeof recorded): bigint[] => spans.map((span) => BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano))
    expect(durations(played.spans)).toEqual(durations(recorded))
    expect(Math.abs(played.atMs - Number(BigInt(played.spans.at(-1)!.endTimeUnixNano) / 1_000_000n))).toBeLessThan(5_000)
    expect(played.text).toContain('{"key":"tenant_id","value":{"stringValue":"acme"}}')
    expect(Number(row(stdout, 'accepted'))).toBe(Number(row(stdout, 'log records')) + Number(row(stdout, 'spans').split(' ')[0]))
  })

  it('keeps ids and times when told to', async () => {
    await commandLine(['send', RUN, '-e', endpoint(), '--keep-ids', '--keep-times'])
    expect(received.map(({ body }) => body)).toEqual(find(RUN).map((file) => readBody(file).bytes))
  })

  it('sends JSON and gzip', async () => {
    answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}')
    const { code, stdout } = await commandLine(['send', RUN, '-e', `${endpoint()}/otel/`, '-p', 'http/json', '-z', '--keep-ids', '--keep-times'])
    expect(received.map(({ url }) => url)).toEqual(['/otel/v1/logs', '/otel/v1/traces'])
    expect(received[1]!.headers).toMatchObject({ 'content-type': 'application/json', 'content-encoding': 'gzip' })
    expect(JSON.parse(gunzipSync(received[1]!.body).toString())).toEqual(toJson(readBody(find(RUN)[1]!).bytes, REQUESTS.traces))
    expect(row(stdout, 'rejected')).toBe('4 (too old)')
    expect(code).toBe(1)
  })

  it('comes back when told to, and counts what was not taken by status', async () => {
    answer = (response, { url }) => {
      const seen = received.filter((body) => body.url === url).length
      if (url === '/v1/logs') response.writeHead(400, { 'content-type': 'application/json' }).end('{"code":3,"message":"cannot read this"}')
      else if (seen === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      else response.writeHead(200).end()
    }
    const { code, stdout } = await commandLine(['send', RUN, '-e', endpoint()])
    const [first, second] = received.filter(({ url }) => url === '/v1/traces')
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(990)
    expect(second!.body).toEqual(first!.body)
    expect(row(stdout, 'retries')).toBe('1')
    expect(row(stdout, '400')).toBe('1 (cannot read this)')
    expect(row(stdout, 'accepted')).toBe('3')
    expect(code).toBe(1)
  })

  it('keeps to a rate for a time, and shares the runs out among tenants', async () => {
    const { code, stdout } = await commandLine(['send', recording('phoenix-evals/eval'), '-e', endpoint(), '--rate', '20', '--duration', '1s', '--tenants', '4'])
    expect(code).toBe(0)
    const sent = Number(row(stdout, 'recordings').split(' ')[0])
    expect(sent).toBeGreaterThanOrEqual(10)
    expect(sent).toBeLessThanOrEqual(21)
    const tenants = received.map(({ body }) => /tenant-\d/.exec(body.toString('latin1'))?.[0])
    expect(new Set(tenants)).toEqual(new Set(['tenant-1', 'tenant-2', 'tenant-3', 'tenant-4']))
  })

  it('speaks gRPC, and waits as long as RetryInfo says', async () => {
    const bodies: Buffer[] = []
    const grpc = new GrpcServer()
    const same = (bytes: Buffer): Buffer => bytes
    const handle = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void => {
      bodies.push(call.request)
      if (bodies.length > 1) return reply(null, Buffer.alloc(0))
      const delay = delimited(1, Buffer.from([0x10, 0x80, 0xc2, 0xd7, 0x2f])) // 100,000,000 ns
      const info = Buffer.concat([delimited(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), delimited(2, delay)])
      const metadata = new Metadata()
      metadata.set('grpc-status-details-bin', Buffer.concat([Buffer.from([8, 8]), delimited(3, info)]))
      reply({ code: status.RESOURCE_EXHAUSTED, details: 'no room', metadata })
    }
    const method = (path: string) => ({ path, requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same }) as const
    grpc.addService({ Export: method('/opentelemetry.proto.collector.trace.v1.TraceService/Export') }, { Export: handle })
    const port = await new Promise<number>((resolve, reject) => grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))))
    try {
      const { code, stdout } = await commandLine(['send', recording('crewai-openinference/ok'), '-p', 'grpc', '-e', `127.0.0.1:${port}`, '--gzip'])
      expect(code).toBe(0)
      expect(bodies).toHaveLength(2)
      expect(row(stdout, 'retries')).toBe('1')
      expect(spansOf(toJson(bodies[1]!, REQUESTS.traces)).length).toBe(Number(row(stdout, 'accepted')))
    } finally {
      grpc.forceShutdown()
    }
  })
})
