import { Kind } from '../names.ts'
import { jsonObject, kind, messages, parse, text, GUESS, type Dialect } from '../dialect.ts'
import { count } from './usage.ts'

/**
 * MLflow tracing: every value is JSON inside a string (`"CHAT_MODEL"` with its quotes). Tokens in `mlflow.chat.tokenUsage`,
 * cached included; the model that answered in `mlflow.llm.model`, the requested one under the bare `model`. A failed model span
 * has no status message and an exception without module. Streaming: one event per chunk, the first is the first token.
 */
export const mlflow: Dialect = {
  name: 'mlflow',
  scopes: /^mlflow/,
  content: { 'mlflow.spanInputs': 'input', 'mlflow.spanOutputs': 'output' },
  attributes: {
    'mlflow.spanType': kind({
      CHAT_MODEL: Kind.model,
      LLM: Kind.model,
      EMBEDDING: Kind.embedding,
      RETRIEVER: Kind.retrieval,
      RERANKER: Kind.retrieval,
      TOOL: Kind.tool,
      AGENT: Kind.agent,
      MEMORY: Kind.state,
      GUARDRAIL: Kind.guardrail,
      EVALUATOR: Kind.evaluation,
      CHAIN: Kind.chain,
      PARSER: Kind.chain,
      WORKFLOW: Kind.chain,
      TASK: Kind.chain,
      UNKNOWN: Kind.chain,
    }),
    'mlflow.llm.model': text('responseModel'),
    'mlflow.spanInputs': messages,
    'mlflow.llm.provider': text('provider'),
    'model': text('model', GUESS + 5),
    'mlflow.chat.tokenUsage': parse((json, fields) => {
      const usage = jsonObject(json) ?? {}
      count(fields, 'input', usage.input_tokens)
      count(fields, 'output', usage.output_tokens)
      count(fields, 'cachedInput', usage.cache_read_input_tokens)
      count(fields, 'cacheWrite', usage.cache_creation_input_tokens)
      count(fields, 'reasoning', usage.reasoning_tokens)
    }),
    'mlflow.llm.cost': parse((json, fields) => count(fields, 'costUsd', jsonObject(json)?.total_cost)),
  },
  events: { 'mlflow.chunk.item.0': 'firstToken' },
  names: [
    { name: /^(?:Async)?(?:Completions|Responses|Messages)(?:_\d+)?$/, kind: Kind.model },
    { name: /^(?:Async)?Embeddings(?:_\d+)?$/, kind: Kind.embedding },
  ],
}

/** The model asked for stands also where only the answering one is told by MLflow's own key. */
export const mlflowFallback: Dialect = { name: 'mlflow', attributes: { 'mlflow.llm.model': text('model', GUESS + 6) } }
