import { Kind } from '../names.ts'
import type { Dialect } from '../dialect.ts'

/**
 * LlamaIndex. OpenInference gives three LLM spans a call: `_prepare_chat_with_tools`, which calls nothing, and `achat` twice, with
 * tokens only on the inner; retrievers and embeddings are nested twice; an agent's run is a CHAIN. Streamed model spans end at
 * the first byte and the provider is not asked for usage. Splitting documents and building an index are traces of their own.
 * OpenLLMetry calls everything `Class.task`; spans that fail never arrive, only their children, whose parents are unknown.
 */
export const llamaIndex: Dialect = {
  name: 'llamaindex',
  scopes: /^openinference\.instrumentation\.llama_index|^opentelemetry\.instrumentation\.llamaindex/,
  names: [
    { name: /\._prepare_chat_with_tools(?:\.task)?$/, kind: Kind.chain, overrules: true },
    { name: /^\w*(?:Splitter|NodeParser|Reader|IngestionPipeline|Extractor)\.\w+$/, kind: Kind.setup, overrules: true },
    { name: /^FunctionTool\.\w+$/, kind: Kind.tool, overrules: true },
    { name: /^(?:\w*Retriever)\.(?:task|workflow|a?_?a?retrieve)$/, kind: Kind.retrieval, overrules: true },
    { name: /^\w*Embedding\.(?:task|workflow)$/, kind: Kind.embedding, overrules: true },
    { name: /^(\w*(?:Agent|AgentWorkflow|AgentRunner|AgentWorker))\.(?:a?run|a?chat|workflow)$/, kind: Kind.agent, overrules: true },
    { name: /^BaseWorkflowAgent\./, kind: Kind.chain },
    { name: /^\w+\.(?:a?chat|a?complete|a?stream_chat|a?stream_complete|a?predict|a?chat_with_tools|a?stream_chat_with_tools)$/, kind: Kind.model },
    { name: /^\w*Embedding\.\w+$/, kind: Kind.embedding },
    { name: /^\w*(?:Retriever|Reranker|Postprocessor)\.\w+$/, kind: Kind.retrieval },
    { name: /^\w+\.(?:task|workflow)$/, kind: Kind.chain },
  ],
}
