import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import zlib from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createOtlpHttp, type OtlpHttp } from '../../src/otlp/http.ts'
import type { ReceiverLimits } from '../../src/otlp/limits.ts'
import type { RefusalReason } from '../../src/otlp/refusal.ts'
import { Malformed } from '../../src/otlp/sink.ts'
import { at, FakeSink, text } from './fakes.ts'

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
const BODY = Buffer.from('some bytes that the fake sink does not read')

let receiver: OtlpHttp
let sink: FakeSink
let port = 0
let refusals: RefusalReason[] = []
let causes: unknown[] = []

async function start(limits: Partial<ReceiverLimits> = {}) {
  sink = new FakeSink()
  refusals = []
  causes = []
  receiver = createOtlpHttp(sink, { limits, refused: (reason, error) => (refusals.push(reason), causes.push(error)) })
  port = (await receiver.listen({ host: '127.0.0.1', port: 0 })).port
}

afterEach(() => receiver.close())

interface Reply { status: number; headers: http.IncomingHttpHeaders; body: Buffer }

function send(path: string, body: Buffer | Buffer[], headers: http.OutgoingHttpHeaders = {}, method = 'POST', agent?: http.Agent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, method, headers: { 'content-type': PROTOBUF, ...headers }, ...(agent && { agent }) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }))
    })
    request.on('error', reject)
    // Several pieces are sent chunked, without a Content-Length.
    if (Array.isArray(body)) for (const piece of body) request.write(piece)
    request.end(Array.isArray(body) ? undefined : body)
  })
}

const statusMessage = (reply: Reply) => text(at(reply.body, 2))
const statusCode = (reply: Reply) => at(reply.body, 1)

