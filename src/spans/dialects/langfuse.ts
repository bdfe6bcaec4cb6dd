import { Kind } from '../names.ts'
import { evidence, failed, jsonObject, kind, messages, parse, text, GUESS, OWN, type Dialect, type Fields } from '../dialect.ts'
import { count, record } from './usage.ts'

/**
 * Langfuse SDK 3 and later (`langfuse-sdk`): `langfuse.observation.*`, JSON inside strings.
 *
 * One key has two meanings: the LangChain handler and the JavaScript SDK take cached, audio and reasoning tokens out of
 * `input` and `output` in `usage_details` and list them beside (`input_cache_read`, `output_reasoning`), the OpenAI wrapper passes the
 * provider's usage on, where the parts are included. The keys tell which. A failure is status plus `level`, without an
 * exception event. The first token is a point in time, ISO 8601 in quotes. Costs of 0 mean no price. Scores
 * go to Langfuse's own API and never over OTLP. The LangChain handler lists the tools among the messages.
 */
export const langfuse: Dialect = {
  name: 'langfuse',
  scopes: /^langfuse/,
  content: { 'langfuse.observation.input': 'input', 'langfuse.observation.output': 'output' },
  attributes: {
    'langfuse.observation.type': kind({
      generation: Kind.model,
      embedding: Kind.embedding,
      retriever: Kind.retrieval,
      tool: Kind.tool,
      agent: Kind.agent,
      guardrail: Kind.guardrail,
      evaluator: Kind.evaluation,
      chain: Kind.chain,
      span: Kind.chain,
      event: Kind.noise,
    }),
    'langfuse.observation.model.name': text('responseModel'),
    'langfuse.observation.metadata.ls_model_name': text('model', OWN - 1),
    'langfuse.observation.metadata.ls_provider': text('provider'),
    'langfuse.observation.metadata.ls_retriever_name': text('collection', GUESS),
    'langfuse.observation.metadata.lc_agent_name': text('agent'),
    'langfuse.trace.metadata.lc_agent_name': text('agent', OWN + 1),
    'langfuse.observation.input': messages,
    'langfuse.observation.level': failed('ERROR'),
    'langfuse.observation.status_message': evidence('errorMessage'),
    'langfuse.observation.usage_details': parse(readUsage),
    'langfuse.observation.cost_details': parse((json, fields) => count(fields, 'costUsd', jsonObject(json)?.total)),
    'langfuse.observation.completion_start_time': parse((json, fields) => {
      const unixMs = Date.parse(json.replaceAll('"', ''))
      if (unixMs > 0) fields.firstToken(unixMs)
    }),
  },
  names: [{ name: /-generation$/, kind: Kind.model }],
}

export const langfuseFallback: Dialect = { name: 'langfuse', attributes: { 'langfuse.observation.model.name': text('model', GUESS) } }

function readUsage(json: string, fields: Fields): void {
  const usage = jsonObject(json)
  if (usage === undefined) return
  if (typeof usage.prompt_tokens === 'number' || typeof usage.completion_tokens === 'number') {
    count(fields, 'input', usage.prompt_tokens)
    count(fields, 'output', usage.completion_tokens)
    count(fields, 'cachedInput', record(usage.prompt_tokens_details).cached_tokens)
    count(fields, 'reasoning', record(usage.completion_tokens_details).reasoning_tokens)
    return
  }
  if (typeof usage.input_tokens === 'number' || typeof usage.output_tokens === 'number') {
    // OpenAI's Responses API as it is.
    count(fields, 'input', usage.input_tokens)
    count(fields, 'output', usage.output_tokens)
    count(fields, 'cachedInput', record(usage.input_tokens_details).cached_tokens)
    count(fields, 'reasoning', record(usage.output_tokens_details).reasoning_tokens)
    return
  }
  if (typeof usage.input === 'number') count(fields, 'input', usage.input + parts(usage, 'input_') + parts(usage, 'cache_'))
  if (typeof usage.output === 'number') count(fields, 'output', usage.output + parts(usage, 'output_'))
  count(fields, 'cachedInput', usage.input_cache_read ?? usage.input_cached_tokens ?? usage.cache_read_input_tokens)
  count(fields, 'cacheWrite', usage.input_cache_creation ?? usage.cache_creation_input_tokens)
  count(fields, 'reasoning', usage.output_reasoning ?? usage.output_reasoning_tokens)
}

/** Sum of the counts that were taken out of the total of their side. */
function parts(usage: Record<string, unknown>, prefix: string): number {
  let sum = 0
  for (const [key, value] of Object.entries(usage)) if (key.startsWith(prefix) && typeof value === 'number') sum += value
  return sum
}
