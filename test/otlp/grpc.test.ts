import zlib from 'node:zlib'
import http2 from 'node:http2'
import grpc from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { createOtlpGrpc, type OtlpGrpc } from '../../src/otlp/grpc.ts'
import type { ReceiverLimits } from '../../src/otlp/limits.ts'
import type { RefusalReason } from '../../src/otlp/refusal.ts'
import { Malformed } from '../../src/otlp/sink.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { at, FakeSink, itemsOf, text } from './fakes.ts'

const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const LOGS = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const BODY = Buffer.from('some bytes that the fake sink does not read')

let receiver: OtlpGrpc
let sink: FakeSink
let port = 0
let refusals: RefusalReason[] = []
const clients: grpc.Client[] = []

async function start(limits: Partial<ReceiverLimits> = {}) {
  sink = new FakeSink()
  refusals = []
  receiver = createOtlpGrpc(sink, { limits, refused: (reason) => refusals.push(reason) })
  port = await receiver.listen({ host: '127.0.0.1', port: 0 })
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await receiver.close()
})

const asIs = (bytes: Buffer) => bytes

function connect(options: grpc.ClientOptions = {}): grpc.Client {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options)
  clients.push(client)
  return client
}

function call(client: grpc.Client, body: Buffer, path = TRACES): Promise<Buffer> {
  return new Promise((resolve, reject) => client.makeUnaryRequest(path, asIs, asIs, body, (error, reply) => (error ? reject(error) : resolve(reply!))))
}

const refusedWith = (client: grpc.Client, body: Buffer, path?: string) => call(client, body, path).then(() => expect.unreachable(), (error: grpc.ServiceError) => error)

const gzip = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip }
const deflate = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.deflate }

