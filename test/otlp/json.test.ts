import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { transcode } from '../../src/otlp/json.ts'
import { jsonErrorPosition } from '../../src/otlp/jsonposition.ts'
import { Malformed } from '../../src/otlp/sink.ts'
import { all, at, fieldsOf, itemsOf, text } from './fakes.ts'

type Json = Record<string, unknown>

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))
const requestOf = (...spans: unknown[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
const traces = (value: unknown) => {
  const { bytes, ...rest } = transcode('traces', bytesOf(value))
  return { bytes: Buffer.from(bytes), ...rest }
}
/** The one span of a request with it. */
const span = (value: Json) => itemsOf(traces(requestOf(value)).bytes)[0]!
/** The AnyValue of an attribute. */
const any = (value: unknown) => at(span({ attributes: [{ key: 'k', value }] }), 9, 2) as Buffer
const errorOf = (value: Json) => traces(requestOf(value)).error

const TRACE_ID = '5B8EFFF798038103D269B633813FC60C'
const SPAN_ID = 'eee19b7ec3c1b174'

describe('a span', () => {
  it('keeps every field', () => {
    const bytes = span({
      traceId: TRACE_ID, spanId: SPAN_ID, traceState: 'ot=th:8', parentSpanId: SPAN_ID.toUpperCase(), flags: 257, name: 'chat gpt', kind: 3,
      startTimeUnixNano: '1544712660000000001', endTimeUnixNano: 1544712661000000000, droppedAttributesCount: 1, droppedEventsCount: '2', droppedLinksCount: 3,
      attributes: [{ key: 'a', value: { stringValue: 'ü€😀' } }],
      events: [{ timeUnixNano: '5', name: 'exception', attributes: [{ key: 'b', value: { intValue: '7' } }], droppedAttributesCount: 4 }],
      links: [{ traceId: TRACE_ID, spanId: SPAN_ID, traceState: 'x', attributes: [], droppedAttributesCount: 5, flags: 256 }],
      status: { message: 'boom', code: 2 },
    })
    expect(fieldsOf(bytes).map(([number]) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
    expect((at(bytes, 1) as Buffer).toString('hex')).toBe(TRACE_ID.toLowerCase())
    expect((at(bytes, 2) as Buffer).toString('hex')).toBe(SPAN_ID)
    expect((at(bytes, 4) as Buffer).toString('hex')).toBe(SPAN_ID)
    expect([3, 5].map((number) => text(at(bytes, number)))).toEqual(['ot=th:8', 'chat gpt'])
    expect([6, 7, 8, 10, 12, 14, 16].map((number) => at(bytes, number))).toEqual([3n, 1544712660000000001n, 1544712661000000000n, 1n, 2n, 3n, 257n])
    expect([text(at(bytes, 9, 1)), text(at(bytes, 9, 2, 1))]).toEqual(['a', 'ü€😀'])
    expect([at(bytes, 11, 1), text(at(bytes, 11, 2)), at(bytes, 11, 3, 2, 3), at(bytes, 11, 4)]).toEqual([5n, 'exception', 7n, 4n])
    expect([text(at(bytes, 13, 3)), at(bytes, 13, 5), at(bytes, 13, 6)]).toEqual(['x', 5n, 256n])
    expect([text(at(bytes, 15, 2)), at(bytes, 15, 3)]).toEqual(['boom', 2n])
  })

  it('keeps the order of spans, attributes, resources and scopes, and what they share', () => {
    const { bytes } = traces({
      resourceSpans: ['r1', 'r2'].map((r) => ({
        resource: { attributes: [{ key: 'service.name', value: { stringValue: r } }], droppedAttributesCount: 1 },
        schemaUrl: 'https://r',
        scopeSpans: ['s1', 's2'].map((s) => ({
          scope: { name: s, version: '1', attributes: [{ key: 'x' }] }, schemaUrl: 'https://s',
          spans: ['a', 'b'].map((name) => ({ name: `${r}${s}${name}`, attributes: ['x', 'y'].map((key) => ({ key })) })),
        })),
      })),
    })
    expect(itemsOf(bytes).map((item) => text(at(item, 5)))).toEqual(['r1s1a', 'r1s1b', 'r1s2a', 'r1s2b', 'r2s1a', 'r2s1b', 'r2s2a', 'r2s2b'])
    expect(all(itemsOf(bytes)[0]!, 9).map((attribute) => text(at(attribute as Buffer, 1)))).toEqual(['x', 'y'])
    const resource = at(bytes, 1) as Buffer
    // The resource comes before the spans, where a reader in one pass needs it.
    expect(fieldsOf(resource).map(([number]) => number)).toEqual([1, 3, 2, 2])
    expect([text(at(resource, 1, 1, 2, 1)), text(at(resource, 3)), text(at(resource, 2, 1, 1)), text(at(resource, 2, 3))]).toEqual(['r1', 'https://r', 's1', 'https://s'])
  })

  it.each([
    [{ stringValue: '' }, [[1, Buffer.alloc(0)]]], [{ boolValue: true }, [[2, 1n]]], [{ boolValue: false }, [[2, 0n]]],
    [{ intValue: 0 }, [[3, 0n]]], [{ intValue: 127 }, [[3, 127n]]], [{ intValue: 128 }, [[3, 128n]]], [{ intValue: 4294967296 }, [[3, 4294967296n]]], [{ intValue: '9007199254740993' }, [[3, 9007199254740993n]]],
    [{ intValue: -1 }, [[3, (1n << 64n) - 1n]]], [{ intValue: '-9223372036854775808' }, [[3, 1n << 63n]]],
    [{ bytesValue: 'AQID/+8=' }, [[7, Buffer.from([1, 2, 3, 255, 239])]]], [{ bytesValue: 'AQID_-8' }, [[7, Buffer.from([1, 2, 3, 255, 239])]]],
    [{}, []], [{ arrayValue: {} }, [[5, Buffer.alloc(0)]]], [{ arrayValue: { values: [null] } }, [[5, Buffer.from([10, 0])]]],
    [{ intValue: null, stringValue: 'x', other: [1] }, [[1, Buffer.from('x')]]],
  ])('writes the value %j', (value, fields) => {
    expect(fieldsOf(any(value))).toEqual(fields)
  })

  it.each([1.5, -0.001, 1e300, 0])('writes the double %d', (value) => {
    expect((any({ doubleValue: value }).subarray(1)).readDoubleLE()).toBe(value)
    expect((any({ doubleValue: String(value) }).subarray(1)).readDoubleLE()).toBe(value)
  })

  it('writes doubles that JSON has no number for', () => {
    expect(['NaN', 'Infinity', '-Infinity'].map((value) => any({ doubleValue: value }).subarray(1).readDoubleLE())).toEqual([NaN, Infinity, -Infinity])
  })

  it('writes lists of lists and maps of maps', () => {
    const value = any({ kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{ intValue: 1 }, { kvlistValue: { values: [{ key: 'b', value: { boolValue: true } }] } }] } } }] } })
    expect(text(at(value, 6, 1, 1))).toBe('a')
    const list = all(at(value, 6, 1, 2, 5) as Buffer, 1) as Buffer[]
    expect([at(list[0]!, 3), text(at(list[1]!, 6, 1, 1)), at(list[1]!, 6, 1, 2, 2)]).toEqual([1n, 'b', 1n])
  })

  it('takes names of enums, ignores nulls, unknown keys and empty ids', () => {
    const bytes = span({ kind: 'SPAN_KIND_CLIENT', status: { code: 'STATUS_CODE_ERROR', message: null }, parentSpanId: '', events: null, future: { deep: [1] }, __proto__x: 1 })
    expect(fieldsOf(bytes).map(([number]) => number)).toEqual([6, 15])
    expect([at(bytes, 6), at(bytes, 15, 3)]).toEqual([3n, 2n])
  })
})

