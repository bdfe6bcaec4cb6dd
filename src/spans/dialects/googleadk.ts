import { Kind } from '../names.ts'
import { text, GUESS, type Dialect } from '../dialect.ts'

/**
 * Google ADK, native and with OpenInference on top. Version 1: tools and sub-agents are children of `call_llm`, which has a
 * model but no operation, and nothing at all when it failed. Version 2: `invoke_workflow` > `invoke_agent` >
 * `call_llm` > `generate_content`. OpenInference on version 2 overwrites `invoke_agent` with the last call (operation generate_content,
 * kind LLM, its tokens) and the model spans are not exported. Parallel tools get one more span, `execute_tool (merged)`. Handing
 * over is a tool called `transfer_to_agent`. A failed tool can be UNSET with an exception event.
 */
export const googleAdk: Dialect = {
  name: 'google-adk',
  scopes: /^gcp\.vertex\.agent$|^openinference\.instrumentation\.google_adk/,
  traits: ['exceptionIsFailure'],
  content: {
    'gcp.vertex.agent.llm_request': 'input', 'gcp.vertex.agent.llm_response': 'output',
    'gcp.vertex.agent.tool_call_args': 'input', 'gcp.vertex.agent.tool_response': 'output',
  },
  attributes: { 'gcp.vertex.agent.name': text('agent', GUESS) },
  names: [
    { name: /^execute_tool \(merged\)$/, kind: Kind.noise, overrules: true },
    { name: /^execute_tool transfer_to_agent$/, kind: Kind.chain, overrules: true },
    { name: /^(?:invoke_agent|agent_run) \[?([^\]]+)\]?$/, kind: Kind.agent, overrules: true },
    { name: /^(?:call_llm|generate_content(?: (\S+))?)$/, kind: Kind.model },
    { name: /^execute_tool (\S+)/, kind: Kind.tool },
    { name: /^(?:invocation|invoke_workflow|invoke_node|send_data)\b/, kind: Kind.chain },
  ],
}