/** One call made by hand: `frame` is what follows the headers; not ended when `open`. Resolves to grpc-status and grpc-message. */
function raw(frame: Buffer, headers: http2.OutgoingHttpHeaders = {}, open = false): Promise<{ status: string; message: string }> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`)
    session.on('error', reject)
    const stream = session.request({ ':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc', te: 'trailers', ...headers })
    const settle = (received: http2.IncomingHttpHeaders) => {
      if (received['grpc-status'] === undefined) return
      resolve({ status: String(received['grpc-status']), message: decodeURI(String(received['grpc-message'])) })
      session.destroy()
    }
    stream.on('response', settle).on('trailers', settle).on('error', () => {}).resume()
    if (open) stream.write(frame)
    else stream.end(frame)
  })
}

function frameOf(message: Buffer, compressed: boolean): Buffer {
  const head = Buffer.alloc(5)
  head[0] = compressed ? 1 : 0
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

describe('accepting', () => {
  it('hands traces and logs to the sink, ignores metrics', async () => {
    await start()
    const client = connect()
    expect(await call(client, BODY)).toEqual(Buffer.alloc(0))
    expect(await call(client, BODY, LOGS)).toEqual(Buffer.alloc(0))
    expect(await call(client, BODY, METRICS)).toEqual(Buffer.alloc(0))
    expect(await call(client, Buffer.alloc(0))).toEqual(Buffer.alloc(0))
    expect(sink.bodies).toEqual([{ signal: 'traces', bytes: BODY }, { signal: 'logs', bytes: BODY }, { signal: 'traces', bytes: Buffer.alloc(0) }])
    expect(refusals).toEqual([])
  })

  it.each([['plain', {}], ['gzip', gzip], ['deflate', deflate]])('reads long messages, %s', async (_name, options) => {
    await start()
    const client = connect(options)
    const body = Buffer.alloc(3_254_719, 'spans ')
    await Promise.all([call(client, body), call(client, body), call(client, body)])
    expect(sink.bodies.map(({ bytes }) => bytes.equals(body))).toEqual([true, true, true])
  })

  it('inflates long gzip aside', async () => {
    await start()
    const body = Buffer.alloc(20 << 20, 'spans ')
    await call(connect({ ...gzip, 'grpc.max_send_message_length': -1 }), body)
    expect(sink.bodies[0]!.bytes.equals(body)).toBe(true)
  })

  it('reads a plain message of a sender that compresses others', async () => {
    await start()
    expect((await raw(frameOf(BODY, false), { 'grpc-encoding': 'gzip' })).status).toBe('0')
    expect(sink.bodies[0]!.bytes).toEqual(BODY)
  })

  it('tells what could not be read as partial success', async () => {
    await start()
    sink.answer = { accepted: 3, rejected: 2, error: 'span 4: bad' }
    const reply = await call(connect(), BODY)
    expect([at(reply, 1, 1), text(at(reply, 1, 2))]).toEqual([2n, 'span 4: bad'])
  })
})

describe('a message longer than a part', () => {
  const long = Buffer.from(tracesBody(Array.from({ length: 3_000 }, (_, i) => ({
    trace: '0102030405060708090a0b0c0d0e0f10', id: (i + 1).toString(16).padStart(16, '0'), name: 'n'.repeat(200), startMs: 1, endMs: 2, scope: 'a.scope', resource: { 'service.name': 'shop' },
  }))))

  it('is handed on in parts with all of its spans, and answered once for all', async () => {
    await start()
    sink.answer = { accepted: 100, rejected: 1, error: 'spans[7]: bad' }
    const reply = await call(connect(), long)
    const parts = sink.bodies.map(({ bytes }) => bytes)
    expect(parts.length).toBeGreaterThan(2)
    expect(Buffer.concat(parts.flatMap(itemsOf)).equals(Buffer.concat(itemsOf(long)))).toBe(true)
    const resource = at(long, 1, 1)
    for (const part of parts) expect(at(part, 1, 1)).toEqual(resource)
    expect([at(reply, 1, 1), text(at(reply, 1, 2))]).toEqual([BigInt(parts.length), 'spans[7]: bad'])
  })

  it('is one refusal where not one span of it can be read', async () => {
    await start()
    sink.answer = { accepted: 0, rejected: 5, error: 'spans[0]: bad' }
    const error = await refusedWith(connect(), long)
    expect([error.code, error.details]).toEqual([grpc.status.INVALID_ARGUMENT, 'spans[0]: bad'])
    expect(refusals).toEqual(['malformed'])
  })

  it('is refused at the first fault', async () => {
    await start()
    sink.answer = new Error('a fault')
    expect((await refusedWith(connect(), long)).code).toBe(grpc.status.INTERNAL)
    expect([sink.bodies.length, refusals]).toEqual([1, ['internal']])
  })

  it('says where a later part begins', async () => {
    await start()
    const answers = [{ accepted: 100, rejected: 0, error: '' }, { accepted: 99, rejected: 1, error: 'spans[7]: bad' }]
    sink.traces = () => answers.shift() ?? { accepted: 1, rejected: 0, error: '' }
    expect(text(at(await call(connect(), long), 1, 2))).toBe('spans[7]: bad (counted after the first 100)')
  })

  it('is kept as one where nothing can be cut', async () => {
    await start()
    const body = Buffer.alloc(700_000, 0xff)
    await call(connect(), body)
    expect(sink.bodies.map(({ bytes }) => bytes.equals(body))).toEqual([true])
  })

  it('leaves what has come of it counted when its end does not come', async () => {
    await start()
    const { status } = await raw(frameOf(long, false).subarray(0, 600_000))
    expect([status, refusals]).toEqual(['3', ['malformed']])
    expect(sink.bodies.flatMap(({ bytes }) => itemsOf(bytes)).length).toBeGreaterThan(1_000)
  })
})

describe('refusing', () => {
  it('answers INVALID_ARGUMENT to what the sink calls malformed, whatever its message holds', async () => {
    await start()
    sink.answer = new Malformed('cannot read span "\ud800ü": truncated at byte 7')
    const error = await refusedWith(connect(), BODY)
    expect([error.code, error.details]).toEqual([grpc.status.INVALID_ARGUMENT, 'cannot read span "\ufffdü": truncated at byte 7'])
    expect(refusals).toEqual(['malformed'])
  })

  it('answers INTERNAL to a fault of its own, and goes on', async () => {
    await start()
    const client = connect()
    sink.answer = new TypeError('secret')
    const error = await refusedWith(client, BODY)
    expect([error.code, error.details]).toEqual([grpc.status.INTERNAL, 'cannot process the request: internal error'])
    sink.answer = { accepted: 1, rejected: 0, error: '' }
    await call(client, BODY)
    expect(refusals).toEqual(['internal'])
  })

  it('answers RESOURCE_EXHAUSTED with RetryInfo while busy', async () => {
    await start()
    sink.busy = 3
    const error = await refusedWith(connect(), Buffer.alloc(500_000))
    expect(error.code).toBe(grpc.status.RESOURCE_EXHAUSTED)
    const details = error.metadata.get('grpc-status-details-bin')[0] as Buffer
    // Status { code, message, details: Any { type_url, value: RetryInfo { retry_delay: Duration { seconds } } } }
    expect([at(details, 1), text(at(details, 2)), text(at(details, 3, 1)), at(details, 3, 2, 1, 1)]).toEqual([8n, error.details, 'type.googleapis.com/google.rpc.RetryInfo', 3n])
    expect(sink.bodies).toEqual([])
    expect(refusals).toEqual(['overloaded'])
  })

  it('answers RESOURCE_EXHAUSTED to more calls at a time than it may have, and ends those that do not', async () => {
    await start({ maxCalls: 1, requestSeconds: 0.3 })
    const slow = raw(frameOf(Buffer.alloc(100), false).subarray(0, 50), {}, true)
    await expect.poll(async () => (await raw(frameOf(BODY, false))).message).toBe('cannot take the request: overloaded, try again in 1 s')
    expect(await slow).toEqual({ status: '4', message: 'cannot read message: not whole after 0.3 s' })
    await expect.poll(async () => (await raw(frameOf(BODY, false))).status).toBe('0')
    expect(new Set(refusals)).toEqual(new Set(['overloaded', 'too_slow']))
  })

  it.each([['truncated gzip', zlib.gzipSync(BODY).subarray(0, -9)], ['two members', Buffer.concat([zlib.gzipSync(BODY), zlib.gzipSync(BODY)])]])('answers INVALID_ARGUMENT to %s', async (_name, message) => {
    await start()
    const { status, message: details } = await raw(frameOf(message, true), { 'grpc-encoding': 'gzip' })
    expect(status).toBe('3')
    expect(details).toMatch(/^cannot inflate body: not /)
    expect(refusals).toEqual(['malformed'])
  })

  it('answers UNIMPLEMENTED to another encoding and another method', async () => {
    await start()
    expect((await raw(frameOf(BODY, true), { 'grpc-encoding': 'br' })).status).toBe('12')
    expect((await refusedWith(connect(), BODY, '/x.Y/Z')).code).toBe(grpc.status.UNIMPLEMENTED)
    expect(refusals).toEqual(['unsupported_encoding'])
  })

  it('refuses a message past the limit when its length is read', async () => {
    await start({ bodyLimitBytes: 1000 })
    const { status } = await raw(frameOf(Buffer.alloc(1001), false).subarray(0, 6), {}, true)
    expect(status).toBe('8')
    expect(refusals).toEqual(['too_large'])
  })

  it.each([['gzip', zlib.gzipSync], ['deflate', zlib.deflateSync]] as const)('refuses a bomb of 512 MiB in %s, which costs no memory', async (encoding, compress) => {
    await start({ bodyLimitBytes: 16 << 20, inflatedLimitBytes: 16 << 20 })
    const bomb = compress(Buffer.alloc(512 << 20), { level: 1 })
    if (encoding === 'gzip') bomb.writeUInt32LE(1000, bomb.length - 4)
    const before = process.memoryUsage().rss
    const { status } = await raw(frameOf(bomb, true), { 'grpc-encoding': encoding })
    expect(status).toBe('8')
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(80)
    expect(refusals).toEqual(['too_large'])
  })
})

describe('closing', () => {
  /** Until the server has read what was written: it answers a ping in its turn. */
  async function read(session: http2.ClientHttp2Session): Promise<void> {
    if (session.connecting) await new Promise((resolve) => session.once('connect', resolve))
    await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())))
  }

  it('answers the call under way, and takes no more', async () => {
    await start()
    const frame = frameOf(BODY, false)
    const session = http2.connect(`http://127.0.0.1:${port}`)
    const stream = session.request({ ':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc', te: 'trailers' })
    const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) => stream.on('trailers', resolve))
    stream.resume()
    stream.write(frame.subarray(0, 10))
    await read(session)
    const closed = receiver.close()
    stream.end(frame.subarray(10))
    expect((await trailers)['grpc-status']).toBe('0')
    await closed
    expect(sink.bodies.map(({ bytes }) => bytes)).toEqual([BODY])
    expect((await refusedWith(connect(), BODY)).code).toBe(grpc.status.UNAVAILABLE)
  })

  it('cuts a call that does not end', async () => {
    await start({ closeSeconds: 0.05 })
    const session = http2.connect(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    const stream = session.request({ ':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc', te: 'trailers' })
    const gone = new Promise((resolve) => stream.on('error', () => {}).on('close', resolve))
    stream.write(frameOf(BODY, false).subarray(0, 10))
    await read(session)
    await receiver.close()
    await gone
    expect(sink.bodies).toEqual([])
  })
})
