/** The scanner against a plain decoder, built on the slow reader, that reads the same bytes in the way the proto file says. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/spans/reader.ts'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { Scanner } from '../../src/spans/scan.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { DialectTables } from '../../src/spans/tables.ts'
import { attributes, bytes, fixed32, fixed64, hex, integer, message, nanos, tag, text, tracesBody, varint, type SpanSpec, type Value } from '../otlpbuilder.ts'

interface Plain {
  trace: string
  id: string
  parent: string
  name: string
  scope: string
  service: string
  seconds: number
  status: number
  dropped: number
  remoteParent: boolean
  links: string[]
  tenant: string
  model: string
  input: number
}

const strings = new StringTable({ capacity: 1 << 13 })
const tables = new DialectTables(DIALECTS, strings)

function scanned(body: Uint8Array): { spans: Plain[]; rejected: number; error: string } {
  if (strings.crowded) strings.sweep(() => {})
  const spans: Plain[] = []
  const word = (n: number) => (n >>> 0).toString(16).padStart(8, '0')
  const { rejected, error } = new Scanner(tables, strings, (span) => {
    spans.push({
      trace: [...span.trace].map(word).join(''), id: word(span.idHi) + word(span.idLo), parent: (span.parentHi | span.parentLo) === 0 ? '' : word(span.parentHi) + word(span.parentLo),
      name: Buffer.from(span.body.subarray(span.nameStart, span.nameStart + span.nameLength)).toString(), scope: strings.text(span.scope),
      service: strings.text(span.textOf('service')), seconds: span.seconds, status: span.status, dropped: span.dropped, remoteParent: span.remoteParent,
      links: Array.from({ length: span.linkCount }, (_, i) => [...span.links.subarray(i * 4, i * 4 + 4)].map(word).join('')),
      tenant: strings.text(span.textOf('tenant')), model: strings.text(span.textOf('model')), input: span.numberOf('input'),
    })
  }).scan(body)
  return { spans, rejected, error }
}

/** Slow and plain: messages within messages, nothing shared with the scanner. */
function decoded(body: Uint8Array): Plain[] {
  return fields(body, 1).flatMap((resourceSpans) => {
    const resource = keyValues(fields(fields(resourceSpans, 1)[0] ?? new Uint8Array(0), 1))
    return fields(resourceSpans, 2).flatMap((scopeSpans) => {
      const scope = string(fields(fields(scopeSpans, 1)[0] ?? new Uint8Array(0), 1)[0])
      return fields(scopeSpans, 2).map((span) => {
        const own = keyValues(fields(span, 9))
        const status = fields(span, 15)[0] ?? new Uint8Array(0)
        const start = time(span, 7), end = time(span, 8)
        return {
          trace: hexOf(fields(span, 1)[0]), id: hexOf(fields(span, 2)[0]), parent: hexOf(fields(span, 4)[0]), name: string(fields(span, 5)[0]), scope,
          service: String(resource.get('service.name') ?? ''), seconds: end > start && start > 0n ? Number(end - start) / 1e9 : 0,
          status: number(status, 3), dropped: number(span, 10), remoteParent: (flags(span) & 0x300) === 0x300,
          links: fields(span, 13).map((link) => hexOf(fields(link, 1)[0])),
          tenant: String(own.get('tenant.id') ?? resource.get('tenant.id') ?? ''), model: String(own.get('gen_ai.request.model') ?? ''),
          input: typeof own.get('gen_ai.usage.input_tokens') === 'bigint' ? Number(own.get('gen_ai.usage.input_tokens')) : -1,
        }
      })
    })
  })
}

const fields = (from: Uint8Array, number: number) => [...new Reader(from).fields()].filter((field) => field.number === number && field.bytes !== undefined).map((field) => field.bytes!)
const number = (from: Uint8Array, n: number) => [...new Reader(from).fields()].find((field) => field.number === n)?.value ?? 0
const string = (from: Uint8Array | undefined) => Buffer.from(from ?? []).toString()
const hexOf = (from: Uint8Array | undefined) => Buffer.from(from ?? []).toString('hex')

