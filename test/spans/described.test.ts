/** Spans of dialects for which there is no recording, and single traps of those for which there is: one row, one span. */
import { describe, expect, test } from 'vitest'
import { readJson } from './recordings.ts'

type Value = string | number | boolean
interface Row {
  readonly of: string
  readonly scope: string
  readonly name: string
  readonly attributes?: Readonly<Record<string, Value>>
  readonly spanKind?: number
  /** A whole-numbered double, which JSON cannot tell from an integer. */
  readonly doubles?: readonly string[]
  readonly expected: Readonly<Record<string, unknown>>
}

const OI = 'openinference.instrumentation.'
const ROWS: readonly Row[] = [
  { of: 'smolagents: the tool is an attribute', scope: `${OI}smolagents`, name: 'SimpleTool', attributes: { 'tool.name': 'lookup_order', 'openinference.span.kind': 'TOOL' }, expected: { kind: 'tool', 'text.tool': 'lookup_order' } },
  { of: 'smolagents: the end of a run is no tool', scope: `${OI}smolagents`, name: 'FinalAnswerTool', attributes: { 'openinference.span.kind': 'TOOL', 'tool.name': 'final_answer' }, expected: { kind: 'chain' } },
  { of: 'smolagents: agent with a sum of tokens', scope: `${OI}smolagents`, name: 'ToolCallingAgent.run', attributes: { 'openinference.span.kind': 'AGENT', 'llm.token_count.prompt': 900 }, expected: { kind: 'agent' } },
  { of: 'smolagents: evicted', scope: `${OI}smolagents`, name: 'OpenAIServerModel.generate', expected: { kind: 'model' } },
  { of: 'dspy: finish', scope: `${OI}dspy`, name: 'finish.__call__', attributes: { 'openinference.span.kind': 'TOOL' }, expected: { kind: 'chain' } },
  { of: 'dspy: model', scope: `${OI}dspy`, name: 'LM.__call__', attributes: { 'openinference.span.kind': 'LLM' }, expected: { kind: 'model' } },
  { of: 'agno: model without attributes', scope: `${OI}agno`, name: 'OpenAIChat.ainvoke_stream', expected: { kind: 'model' } },
  { of: 'openai-agents: hand-over', scope: `${OI}openai_agents`, name: 'handoff to billing', attributes: { 'openinference.span.kind': 'TOOL' }, expected: { kind: 'chain' } },
  { of: 'langgraph: a node called agent', scope: `${OI}langchain`, name: 'agent', attributes: { 'openinference.span.kind': 'AGENT' }, expected: { kind: 'chain' } },
  { of: 'metadata as JSON', scope: `${OI}langchain`, name: 'support', attributes: { 'openinference.span.kind': 'AGENT', 'metadata': '{"lc_agent_name": "support", "tenant_id": "acme", "project": 7}' }, expected: { kind: 'agent', 'text.tenant': 'acme', 'text.project': '7', 'text.agent': 'support' } },
  { of: 'requested and answering model', scope: `${OI}openai`, name: 'ChatCompletion', attributes: { 'openinference.span.kind': 'LLM', 'llm.model_name': 'gpt-4o-mini-2024-07-18', 'llm.invocation_parameters': '{"model": "gpt-4o-mini", "tools": [' + 'x'.repeat(4000) }, expected: { 'text.model': 'gpt-4o-mini', 'text.responseModel': 'gpt-4o-mini-2024-07-18' } },
  { of: 'guardrail', scope: `${OI}openai_agents`, name: 'pii_check', attributes: { 'openinference.span.kind': 'GUARDRAIL' }, expected: { kind: 'guardrail' } },
  { of: 'strands: cycle', scope: 'strands.telemetry.tracer', name: 'execute_event_loop_cycle', attributes: { 'gen_ai.operation.name': 'execute_event_loop_cycle' }, expected: { kind: 'chain' } },
  { of: 'strands: first token in integer milliseconds', scope: 'strands.telemetry.tracer', name: 'chat', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.prompt_tokens': 82, 'gen_ai.usage.input_tokens': 82, 'gen_ai.server.time_to_first_token': 250 }, expected: { kind: 'model', 'num.firstTokenSeconds': 0.25, 'num.input': 82 } },
  { of: 'openlit: first token in seconds', scope: 'openlit.instrumentation.openai', name: 'chat gpt-4o', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.server.time_to_first_token': 2 }, doubles: ['gen_ai.server.time_to_first_token'], expected: { 'num.firstTokenSeconds': 2 } },
  { of: 'strands: failed tool', scope: 'strands.telemetry.tracer', name: 'execute_tool search', attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search', 'gen_ai.tool.status': 'error' }, expected: { kind: 'tool', failed: true } },
  { of: 'openlit: no price is not free', scope: 'openlit.instrumentation.openai', name: 'chat x', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.cost': 0, 'gen_ai.tool.name': 'lookup' }, expected: { kind: 'model', 'num.costUsd': undefined } },
  { of: 'openlit: graph node', scope: 'openlit.instrumentation.langgraph', name: 'invoke_agent model', attributes: { 'gen_ai.operation.name': 'invoke_agent' }, expected: { kind: 'chain' } },
  { of: 'openlit: a function called chat', scope: 'openlit', name: 'chat', expected: { kind: 'unknown' } },
  { of: 'ms-agent-framework: build', scope: 'agent_framework', name: 'workflow.build', expected: { kind: 'setup' } },
  { of: 'ms-agent-framework: executor', scope: 'agent_framework', name: 'executor.process support', attributes: { 'executor.id': 'support' }, expected: { kind: 'chain' } },
  { of: 'ms-agent-framework: reasoning', scope: 'agent_framework', name: 'chat gpt-4o', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.reasoning.output_tokens': 32 }, expected: { kind: 'model', 'num.reasoning': 32 } },
  { of: 'semantic-kernel: loop', scope: 'semantic_kernel.connectors.ai.chat_completion_client_base', name: 'AutoFunctionInvocationLoop', attributes: { 'sk.available_functions': 'a,b' }, expected: { kind: 'chain' } },
  { of: 'semantic-kernel: model', scope: 'semantic_kernel.utils.telemetry', name: 'chat.completions gpt-4o-mini', attributes: { 'gen_ai.operation.name': 'chat.completions', 'gen_ai.request.model': 'gpt-4o-mini' }, expected: { kind: 'model' } },
  { of: 'semantic-kernel: messages', scope: 'agent_runtime InProcessRuntime', name: 'agent_runtime process x.(y)-A', expected: { kind: 'chain', traits: ['joinsLinks'] } },
  { of: 'trulens: run', scope: 'trulens.otel', name: '__main__.Rag.query', attributes: { 'ai.observability.span_type': 'record_root', 'ai.observability.app_name': 'rag' }, expected: { kind: 'agent', 'text.agent': 'rag' } },
  { of: 'trulens: score', scope: 'trulens.otel', name: 'short', attributes: { 'ai.observability.span_type': 'eval', 'ai.observability.eval.score': 0.8, 'ai.observability.eval.metric_name': 'short' }, expected: { kind: 'evaluation', 'num.score': 0.8, 'text.evaluator': 'short' } },
  { of: 'trulens: failure without status', scope: 'trulens.otel', name: 'f', attributes: { 'ai.observability.span_type': 'generation', 'ai.observability.call.error': 'Error code: 503' }, expected: { kind: 'model', failed: true, 'evidence.errorMessage': 'Error code: 503' } },
  { of: 'langtrace: model', scope: 'langtrace-python-sdk', name: 'openai.chat.completions.create', attributes: { 'langtrace.service.type': 'llm', 'gen_ai.usage.prompt_tokens': 5, 'gen_ai.usage.cached_tokens': 2 }, expected: { kind: 'model', 'num.input': 5, 'num.cachedInput': 2 } },
  { of: 'agentops: phantom tool', scope: 'agentops.instrumentation.providers.openai.wrappers.chat', name: 'tool_call.lookup_order', attributes: { 'agentops.span.kind': 'tool', 'tool.name': 'lookup_order' }, expected: { kind: 'noise' } },
  { of: 'agentops: tool', scope: 'agentops', name: 'lookup_order.tool', attributes: { 'agentops.span.kind': 'tool', 'operation.name': 'lookup_order' }, expected: { kind: 'tool' } },
  { of: 'agentops: evicted', scope: 'agentops.instrumentation.providers.openai', name: 'openai.chat.completion', attributes: { 'gen_ai.prompt.63.role': 'user' }, expected: { kind: 'model', messages: 64 } },
  { of: 'openllmetry: evicted', scope: 'opentelemetry.instrumentation.openai.v1', name: 'openai.chat', attributes: { 'gen_ai.prompt.13.role': 'user', 'gen_ai.usage.prompt_tokens': 9 }, expected: { kind: 'model', 'num.input': 9, messages: 14 } },
  { of: 'openllmetry: evicted, LangChain', scope: 'opentelemetry.instrumentation.langchain', name: 'ChatOpenAI.chat', attributes: { 'gen_ai.prompt.80.content': 'x' }, expected: { kind: 'model', messages: 81 } },
  { of: 'openllmetry: hand-over', scope: 'opentelemetry.instrumentation.openai_agents', name: 'triage → support.handoff', attributes: { 'traceloop.span.kind': 'handoff' }, expected: { kind: 'chain' } },
  { of: 'llamaindex under openllmetry: model', scope: 'opentelemetry.instrumentation.llamaindex', name: 'OpenAILike.task', attributes: { 'traceloop.span.kind': 'task', 'llm.request.type': 'chat', 'gen_ai.request.model': 'm' }, expected: { kind: 'model', 'text.model': 'm' } },
  { of: 'llamaindex under openllmetry: tool', scope: 'opentelemetry.instrumentation.llamaindex', name: 'FunctionTool.task', attributes: { 'traceloop.span.kind': 'task' }, expected: { kind: 'tool' } },
  { of: 'llamaindex: calls nothing', scope: `${OI}llama_index`, name: 'OpenAILike._prepare_chat_with_tools', attributes: { 'openinference.span.kind': 'LLM' }, expected: { kind: 'chain' } },
  { of: 'llamaindex: indexing', scope: `${OI}llama_index`, name: 'SentenceSplitter._parse_nodes', attributes: { 'openinference.span.kind': 'CHAIN' }, expected: { kind: 'setup' } },
  { of: 'google-adk: overwritten by the last call', scope: 'gcp.vertex.agent', name: 'invoke_agent support', attributes: { 'gen_ai.operation.name': 'generate_content', 'openinference.span.kind': 'LLM' }, expected: { kind: 'agent', captured: 'support' } },
  { of: 'google-adk: failed model', scope: 'gcp.vertex.agent', name: 'call_llm', expected: { kind: 'model' } },
  { of: 'google-adk: merged tools', scope: 'gcp.vertex.agent', name: 'execute_tool (merged)', attributes: { 'gen_ai.operation.name': 'execute_tool' }, expected: { kind: 'noise' } },
  { of: 'google-adk: hand-over', scope: 'gcp.vertex.agent', name: 'execute_tool transfer_to_agent', attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'transfer_to_agent' }, expected: { kind: 'chain' } },
  { of: 'vercel 7: step', scope: 'gen_ai', name: 'step 1', attributes: { 'gen_ai.operation.name': 'agent_step' }, expected: { kind: 'chain', traits: ['attemptsAreSpans'] } },
  { of: 'vercel 7: agent with the sum of tokens', scope: 'gen_ai', name: 'invoke_agent gpt-4o-mini', attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.request.model': 'gpt-4o-mini', 'gen_ai.usage.input_tokens': 400, 'ai.settings.context.tenant': 'acme' }, expected: { kind: 'agent', 'text.tenant': 'acme' } },
  { of: 'vercel 5 with openinference: outer embedding', scope: 'ai', name: 'ai.embed', attributes: { 'openinference.span.kind': 'EMBEDDING', 'ai.operationId': 'ai.embed' }, expected: { kind: 'chain' } },
  { of: 'langsmith: a retriever told as embeddings', scope: 'langsmith', name: 'VectorStoreRetriever', attributes: { 'gen_ai.operation.name': 'embeddings', 'langsmith.span.kind': 'retriever' }, expected: { kind: 'retrieval' } },
  { of: 'langfuse: parts taken out of the total', scope: 'langfuse-sdk', name: 'ChatOpenAI', attributes: { 'langfuse.observation.type': 'generation', 'langfuse.observation.usage_details': '{"input": 62, "output": 34, "input_cache_read": 64, "output_reasoning": 32}', 'langfuse.observation.cost_details': '{"total": 0}' }, expected: { 'num.input': 126, 'num.output': 66, 'num.cachedInput': 64, 'num.reasoning': 32, 'num.costUsd': undefined } },
  { of: 'langfuse: parts left inside', scope: 'langfuse-sdk', name: 'OpenAI-generation', attributes: { 'langfuse.observation.type': 'generation', 'langfuse.observation.usage_details': '{"prompt_tokens": 126, "completion_tokens": 16, "prompt_tokens_details": {"cached_tokens": 64}}' }, expected: { 'num.input': 126, 'num.output': 16, 'num.cachedInput': 64 } },
  { of: 'logfire: request of a stream', scope: 'logfire.openai', name: 'Chat Completion with {request_data[model]!r}', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' }, expected: { kind: 'chain' } },
  { of: 'logfire: the stream itself', scope: 'logfire.openai', name: 'streaming response from {request_data[model]!r} took {duration:.2f}s', attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.input_tokens': 9, 'duration': 0.19 }, expected: { kind: 'model', seconds: 0.19, 'num.input': 9 } },
  { of: 'logfire: agents tool', scope: 'logfire.openai_agents', name: 'Function: {name}', attributes: { 'logfire.msg': 'Function: lookup_order failed: Error', 'error': '{"message":"Error running tool"}' }, expected: { kind: 'tool', 'text.tool': 'lookup_order', 'evidence.errorMessage': '{"message":"Error running tool"}' } },
  { of: 'pydantic-ai: old names', scope: 'pydantic-ai', name: 'running tool', attributes: { 'gen_ai.tool.name': 'lookup_order', 'gen_ai.tool.call.id': 'c' }, expected: { kind: 'tool', 'text.tool': 'lookup_order' } },
  { of: 'pydantic-ai: old agent', scope: 'pydantic-ai', name: 'agent run', attributes: { 'agent_name': 'support', 'model_name': 'gpt-4o' }, expected: { kind: 'agent', 'text.agent': 'support' } },
  { of: 'pydantic-evals: scores', scope: 'pydantic-evals', name: 'case: {case_name}', attributes: { 'scores': '{"Brevity":{"name":"Brevity","value":0.66}}', 'assertions': '{"Contains":{"value":true}}' }, expected: { kind: 'chain', scores: [{ evaluator: 'Brevity', value: 0.66 }, { evaluator: 'Contains', value: 1 }] } },
  { of: 'scores elsewhere are something else', scope: 'acme.games', name: 'round', attributes: { 'scores': '{"home": 1}' }, expected: { kind: 'unknown', scores: [] } },
  { of: 'haystack 3: tool', scope: 'haystack.tracer', name: 'haystack.agent.step.tool', attributes: { 'haystack.tool.name': 'lookup_order', 'haystack.tool.error': true }, expected: { kind: 'tool', 'text.tool': 'lookup_order', failed: true } },
  { of: 'haystack 3: model', scope: 'haystack.tracer', name: 'haystack.chat_generator.run', attributes: { 'haystack.component.type': 'OpenAIChatGenerator' }, expected: { kind: 'model' } },
  { of: 'litellm: the raw request', scope: 'litellm', name: 'raw_gen_ai_request', attributes: { 'llm.openai.model': 'gpt-4o' }, expected: { kind: 'noise' } },
  { of: 'litellm: HTTP status as text', scope: 'litellm', name: 'litellm_request', attributes: { 'gen_ai.operation.name': 'chat', 'error.code': '429' }, expected: { kind: 'model', 'num.httpStatus': 429 } },
  { of: 'crewai: a task named by its user', scope: 'opentelemetry.instrumentation.crewai.instrumentation', name: 'Where is my order?\nPlease.task', attributes: { 'traceloop.span.kind': 'task', 'gen_ai.operation.name': 'invoke_agent' }, expected: { kind: 'chain' } },
  { of: 'crewai: an agent that names a model', scope: 'opentelemetry.instrumentation.crewai.instrumentation', name: 'Support.agent', attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.request.model': 'gpt-4o' }, expected: { kind: 'agent' } },
  { of: 'event names: model', scope: 'acme', name: 'model.generate', attributes: { 'gen_ai.token_count.request': 10, 'gen_ai.token_count.response': 4, 'gen_ai.error': 'rate limited' }, expected: { kind: 'model', 'num.input': 10, 'num.output': 4, failed: true, 'evidence.errorMessage': 'rate limited' } },
  { of: 'event names: no error', scope: 'acme', name: 'model.generate', attributes: { 'gen_ai.error': 'none' }, expected: { kind: 'model', failed: false } },
  { of: 'event names: retrieval', scope: 'acme', name: 'vector.retrieval', expected: { kind: 'retrieval' } },
  { of: 'event names: tool', scope: 'acme', name: 'tool.call search', expected: { kind: 'tool', captured: 'search' } },
  { of: 'event names: state', scope: 'acme', name: 'state_update', expected: { kind: 'state' } },
  { of: 'event names: session', scope: 'acme', name: 'agent_session', expected: { kind: 'agent' } },
  { of: 'HTTP client', scope: 'opentelemetry.instrumentation.httpx', name: 'GET', spanKind: 3, attributes: { 'http.request.method': 'GET', 'http.response.status_code': 503 }, expected: { kind: 'client', 'num.httpStatus': 503 } },
  { of: 'vector database', scope: 'opentelemetry.instrumentation.chromadb', name: 'chroma.query', spanKind: 3, attributes: { 'db.system': 'chroma' }, expected: { kind: 'retrieval' } },
  { of: 'vector database, writing', scope: 'opentelemetry.instrumentation.chromadb', name: 'chroma.add', spanKind: 3, attributes: { 'db.system': 'chroma' }, expected: { kind: 'state' } },
  { of: 'MCP tool', scope: 'mcp', name: 'tools/call search', attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'search' }, expected: { kind: 'tool', 'text.tool': 'search' } },
  { of: 'bare model attributes', scope: 'acme', name: 'llm', attributes: { 'gen_ai.request.model': 'm' }, expected: { kind: 'model' } },
  { of: 'guardrail operation', scope: 'opentelemetry.instrumentation.openai_agents_v2', name: 'guardrail_check pii', attributes: { 'gen_ai.operation.name': 'guardrail_check' }, expected: { kind: 'guardrail' } },
  { of: 'evaluation span', scope: 'acme', name: 'evaluate relevance', attributes: { 'gen_ai.operation.name': 'evaluation', 'gen_ai.evaluation.name': 'relevance', 'gen_ai.evaluation.score.value': 0.5 }, expected: { kind: 'evaluation', 'num.score': 0.5, 'text.evaluator': 'relevance' } },
  { of: 'tenant as a number', scope: 'acme', name: 'x', attributes: { 'tenant.id': 42, 'project.id': 'p' }, expected: { 'text.tenant': '42', 'text.project': 'p' } },
  { of: 'tenant of the proxy', scope: 'litellm', name: 'litellm_request', attributes: { 'metadata.user_api_key_team_id': 'team-1', 'metadata.user_api_key_org_id': '' }, expected: { 'text.tenant': 'team-1' } },
]

describe('described spans', () => {
  test.each(ROWS)('$of', ({ scope, name, attributes = {}, spanKind = 1, doubles = [], expected }) => {
    const span = readJson({
      resourceSpans: [{
        scopeSpans: [{
          scope: { name: scope },
          spans: [{
            traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name, kind: spanKind,
            startTimeUnixNano: '1700000000000000000', endTimeUnixNano: '1700000000000000000',
            attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value, doubles.includes(key)) })),
          }],
        }],
      }],
    })[0]!
    for (const [path, value] of Object.entries(expected)) {
      const found = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], span)
      if (path === 'traits') expect(span.traits).toEqual(expect.arrayContaining(value as string[]))
      else if (typeof value === 'number') expect(found, path).toBeCloseTo(value, 6)
      else expect(found, path).toEqual(value)
    }
  })
})

function anyValue(value: Value, isDouble: boolean): Record<string, unknown> {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) && !isDouble ? { intValue: String(value) } : { doubleValue: value }
}
