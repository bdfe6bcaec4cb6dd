import zlib from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { gzipContentBytes, inflate } from '../../src/otlp/inflate.ts'
import { Refusal } from '../../src/otlp/refusal.ts'

const LIMIT = 64 << 20
const MIB = 1 << 20

async function refusalOf(body: Uint8Array, encoding: 'gzip' | 'deflate' | 'zstd', limitBytes = LIMIT): Promise<Refusal> {
  try {
    await inflate(body, encoding, limitBytes)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('was not refused')
}

/** Content of zeros, made in pieces so that the test itself does not hold it. */
async function bombOf(stream: zlib.Gzip | zlib.Deflate | zlib.ZstdCompress, mib: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve) => stream.once('end', resolve))
  const zeros = Buffer.alloc(MIB)
  for (let i = 0; i < mib; i++) if (!stream.write(zeros)) await new Promise((resolve) => stream.once('drain', resolve))
  stream.end()
  await ended
  return Buffer.concat(chunks)
}

describe('a bomb of 1 GiB', () => {
  let honest: Buffer
  beforeAll(async () => {
    honest = await bombOf(zlib.createGzip({ level: 1 }), 1024)
  }, 60_000)

  /** Most that the process grew to while `run` ran, and how long that took. */
  async function costOf(run: () => Promise<unknown>): Promise<{ grownMib: number; ms: number }> {
    const before = process.memoryUsage().rss
    const start = performance.now()
    await run()
    // The buffers, if there were any, are not collected yet.
    return { grownMib: (process.memoryUsage().rss - before) / MIB, ms: performance.now() - start }
  }

  it('that tells its length is refused unread', async () => {
    let refusal: Refusal | undefined
    const { grownMib, ms } = await costOf(async () => (refusal = await refusalOf(honest, 'gzip')))
    expect(refusal?.reason).toBe('too_large')
    expect(grownMib).toBeLessThan(8)
    expect(ms).toBeLessThan(20)
  })

  it.each([['little', 1000], ['9 MiB, for which it goes to a thread', 9 * MIB]])('that claims to be %s is refused at the limit', async (_name, claimed) => {
    const lying = Buffer.from(honest)
    lying.writeUInt32LE(claimed, lying.length - 4)
    expect(gzipContentBytes(lying)).toBe(claimed)
    let refusal: Refusal | undefined
    const { grownMib, ms } = await costOf(async () => (refusal = await refusalOf(lying, 'gzip')))
    expect(refusal?.reason).toBe('too_large')
    // The limit and what zlib itself needs, a tenth of the whole.
    expect(grownMib).toBeLessThan(110)
    expect(ms).toBeLessThan(2000)
  })

  it.each([['deflate', () => zlib.createDeflate()], ['zstd', () => zlib.createZstdCompress()]] as const)('in %s is refused at the limit', async (encoding, create) => {
    const bomb = await bombOf(create(), 128)
    let refusal: Refusal | undefined
    const { grownMib } = await costOf(async () => (refusal = await refusalOf(bomb, encoding)))
    expect(refusal?.reason).toBe('too_large')
    expect(grownMib).toBeLessThan(110)
  })
})

describe('damage', () => {
  const content = Buffer.from('resource spans '.repeat(100))
  const gzip = zlib.gzipSync(content)

  it.each([
    ['truncated gzip', gzip.subarray(0, -9)],
    ['gzip without its trailer', gzip.subarray(0, -8)],
    ['gzip with a wrong checksum', Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(4), gzip.subarray(-4)])],
    ['two gzip members', Buffer.concat([gzip, gzip])],
    ['gzip followed by garbage', Buffer.concat([gzip, Buffer.from('garbage, eighteen bytes or more')])],
    ['gzip followed by zeros', Buffer.concat([gzip, Buffer.alloc(8)])],
    ['not gzip', content],
    ['nothing', Buffer.alloc(0)],
  ])('%s is malformed', async (_name, body) => {
    expect((await refusalOf(body, 'gzip')).reason).toBe('malformed')
  })

  it('of deflate and zstd is malformed', async () => {
    expect((await refusalOf(zlib.deflateSync(content).subarray(0, -5), 'deflate')).reason).toBe('malformed')
    expect((await refusalOf(zlib.zstdCompressSync(content).subarray(0, -5), 'zstd')).reason).toBe('malformed')
    expect((await refusalOf(content, 'zstd')).reason).toBe('malformed')
  })

  it('of a zstd frame that wants a large window costs no such window', async () => {
    // A whole frame without content, but for its wish: the window descriptor for 128 MiB (RFC 8878, 3.1.1.1.2).
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00])
    expect((await refusalOf(frame, 'zstd')).reason).toBe('malformed')
  })

  it('of any kind is a refusal, and what is whole comes out whole', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(400), fc.nat(255), async (bytes, where, flip) => {
      const body = zlib.gzipSync(bytes)
      expect(Buffer.from(await inflate(body, 'gzip', LIMIT))).toEqual(Buffer.from(bytes))
      body[where % body.length]! ^= flip
      try {
        await inflate(body, 'gzip', LIMIT)
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal)
      }
    }), { numRuns: 200 })
  })

  it('the limit is exact', async () => {
    for (const encoding of ['gzip', 'deflate', 'zstd'] as const) {
      const body = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, zstd: zlib.zstdCompressSync }[encoding](content)
      expect((await inflate(body, encoding, content.length)).length).toBe(content.length)
      expect((await refusalOf(body, encoding, content.length - 1)).reason).toBe('too_large')
    }
  })
})
