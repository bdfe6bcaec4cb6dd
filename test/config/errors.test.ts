import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { readPattern } from '../../src/config/pattern.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { ERROR_TYPES, STEP_NAMES } from '../../src/spans/names.ts'
import { series, testEngine } from '../conformance/recordings.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-errors-'))
afterAll(() => rmSync(folder, { recursive: true }))

function load(text: string) {
  const path = join(folder, 'spanbridge.yaml')
  writeFileSync(path, text)
  return loadConfig({ flags: { config: path } })
}

function problem(text: string): string {
  try {
    load(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${folder}/`, '')
    throw error
  }
  return ''
}

describe('errors of the user’s own', () => {
  it('are read in order', () => {
    const { errors } = load('errors:\n  - { match: "^LegacyGatewayBusy\\\\b", type: rate_limit }\n  - { match: stock is locked, type: timeout, step: tool }\n')
    expect(errors.map(({ match, type, step }) => [match.source, match.flags, type, step])).toEqual([['^LegacyGatewayBusy\\b', 'im', 'rate_limit', undefined], ['stock is locked', 'im', 'timeout', 'tool']])
    expect(loadConfig({ env: { SPANBRIDGE_ERRORS: '[{"match": "busy", "type": "rate_limit"}]' } }).errors).toHaveLength(1)
  })

  it('can be of every type and step there is', () => {
    for (const { type } of ERROR_TYPES.slice(1)) expect(load(`errors: [{ match: x, type: "${type}" }]\n`).errors[0]!.type).toBe(type)
    for (const step of STEP_NAMES) expect(load(`errors: [{ match: x, type: timeout, step: ${step} }]\n`).errors[0]!.step).toBe(step)
  })

  it.each([
    ['errors:\n  - { type: timeout }\n', 'spanbridge.yaml:2: errors[0].match: expected a regular expression, got nothing'],
    ['errors:\n  - { match: a, type: timeout }\n  - { match: "a(", type: timeout }\n', 'spanbridge.yaml:3: errors[1].match: expected a regular expression: Invalid regular expression: /a(/im: Unterminated group'],
    ['errors:\n  - { match: a, type: slow }\n', 'spanbridge.yaml:2: errors[0].type: expected rate_limit or validation_failed or model_unavailable or timeout or 4xx or 5xx or malformed_response or context_overflow or stale_data or deadlock or timeout_inference or unclassified, got "slow"'],
    ['errors:\n  - { match: a, type: 5xx, steps: tool }\n', 'spanbridge.yaml:2: errors[0].steps: unknown key; did you mean "step"?'],
    [`errors:\n  - { match: ${'a'.repeat(201)}, type: 5xx }\n`, 'spanbridge.yaml:2: errors[0].match: expected a regular expression of at most 200 characters, got 201'],
    ['errors:\n  - { match: "(a+)+b", type: 5xx }\n', 'spanbridge.yaml:2: errors[0].match: expected a regular expression that is fast on any text: a repeat or a choice inside of a repeat, in "(a+)+b"'],
    [`errors: [${'{ match: a, type: 5xx }, '.repeat(101)}]\n`, 'spanbridge.yaml:1: errors: expected at most 100 errors'],
  ])('refuses %j', (text, expected) => {
    expect(problem(text)).toBe(expected)
  })
})

describe('a pattern', () => {
  const HOSTILE = ['a'.repeat(2048), 'ab'.repeat(1024), `${'a'.repeat(2047)}!`, ' '.repeat(2048), 'timed out '.repeat(204), '\n'.repeat(2048), 'x:'.repeat(1024)]

  it.each(['busy', '^Legacy\\w+Error', 'https?://.*timed? ?out', '(?:busy|locked|held) by', '.{0,60}stock.{0,60}', 'code [45]\\d{2}', '(?:ab){3}', 'a\\*b\\+', '[*+(]{2}', '(a|b)?c+d', 'x{2,}y'])('may be %s, and is fast on any text', (source) => {
    const pattern = readPattern(source)
    for (const text of HOSTILE) {
      const start = performance.now()
      pattern.test(text)
      // At most 2 ms each were measured; one that backtracks over its parts takes minutes.
      expect(performance.now() - start, text.slice(0, 20)).toBeLessThan(500)
    }
  })

  it.each([
    ['(a+)+b', /inside of a repeat/], ['(a|a)*b', /inside of a repeat/], ['(?:a?){20}b', /inside of a repeat/], ['((ab?)c)+', /inside of a repeat/], ['(?:(?:a|b)c)+', /inside of a repeat/], ['(.*)*', /inside of a repeat/],
    ['.*a.*b', /more than one \* or \+/], ['\\s+\\w+:', /more than one \* or \+/], ['a{0,300}b{0,300}', /more than one \* or \+/], ['a{1,}b{1,}', /more than one \* or \+/], ['a{5000}', /more than 2048 times/],
    ['(a)\\1', /a reference to a group/], ['(?<n>a)\\k<n>', /begins with \(\?/], ['(?=a)b', /begins with \(\?/], ['(?<!a)b', /begins with \(\?/],
    ['a*', /does not match every text/], ['a|', /does not match every text/], ['', /a regular expression, got/], [7, /a regular expression, got/], ['[', /Unterminated character class/],
  ])('may not be %s', (source, reason) => {
    expect(() => readPattern(source)).toThrow(reason)
  })
})

describe('the engine', () => {
  const START_MS = 1_700_000_000_000
  const span = (n: number, parent: number, operation: string, message: string, attributes: Record<string, string> = {}): SpanSpec => ({
    trace: '0102030405060708090a0b0c0d0e0f10', id: n.toString(16).padStart(16, '0'), ...(parent === 0 ? {} : { parent: parent.toString(16).padStart(16, '0') }),
    name: operation, startMs: START_MS + n, endMs: START_MS + 100 - n, scope: 'opentelemetry.instrumentation.openai_v2', resource: { 'service.name': 'shop' },
    attributes: { 'gen_ai.operation.name': operation, ...attributes }, ...(message !== '' && { status: { code: 2, message } }),
  })
  const errorsOf = (spans: SpanSpec[], errors: string) => {
    const engine = testEngine({ declaredErrors: load(errors).errors })
    engine.traces(tracesBody(spans), START_MS + 5000)
    engine.tick(START_MS + 30_000)
    engine.finish(START_MS + 60_000)
    return series(engine, 'agent_errors_total').map(({ labels, value }) => `${labels['class']}.${labels['type']} on ${labels['step']} ${labels['name']}: ${value}`)
  }
  const failed = (message: string) => [span(1, 0, 'invoke_agent', message, { 'gen_ai.agent.name': 'shop' }), span(2, 1, 'execute_tool', message, { 'gen_ai.tool.name': 'stock' })]

  it('counts what no built-in rule knows as the configuration says, once', () => {
    expect(errorsOf(failed('ERP4711 stock is locked'), 'errors: []\n')).toEqual(['unclassified.unclassified on tool stock: 1'])
    expect(errorsOf(failed('ERP4711 stock is locked'), 'errors: [{ match: ERP4711, type: timeout }]\n')).toEqual(['tool.timeout on tool stock: 1'])
    expect(errorsOf(failed('ERP4711 stock is locked'), 'errors: [{ match: erp4711, type: timeout, step: tool }]\n')).toEqual(['tool.timeout on tool stock: 1'])
  })

  it('lets them win over the rules that are known anyway, on the steps they are for', () => {
    const busy = [span(1, 0, 'invoke_agent', '', { 'gen_ai.agent.name': 'shop' }), span(2, 1, 'execute_tool', 'Error code: 503 - busy', { 'gen_ai.tool.name': 'stock' }), span(3, 1, 'chat', 'Error code: 503 - busy', { 'gen_ai.request.model': 'gpt-4o' })]
    expect(errorsOf(busy, 'errors: [{ match: busy, type: rate_limit, step: model }]\n').sort()).toEqual(['model.rate_limit on model gpt-4o: 1', 'tool.5xx on tool stock: 1'])
    expect(errorsOf(busy, 'errors: [{ match: nothing of it, type: stale_data }]\n').sort()).toEqual(['model.model_unavailable on model gpt-4o: 1', 'tool.5xx on tool stock: 1'])
  })
})