describe('accepting', () => {
  it.each(['/v1/traces', '/otel/v1/traces', '/api/public/otel/v1/traces', '/v1/traces?x=1'])('hands the bytes posted to %s to the sink', async (path) => {
    await start()
    const reply = await send(path, BODY)
    expect(reply).toMatchObject({ status: 200, body: Buffer.alloc(0), headers: { 'content-type': PROTOBUF } })
    expect(sink.bodies).toEqual([{ signal: 'traces', bytes: BODY }])
    expect(refusals).toEqual([])
  })

  it.each(['/v1/logs', '/otel/v1/logs', '/api/public/otel/v1/logs'])('hands logs posted to %s to the sink', async (path) => {
    await start()
    expect((await send(path, BODY)).status).toBe(200)
    expect(sink.bodies).toEqual([{ signal: 'logs', bytes: BODY }])
  })

  it('answers metrics and ignores them', async () => {
    await start()
    expect(await send('/v1/metrics', Buffer.alloc(300_000))).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    expect(await send('/v1/metrics', Buffer.from('not even JSON'), { 'content-type': JSON_TYPE })).toMatchObject({ status: 200, body: Buffer.from('{}') })
    expect(sink.bodies).toEqual([])
  })

  it('takes an empty protobuf body, which is a valid request without spans', async () => {
    await start()
    expect((await send('/v1/traces', Buffer.alloc(0))).status).toBe(200)
    expect(sink.bodies[0]?.bytes.length).toBe(0)
  })

  it.each([['one byte', 1], ['one piece', 60_000], ['two buffers', 200_000], ['many buffers', 3_254_719]])('reads %s whole, with and without a Content-Length', async (_name, size) => {
    await start()
    const body = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31) & 255))
    const pieces = [body.subarray(0, size >> 1), body.subarray(size >> 1, size - 1), body.subarray(size - 1)]
    expect((await send('/v1/traces', body)).status).toBe(200)
    expect((await send('/v1/traces', pieces.filter((piece) => piece.length > 0))).status).toBe(200)
    expect(sink.bodies.map(({ bytes }) => bytes.equals(body))).toEqual([true, true])
    expect(receiver.inFlightBytes()).toBe(0)
  })

  it.each([
    ['gzip', zlib.gzipSync], ['x-gzip', zlib.gzipSync], ['deflate', zlib.deflateSync], ['zstd', zlib.zstdCompressSync], ['identity', (body: Buffer) => body], ['GZIP', zlib.gzipSync],
  ] as const)('reads %s', async (encoding, compress) => {
    await start()
    const body = Buffer.alloc(500_000, 'spans ')
    expect((await send('/v1/traces', compress(body), { 'content-encoding': encoding })).status).toBe(200)
    expect(sink.bodies[0]!.bytes.equals(body)).toBe(true)
  })

  it('inflates long gzip aside, and holds its room only until then', async () => {
    await start()
    const body = Buffer.alloc(20 << 20, 'spans ')
    expect((await send('/v1/traces', zlib.gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(200)
    expect(sink.bodies[0]!.bytes.equals(body)).toBe(true)
    expect(receiver.inFlightBytes()).toBe(0)
  })

  it('takes JSON with a charset, and application/protobuf', async () => {
    await start()
    const json = Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}')
    expect(await send('/v1/traces', json, { 'content-type': 'Application/JSON; charset=utf-8' })).toMatchObject({ status: 200, headers: { 'content-type': JSON_TYPE }, body: Buffer.from('{}') })
    expect(text(at(sink.bodies[0]!.bytes, 1, 2, 2, 5))).toBe('a')
    expect(await send('/v1/traces', BODY, { 'content-type': 'application/protobuf' })).toMatchObject({ status: 200, headers: { 'content-type': PROTOBUF } })
  })

  it('tells what could not be read as partial success, in the type of the request', async () => {
    await start()
    sink.answer = { accepted: 3, rejected: 2, error: 'span 4: trace_id has 3 bytes' }
    const protobuf = await send('/v1/traces', BODY)
    expect(protobuf.status).toBe(200)
    expect(at(protobuf.body, 1, 1)).toBe(2n)
    expect(text(at(protobuf.body, 1, 2))).toBe('span 4: trace_id has 3 bytes')
    const json = (path: string, key: string) => send(path, Buffer.from(`{"${key}":[]}`), { 'content-type': JSON_TYPE }).then((reply) => JSON.parse(reply.body.toString()) as unknown)
    expect(await json('/v1/traces', 'resourceSpans')).toEqual({ partialSuccess: { rejectedSpans: '2', errorMessage: 'span 4: trace_id has 3 bytes' } })
    expect(await json('/v1/logs', 'resourceLogs')).toEqual({ partialSuccess: { rejectedLogRecords: '2', errorMessage: 'span 4: trace_id has 3 bytes' } })
  })

  it('adds what JSON left out to what the sink could not read', async () => {
    await start()
    sink.answer = { accepted: 0, rejected: 1, error: 'no trace_id' }
    const body = Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":1},{"name":2}]}]}]}')
    const reply = await send('/v1/traces', body, { 'content-type': JSON_TYPE })
    expect(JSON.parse(reply.body.toString())).toEqual({
      partialSuccess: { rejectedSpans: '3', errorMessage: 'resourceSpans[0].scopeSpans[0].spans[1].name: not a string; no trace_id' },
    })
  })

  it('serves many requests on one connection', async () => {
    await start()
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    let connections = 0
    receiver.server.on('connection', () => connections++)
    for (const size of [10, 300_000, 10, 70_000]) expect((await send('/v1/traces', Buffer.alloc(size), {}, 'POST', agent)).status).toBe(200)
    agent.destroy()
    expect(connections).toBe(1)
  })

  it('lets a sender ask first', async () => {
    await start()
    const request = http.request({ host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers: { 'content-type': PROTOBUF, 'content-length': BODY.length, expect: '100-continue' } })
    request.flushHeaders()
    await once(request, 'continue')
    request.end(BODY)
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    expect(response.statusCode).toBe(200)
    expect(sink.bodies[0]!.bytes).toEqual(BODY)
  })
})

