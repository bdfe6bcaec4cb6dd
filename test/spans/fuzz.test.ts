/** Recorded requests, damaged: the engine takes what it can, says what it cannot, and nothing else happens. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Malformed } from '../../src/otlp/sink.ts'
import { bytes, message, spanMessage, tag, tracesBody, varint } from '../otlpbuilder.ts'
import { ROOT, testEngine } from '../conformance/recordings.ts'

const NOW = 1_790_000_000_000
const bodies = ['openai-otel-v2', 'langchain-openinference', 'autogen-native', 'pydantic-ai', 'phoenix-evals'].flatMap((dialect) => {
  const scenario = readdirSync(join(ROOT, dialect)).sort()[0]!
  return readdirSync(join(ROOT, dialect, scenario)).filter((file) => /^traces-.*\.pb$/.test(file)).map((file) => readFileSync(join(ROOT, dialect, scenario, file)))
})
const smallest = bodies.toSorted((a, b) => a.length - b.length)[0]!
const engine = testEngine({ maxOpenRequests: 500 })
let now = NOW

/** What a receiver would learn; anything thrown but `Malformed` fails the test. */
function take(body: Uint8Array): { accepted: number; rejected: number; error: string } {
  const before = engine.spansAccepted
  const started = performance.now()
  try {
    const result = engine.traces(body, now++)
    expect(engine.spansAccepted - before).toBe(result.accepted)
    expect(result.error === '').toBe(result.rejected === 0)
    return result
  } catch (error) {
    expect(error).toBeInstanceOf(Malformed)
    expect((error as Error).message).toMatch(/^cannot read trace data: (byte \d+|resourceSpans\[\d+\][\w.[\]]*): \S/)
    expect((error as Error).message).not.toMatch(/Infinity|NaN|undefined|bytes, -/)
    return { accepted: 0, rejected: 1, error: (error as Error).message }
  } finally {
    expect(performance.now() - started).toBeLessThan(2_000)
    if (now % 64 === 0) engine.tick(now)
  }
}

test('the bodies are readable before they are damaged', () => {
  expect(bodies.length).toBeGreaterThan(3)
  for (const body of bodies) expect(take(body)).toMatchObject({ rejected: 0 })
})

