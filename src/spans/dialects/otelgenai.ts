import { Kind } from '../names.ts'
import { conversation, evidence, failed, kind, messages, number, present, responseId, text, tier, GUESS, OWN, STANDARD, type Dialect } from '../dialect.ts'

/**
 * OTel GenAI semantic conventions, current (`gen_ai.provider.name`, `gen_ai.usage.input_tokens`, messages as JSON) and
 * deprecated (`gen_ai.system`, `gen_ai.usage.prompt_tokens`, `gen_ai.prompt.N.role`), as spoken by the contrib
 * instrumentations (openai-v2, util-genai, google-genai, botocore, openai-agents-v2), pydantic-ai, Semantic Kernel,
 * Strands and, for the fields they share, by nearly all others.
 *
 * `gen_ai.operation.name` decides the kind. Its values in the wild go far beyond the convention; what is only
 * structure is a chain. `unknown` says nothing and is left to the other attributes. `gen_ai.tool.name` decides nothing:
 * OpenLIT writes it on the model span that asked for the tool, and the tools that only hand over (`transfer_to_agent`,
 * `final_answer`) are structure. `gen_ai.server.time_to_first_token` is seconds as a double, and integer milliseconds in
 * Strands; OpenLIT sets it on calls that were not streamed too, where it is the length of the call.
 * OpenLLMetry and AgentOps keep the deprecated names of the parts of the usage.
 */
const OPERATIONS: Readonly<Record<string, Kind>> = {
  'chat': Kind.model,
  'text_completion': Kind.model,
  'text_completions': Kind.model,
  'completion': Kind.model,
  'generate_content': Kind.model,
  'text_generation': Kind.model,
  'multimodal_generation': Kind.model,
  'image_generation': Kind.model,
  'responses': Kind.model,
  'response': Kind.model,
  'chat.completions': Kind.model,
  'chat.streaming_completions': Kind.model,
  'text.completions': Kind.model,
  'text.streaming_completions': Kind.model,
  'embeddings': Kind.embedding,
  'embedding': Kind.embedding,
  'embed': Kind.embedding,
  'retrieval': Kind.retrieval,
  'retrieve': Kind.retrieval,
  'vector_db_retrieve': Kind.retrieval,
  'rerank': Kind.retrieval,
  'invoke_agent': Kind.agent,
  'create_agent': Kind.setup,
  'guardrail': Kind.guardrail,
  'guardrail_check': Kind.guardrail,
  'evaluate': Kind.evaluation,
  'evaluation': Kind.evaluation,
  'create_memory': Kind.state,
  'search_memory': Kind.state,
  'update_memory': Kind.state,
  'upsert_memory': Kind.state,
  'delete_memory': Kind.state,
  'create_memory_store': Kind.state,
  'delete_memory_store': Kind.state,
  'chain': Kind.chain,
  'workflow': Kind.chain,
  'invoke_workflow': Kind.chain,
  'execute_task': Kind.chain,
  'agent_step': Kind.chain,
  'plan': Kind.chain,
  'execute_event_loop_cycle': Kind.chain,
  'invoke_multiagent': Kind.chain,
  'handoff': Kind.chain,
  'agent_handoff': Kind.chain,
  'experiment': Kind.chain,
  'decide': Kind.chain,
}

/** After the operations other than tools, before the tool operation: the name of the tool settles what kind of tool. */
const HANDOVERS = STANDARD + 1

