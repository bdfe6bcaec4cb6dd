import { Kind } from '../names.ts'
import { kind, jsonObject, messages, parse, text, EXACT, GUESS, OWN, type Dialect } from '../dialect.ts'
import { record, count } from './usage.ts'

/**
 * LangSmith's own OTel exporter (LangChain with LANGSMITH_OTEL_ENABLED, `@traceable`, `wrap_openai`).
 *
 * `langsmith.span.kind` is right where `gen_ai.operation.name` is not: a retriever is told as `embeddings`. There is no kind
 * for an agent: the root of a run is a chain, its name in `langsmith.metadata.lc_agent_name`. A tool or chain that raised
 * has status OK and an `exception` event of type `Exception`, the class inside the message's repr. Cached and reasoning
 * tokens only in `usage_metadata`. `langsmith.trace.session_name` is the project. Spans are written after the fact, so a
 * killed process exports nothing. Feedback never goes over OTLP.
 */
export const langSmith: Dialect = {
  name: 'langsmith',
  scopes: /^langsmith$/,
  traits: ['exceptionIsFailure'],
  attributes: {
    'langsmith.span.kind': kind({
      llm: Kind.model,
      chain: Kind.chain,
      tool: Kind.tool,
      retriever: Kind.retrieval,
      embedding: Kind.embedding,
      prompt: Kind.chain,
      parser: Kind.chain,
    }, EXACT),
    'gen_ai.prompt': messages,
    'langsmith.metadata.ls_model_name': text('model'),
    'langsmith.metadata.ls_provider': text('provider'),
    'langsmith.metadata.lc_agent_name': text('agent'),
    'langsmith.metadata.ls_retriever_name': text('collection', GUESS),
    'langsmith.trace.session_name': text('project', GUESS + 5),
    'langsmith.metadata.usage_metadata': parse((json, fields) => {
      const usage = jsonObject(json)
      if (usage === undefined) return
      const input = record(usage.input_token_details)
      const output = record(usage.output_token_details)
      count(fields, 'input', usage.input_tokens)
      count(fields, 'output', usage.output_tokens)
      count(fields, 'cachedInput', input.cache_read)
      count(fields, 'cacheWrite', input.cache_creation)
      count(fields, 'reasoning', output.reasoning)
      count(fields, 'costUsd', usage.total_cost)
    }),
  },
  names: [
    { name: /^Chat\w+$/, kind: Kind.model },
    { name: /^\w*Retriever$/, kind: Kind.retrieval },
  ],
}

/** OWN is spent on the metadata; the span's own title is the last resort for a name. */
export const langSmithFallback: Dialect = { name: 'langsmith', attributes: { 'langsmith.trace.name': text('entity', OWN + 5) } }
