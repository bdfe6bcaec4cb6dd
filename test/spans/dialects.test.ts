/**
 * Every recording, read through the tables alone, against what the model server and the tools counted while it was made. A
 * field that a dialect's spans do not carry is null in `observable` of meta.json; what else cannot come out right is
 * listed below, with the reason.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { count, sum } from './count.ts'
import { readRecording, RECORDINGS } from './recordings.ts'

interface Meta {
  readonly truth: {
    readonly model_calls: number
    readonly model_http_attempts: number
    readonly tool_calls: number
    readonly retrievals: number
    readonly embedding_calls: number
    readonly max_messages_in_call?: number
    readonly tokens: { readonly input: number; readonly output: number; readonly cached_input: number; readonly reasoning: number }
    readonly errors: readonly unknown[]
    readonly scores: readonly { readonly name: string; readonly value: number }[]
  }
  readonly observable: Readonly<Record<string, null>>
}

type Field = 'model_calls' | 'tool_calls' | 'input_tokens' | 'output_tokens' | 'errors' | 'scores'

/** By recording, or by dialect for all of its recordings. */
const UNTOLD: Readonly<Record<string, { readonly fields: readonly Field[]; readonly because: string }>> = {
  'anthropic-traceloop/rate_limit': { fields: ['model_calls'], because: 'the failed call is told in two traces and has no response id' },
  'google-adk-openinference': { fields: ['model_calls', 'input_tokens', 'output_tokens'], because: 'the model spans are not exported' },
  'google-genai-openinference': { fields: ['model_calls', 'input_tokens', 'output_tokens'], because: 'one span for the whole loop of automatic function calling' },
  'langchain-openinference/abandoned': { fields: ['model_calls'], because: 'the process was killed during the last call' },
  'pydantic-ai/abandoned': { fields: ['model_calls'], because: 'the process was killed during the last call' },
  'vercel-ai-v6/abandoned': { fields: ['model_calls'], because: 'the process was killed during the last call' },
  'vercel-ai-v6/stream_break': { fields: ['model_calls'], because: 'the span of a broken stream never ends' },
  'langchain-langsmith-otel/bad_structured': { fields: ['input_tokens', 'output_tokens'], because: 'the parser failed before the usage was noted' },
  'langchain-traceloop/bad_structured': { fields: ['input_tokens', 'output_tokens'], because: 'the parser failed before the usage was noted' },
  'langchain-openinference-dup/dup_rate_limit': { fields: ['model_calls'], because: 'the failed call is told in two traces and has no response id' },
  'langfuse-langchain': { fields: ['scores'], because: 'scores go to another interface' },
  'langfuse-openai': { fields: ['scores'], because: 'scores go to another interface' },
  'llamaindex-openinference/ok_stream': { fields: ['input_tokens', 'output_tokens'], because: 'the provider was not asked for usage' },
  'openai-js-openinference/ok_stream': { fields: ['input_tokens', 'output_tokens'], because: 'the provider was not asked for usage' },
  'openai-js-openinference/rate_limit': { fields: ['model_calls'], because: 'a failed call exports no span' },
  'openai-agents-openinference/long_conversation': { fields: ['input_tokens', 'output_tokens'], because: 'evicted by the limit of 128 attributes' },
  'pydantic-ai/bad_tool_args': { fields: ['tool_calls'], because: 'the call whose arguments did not parse has a span too' },
}

/** A function that retrieves is told as a retriever only, where the tool was counted as well. */
const RETRIEVERS_ARE_TOOLS = /^(?:langfuse-openai|langsmith-traceable-otel|mlflow-openai)$/

const dialects = readdirSync(RECORDINGS).filter((name) => !name.includes('.')).sort()

describe.each(dialects)('%s', (dialect) => {
  const scenarios = readdirSync(join(RECORDINGS, dialect)).filter((name) => existsSync(join(RECORDINGS, dialect, name, 'meta.json'))).sort()
  test.each(scenarios)('%s', (scenario) => {
    const folder = join(RECORDINGS, dialect, scenario)
    const { truth, observable } = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as Meta
    const spans = readRecording(folder)
    const { models, tools, retrievals, embeddings } = count(spans)
    const untold = [...(UNTOLD[dialect]?.fields ?? []), ...(UNTOLD[`${dialect}/${scenario}`]?.fields ?? []), ...Object.keys(observable)]
    const expected: Record<string, number> = {}
    const found: Record<string, number> = {}
    function compare(field: Field | 'retrievals', value: number, want: number): void {
      if (untold.includes(field)) return
      found[field] = value
      expected[field] = want
    }
    const attempts = spans.some((span) => span.traits.includes('attemptsAreSpans'))
    compare('model_calls', models.length, attempts ? truth.model_http_attempts : truth.model_calls)
    compare('tool_calls', tools.length + (RETRIEVERS_ARE_TOOLS.test(dialect) ? retrievals.length : 0), truth.tool_calls)
    compare('retrievals', retrievals.length, truth.retrievals)
    compare('input_tokens', sum(models, 'input'), truth.tokens.input)
    compare('output_tokens', sum(models, 'output'), truth.tokens.output)
    expect(found).toEqual(expected)

    // The parts of the usage are told by some dialects, and by them rightly.
    for (const [field, want] of [['cachedInput', truth.tokens.cached_input], ['reasoning', truth.tokens.reasoning]] as const) {
      if (!untold.includes('model_calls') && sum(models, field) > 0) expect(sum(models, field), field).toBe(want)
    }
    if (embeddings.length > 0) expect(embeddings.length, 'embedding calls').toBe(truth.embedding_calls)
    if (!untold.includes('scores')) {
      const scores = spans.flatMap((span) => span.scores).map(({ evaluator, value }) => `${evaluator} ${value}`)
      expect(scores.sort()).toEqual(truth.scores.map(({ name, value }) => `${name} ${value}`).sort())
    }
    if (truth.errors.length > 0 && !untold.includes('errors')) {
      expect(spans.some((span) => span.failed && span.kind !== 'noise'), 'a failed span').toBe(true)
    }
    // Every step that was found can be named.
    for (const span of models) {
      if (span.dropped === 0 && !span.failed) expect(span.text.model ?? span.text.responseModel, span.spanName).toBeDefined()
    }
    for (const span of spans) expect(span.text.service, span.spanName).toBe('acme-support')
  })
})
