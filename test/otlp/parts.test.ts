/** A request cut into parts says what it says as a whole: the same spans, of the same service and scope, and as many that cannot be read. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Parts } from '../../src/otlp/parts.ts'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { Text } from '../../src/spans/dialect.ts'
import { Scanner } from '../../src/spans/scan.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { DialectTables } from '../../src/spans/tables.ts'
import { attributes, bytes, message, spanMessage, text } from '../otlpbuilder.ts'

const strings = new StringTable()
let spans: string[] = []
const scanner = new Scanner(new DialectTables(DIALECTS, strings), strings, (span) => {
  spans.push([span.idLo, span.nameLength, strings.text(span.text[Text.service]!), strings.text(span.scope)].join(' '))
})

interface Read { readonly spans: readonly string[]; readonly rejected: number; readonly parts: number }

function whole(body: Uint8Array): Read {
  spans = []
  const { rejected } = scanner.scan(body)
  return { spans, rejected, parts: 1 }
}

/** As a receiver does it: `room` bytes at a time, and all that is left where nothing can be cut. */
function inParts(body: Uint8Array, room: number): Read {
  spans = []
  const parts = new Parts(body.length)
  const buffer = Buffer.alloc(body.length + room, 0xee)
  let filled = 0
  let at = 0
  let count = 0
  let rejected = 0
  while (filled + body.length - at > room) {
    at += Buffer.from(body).copy(buffer, filled, at, at + room - filled)
    filled = room
    const cut = parts.cut(buffer, filled)
    if (cut === 0) break
    expect(cut).toBeLessThanOrEqual(filled)
    rejected += scanner.scan(Uint8Array.from(buffer.subarray(0, cut))).rejected
    count++
    const kept = parts.keep(buffer, filled)
    expect(kept).toBeLessThan(filled)
    filled = kept
  }
  filled += Buffer.from(body).copy(buffer, filled, at)
  rejected += scanner.scan(Uint8Array.from(buffer.subarray(0, filled))).rejected
  return { spans, rejected, parts: count + 1 }
}

let ids = 0
const span = fc.integer({ min: 0, max: 60 }).map((length) => bytes(2, spanMessage({ trace: '0102030405060708090a0b0c0d0e0f10', id: (++ids).toString(16).padStart(16, '0'), name: 'n'.repeat(length), startMs: 1, endMs: 2 })))
const schema = (url: boolean) => (url ? [text(3, 'https://opentelemetry.io/schemas/1.37.0')] : [])
const order = fc.constantFrom(...Array.from({ length: 14 }, () => 'first'), 'last', 'none')
const placed = (where: string, first: Uint8Array, rest: readonly Uint8Array[]) => (where === 'none' ? rest : where === 'first' ? [first, ...rest] : [...rest, first])
const scope = fc.record({ name: fc.constantFrom('a.scope', 'another.scope', ''), where: order, spans: fc.array(span, { maxLength: 12 }), url: fc.boolean() })
  .map(({ name, where, spans: all, url }) => bytes(2, message([...placed(where, bytes(1, message([text(1, name)])), all), ...schema(url)])))
const resource = fc.record({ service: fc.constantFrom('shop', 'support', 'x'.repeat(100)), where: order, scopes: fc.array(scope, { maxLength: 4 }), url: fc.boolean() })
  .map(({ service, where, scopes, url }) => bytes(1, message([...placed(where, bytes(1, message(attributes(1, { 'service.name': service }))), scopes), ...schema(url)])))
const request = fc.array(resource, { minLength: 1, maxLength: 4 }).map((all) => message(all))

test('whatever it holds and however little fits into a part', () => {
  let parts = 0
  fc.assert(fc.property(request, fc.integer({ min: 8, max: 500 }), (body, room) => {
    const cut = inParts(body, room)
    parts += cut.parts
    expect({ ...cut, parts: 1 }).toEqual(whole(body))
  }), { numRuns: 60 })
  expect(parts).toBeGreaterThan(90)
})

test('whatever of it is damaged', () => {
  fc.assert(fc.property(request, fc.integer({ min: 8, max: 500 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (body, room, damage) => {
    for (const [at, byte] of damage) body[at % body.length] = byte
    expect({ ...inParts(body, room), parts: 1 }).toEqual(whole(body))
  }), { numRuns: 60 })
})

test('one like an exporter sends is cut to the end', () => {
  const many = Array.from({ length: 200 }, (_, i) => bytes(2, spanMessage({ trace: '0102030405060708090a0b0c0d0e0f10', id: (i + 1).toString(16).padStart(16, '0'), name: 'chat', startMs: 1, endMs: 2 })))
  const body = message([bytes(1, message([bytes(1, message(attributes(1, { 'service.name': 'shop' }))), bytes(2, message([bytes(1, message([text(1, 'a.scope')])), ...many, ...schema(true)])), ...schema(true)]))])
  const { spans: read, parts } = inParts(body, 1_000)
  expect(parts).toBeGreaterThan(body.length / 1_000)
  expect(read).toEqual(whole(body).spans)
  expect(read.at(-1)).toContain('shop a.scope')
})