describe('refusing', () => {
  it('answers 400 to bytes that the sink calls malformed, with what and where', async () => {
    await start()
    sink.answer = new Malformed('cannot read span: length 99 at byte 12 runs past the end')
    const reply = await send('/v1/traces', BODY)
    expect([reply.status, reply.headers['content-type'], statusCode(reply), statusMessage(reply)]).toEqual([400, PROTOBUF, 3n, 'cannot read span: length 99 at byte 12 runs past the end'])
    const json = await send('/v1/traces', Buffer.from('{"resourceSpans":[}'), { 'content-type': JSON_TYPE })
    expect([json.status, JSON.parse(json.body.toString())]).toEqual([400, { code: 3, message: 'cannot read JSON: unexpected character at position 18' }])
    expect(refusals).toEqual(['malformed', 'malformed'])
  })

  it('answers 400 when JSON has spans and not one of them is good', async () => {
    await start()
    const reply = await send('/v1/traces', Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[7]}]}]}'), { 'content-type': JSON_TYPE })
    expect([reply.status, JSON.parse(reply.body.toString())]).toEqual([400, { code: 3, message: 'resourceSpans[0].scopeSpans[0].spans[0]: not an object' }])
    expect(sink.bodies).toEqual([])
  })

  it('answers 500 to a fault of its own, tells it nobody but the operator, and goes on', async () => {
    await start()
    const fault = new TypeError('secret')
    sink.answer = fault
    const reply = await send('/v1/traces', BODY)
    expect([reply.status, statusCode(reply), statusMessage(reply)]).toEqual([500, 13n, 'cannot process the request: internal error'])
    expect([refusals, causes]).toEqual([['internal'], [fault]])
    sink.answer = { accepted: 1, rejected: 0, error: '' }
    expect((await send('/v1/traces', BODY)).status).toBe(200)
  })

  it('answers 404 naming the paths', async () => {
    await start()
    const reply = await send('/v1/trace', BODY)
    expect([reply.status, reply.headers['content-type']]).toEqual([404, JSON_TYPE])
    expect((JSON.parse(reply.body.toString()) as { message: string }).message).toMatch('cannot find /v1/trace: POST to /v1/traces, /otel/v1/traces, /api/public/otel/v1/traces, /v1/logs')
    expect((await send('/%zz', BODY)).status).toBe(404)
    expect(refusals).toEqual(['not_found', 'not_found'])
  })

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])('answers 405 to %s', async (method) => {
    await start()
    const reply = await send('/v1/traces', Buffer.alloc(0), {}, method)
    expect([reply.status, reply.headers.allow]).toEqual([405, 'POST'])
    expect(refusals).toEqual(['method'])
  })

  it.each(['text/plain', 'application/jsonx', 'application/x-protobuf-2', ''])('answers 415 to content type %j', async (type) => {
    await start()
    const reply = await send('/v1/traces', BODY, { 'content-type': type })
    expect([reply.status, (JSON.parse(reply.body.toString()) as { message: string }).message]).toEqual([415, 'cannot read body: Content-Type must be application/x-protobuf or application/json'])
    expect(refusals).toEqual(['unsupported_type'])
  })

  it.each(['br', 'gzip, gzip', 'constructor'])('answers 415 to content encoding %s', async (encoding) => {
    await start()
    const reply = await send('/v1/traces', BODY, { 'content-encoding': encoding })
    expect([reply.status, statusMessage(reply)]).toEqual([415, 'cannot read body: Content-Encoding must be gzip, deflate, zstd or identity'])
    expect(refusals).toEqual(['unsupported_encoding'])
  })

  it('answers 429 with Retry-After while the sink is busy, without reading, and keeps the connection', async () => {
    await start()
    sink.busy = 6.2
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const reply = await send('/v1/traces', Buffer.alloc(400_000), {}, 'POST', agent)
    expect([reply.status, reply.headers['retry-after'], reply.headers.connection, statusCode(reply)]).toEqual([429, '7', 'keep-alive', 8n])
    expect((await send('/v1/metrics', BODY, {}, 'POST', agent)).status).toBe(200)
    sink.busy = 0
    expect((await send('/v1/traces', BODY, {}, 'POST', agent)).status).toBe(200)
    agent.destroy()
    expect(sink.bodies.length).toBe(1)
    expect(refusals).toEqual(['overloaded'])
  })

  it('answers 429 to more bytes at a time than it may hold, and frees them', async () => {
    await start({ maxInFlightBytes: 300_000, bodyLimitBytes: 256 << 10 })
    const first = http.request({ host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers: { 'content-type': PROTOBUF, 'content-length': 250_000 } })
    first.write(Buffer.alloc(200_000))
    await expect.poll(() => receiver.inFlightBytes()).toBe(256 << 10)
    const second = await send('/v1/traces', Buffer.alloc(200_000))
    expect([second.status, second.headers['retry-after']]).toEqual([429, '1'])
    first.end(Buffer.alloc(50_000))
    const [response] = (await once(first, 'response')) as [http.IncomingMessage]
    response.resume()
    expect(response.statusCode).toBe(200)
    expect(receiver.inFlightBytes()).toBe(0)
  })

  it('holds nothing for a connection that only promises bytes, nor for one that went away', async () => {
    await start()
    const request = http.request({ host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers: { 'content-type': PROTOBUF, 'content-length': 16 << 20 } })
    request.on('error', () => {})
    request.flushHeaders()
    await expect.poll(() => receiver.underWay()).toBe(1)
    expect(receiver.inFlightBytes()).toBe(0)
    request.write(Buffer.alloc(1000))
    await expect.poll(() => receiver.inFlightBytes()).toBe(64 << 10)
    request.destroy()
    await expect.poll(() => receiver.inFlightBytes()).toBe(0)
    expect(refusals).toEqual([])
  })
})

