import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createOtlpGrpc, type OtlpGrpc } from '../../src/otlp/grpc.ts'
import { Code, field, Flag, Frame, frame, PREFACE, Setting, settings, words } from '../../src/otlp/http2/frame.ts'
import { BadFields, FieldDecoder } from '../../src/otlp/http2/hpack.ts'
import { FakeSink } from './fakes.ts'

const decoded = (decoder: FieldDecoder, block: Uint8Array) => {
  const fields: string[] = []
  decoder.decode(block, (name, value) => fields.push(`${name}: ${value}`))
  return fields
}
const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex')

describe('header fields', () => {
  it('are read as in RFC 7541, C.4 and C.6', () => {
    const requests = new FieldDecoder()
    expect(decoded(requests, hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))).toEqual([':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'])
    expect(decoded(requests, hex('8286 84be 5886 a8eb 1064 9cbf')).slice(3)).toEqual([':authority: www.example.com', 'cache-control: no-cache'])
    expect(decoded(requests, hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')).slice(3)).toEqual([':authority: www.example.com', 'custom-key: custom-value'])
    // With a table of 256 bytes, which evicts.
    const responses = new FieldDecoder()
    decoded(responses, hex('3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3'))
    expect(decoded(responses, hex('4883 640e ffc1 c0bf'))).toEqual([':status: 307', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'])
    expect(() => decoded(responses, hex('c2'))).toThrow(BadFields)
  })

  it('of another implementation come out as they were sent', async () => {
    const decoder = new FieldDecoder()
    const blocks: string[][] = []
    const server = net.createServer((socket) => {
      let bytes = Buffer.alloc(0)
      let greeted = false
      socket.write(settings([]))
      socket.on('error', () => {}).on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk])
        if (!greeted && bytes.length >= PREFACE.length) bytes = bytes.subarray(PREFACE.length), greeted = true
        while (greeted && bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
          const end = 9 + bytes.readUIntBE(0, 3)
          if (bytes[3] === Frame.headers) blocks.push(decoded(decoder, bytes.subarray(9 + (bytes[4]! & Flag.priority ? 5 : 0), end)))
          bytes = bytes.subarray(end)
        }
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`)
    session.on('error', () => {})
    const sent = fc.sample(fc.array(fc.tuple(fc.stringMatching(/^x-[a-z0-9]{1,20}$/), fc.stringMatching(/^[!-~]([ -~]{0,200}[!-~])?$/)), { maxLength: 12 }), { numRuns: 60, seed: 7 })
    for (const fields of sent) session.request({ ':path': `/${fields.length}`, ...Object.fromEntries(fields) }).on('error', () => {})
    await expect.poll(() => blocks.length).toBe(sent.length)
    session.destroy()
    server.close()
    expect(blocks.map((block) => block.filter((line) => line.startsWith('x-')))).toEqual(sent.map((fields) => Object.entries(Object.fromEntries(fields)).map(([name, value]) => `${name}: ${value}`)))
  })

  it('that are damaged are refused, whatever they are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decoded(new FieldDecoder(), bytes)
      } catch (error) {
        if (!(error instanceof BadFields)) throw error
      }
    }), { numRuns: 2000 })
  })
})

let receiver: OtlpGrpc
let sink: FakeSink
let socket: net.Socket
let got: { type: number; stream: number; payload: Buffer }[] = []

async function start() {
  sink = new FakeSink()
  receiver = createOtlpGrpc(sink, { limits: { closeSeconds: 0.2 } })
  const port = await receiver.listen({ host: '127.0.0.1', port: 0 })
  await connect(port)
  return port
}

async function connect(port: number) {
  socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  got = []
  let bytes = Buffer.alloc(0)
  socket.on('error', () => {}).on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3)
      got.push({ type: bytes[3]!, stream: bytes.readUInt32BE(5), payload: Buffer.from(bytes.subarray(9, end)) })
      bytes = bytes.subarray(end)
    }
  })
  await once(socket, 'connect')
}

afterEach(async () => {
  socket?.destroy()
  await receiver?.close()
})

const HELLO = Buffer.concat([PREFACE, settings([])])
const FIELDS = Buffer.concat([hex('83'), field(':path', '/opentelemetry.proto.collector.trace.v1.TraceService/Export'), field('content-type', 'application/grpc')])
const MESSAGE = Buffer.concat([hex('00 00000005'), Buffer.from('spans')])
const headers = (stream: number, flags: number = Flag.endHeaders) => frame(Frame.headers, flags, stream, FIELDS)
const data = (stream: number, bytes: Uint8Array, flags: number = Flag.endStream) => frame(Frame.data, flags, stream, bytes)
const sentOf = (type: number, stream: number) => got.filter((one) => one.type === type && one.stream === stream)
const status = (stream: number) => /grpc-status.(\d+)/s.exec(sentOf(Frame.headers, stream).at(-1)?.payload.toString('latin1') ?? '')?.[1]
const goneWith = () => sentOf(Frame.goAway, 0).at(-1)?.payload.readUInt32BE(4)

describe('a connection', () => {
  it('takes calls that come a byte at a time, in padded pieces, and one inside the other', async () => {
    await start()
    const bytes = Buffer.concat([
      HELLO, headers(1), frame(Frame.headers, Flag.endHeaders | Flag.padded | Flag.priority, 3, Buffer.concat([hex('02 00000001 10'), FIELDS, hex('0000')])),
      data(1, MESSAGE.subarray(0, 6), 0), data(3, MESSAGE.subarray(0, 3), 0), frame(Frame.priority, 0, 5, hex('00000000 01')), frame(0x77, 0, 0, hex('aa')),
      data(3, Buffer.concat([hex('03'), MESSAGE.subarray(3), hex('000000')]), Flag.padded | Flag.endStream), data(1, MESSAGE.subarray(6)),
    ])
    for (const byte of bytes) socket.write(Buffer.of(byte))
    await expect.poll(() => [status(1), status(3)]).toEqual(['0', '0'])
    expect(sink.bodies.map((body) => body.bytes.toString())).toEqual(['spans', 'spans'])
  })

  it('takes fields that go on in other frames, and a body that ends with fields', async () => {
    await start()
    socket.write(Buffer.concat([
      HELLO, frame(Frame.headers, 0, 1, FIELDS.subarray(0, 10)), frame(Frame.continuation, 0, 1, FIELDS.subarray(10, 40)), frame(Frame.continuation, Flag.endHeaders, 1, FIELDS.subarray(40)),
      data(1, MESSAGE, 0), frame(Frame.headers, Flag.endHeaders | Flag.endStream, 1, field('x', 'y')),
    ]))
    await expect.poll(() => status(1)).toBe('0')
  })

  it('waits for room for its answer', async () => {
    await start()
    socket.write(Buffer.concat([PREFACE, settings([[Setting.initialWindow, 0]]), headers(1), data(1, MESSAGE)]))
    await expect.poll(() => sink.bodies.length).toBe(1)
    socket.write(Buffer.concat([frame(Frame.window, 0, 1, words(4)), frame(Frame.ping, 0, 0, words(1, 2))]))
    await expect.poll(() => sentOf(Frame.ping, 0).length).toBe(1)
    expect(status(1)).toBe(undefined)
    socket.write(frame(Frame.window, 0, 1, words(1)))
    await expect.poll(() => status(1)).toBe('0')
  })

  it('widens the windows as it reads, also for what it has refused', async () => {
    await start()
    socket.write(Buffer.concat([HELLO, headers(1)]))
    // One long message for which nobody has asked: it says it is 5 bytes.
    for (let i = 0; i < 12; i++) socket.write(data(1, i === 0 ? Buffer.concat([MESSAGE, Buffer.alloc(1 << 19)]) : Buffer.alloc(1 << 20), 0))
    await expect.poll(() => status(1)).toBe('3')
    await expect.poll(() => sentOf(Frame.window, 0).length).toBeGreaterThan(1)
    expect(sentOf(Frame.reset, 1).length).toBe(1)
  })

  it('forgets a call that the peer takes back, and goes on', async () => {
    await start()
    socket.write(Buffer.concat([HELLO, headers(1), data(1, MESSAGE.subarray(0, 7), 0), frame(Frame.reset, 0, 1, words(8)), headers(3), data(3, MESSAGE)]))
    await expect.poll(() => status(3)).toBe('0')
    expect(sink.bodies.length).toBe(1)
  })

  it.each<[string, Buffer, number]>([
    ['no preface', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Code.protocol],
    ['a stream of the server', Buffer.concat([HELLO, headers(2)]), Code.protocol],
    ['data before fields', Buffer.concat([HELLO, data(1, MESSAGE)]), Code.protocol],
    ['data after the end', Buffer.concat([HELLO, frame(Frame.settings, 0, 0, hex('0004 00000000')), headers(1), data(1, MESSAGE), data(1, MESSAGE)]), Code.streamClosed],
    ['fields that stop in the middle', Buffer.concat([HELLO, frame(Frame.headers, Flag.endHeaders, 1, hex('83 40 7f'))]), Code.compression],
    ['another frame amid fields', Buffer.concat([HELLO, headers(1, 0), data(1, MESSAGE)]), Code.protocol],
    ['fields without end', Buffer.concat([HELLO, headers(1, 0), ...Array.from({ length: 300 }, () => frame(Frame.continuation, 0, 1, Buffer.alloc(100)))]), Code.calm],
    ['more padding than frame', Buffer.concat([HELLO, headers(1), data(1, hex('ff 00'), Flag.padded)]), Code.protocol],
    ['a frame past the limit', Buffer.concat([HELLO, hex('100001 00 00 00000001')]), Code.frameSize],
    ['a window past the limit', Buffer.concat([HELLO, frame(Frame.window, 0, 0, words(0x7fffffff))]), Code.flowControl],
    ['a push', Buffer.concat([HELLO, frame(Frame.push, 0, 1, words(2))]), Code.protocol],
    ['a flood of pings', Buffer.concat([HELLO, ...Array.from({ length: 3000 }, () => frame(Frame.ping, 0, 0, words(0, 0)))]), Code.calm],
    ['a flood of calls taken back', Buffer.concat([HELLO, ...Array.from({ length: 1500 }, (_, i) => Buffer.concat([headers(2 * i + 1), frame(Frame.reset, 0, 2 * i + 1, words(8))]))]), Code.calm],
    ['a flood of empty data', Buffer.concat([HELLO, headers(1), ...Array.from({ length: 3000 }, () => data(1, Buffer.alloc(0), 0))]), Code.calm],
  ])('ends on %s', async (_what, bytes, code) => {
    await start()
    socket.write(bytes)
    await expect.poll(() => goneWith()).toBe(code)
    await expect.poll(() => socket.readableEnded || socket.destroyed).toBe(true)
    expect(sink.bodies.length).toBeLessThan(2)
  })

  it('ends when too many answers wait for room', async () => {
    await start()
    socket.write(Buffer.concat([PREFACE, settings([[Setting.initialWindow, 0]]), ...Array.from({ length: 300 }, (_, i) => Buffer.concat([headers(2 * i + 1), data(2 * i + 1, MESSAGE)]))]))
    await expect.poll(() => goneWith()).toBe(Code.calm)
    expect(sink.bodies.length).toBe(257)
  })

  it('stands whatever comes', async () => {
    const port = await start()
    const anyFrame = fc.tuple(fc.integer({ min: 0, max: 10 }), fc.constantFrom(0, 1, 4, 5, 8, 12, 13, 36, 37, 255), fc.constantFrom(0, 1, 1, 3, 3, 5, 2, 0x7fffffff),
      fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(FIELDS), fc.constant(MESSAGE), fc.constant(words(0)), fc.constant(hex('0004 00000000')))).map(([type, flags, stream, payload]) => frame(type, flags, stream, payload))
    for (const frames of fc.sample(fc.array(anyFrame, { maxLength: 30 }), { numRuns: 150, seed: 11 })) {
      socket.destroy()
      await connect(port)
      socket.write(Buffer.concat([HELLO, ...frames, frame(Frame.ping, 0, 0, words(9, 9))]))
      await expect.poll(() => sentOf(Frame.ping, 0).length > 0 || goneWith() !== undefined || socket.destroyed, { interval: 1 }).toBe(true)
    }
    socket.destroy()
    await connect(port)
    socket.write(Buffer.concat([HELLO, headers(1), data(1, MESSAGE)]))
    await expect.poll(() => status(1)).toBe('0')
  })
})
