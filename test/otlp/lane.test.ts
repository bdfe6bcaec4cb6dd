import { once } from 'node:events'
import net from 'node:net'
import zlib from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createOtlpHttp, type OtlpHttp } from '../../src/otlp/http.ts'
import type { ReceiverLimits } from '../../src/otlp/limits.ts'
import { FakeSink } from './fakes.ts'

const HEAD = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n'

let receiver: OtlpHttp
let sink: FakeSink
let socket: net.Socket
let received = ''

async function start(limits: Partial<ReceiverLimits> = {}) {
  sink = new FakeSink()
  receiver = createOtlpHttp(sink, { limits })
  const { port } = await receiver.listen({ host: '127.0.0.1', port: 0 })
  socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  received = ''
  socket.on('data', (bytes) => { received += bytes.toString('latin1') }).on('error', () => {})
  await once(socket, 'connect')
}

afterEach(async () => {
  socket.destroy()
  await receiver.close()
})

function push(body: Buffer | string, headers = ''): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`${HEAD}Content-Length: ${bytes.length}\r\n${headers}\r\n`), bytes])
}

const statuses = () => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
const answers = (count: number) => expect.poll(() => statuses().length, { timeout: 4000 }).toBe(count)
const bodies = () => sink.bodies.map(({ bytes }) => bytes.toString())

describe('pushes on one connection', () => {
  it.each([1, 7, 64, 1000])('are taken whole and in order when they come in pieces of %i', async (size) => {
    await start()
    const sent = ['first', 'the second one', 'x'.repeat(300)]
    const bytes = Buffer.concat(sent.map((body) => push(body)))
    for (let at = 0; at < bytes.length; at += size) {
      await new Promise<void>((resolve) => socket.write(bytes.subarray(at, at + size), () => resolve()))
      if (at % (size * 50) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await answers(3)
    expect(statuses()).toEqual([200, 200, 200])
    expect(bodies()).toEqual(sent)
  })

  it('wait for one that is inflated aside', async () => {
    await start()
    const long = Buffer.alloc(20 << 20, 'spans ')
    socket.write(Buffer.concat([push(zlib.gzipSync(long), 'Content-Encoding: gzip\r\n'), push('next')]))
    await answers(2)
    expect(sink.bodies.map(({ bytes }) => bytes.length)).toEqual([long.length, 4])
    expect(receiver.inFlightBytes()).toBe(0)
  })

  it('may be followed by what is left to node, and by pushes again', async () => {
    await start()
    socket.write(Buffer.concat([
      push('plain'), Buffer.from(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nchunk\r\n0\r\n\r\n`), push('after'), Buffer.from('GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n'),
    ]))
    await answers(4)
    expect(statuses()).toEqual([200, 200, 200, 405])
    expect(bodies()).toEqual(['plain', 'chunk', 'after'])
  })

  it('are refused one by one, and the connection stays', async () => {
    await start({ inflatedLimitBytes: 1000 })
    socket.write(push(zlib.gzipSync(Buffer.alloc(2000)), 'Content-Encoding: gzip\r\n'))
    await answers(1)
    socket.write(push('not gzip', 'Content-Encoding: gzip\r\n'))
    await answers(2)
    socket.write(push('good'))
    await answers(3)
    expect(statuses()).toEqual([413, 400, 200])
  })
})

describe('what could be read in two ways is read by node alone', () => {
  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a length that is a list', 'Content-Length: 5, 5\r\n\r\nabcde'],
    ['a signed length', 'Content-Length: +5\r\n\r\nabcde'],
    ['a space before the colon', 'Content-Length : 5\r\n\r\nabcde'],
    ['a line without a colon', 'Content-Length\r\n\r\n'],
    ['no host', 'Content-Length: 5\r\n\r\nabcde'],
  ])('%s', async (what, rest) => {
    await start()
    socket.write((what === 'no host' ? HEAD.replace('Host: x\r\n', '') : HEAD) + rest)
    await answers(1)
    expect(statuses()).toEqual([400])
    expect(sink.bodies).toEqual([])
  })
})

describe('ends', () => {
  it('answers 408 to a body that does not come', async () => {
    await start({ requestSeconds: 0.1, headersSeconds: 0.1 })
    socket.write(push('half of it').subarray(0, -5))
    await answers(1)
    expect(statuses()).toEqual([408])
    await expect.poll(() => socket.readableEnded).toBe(true)
    expect(receiver.underWay()).toBe(0)
  })

  it('lets go of what a sender leaves behind', async () => {
    await start()
    socket.write(push('x'.repeat(100_000)).subarray(0, 90_000))
    await expect.poll(() => receiver.inFlightBytes()).toBeGreaterThan(0)
    socket.end()
    await expect.poll(() => receiver.inFlightBytes()).toBe(0)
    expect([receiver.underWay(), sink.bodies]).toEqual([0, []])
  })
})