describe('limits', () => {
  it('spares a sender that asks first the sending', async () => {
    await start()
    sink.busy = 1
    const request = http.request({ host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers: { 'content-type': PROTOBUF, 'content-length': BODY.length, expect: '100-continue' } })
    request.on('continue', () => expect.unreachable())
    request.flushHeaders()
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    expect([response.statusCode, response.headers.connection]).toEqual([429, 'close'])
    request.destroy()
  })

  it('refuses a Content-Length over the limit before reading', async () => {
    await start({ bodyLimitBytes: 1000 })
    const socket = net.connect(port, '127.0.0.1')
    socket.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1001\r\n\r\n')
    const [head] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    expect(head.toString()).toMatch(/^HTTP\/1.1 413 [^]*Connection: close/)
    expect(refusals).toEqual(['too_large'])
  })

  it.each(['/v1/traces', '/v1/metrics'])('refuses a chunked body of %s past the limit, and the sender sees the answer', async (path) => {
    await start({ bodyLimitBytes: 100_000 })
    const reply = await send(path, Array.from({ length: 5 }, () => Buffer.alloc(40_000)))
    expect([reply.status, statusMessage(reply)]).toEqual([413, 'cannot read body: more than 100000 bytes'])
    expect(receiver.inFlightBytes()).toBe(0)
    expect(refusals).toEqual(['too_large'])
  })

  it('takes a body of exactly the limit', async () => {
    await start({ bodyLimitBytes: 100_000 })
    expect((await send('/v1/traces', Buffer.alloc(100_000))).status).toBe(200)
    expect((await send('/v1/traces', [Buffer.alloc(50_000), Buffer.alloc(50_000)])).status).toBe(200)
  })

  it('has a limit of its own for JSON', async () => {
    await start({ jsonLimitBytes: 1000 })
    const json = Buffer.from(`{"resourceSpans":[],"x":"${'x'.repeat(1000)}"}`)
    expect((await send('/v1/traces', json, { 'content-type': JSON_TYPE })).status).toBe(413)
    expect((await send('/v1/traces', zlib.gzipSync(json), { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' })).status).toBe(413)
    expect(refusals).toEqual(['too_large', 'too_large'])
  })

  it('gives a connection that sends its headers too slowly an end', async () => {
    await start({ headersSeconds: 0.1, requestSeconds: 0.1 })
    const socket = net.connect(port, '127.0.0.1')
    socket.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\n')
    const [head] = (await once(socket, 'data')) as [Buffer]
    expect(head.toString()).toMatch(/^HTTP\/1.1 408 /)
    socket.destroy()
  })
})

describe('closing', () => {
  it('answers what is under way, refuses connections, and ends those that idle', async () => {
    await start()
    const agent = new http.Agent({ keepAlive: true })
    await send('/v1/traces', BODY, {}, 'POST', agent)
    const request = http.request({ host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', agent: new http.Agent({ keepAlive: true }), headers: { 'content-type': PROTOBUF, 'content-length': BODY.length } })
    request.write(BODY.subarray(0, 5))
    await expect.poll(() => receiver.underWay()).toBe(1)
    const closed = receiver.close()
    await expect(send('/v1/traces', BODY)).rejects.toThrow('ECONNREFUSED')
    request.end(BODY.subarray(5))
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    expect([response.statusCode, response.headers.connection]).toEqual([200, 'close'])
    await closed
    expect(sink.bodies.map(({ bytes }) => bytes)).toEqual([BODY, BODY])
  })

  it('answers 503 with Retry-After to a request on a connection that is still open', async () => {
    await start({ closeSeconds: 3 })
    const socket = net.connect(port, '127.0.0.1')
    const head = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 2\r\n'
    const connected = once(receiver.server, 'connection')
    socket.write(head)
    const [accepted] = (await connected) as [net.Socket]
    // Once the first half is read the connection is one with a request under way.
    await expect.poll(() => accepted.bytesRead).toBe(head.length)
    const closed = receiver.close()
    socket.write('\r\nab')
    const [reply] = (await once(socket, 'data')) as [Buffer]
    expect(reply.toString()).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: 3\r\nConnection: close/)
    await closed
    expect(refusals).toEqual(['stopping'])
  })

  it('cuts a request that does not end', async () => {
    await start({ closeSeconds: 0.05 })
    const request = http.request({ host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', headers: { 'content-type': PROTOBUF, 'content-length': 10 } })
    const failed = once(request, 'error').catch((error: unknown) => error)
    request.write('a')
    await expect.poll(() => receiver.underWay()).toBe(1)
    await receiver.close()
    await failed
    expect(sink.bodies).toEqual([])
  })
})