export const otelGenAi: Dialect = {
  name: 'otel-genai',
  scopes: /gen_?ai|opentelemetry\.instrumentation\.(openai_v2|openai_agents_v2|google_genai|vertexai|botocore|langchain_v2|anthropic_v2)|semantic_kernel|agent_framework|strands/i,
  contentRank: STANDARD,
  content: {
    'gen_ai.input.messages': 'input', 'gen_ai.output.messages': 'output',
    'gen_ai.prompt': 'input', 'gen_ai.completion': 'output', 'gen_ai.completion.0.content': 'output', 'gen_ai.completion.0.message.content': 'output',
    'gen_ai.tool.call.arguments': 'input', 'gen_ai.tool.call.result': 'output',
    'gen_ai.retrieval.query.text': 'input', 'gen_ai.retrieval.documents': 'output',
  },
  attributes: {
    'gen_ai.operation.name': kind(OPERATIONS, STANDARD),
    'gen_ai.tool.name': text('tool', STANDARD),
    'gen_ai.request.model': text('model', STANDARD),
    'gen_ai.response.model': text('responseModel', STANDARD),
    'gen_ai.provider.name': text('provider', STANDARD),
    'gen_ai.system': text('provider', STANDARD + 1),
    'gen_ai.agent.name': text('agent', STANDARD),
    'gen_ai.agent.version': text('version', STANDARD),
    'gen_ai.workflow.name': text('agent', GUESS),
    'gen_ai.data_source.id': text('collection', STANDARD),
    'gen_ai.evaluation.name': text('evaluator', STANDARD),
    'gen_ai.evaluation.score.value': number('score', STANDARD),
    'gen_ai.evaluation.score.label': text('scoreLabel', STANDARD),
    'gen_ai.usage.input_tokens': number('input', STANDARD),
    'gen_ai.usage.prompt_tokens': number('input', STANDARD + 1),
    'gen_ai.usage.output_tokens': number('output', STANDARD),
    'gen_ai.usage.completion_tokens': number('output', STANDARD + 1),
    'gen_ai.usage.cache_read.input_tokens': number('cachedInput', STANDARD),
    'gen_ai.usage.cache_read_input_tokens': number('cachedInput', STANDARD + 1),
    'gen_ai.usage.cached_tokens': number('cachedInput', STANDARD + 2),
    'gen_ai.usage.details.cache_read_tokens': number('cachedInput', OWN),
    'gen_ai.usage.details.cache_read_input_tokens': number('cachedInput', OWN),
    'gen_ai.usage.details.cached_tokens': number('cachedInput', OWN),
    'gen_ai.usage.cache_creation.input_tokens': number('cacheWrite', STANDARD),
    'gen_ai.usage.cache_write.input_tokens': number('cacheWrite', STANDARD + 1),
    'gen_ai.usage.cache_creation_input_tokens': number('cacheWrite', STANDARD + 1),
    'gen_ai.usage.cache_write_input_tokens': number('cacheWrite', STANDARD + 1),
    'gen_ai.usage.details.cache_write_tokens': number('cacheWrite', OWN),
    'gen_ai.usage.details.cache_creation_input_tokens': number('cacheWrite', OWN),
    'gen_ai.usage.reasoning.output_tokens': number('reasoning', STANDARD),
    'gen_ai.usage.reasoning_tokens': number('reasoning', STANDARD + 1),
    'gen_ai.usage.output_tokens.reasoning': number('reasoning', STANDARD + 1),
    'gen_ai.usage.details.reasoning_tokens': number('reasoning', OWN),
    'gen_ai.usage.details.thoughts_tokens': number('reasoning', OWN),
    'gen_ai.usage.cost': number('costUsd', STANDARD),
    'gen_ai.usage.total_cost': number('costUsd', STANDARD + 1),
    'gen_ai.response.id': responseId,
    'gen_ai.response.time_to_first_chunk': number('firstTokenSeconds', STANDARD),
    'gen_ai.client.operation.time_to_first_chunk': number('firstTokenSeconds', STANDARD + 1),
    'gen_ai.streaming.time_to_first_token': number('firstTokenSeconds', OWN),
    'gen_ai.server.time_to_first_token': number('firstTokenSeconds', GUESS, 1, 0.001),
    'openai.response.service_tier': tier(STANDARD),
    'gen_ai.openai.response.service_tier': tier(STANDARD),
    'gen_ai.response.service_tier': tier(STANDARD),
    'anthropic.response.service_tier': tier(STANDARD),
    // What was asked for, where no answer says what was given.
    'openai.request.service_tier': tier(GUESS),
    'gen_ai.openai.request.service_tier': tier(GUESS),
    'llm.openai.service_tier': tier(GUESS),
    'gen_ai.input.messages': messages,
    'gen_ai.tool.status': failed('error'),
    'gen_ai.conversation.compacted': number('compacted', STANDARD),
    'gen_ai.conversation.id': conversation,
    'session.id': conversation,
    'error.type': evidence('errorType'),
    'error.message': evidence('errorMessage'),
    'exception.type': evidence('exceptionType'),
    'exception.message': evidence('exceptionMessage'),
    'http.response.status_code': number('httpStatus', STANDARD),
    'http.status_code': number('httpStatus', STANDARD + 1),
  },
  messagePrefixes: ['gen_ai.prompt.'],
  events: {
    'exception': 'exception',
    'gen_ai.evaluation.result': 'evaluation',
    'gen_ai.conversation.compacted': 'compacted',
    'gen_ai.content.prompt': 'input', 'gen_ai.user.message': 'input', 'gen_ai.client.inference.operation.details': 'input',
    'gen_ai.content.completion': 'output', 'gen_ai.choice': 'output',
    'gen_ai.content.completion.chunk': 'firstToken',
    'first_token_received': 'firstToken',
  },
  names: [
    { name: /^(?:chat|text_completions?|generate_content|chat\.completions) (\S.*)$/, kind: Kind.model },
    { name: /^embeddings (\S.*)$/, kind: Kind.embedding },
    { name: /^AutoFunctionInvocationLoop$/, kind: Kind.chain },
    { name: /^execute_event_loop_cycle$/, kind: Kind.chain },
    // Microsoft Agent Framework's workflows.
    { name: /^workflow\.build(?: .*)?$/, kind: Kind.setup },
    { name: /^(?:workflow\.run|executor\.process|edge_group\.process|message\.send)(?: .*)?$/, kind: Kind.chain },
  ],
}

/**
 * What OTel GenAI says in the second place, on keys that have a rule already, and span names that no one else uses.
 * A span with a requested model or with tokens, and nothing that says what it is, is a model call.
 */
export const otelGenAiFallback: Dialect = {
  name: 'otel-genai',
  attributes: {
    'gen_ai.operation.name': kind({ execute_tool: Kind.tool, tool: Kind.tool }, HANDOVERS + 1),
    'gen_ai.tool.name': kind({ transfer_to_agent: Kind.chain, final_answer: Kind.chain }, HANDOVERS),
    'gen_ai.request.model': present(Kind.model, GUESS + 2),
    'gen_ai.usage.input_tokens': present(Kind.model, GUESS + 2),
    'gen_ai.usage.prompt_tokens': present(Kind.model, GUESS + 2),
    'gen_ai.tool.call.id': present(Kind.tool, GUESS + 3),
    'mcp.method.name': kind({ 'tools/call': Kind.tool, 'tools/list': Kind.chain, 'initialize': Kind.chain, 'resources/read': Kind.retrieval, 'prompts/get': Kind.chain }, STANDARD + 3),
  },
  names: [
    { name: /^execute_tool (\S.*)$/, kind: Kind.tool },
    { name: /^invoke_agent (\S.*)$/, kind: Kind.agent },
    { name: /^create_agent\b/, kind: Kind.setup },
    { name: /^invoke_workflow\b/, kind: Kind.chain },
    { name: /^execute_task\b/, kind: Kind.chain },
    { name: /^vector_db_retrieve (\S.*)$/, kind: Kind.retrieval },
    { name: /^tools\/call (\S.*)$/, kind: Kind.tool },
  ],
}