it('a log record keeps every field', () => {
  const { bytes, accepted } = transcode('logs', bytesOf({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{
      timeUnixNano: '1', observedTimeUnixNano: '2', severityNumber: 'SEVERITY_NUMBER_ERROR2', severityText: 'ERROR', body: { kvlistValue: { values: [{ key: 'score', value: { doubleValue: 0.5 } }] } },
      attributes: [{ key: 'a' }], droppedAttributesCount: 3, flags: 1, traceId: TRACE_ID, spanId: SPAN_ID, eventName: 'gen_ai.evaluation.result',
    }] }] }],
  }))
  expect(accepted).toBe(1)
  const record = itemsOf(bytes)[0]!
  expect(fieldsOf(record).map(([number]) => number)).toEqual([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12])
  expect([at(record, 1), at(record, 2), text(at(record, 5, 6, 1, 1)), at(record, 11), text(at(record, 12))]).toEqual([1n, 18n, 'score', 2n, 'gen_ai.evaluation.result'])
})

describe('what is not OTLP', () => {
  it.each<[Json, string]>([
    [{ traceId: 'abc' }, 'traceId: not a hex id of 16 bytes'],
    [{ traceId: `${TRACE_ID.slice(1)}g` }, 'traceId: not a hex id of 16 bytes'],
    [{ spanId: 5 }, 'spanId: not a hex id of 8 bytes'],
    [{ name: {} }, 'name: not a string'],
    [{ kind: 'CLIENT' }, 'kind: not the number or the name of an enum value'],
    [{ startTimeUnixNano: '1.5' }, 'startTimeUnixNano: not an integer from 0 to 2^64 - 1'],
    [{ endTimeUnixNano: -1 }, 'endTimeUnixNano: not an integer from 0 to 2^64 - 1'],
    [{ endTimeUnixNano: '18446744073709551616' }, 'endTimeUnixNano: not an integer from 0 to 2^64 - 1'],
    [{ droppedLinksCount: 4294967296 }, 'droppedLinksCount: not an integer from 0 to 2^32 - 1'],
    [{ flags: 'x' }, 'flags: not an integer from 0 to 2^32 - 1'],
    [{ attributes: {} }, 'attributes: not an array'],
    [{ attributes: [{ key: 'a' }, { key: 1 }] }, 'attributes[1].key: not a string'],
    [{ attributes: [{ key: 'a', value: { intValue: '9223372036854775808' } }] }, 'attributes[0].value.intValue: not an integer from -2^63 to 2^63 - 1'],
    [{ attributes: [{ key: 'a', value: { arrayValue: { values: [{}, { boolValue: 'true' }] } } }] }, 'attributes[0].value.arrayValue.values[1].boolValue: not true or false'],
    [{ attributes: [{ key: 'a', value: { bytesValue: '*' } }] }, 'attributes[0].value.bytesValue: not bytes in base64'],
    [{ attributes: [{ key: 'a', value: { doubleValue: '0x10' } }] }, 'attributes[0].value.doubleValue: not a number'],
    [{ events: [null] }, 'events[0]: not an object'],
    [{ links: [{ spanId: 'x' }] }, 'links[0].spanId: not a hex id of 8 bytes'],
    [{ status: [] }, 'status: not an object'],
  ])('%j is rejected with its path', (value, error) => {
    expect(errorOf(value)).toBe(`resourceSpans[0].scopeSpans[0].spans[0].${error}`)
  })

  it('leaves the good spans, and tells the first of the bad ones', () => {
    const { bytes, accepted, rejected, error } = traces(requestOf({ name: 'a' }, { name: 1 }, { name: 'b' }, { traceId: 'x' }, 'no span', { name: 'c' }))
    expect(itemsOf(bytes).map((item) => text(at(item, 5)))).toEqual(['a', 'b', 'c'])
    expect([accepted, rejected, error]).toEqual([3, 3, 'resourceSpans[0].scopeSpans[0].spans[1].name: not a string'])
  })

  it('rejects the spans of a bad resource or scope, and no others', () => {
    const good = { scopeSpans: [{ spans: [{ name: 'good' }] }] }
    const { bytes, accepted, rejected, error } = traces({
      resourceSpans: [good, { resource: { attributes: 5 }, scopeSpans: [{ spans: [{}, {}] }, { spans: [{}] }] }, { scopeSpans: [{ scope: 'x', spans: [{}, { name: 1 }] }, { spans: [{ name: 'good' }] }] }, 3, { scopeSpans: 3 }, { scopeSpans: [{ spans: {} }] }],
    })
    expect(itemsOf(bytes).map((item) => text(at(item, 5)))).toEqual(['good', 'good'])
    // 3 by the resource, 1 + 1 by the scope, and one for each of the three whose number of spans is unknown.
    expect([accepted, rejected, error]).toEqual([2, 8, 'resourceSpans[1].resource.attributes: not an array'])
  })

  it('refuses values nested past the limit, and takes them up to it', () => {
    const nested = (levels: number): Json => (levels === 1 ? { intValue: 1 } : { arrayValue: { values: [nested(levels - 1)] } })
    expect(errorOf({ attributes: [{ key: 'a', value: nested(32) }] })).toBe('')
    expect(errorOf({ attributes: [{ key: 'a', value: nested(33) }] })).toMatch(/values\[0\]: not nested at most 32 deep$/)
    // A rejected span leaves no trace in the next one.
    expect(errorOf({ attributes: [{ key: 'a', value: nested(32) }] })).toBe('')
  })

  it.each([
    ['', 'it ends too early at position 0'], ['{"resourceSpans":[', 'it ends too early at position 18'], ['{"a":1,}', 'unexpected character at position 7'], ['nul', 'unexpected character at position 0'],
    ['{"a":"\\x"}', 'unexpected character at position 6'], ['[1] 2', 'unexpected character at position 4'],
  ])('%j is not JSON', (body, error) => {
    expect(() => transcode('traces', Buffer.from(body))).toThrow(new Malformed(`cannot read JSON: ${error}`))
  })

  it.each(['[]', '1', 'null', '"x"', '{"resourceSpans":{}}'])('%s is not a request', (body) => {
    expect(() => transcode('traces', Buffer.from(body))).toThrow(Malformed)
  })

  it('takes a byte order mark and an empty request', () => {
    expect(transcode('traces', Buffer.from('\ufeff{}'))).toEqual({ bytes: Buffer.alloc(0), accepted: 0, rejected: 0, error: '' })
  })

  it('stands deep nesting of what it ignores', () => {
    const deep = '['.repeat(1_000_000)
    expect(() => transcode('traces', Buffer.from(deep))).toThrow(new Malformed('cannot read JSON: it ends too early at position 1000000'))
    expect(transcode('traces', Buffer.from(`{"x":${deep}${']'.repeat(1_000_000)}}`)).accepted).toBe(0)
  })
})

