/** A scanner that knows a span's form, and one that never does: whatever becomes of a byte, both read the same. */
import { expect, test } from 'vitest'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { trailOf } from '../../src/spans/memo.ts'
import { Scanner } from '../../src/spans/scan.ts'
import type { Span } from '../../src/spans/span.ts'
import type { Stencils } from '../../src/spans/stencils.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { DialectTables } from '../../src/spans/tables.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'

function told(span: Span, strings: StringTable): string {
  return JSON.stringify([
    [...span.trace], span.idHi, span.idLo, span.parentHi, span.parentLo, span.startMs, span.endMs, span.seconds, span.spanKind, span.remoteParent, span.status, span.weight, span.nameStart, span.nameLength, span.kind, span.kindRank,
    [...span.text].map((id) => strings.text(id)), [...span.textRank], [...span.num].map((n, i) => (span.numRank[i] === 255 ? null : n)), [...span.numRank],
    span.responseHi, span.responseLo, span.saysFailed, span.hasException, span.messageIndex, [...span.evidence].map((n, i, all) => (all[i | 1] === 0 ? 0 : n)), span.linkCount,
  ])
}

/** `forgetful`: reads each body as its first. */
function reader(forgetful: boolean): { read: (body: Uint8Array) => string; stencils: Stencils; strings: StringTable } {
  let spans: string[] = []
  const strings = new StringTable({ capacity: 1 << 10 })
  const scanner = new Scanner(new DialectTables(DIALECTS, strings), strings, (span) => spans.push(told(span, strings)))
  return {
    read: (body) => {
      spans = []
      if (forgetful) strings.generation++
      const { rejected, error } = scanner.scan(body)
      return [...spans, `${rejected} ${error}`].join('\n')
    },
    strings,
    stencils: (scanner as unknown as { stencils: Stencils }).stencils,
  }
}

const base = { trace: '0102030405060708090a0b0c0d0e0f10', id: '1112131415161718', startMs: 1_790_000_000_000, endMs: 1_790_000_000_750, kind: 3 } as const
const SPANS: Record<string, SpanSpec> = {
  'a model call': { ...base, parent: '2122232425262728', name: 'chat gpt-4.1', attributes: {
    'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4.1', 'gen_ai.request.temperature': { double: 0.7 }, 'server.address': 'api.openai.com',
    'gen_ai.usage.input_tokens': 1_234, 'gen_ai.usage.output_tokens': 56, 'gen_ai.response.id': 'chatcmpl-abcdef', k: 'short' } },
  'a failed tool': { ...base, parent: '2122232425262728', name: 'execute_tool search', status: { code: 2, message: 'timed out' }, attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search', 'error.type': 'TimeoutError', 'http.response.status_code': 504 } },
  'a root': { ...base, flags: 0x301, name: 'invoke_agent support', attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'support', tenant_id: 'acme', project_id: 7, 'openinference.span.kind': 'AGENT' } },
}

for (const [what, spec] of Object.entries(SPANS)) {
  test(`${what}, with any byte of it another`, () => {
    const body = Buffer.from(tracesBody([spec]))
    const knowing = reader(false)
    const forgetful = reader(true)
    const learn = () => { for (let i = 0; i < 200; i++) knowing.read(body) }
    const nameAt = body.indexOf(spec.name!)
    const known = () => knowing.stencils.find(new DataView(body.buffer, body.byteOffset, body.length), nameAt - 1, body.length, trailOf(new DataView(body.buffer, body.byteOffset, body.length), nameAt, spec.name!.length))
    learn()
    expect(known()).toBeGreaterThanOrEqual(0)
    for (let at = 0; at < body.length; at++) {
      for (const byte of [body[at]! ^ 1, body[at]! ^ 128, 0]) {
        const other = Buffer.from(body)
        other[at] = byte
        const read = knowing.read(other)
        expect(read, `byte ${at} is ${byte}`).toBe(forgetful.read(other))
        // Another may have taken its place.
        if (known() < 0) learn()
      }
    }
  })
}

test('after a sweep the numbers of strings mean something else', () => {
  const { read, strings } = reader(false)
  const model = Buffer.from(tracesBody([SPANS['a model call']!]))
  const before = Array.from({ length: 200 }, () => read(model)).at(-1)
  strings.sweep(() => {})
  for (let i = 0; i < 20; i++) strings.internText(`another string ${i}`)
  expect(read(model)).toBe(before)
})
