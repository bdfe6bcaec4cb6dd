import { Kind } from '../names.ts'
import { kind, number, parse, responseIdIn, text, GUESS, OWN, STANDARD, type Dialect } from '../dialect.ts'
import { readTenancy } from './tenancy.ts'

/**
 * OpenInference (Arize Phoenix): `openinference.span.kind`, `llm.token_count.*`, `llm.input_messages.N…`.
 *
 * `llm.model_name` is the answering model where there was an answer; the requested one stands at the beginning of the JSON
 * in `llm.invocation_parameters`. One attribute per message part: past about 55 messages a Python SDK has dropped the
 * oldest attributes (in some instrumentations the token counts), a JavaScript one the newest (output and tokens), so
 * tokens are then unknown and the kind may come from scope and name. A pseudo tool that ends a run (`final_answer`) or
 * hands it over (`transfer_to_agent`) is structure. The same exception stands on tool, node, agent and root.
 */
const REQUESTED_MODEL = /"model(?:_name|_id)?":\s*"([^"\\]{1,128})"/

export const openInference: Dialect = {
  name: 'openinference',
  scopes: /^openinference\.|^@arizeai\/openinference/,
  content: { 'input.value': 'input', 'output.value': 'output' },
  attributes: {
    'openinference.span.kind': kind({
      LLM: Kind.model,
      EMBEDDING: Kind.embedding,
      RETRIEVER: Kind.retrieval,
      RERANKER: Kind.retrieval,
      TOOL: Kind.tool,
      AGENT: Kind.agent,
      CHAIN: Kind.chain,
      PROMPT: Kind.chain,
      GUARDRAIL: Kind.guardrail,
      EVALUATOR: Kind.evaluation,
    }),
    'tool.name': text('tool'),
    'llm.model_name': text('responseModel'),
    'llm.request.model_name': text('model', OWN - 2),
    'llm.response.model_name': text('responseModel', OWN - 2),
    'embedding.model_name': text('model'),
    'llm.provider': text('provider'),
    'llm.system': text('provider', OWN + 1),
    'agent.name': text('agent'),
    'graph.node.id': text('agent', OWN + 1),
    'llm.token_count.prompt': number('input'),
    'llm.token_count.completion': number('output'),
    'llm.token_count.prompt_details.cache_read': number('cachedInput'),
    'llm.token_count.prompt_details.cache_input': number('cachedInput'),
    'llm.token_count.prompt_details.cache_write': number('cacheWrite'),
    'llm.token_count.completion_details.reasoning': number('reasoning'),
    'llm.cost.total': number('costUsd'),
    'llm.invocation_parameters': parse((json, fields) => {
      const model = REQUESTED_MODEL.exec(json)?.[1]
      if (model !== undefined) fields.text('model', model)
    }, { headBytes: 256 }),
    // The only place where OpenInference has the response's id, by which a call told in two traces is known as one.
    'output.value': responseIdIn,
    'metadata': parse(readTenancy),
  },
  messagePrefixes: ['llm.input_messages.'],
  scorePrefixes: ['evaluations.', 'annotations.'],
  events: { 'First Token Stream Event': 'firstToken' },
  names: [
    { name: /^(?:ChatCompletion|Completion|Response|OpenAI Chat Completions|OpenAI Completions|OpenAI Responses?|Messages|MessagesStream|GenerateContent(?:Stream)?|AsyncGenerateContent(?:Stream)?)$/, kind: Kind.model },
    { name: /^(?:response|generation)$/, kind: Kind.model },
    { name: /^(?:CreateEmbeddings?|OpenAI Embeddings|Embeddings?)$/, kind: Kind.embedding },
    { name: /^(?:Chat\w+|\w*LLM|Azure\w*OpenAI|VertexAI|Bedrock\w*)$/, kind: Kind.model },
    { name: /^\w*Retriever$/, kind: Kind.retrieval },
    { name: /^(?:completion|acompletion|completion_with_retries|responses|aresponses)$/, kind: Kind.model },
    { name: /^bedrock\.(?:converse|converse_stream|invoke_model|invoke_model_with_response_stream)$/, kind: Kind.model },
    { name: /^bedrock\.invoke_(?:inline_)?agent$/, kind: Kind.agent },
    { name: /^turn$/, kind: Kind.chain },
  ],
}

/** The model's name also where only the answering one is told, and what a tool's name says about it. */
export const openInferenceFallback: Dialect = {
  name: 'openinference',
  attributes: {
    'llm.model_name': text('model', GUESS),
    'embedding.model_name': text('responseModel', GUESS),
    'tool.name': kind({ final_answer: Kind.chain, transfer_to_agent: Kind.chain }, STANDARD + 1),
  },
}

/** LangChain and LangGraph: a graph node that happens to be called `agent` is labelled AGENT, ten times a run. */
export const openInferenceLangChain: Dialect = {
  name: 'openinference-langchain',
  scopes: /^openinference\.instrumentation\.langchain/,
  names: [
    { name: /^agent$/, kind: Kind.chain, overrules: true },
    { name: /^(?:model|tools|call_model|should_continue|Prompt|RunnableSequence|RunnableLambda|LangGraph)$/, kind: Kind.chain },
  ],
}

/** OpenAI Agents SDK: the hand-over to another agent is labelled TOOL. The workflow's name stands twice at the top. */
export const openInferenceOpenAiAgents: Dialect = {
  name: 'openinference-openai-agents',
  scopes: /^openinference\.instrumentation\.openai_agents/,
  names: [{ name: /^handoff(?: to .*)?$/, kind: Kind.chain, overrules: true }],
}
