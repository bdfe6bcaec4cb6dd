/** Spans of one form, with values that change in them: read by what is known of the form, and attribute by attribute, every field of them is the same. */
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { Classifier } from '../../src/spans/classify.ts'
import type { AttributeRule } from '../../src/spans/dialect.ts'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { Scanner } from '../../src/spans/scan.ts'
import type { Score, Span, ToldScore } from '../../src/spans/span.ts'
import type { Stencils } from '../../src/spans/stencils.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { DialectTables } from '../../src/spans/tables.ts'
import { anyValue, attributes, bytes, fixed64, hex, integer, message, text, type Value } from '../otlpbuilder.ts'

/** Whatever a span has, but what is left in it of one before. */
function told(span: Span, strings: StringTable): string {
  const named = (scores: readonly (Score | ToldScore)[]) => scores.map((score) => ({ ...score, evaluator: strings.text(score.evaluator), label: 'label' in score ? strings.text(score.label) : '' }))
  return JSON.stringify({
    ...span, body: undefined, scope: strings.text(span.scope), name: strings.text(span.name), reason: span.failed ? span.reason : undefined, messagesStart: span.messagesLength && span.messagesStart,
    text: [...span.text].map((id) => strings.text(id)), textRank: [...span.textRank], num: [...span.num].map((n, i) => (span.numRank[i] === 255 ? null : n)), numRank: [...span.numRank],
    evidence: [...span.evidence].map((n, i, all) => (all[i | 1] === 0 ? 0 : n)), links: [...span.links.subarray(0, span.linkCount * 4)], trace: [...span.trace],
    contentStart: [...span.contentStart].map((start, side) => span.contentEnd[side] && start), contentEnd: [...span.contentEnd], toldScores: named(span.toldScores), scores: named(span.scores), scoreParts: named(span.scoreParts),
    tells: [...span.num.keys()].filter((field) => span.tells(1 << field)),
  })
}

/** `forgetful`: reads each body as its first. */
function reader(forgetful: boolean, withContent: boolean) {
  let spans: string[] = []
  const strings = new StringTable({ capacity: 1 << 13 })
  const tables = new DialectTables(DIALECTS, strings, withContent, withContent)
  const classifier = new Classifier(tables, strings)
  const scanner = new Scanner(tables, strings, (span) => {
    classifier.classify(span)
    spans.push(told(span, strings))
  })
  return {
    strings,
    stencils: (scanner as unknown as { stencils: Stencils }).stencils,
    read(body: Uint8Array): string {
      spans = []
      if (forgetful) strings.generation++
      const { rejected, error } = scanner.scan(body)
      return [...spans, `${rejected} ${error}`].join('\n')
    },
  }
}

/** An AnyValue as it is on the wire. */
const values = [
  ...['chat', 'tool', 'None', 'true', 'LLM', 'TOOL', 'AGENT', 'x', '7', '42', 'gpt-4.1', 'gpt-4.2', 'acme-01', 'execute_tool', 'retrieval', 'priority', 'ERROR', '{"model":"gpt-4.3"}', '[{"role":"user"}]', 5, 7, 300, 900, 70_000, -1, true, false, { double: 0 }, { double: 0.5 }, { double: 7 }].map((value: Value) => anyValue(value)),
  ...[[24, 0x81, 0x80], [10, 5, 1], [10, 0, 0], [24], [33, 1], [42, 1, 7], [10, 0x81, 0], [24, 0x85, 0]].map((raw) => Uint8Array.from(raw)),
  Uint8Array.from([]), bytes(5, text(1, 'TimeoutError')),
]
const value = fc.constantFrom(...values)
const rules = DIALECTS.flatMap((dialect) => Object.entries(dialect.attributes ?? {})).filter(([key]) => key.length < 100)
const valuesOf = (rule: AttributeRule): string[] => (
  rule.do === 'kind' ? Object.keys(rule.values) : rule.do === 'failed' ? [...rule.values, 'fine'] : rule.do === 'tier' ? ['batch', 'flex', 'priority'] : rule.do === 'text' ? ['gpt-4.1', 'acme-01', 'None'] : []
)
/** The keys that vie for one field, with what they may be. */
const rivals = [...Map.groupBy(rules, ([, rule]) => {
  if (rule.do === 'kind' || rule.do === 'present') return 'kind'
  if (rule.do === 'text') return rule.field === 'responseModel' ? 'model' : rule.field
  return rule.do === 'tier' || rule.do === 'number' ? 'number' : rule.do
}).values()]
const partOf = ([key, rule]: (typeof rules)[number]) => {
  const own = valuesOf(rule).map((value) => anyValue(value))
  const one = own.length === 0 ? value : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...own) }, { weight: 1, arbitrary: value })
  // Of one length, or they would be of two forms.
  const more = one.chain((first) => fc.tuple(fc.constant(first), fc.constantFrom(...[...own, ...values].filter((value) => value.length === first.length))))
  return fc.record({ key: fc.constant(key), values: fc.oneof(fc.tuple(one), more) })
}
const parts = fc.array(fc.constantFrom(...rivals), { minLength: 1, maxLength: 3 }).chain((about) => fc.array(fc.constantFrom(...about).chain((some) => fc.constantFrom(...some)).chain(partOf), { minLength: 2, maxLength: 9 }))
const form = fc.record({
  name: fc.constantFrom('chat gpt-4.1', 'execute_tool search', 'agent', 'x', 'FinalAnswerTool', 'invoke_agent support'),
  parts,
  statusAt: fc.option(fc.nat(9)),
})
const reading = fc.record({
  scope: fc.constantFrom('', 'opentelemetry.instrumentation.openai_v2', 'langsmith', 'openinference.instrumentation.autogen', 'openinference.instrumentation.langchain', 'logfire.openai', 'openlit.instrumentation.langgraph'),
  resource: fc.constantFrom({}, { 'service.name': 'support' }, { 'service.name': 'other', tenant_id: 'globex', 'gen_ai.agent.name': 'resourceful' }),
  picks: fc.array(fc.nat(2), { minLength: 9, maxLength: 9 }),
  /** Something else in place of a value. */
  other: fc.option(fc.tuple(fc.nat(8), value)),
  /** Attributes of these keys, by their place in the form, come before its name too. */
  early: fc.oneof({ weight: 4, arbitrary: fc.constant<[number, Uint8Array][]>([]) }, fc.array(fc.tuple(fc.nat(8), value), { maxLength: 2 })),
  sweeps: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
})
type Form = typeof form extends fc.Arbitrary<infer T> ? T : never
type Reading = typeof reading extends fc.Arbitrary<infer T> ? T : never