function keyValues(pairs: Uint8Array[]): Map<string, string | bigint | number> {
  return new Map(pairs.toReversed().map((pair) => {
    const value = new Reader(fields(pair, 2)[0] ?? new Uint8Array(0)).fields().next().value
    return [string(fields(pair, 1)[0]), value?.number === 1 ? string(value.bytes) : value?.number === 3 ? BigInt(value.value) : (value?.double ?? '')]
  }))
}

/** Fixed-width fields, which the reader passes over or reads as a double. */
function time(span: Uint8Array, n: number): bigint {
  const field = [...new Reader(span).fields()].find((one) => one.number === n)
  const word = Buffer.alloc(8)
  word.writeDoubleLE(field?.double ?? 0)
  return word.readBigUInt64LE()
}
function flags(span: Uint8Array): number {
  const at = Buffer.from(span).lastIndexOf(Buffer.from(tag(16, 5)))
  return at === span.length - 6 ? Buffer.from(span).readUInt32LE(at + 2) : 0
}

const idOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((raw) => Buffer.from(raw.map((byte, i) => (i === 0 ? byte | 1 : byte))).toString('hex'))
const words = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom('acme', 'gpt-4o', 'chat', 'None2'))
const value: fc.Arbitrary<Value> = fc.oneof(words, fc.boolean(), fc.integer(), fc.double({ noNaN: true }).map((double) => ({ double })))
/** Values that are words for nothing are left out: the tables say which, and their tests that. */
const label = words.filter((word) => word !== '' && !/^(None|null|undefined|nil|\{\}|\[\]|__overflow__|".*")$/s.test(word))
const attributesOf = fc.record({
  'tenant.id': label, 'gen_ai.request.model': label, 'gen_ai.usage.input_tokens': fc.nat(), 'x': value, 'some.long.key.that.nobody.knows': value, 'llm.input_messages.3.message.role': words, 'http.method': value,
}, { requiredKeys: [] })
const spec: fc.Arbitrary<SpanSpec> = fc.record({
  trace: idOf(16), id: idOf(8), parent: fc.oneof(fc.constant(''), idOf(8)), name: fc.oneof(words, fc.string({ minLength: 120, maxLength: 300 })), kind: fc.nat(5),
  startMs: fc.nat(4_000_000_000_000), endMs: fc.nat(4_000_000_000_000), attributes: attributesOf,
  events: fc.array(fc.record({ name: fc.constantFrom('exception', 'odd'), timeMs: fc.nat(), attributes: fc.constant({ 'exception.type': 'E', 'other': 1 }) }), { maxLength: 2 }),
  links: fc.array(fc.record({ trace: idOf(16), id: idOf(8) }), { maxLength: 3 }),
  status: fc.record({ code: fc.nat(2), message: words }), dropped: fc.nat(500), flags: fc.constantFrom(0, 0x100, 0x300, 0x301), scope: words,
  resource: fc.record({ 'service.name': label, 'tenant.id': label, 'host': value }, { requiredKeys: [] }),
}) as fc.Arbitrary<SpanSpec>

/** A tolerance, because what is rounded on both sides still differs where it is on the edge. */
const about = (spans: Plain[]) => spans.map((span) => ({ ...span, seconds: expect.closeTo(span.seconds, 5) as number }))

test('what the scanner reads is what a plain decoder reads', () => {
  fc.assert(fc.property(fc.array(spec, { maxLength: 4 }), (specs) => {
    const body = tracesBody(specs)
    const { spans, rejected } = scanned(body)
    expect(rejected).toBe(0)
    expect(spans).toEqual(about(decoded(body)))
  }), { numRuns: 400 })
})