/** JSON that looks like OTLP at first: its keys, with values of any type. */
const odd: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(null, true, 0, -1, 1.5, 1e300, '', 'x', TRACE_ID, SPAN_ID, '12', '\ud800', 'STATUS_CODE_ERROR'),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('resourceSpans', 'scopeSpans', 'spans', 'resource', 'scope', 'attributes', 'key', 'value', 'stringValue', 'intValue', 'arrayValue', 'kvlistValue', 'values', 'traceId', 'spanId', 'name', 'kind', 'events', 'links', 'status', 'code', 'flags', 'startTimeUnixNano', 'bytesValue', '__proto__'),
      tie('value'), { maxKeys: 4 }),
  ),
})).value

describe('whatever comes', () => {
  it('is protobuf that can be read, or Malformed', () => {
    fc.assert(fc.property(odd, fc.array(odd, { maxLength: 4 }), (whole, spans) => {
      for (const request of [whole, { resourceSpans: whole }, { resourceSpans: [{ scopeSpans: [{ spans }] }] }]) {
        try {
          const result = traces(request)
          expect(itemsOf(result.bytes).length).toBe(result.accepted)
          for (const item of itemsOf(result.bytes)) fieldsOf(item)
          expect(result.rejected > 0).toBe(result.error !== '')
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed)
        }
      }
    }), { numRuns: 500 })
  })

  it('of bytes is Malformed or read', () => {
    const seed = JSON.stringify(requestOf({ traceId: TRACE_ID, name: 'a\\"b', attributes: [{ key: 'k', value: { doubleValue: -1.5e3 } }] }))
    fc.assert(fc.property(fc.nat(seed.length - 1), fc.uint8Array({ maxLength: 4 }), fc.nat(4), (where, bytes, drop) => {
      const body = Buffer.concat([Buffer.from(seed.slice(0, where)), bytes, Buffer.from(seed.slice(where + drop))])
      let valid = true
      try {
        JSON.parse(body.toString())
      } catch {
        valid = false
      }
      // The locator agrees with the parser on what is JSON, and names a place in the text.
      if (!valid) expect(jsonErrorPosition(body.toString())).toBeLessThanOrEqual(body.toString().length)
      try {
        transcode('traces', body)
        expect(valid).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed)
      }
    }), { numRuns: 1000 })
  })

  it('a valid span comes out the same in a batch of others', () => {
    fc.assert(fc.property(fc.array(fc.record({ name: fc.string({ unit: 'grapheme' }), kind: fc.nat(5), startTimeUnixNano: fc.bigInt(0n, (1n << 64n) - 1n).map(String), text: fc.string({ unit: 'binary' }), int: fc.bigInt(-(1n << 63n), (1n << 63n) - 1n) }), { maxLength: 8 }), (spans) => {
      const { bytes, accepted } = traces(requestOf(...spans.map(({ text: value, int, ...rest }) => ({ ...rest, attributes: [{ key: 't', value: { stringValue: value } }, { key: 'i', value: { intValue: String(int) } }] }))))
      expect(accepted).toBe(spans.length)
      expect(itemsOf(bytes).map((item) => [text(at(item, 5)), at(item, 6), at(item, 7), text(at(item, 9, 2, 1)), BigInt.asIntN(64, at(all(item, 9)[1] as Buffer, 2, 3) as bigint)]))
        .toEqual(spans.map((s) => [s.name.toWellFormed(), BigInt(s.kind), BigInt(s.startTimeUnixNano), s.text.toWellFormed(), s.int]))
    }), { numRuns: 200 })
  })
})