function bodyOf({ name, parts, statusAt }: Form, { scope, resource, picks, other, early }: Reading): Uint8Array {
  const attribute = (key: string, value: Uint8Array) => bytes(9, message([text(1, key), bytes(2, value)]))
  const told = parts.map(({ key, values }, i) => attribute(key, other?.[0] === i ? other[1] : values[picks[i]! % values.length]!))
  const status = statusAt === null ? [] : [bytes(15, message([text(2, 'timed out'), integer(3, picks[0]!)]))]
  const span = message([
    bytes(1, hex('0102030405060708090a0b0c0d0e0f10')), bytes(2, hex('1112131415161718')), ...early.map(([i, value]) => attribute(parts[i % parts.length]!.key, value)),
    text(5, name), integer(6, 3), fixed64(7, 1_790_000_000_000_000_000n), fixed64(8, 1_790_000_000_750_000_000n), ...told.toSpliced(statusAt ?? 0, 0, ...status),
  ])
  return bytes(1, message([bytes(1, message(attributes(1, resource))), bytes(2, message([bytes(1, text(1, scope)), bytes(2, span)]))]))
}

/** What chance would seldom find: the order of these has a say in what is read. */
const plain: Reading = { scope: '', resource: {}, picks: Array.from({ length: 9 }, () => 0), other: null, early: [], sweeps: false }
const inOrder = (...parts: [string, ...Value[]][]): [Form, Reading[]] => [
  { name: 'chat gpt-4.1', statusAt: null, parts: parts.map(([key, ...values]) => ({ key, values: values.map(anyValue) as Form['parts'][number]['values'] })) },
  [plain, { ...plain, picks: plain.picks.map(() => 1) }, { ...plain, early: [[0, anyValue('gpt-9.9')], [1, anyValue('gpt-8.8')]] }],
]
const examples = [
  inOrder(['ai.model.id', 'gpt-4.1', 'None-01'], ['langsmith.metadata.ls_model_name', 'gpt-4.2']),
  inOrder(['langsmith.metadata.ls_model_name', 'gpt-4.2'], ['ai.model.id', 'gpt-4.1', 'None-01']),
  inOrder(['gen_ai.response.model', 'gpt-4.1', 'gpt-4.2'], ['gen_ai.request.model', 'gpt-4.1']),
  inOrder(['gen_ai.request.model', 'None', 'o-17'], ['gen_ai.response.model', 'gpt-4.1']),
  inOrder(['gen_ai.request.model', 'gpt-4.1'], ['gen_ai.response.model', 'gpt-4.1', 'gpt-4.2']),
  inOrder(['haystack.component.output', '{"replies": [{"meta": {"model": "gpt-4.1"}}]}', '{"replies": [{"meta": {"other": "gpt-4.1"}}]}'], ['gen_ai.response.model', 'gpt-4.2']),
]

/** What chance finds too seldom: texts that are laid on as they are, beside a number that changes. */
const laidOn: [Form, Reading[]] = [inOrder(['gen_ai.operation.name', 'chat'], ['gen_ai.request.model', 'gpt-4.1'], ['gen_ai.usage.input_tokens', 5, 7])[0], Array.from({ length: 24 }, (_, i) => ({ ...plain, picks: plain.picks.map(() => i) }))]

const fitted = { images: 0, inOrder: 0, none: 0 }
afterAll(() => {
  for (const count of Object.values(fitted)) expect(count).toBeGreaterThan(100)
})

for (const withContent of [false, true]) {
  const knowing = reader(false, withContent)
  const forgetful = reader(true, withContent)
  const { stencils } = knowing
  const find = stencils.find.bind(stencils)
  let comparing = false
  stencils.find = (...args) => {
    const slot = find(...args)
    if (comparing) fitted[slot < 0 ? 'none' : stencils.lastText(slot) > stencils.firstPiece(slot) ? 'images' : 'inOrder']++
    return slot
  }
  test(`a form that is known reads as one that is not, ${withContent ? 'with' : 'without'} content`, () => {
    fc.assert(fc.property(form, fc.array(reading, { minLength: 2, maxLength: 6 }), (one, readings) => {
      const bodies = readings.map((reading) => bodyOf(one, reading))
      const expected = bodies.map((body) => forgetful.read(body))
      for (let i = 0; i < 260; i++) knowing.read(bodyOf(one, { ...readings[i % 2]!, other: null, early: [], picks: readings[0]!.picks.map((pick, at) => pick + (i >> at)) }))
      comparing = true
      for (let round = 0; round < 2; round++) {
        readings.forEach(({ sweeps }, i) => {
          if (sweeps && round === 1) knowing.strings.sweep(() => {})
          expect(knowing.read(bodies[i]!)).toBe(expected[i])
        })
      }
      comparing = false
    }), { numRuns: 60, examples: [...examples, laidOn] })
  })
}