describe('fields in an order that nobody sends them in', () => {
  const span = (n: number) => message([...attributes(9, { 'tenant.id': 'acme' }), text(5, 'chat'), bytes(2, hex(`000000000000000${n}`)), fixed64(8, nanos(2000)), fixed64(7, nanos(1000)), bytes(1, hex('01'.repeat(16)))])
  const resource = bytes(1, message(attributes(1, { 'service.name': 'shop' })))
  const scope = bytes(1, message([text(2, '1.0'), text(1, 'a scope')]))

  test('the resource after its spans, the scope after its spans, unknown fields everywhere', () => {
    const unknown = [integer(99, 7), text(98, 'what is this'), fixed32(97, 1), fixed64(96, 1n)]
    const scopeSpans = message([...unknown, bytes(2, message([span(1), ...unknown])), bytes(2, span(2)), scope, ...unknown])
    const { spans, rejected } = scanned(message([...unknown, bytes(1, message([bytes(2, scopeSpans), ...unknown, resource])), ...unknown]))
    expect(rejected).toBe(0)
    expect(spans.map(({ id, scope: of, service, tenant, seconds }) => [id, of, service, tenant, seconds])).toEqual([1, 2].map((n) => [`000000000000000${n}`, 'a scope', 'shop', 'acme', 1]))
  })

  test('the value before its key, a key without a value, a value without a key', () => {
    const odd = [message([bytes(2, text(1, 'acme')), text(1, 'tenant.id')]), message([text(1, 'gen_ai.request.model')]), message([bytes(2, text(1, 'lost'))]), message([])]
    const { spans, rejected } = scanned(bytes(1, bytes(2, bytes(2, message([bytes(1, hex('01'.repeat(16))), bytes(2, hex('0000000000000001')), ...odd.map((pair) => bytes(9, pair))])))))
    expect([rejected, spans[0]!.tenant, spans[0]!.model]).toEqual([0, 'acme', ''])
  })

  test('numbers as tenants are told apart past 2^53, and below 0', () => {
    const tenantOf = (number: bigint) => scanned(bytes(1, bytes(2, bytes(2, message([
      bytes(1, hex('01'.repeat(16))), bytes(2, hex('0000000000000001')), bytes(9, message([text(1, 'tenant.id'), bytes(2, integer(3, number))])),
    ]))))).spans[0]!.tenant
    const numbers = [0n, 7n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)]
    expect(numbers.map(tenantOf)).toEqual(numbers.map(String))
  })

  test('what a scope means does not reach into the next request', () => {
    const judge = (name: string) => bytes(1, message([bytes(1, message(attributes(1, { 'service.name': name }))), bytes(2, message([bytes(1, text(1, 'phoenix.evals')), bytes(2, span(1))]))]))
    const plain = bytes(1, message([resource, bytes(2, message([bytes(2, span(2))]))]))
    const { spans } = scanned(message([judge('a'), plain]))
    expect(spans.map((one) => one.scope)).toEqual(['phoenix.evals', ''])
  })
})

describe('what is wrong is named, and the others are kept', () => {
  const good = (n: number) => message([bytes(1, hex('01'.repeat(16))), bytes(2, hex(`000000000000000${n}`)), text(5, 'chat')])
  const cases: [string, Uint8Array, RegExp][] = [
    ['no ids', message([text(5, 'chat')]), /spans\[1\]: it has no traceId/],
    ['a short trace id', message([bytes(1, hex('0102')), text(5, 'x')]), /spans\[1\]: traceId is not 16 bytes/],
    ['an id of zeros', message([bytes(1, hex('01'.repeat(16))), bytes(2, hex('00'.repeat(8)))]), /spans\[1\]: spanId is all zero/],
    ['a group', message([good(2), tag(20, 3), tag(20, 4)]), /spans\[1\]: wire type 3 of field 20/],
    ['field number 0', message([good(2), Uint8Array.of(2, 1, 65)]), /spans\[1\]: wire type 2 of field 0/],
    ['a number without end', message([good(2), tag(90, 0), new Uint8Array(11).fill(255)]), /spans\[1\]: /],
    ['a tag without end', message([good(2), new Uint8Array(12).fill(255)]), /spans\[1\]: a number is cut off or longer than ten bytes/],
    ['an attribute past its span', message([good(2), tag(9, 2), varint(1000), text(1, 'k')]), /spans\[1\]: attribute longer than its span/],
    ['an event past its span', message([good(2), tag(11, 2), varint(2 ** 40), text(1, 'k')]), /spans\[1\]: field 11 longer than its span/],
    ['a status that is cut off', message([good(2), bytes(15, Uint8Array.of(24))]), /spans\[1\]: a number is cut off/],
  ]
  test.each(cases)('%s', (_, bad, error) => {
    const result = scanned(bytes(1, bytes(2, message([bytes(2, good(1)), bytes(2, bad), bytes(2, good(3))]))))
    expect(result.spans.map(({ id }) => id)).toEqual(['0000000000000001', '0000000000000003'])
    expect(result.rejected).toBe(1)
    expect(result.error).toMatch(/^resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[1\]: /)
    expect(result.error).toMatch(error)
  })
})