describe('damaged', () => {
  test('cut off at every byte', () => {
    const all = take(smallest).accepted
    for (let length = 0; length < smallest.length; length++) {
      const { accepted, rejected } = take(smallest.subarray(0, length))
      expect(accepted).toBeLessThan(all + 1)
      expect(rejected).toBeLessThan(2)
    }
    // A copy, so that what comes after the end is the end of the buffer too.
    for (let length = 0; length < Math.min(smallest.length, 4_000); length += 3) take(Uint8Array.from(smallest.subarray(0, length)))
  })

  test('bytes flipped', () => {
    fc.assert(fc.property(fc.constantFrom(...bodies), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }), (body, flips) => {
      const damaged = Uint8Array.from(body)
      for (const [at, byte] of flips) damaged[at % damaged.length] = byte
      take(damaged)
    }), { numRuns: 1_500 })
  })

  test('pieces cut out, doubled, and put where they do not belong', () => {
    fc.assert(fc.property(fc.constantFrom(...bodies), fc.nat(), fc.nat(300), fc.nat(), fc.constantFrom('cut', 'double', 'move'), (body, from, length, to, what) => {
      const a = from % body.length
      const piece = body.subarray(a, a + length)
      const rest = what === 'double' ? body : Buffer.concat([body.subarray(0, a), body.subarray(a + length)])
      const at = to % (rest.length + 1)
      take(Uint8Array.from(what === 'cut' ? rest : Buffer.concat([rest.subarray(0, at), piece, rest.subarray(at)])))
    }), { numRuns: 800 })
  })

  test('anything at all', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => { take(body) }), { numRuns: 1_000 })
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (span) => { take(bytes(1, bytes(2, bytes(2, span)))) }), { numRuns: 1_500 })
  })

  test('anything at all in the fields of a span that is otherwise good', () => {
    const good = spanMessage({ trace: '01'.repeat(16), id: '02'.repeat(8), name: 'chat', startMs: 1, endMs: 2 })
    const raw = fc.uint8Array({ maxLength: 40 })
    const field = fc.oneof(
      fc.tuple(fc.constantFrom(9, 11, 13, 15, 3, 5), raw).map(([number, value]) => bytes(number, value)),
      fc.tuple(fc.constantFrom(10, 6, 16, 99), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(([number, value]) => message([tag(number, 0), varint(value)])),
      fc.tuple(fc.constantFrom('gen_ai.usage.input_tokens', 'exception.type', 'tenant.id', 'gen_ai.operation.name', 'metadata', 'gen_ai.input.messages', 'llm.input_messages.4.x'), raw).map(([key, value]) => bytes(9, message([bytes(1, Buffer.from(key)), bytes(2, value)]))),
      fc.tuple(fc.constantFrom('exception.type', 'gen_ai.evaluation.name', 'gen_ai.evaluation.score.value'), fc.nat(30), raw).map(([key, cut, value]) => bytes(11, message([bytes(2, Buffer.from('exception')), bytes(3, message([tag(1, 2), varint(key.length), Buffer.from(key).subarray(0, cut), value]))]))),
    )
    fc.assert(fc.property(fc.array(field, { maxLength: 6 }), (fields) => { take(bytes(1, bytes(2, bytes(2, message([good, ...fields]))))) }), { numRuns: 2_000 })
  })

  test('a key that ends where the buffer ends', () => {
    const good = spanMessage({ trace: '01'.repeat(16), id: '02'.repeat(8), name: 'chat', startMs: 1, endMs: 2 })
    for (const key of ['exception.type', 'exception.message', 'gen_ai.evaluation.name', 'gen_ai.evaluation.score.value']) {
      for (let cut = 0; cut < key.length; cut++) {
        const pair = message([tag(1, 2), varint(key.length), Buffer.from(key).subarray(0, cut)])
        take(bytes(1, bytes(2, bytes(2, message([good, bytes(11, message([bytes(2, Buffer.from('exception')), bytes(3, pair)]))])))))
      }
    }
  })

  test('values nested a thousand deep', () => {
    let value: Uint8Array = new Uint8Array(0)
    for (let depth = 0; depth < 1_000; depth++) value = bytes(5, bytes(1, value))
    const span = message([spanMessage({ trace: '01'.repeat(16), id: '03'.repeat(8), name: 'chat', startMs: 1, endMs: 2 }), bytes(9, message([bytes(1, Buffer.from('gen_ai.input.messages')), bytes(2, value)]))])
    expect(take(bytes(1, bytes(2, bytes(2, span))))).toMatchObject({ accepted: 1, rejected: 0 })
  })

  test('good spans around a bad one are counted', () => {
    const spans = Array.from({ length: 5 }, (_, i) => ({ trace: '05'.repeat(16), id: `${i + 1}`.padStart(16, '0'), name: 'chat', startMs: 1, endMs: 2 }))
    const body = tracesBody(spans)
    const at = Buffer.from(body).indexOf(Buffer.from('0000000000000003', 'hex'))
    body.fill(0, at, at + 8)
    expect(take(body)).toMatchObject({ accepted: 4, rejected: 1, error: 'cannot read 1 of 5 spans: resourceSpans[0].scopeSpans[0].spans[2]: spanId is all zero' })
  })
})

test('damaged logs', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(3), (raw, depth) => {
    let body: Uint8Array = raw
    for (let i = 0; i < depth; i++) body = bytes(i === depth - 1 ? 1 : 2, body)
    try {
      engine.logs(body, now++)
    } catch (error) {
      expect(error).toBeInstanceOf(Malformed)
    }
  }), { numRuns: 1_000 })
})
