/** A scanner that has seen much against one that sees its first body: what was before must not show. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { Scanner } from '../../src/spans/scan.ts'
import type { Span } from '../../src/spans/span.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { DialectTables } from '../../src/spans/tables.ts'
import { tracesBody, type SpanSpec, type Value } from '../otlpbuilder.ts'

function scanner(strings: StringTable): (body: Uint8Array) => string[] {
  let read: string[] = []
  const told = (span: Span) => ({
    kind: span.kind, texts: [...span.text].map((id) => strings.text(id)), ranks: [...span.textRank], numbers: [...span.num].map((n, i) => (span.numRank[i] === 255 ? null : n)), numberRanks: [...span.numRank],
    response: span.responseHi !== 0, failed: span.saysFailed, messages: span.messageIndex, evidence: [...span.evidence].filter((_, i) => i % 2 === 1),
  })
  const one = new Scanner(new DialectTables(DIALECTS, strings), strings, (span) => read.push(JSON.stringify(told(span))))
  return (body) => {
    read = []
    const { rejected, error } = one.scan(body)
    return [...read, `${rejected} ${error}`]
  }
}

const text = fc.constantFrom('chat', 'chaT', 'gpt-4.1', 'gpt-4.2', 'gpt-4.1-mini', 'openai', 'opendi', 'execute_tool', '"gpt-4.1"', 'None', '', 'true', 'x'.repeat(120), 'y'.repeat(300), '\0\0\0\0\0\0\0\0')
const value: fc.Arbitrary<Value> = fc.oneof({ weight: 4, arbitrary: text }, fc.integer({ min: 0, max: 300_000 }), fc.boolean(), fc.constantFrom({ double: 0.5 }, { double: 7 }))
const key = fc.constantFrom('gen_ai.operation.name', 'gen_ai.request.model', 'gen_ai.response.model', 'gen_ai.provider.name', 'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens', 'gen_ai.response.id', 'gen_ai.tool.name',
  'tenant_id', 'project_id', 'error.type', 'error', 'openinference.span.kind', 'llm.input_messages.3.message.role', 'llm.input_messages.12.message.role', 'server.address', 'server.addresS', 'k', 'key', 'an.unknown.key')
const span = fc.record({ name: fc.constantFrom('chat gpt-4.1', 'chat gpt-4.2', 'tool', 'x'), attributes: fc.array(fc.tuple(key, value), { maxLength: 14 }) })
const body = fc.array(span, { minLength: 1, maxLength: 8 }).map((spans) => tracesBody(spans.map(({ name, attributes }, i): SpanSpec => (
  { trace: '0102030405060708090a0b0c0d0e0f10', id: `000000000000000${i + 1}`, name, startMs: 1000, endMs: 2000, attributes: Object.fromEntries(attributes) }))))

test('spans are read the same, whatever was read before', () => {
  const strings = new StringTable({ capacity: 1 << 13 })
  const old = scanner(strings)
  fc.assert(fc.property(fc.array(body, { minLength: 1, maxLength: 4 }), fc.boolean(), (bodies, sweeps) => {
    if (sweeps) strings.sweep(() => {})
    for (const one of [...bodies, ...bodies]) expect(old(one)).toEqual(scanner(new StringTable({ capacity: 1 << 13 }))(one))
  }), { numRuns: 60 })
})

test('an attribute that differs from the one before in its last byte is another', () => {
  const old = scanner(new StringTable({ capacity: 1 << 13 }))
  const of = (model: string) => old(tracesBody([{ trace: '0102030405060708090a0b0c0d0e0f10', id: '0000000000000001', name: 'chat', startMs: 1, endMs: 2, attributes: { 'gen_ai.request.model': model } }]))[0]
  for (let i = 0; i < 3; i++) for (const model of ['model-number-1', 'model-number-2']) expect(of(model)).toContain(`"${model}"`)
})
