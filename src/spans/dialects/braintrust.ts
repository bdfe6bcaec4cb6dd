import { Kind } from '../names.ts'
import { jsonObject, parse, type Dialect } from '../dialect.ts'
import { readTenancy } from './tenancy.ts'
import { count, firstNumber, record, scoreOf } from './usage.ts'

/**
 * Braintrust's span processor and SDK: `braintrust.span_attributes` (JSON) says the type, `braintrust.scores` (JSON) holds the
 * scores of many evaluators on one span, usually the run's root. A `task` is the run itself. Model spans come from whatever
 * instrumentation there is; only Braintrust's own wrappers put usage into `braintrust.metrics`.
 */
const TYPES: Readonly<Record<string, Kind>> = {
  llm: Kind.model,
  tool: Kind.tool,
  task: Kind.agent,
  function: Kind.chain,
  eval: Kind.chain,
  score: Kind.evaluation,
}

export const braintrust: Dialect = {
  name: 'braintrust',
  content: { 'braintrust.input_json': 'input', 'braintrust.input': 'input', 'braintrust.output_json': 'output', 'braintrust.output': 'output' },
  attributes: {
    'braintrust.span_attributes': parse((json, fields) => {
      const { type, name } = jsonObject(json) ?? {}
      if (typeof type !== 'string') return
      const kind = TYPES[type]
      if (kind === undefined) return
      fields.kind(kind)
      if (kind === Kind.agent && typeof name === 'string') fields.text('agent', name)
    }),
    'braintrust.scores': parse((json, fields) => {
      for (const [evaluator, value] of Object.entries(jsonObject(json) ?? {})) {
        const score = scoreOf(value)
        if (score !== undefined) fields.score(evaluator, score)
      }
    }),
    'braintrust.metrics': parse((json, fields) => {
      const metrics = record(jsonObject(json))
      count(fields, 'input', firstNumber(metrics.prompt_tokens))
      count(fields, 'output', firstNumber(metrics.completion_tokens))
      count(fields, 'cachedInput', metrics.prompt_cached_tokens)
      count(fields, 'cacheWrite', metrics.prompt_cache_creation_tokens)
      count(fields, 'reasoning', metrics.completion_reasoning_tokens)
      count(fields, 'costUsd', metrics.estimated_cost)
      count(fields, 'firstTokenSeconds', metrics.time_to_first_token)
    }),
    'braintrust.metadata': parse(readTenancy),
  },
}
