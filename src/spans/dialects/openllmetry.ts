import { Kind } from '../names.ts'
import { kind, text, GUESS, OWN, type Dialect } from '../dialect.ts'

/**
 * OpenLLMetry (Traceloop), the SDK's decorators and the instrumentations, current and before it took up the OTel names
 * (`llm.request.type`, `gen_ai.prompt.N…`).
 *
 * Span names end in what they are (`search.tool`, `support.workflow`, `model.task`), which is all that is left when a long
 * conversation evicted the identity from a Python span. LangChain: `invoke_agent X` holds `X.workflow`, both
 * labelled invoke_agent: the inner one is structure. LlamaIndex: everything is `.task`, the class before it tells what it is,
 * and spans that failed are never exported. Streaming: one event per chunk. Decorators: `gen_ai.agent.name` is copied to
 * model and tool spans. A stream that broke ends as if nothing had happened.
 */
export const openLlmetry: Dialect = {
  name: 'openllmetry',
  scopes: /^traceloop\.|^opentelemetry\.instrumentation\.(?:openai(?:\.v\d)?|openai_agents|anthropic|bedrock|langchain|cohere|mistralai|ollama|groq|vertexai|google_generativeai|replicate|together|watsonx|sagemaker|haystack|litellm|transformers|alephalpha|writer|mcp|agno)$|^@traceloop\//,
  content: { 'traceloop.entity.input': 'input', 'traceloop.entity.output': 'output', 'gen_ai.task.input': 'input', 'gen_ai.task.output': 'output' },
  contentRank: GUESS,
  attributes: {
    'traceloop.span.kind': kind({ workflow: Kind.chain, task: Kind.chain, agent: Kind.agent, tool: Kind.tool, handoff: Kind.chain, guardrail: Kind.guardrail, retriever: Kind.retrieval }, OWN + 1),
    'llm.request.type': kind({ chat: Kind.model, completion: Kind.model, embedding: Kind.embedding, rerank: Kind.retrieval }, OWN),
    'traceloop.entity.name': text('entity'),
    'traceloop.workflow.name': text('agent', GUESS + 1),
    'traceloop.association.properties.lc_agent_name': text('agent', GUESS),
    'traceloop.association.properties.ls_retriever_name': text('collection', GUESS),
    'traceloop.association.properties.ls_provider': text('provider', GUESS),
  },
  events: { 'llm.content.completion.chunk': 'firstToken' },
  names: [
    { name: /^(.+)\.workflow$/, kind: Kind.chain, overrules: true },
    { name: /^(?:openai|anthropic|cohere|mistral(?:ai)?|ollama|groq|bedrock|vertexai|gemini|together(?:ai)?|replicate|watsonx|sagemaker|writer|litellm)\.(?:chat|completion|complete|generate|generate_content|responses?|invoke|converse)(?:\..+)?$/, kind: Kind.model },
    { name: /^(?:openai|cohere|mistral(?:ai)?|ollama|bedrock|litellm)\.(?:embeddings?|embed)$/, kind: Kind.embedding },
    { name: /^\w+\.(?:chat|completion)$/, kind: Kind.model },
    { name: /^\w+Retriever\.(?:task|retrieve)$/, kind: Kind.retrieval, overrules: true },
    { name: /^(.+)\.tool$/, kind: Kind.tool },
    { name: /^(.+)\.agent$/, kind: Kind.agent },
    { name: /^.+\.(?:task|handoff)$/, kind: Kind.chain },
    { name: /^Agent [Ww]orkflow$/, kind: Kind.chain },
  ],
}

/** Vector databases under OpenLLMetry, OpenLIT or an official client: reading is retrieval, writing is state. */
export const vectorDatabases: Dialect = {
  name: 'vector-databases',
  scopes: /(?:^|[._])(?:chromadb|chroma|pinecone|qdrant|weaviate|milvus|lancedb|marqo)(?:[._]|$)/,
  names: [
    { name: /^\w+\.(?:.*\.)?(?:query|search|get|peek|fetch|retrieve|hybrid_search|query_points|search_points).*$/, kind: Kind.retrieval, overrules: true },
    { name: /^\w+\.(?:.*\.)?(?:add|upsert|insert|update|delete|modify|upload\w*)$/, kind: Kind.state, overrules: true },
  ],
}
