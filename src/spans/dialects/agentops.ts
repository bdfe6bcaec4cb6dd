import { Kind } from '../names.ts'
import { kind, text, type Dialect } from '../dialect.ts'

/**
 * AgentOps: decorated functions are `name.kind` with `agentops.span.kind`; model calls use the deprecated OTel names and
 * `gen_ai.request.type`. Every tool the model asks for gets a phantom span `tool_call.name` of a fraction of a
 * millisecond, beside the span of the function that runs. Long conversations evict model, provider and type.
 */
export const agentOps: Dialect = {
  name: 'agentops',
  scopes: /^agentops|^opentelemetry\.instrumentation\.agentops/,
  content: { 'agentops.entity.input': 'input', 'agentops.entity.output': 'output' },
  attributes: {
    'agentops.span.kind': kind({
      'llm': Kind.model,
      'llm.call': Kind.model,
      'tool': Kind.tool,
      'tool.usage': Kind.tool,
      'agent': Kind.agent,
      'guardrail': Kind.guardrail,
      'session': Kind.chain,
      'workflow': Kind.chain,
      'workflow.step': Kind.chain,
      'task': Kind.chain,
      'operation': Kind.chain,
      'chain': Kind.chain,
      'http': Kind.client,
    }),
    'gen_ai.request.type': kind({ chat: Kind.model, completion: Kind.model, embedding: Kind.embedding, embeddings: Kind.embedding }),
    'agentops.entity.name': text('entity'),
  },
  names: [
    { name: /^tool_call\..+$/, kind: Kind.noise, overrules: true },
    { name: /^(?:openai|anthropic|google|gemini|bedrock|mistral|groq|ibm_watsonx_ai)\..*(?:completion|responses?|messages?|generate\w*|stream|create)$/, kind: Kind.model },
    { name: /^openai\.embeddings?(?:\..*)?$/, kind: Kind.embedding },
    { name: /^(.+)\.tool$/, kind: Kind.tool },
    { name: /^(.+)\.agent$/, kind: Kind.agent },
    { name: /^.+\.(?:session|workflow|task|operation|chain)$/, kind: Kind.chain },
  ],
}

/** Langtrace: OTel's deprecated names plus `langtrace.service.type`. Streaming adds an event per chunk. */
export const langtrace: Dialect = {
  name: 'langtrace',
  scopes: /^langtrace/,
  attributes: {
    'langtrace.service.type': kind({ llm: Kind.model, vectordb: Kind.retrieval, framework: Kind.chain }, 11),
    'langtrace.service.name': text('provider', 25),
  },
  names: [
    { name: /^(?:openai|anthropic|cohere|groq|mistral|gemini|vertexai|ollama|litellm)\..*(?:completions?|create|messages?|chat|generate\w*)$/, kind: Kind.model },
    { name: /embed/i, kind: Kind.embedding },
  ],
}
