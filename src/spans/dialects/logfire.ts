import { Kind } from '../names.ts'
import { evidence, jsonObject, messages, number, parse, text, GUESS, OWN, type Dialect } from '../dialect.ts'
import { count, record } from './usage.ts'

/**
 * Logfire's instrumentations: the span name is the template (`Function: {name}`), the text in `logfire.msg`.
 *
 * Streaming: the call's span ends with the response headers, without tokens; a sibling without length,
 * `streaming response from …`, has the tokens and in `duration` the seconds until the stream ended. The sibling is the call; a
 * span of these scopes without tokens, without `duration` and without a failure was only its request. OpenAI Agents: no operation names on
 * agent and tool spans, failures as JSON in `error`, status without message. Baggage (`gen_ai.agent.name`) is copied to plain
 * HTTP spans.
 */
const FUNCTION = /^Function: (\S+)/
const AGENT_RUN = /^Agent run: ['"](.+?)['"]/
const GUARDRAIL = /^Guardrail ['"](.+?)['"]/

export const logfire: Dialect = {
  name: 'logfire',
  scopes: /^logfire/,
  contentRank: GUESS,
  content: { 'raw_input': 'input', 'request_data': 'input', 'response_data': 'output', 'response': 'output', 'input': 'input', 'output': 'output' },
  attributes: {
    'logfire.msg': parse((message, fields) => {
      const tool = FUNCTION.exec(message)
      if (tool !== null) return fields.text('tool', tool[1]!)
      const agent = AGENT_RUN.exec(message)
      if (agent !== null) return fields.text('agent', agent[1]!)
      const guardrail = GUARDRAIL.exec(message)
      if (guardrail !== null) fields.text('entity', guardrail[1]!)
    }, { headBytes: 160 }),
    'raw_input': messages,
    'gen_ai.usage.raw': parse((json, fields) => {
      const usage = jsonObject(json) ?? {}
      count(fields, 'cachedInput', record(usage.prompt_tokens_details ?? usage.input_tokens_details).cached_tokens)
      count(fields, 'reasoning', record(usage.completion_tokens_details ?? usage.output_tokens_details).reasoning_tokens)
    }),
    'error': evidence('errorMessage'),
    'agent_name': text('agent', OWN + 1),
    'duration': number('durationSeconds', GUESS),
  },
  names: [
    { name: /^streaming response (?:from .+ )?took \{duration/, kind: Kind.model, overrules: true },
    { name: /^Function: /, kind: Kind.tool },
    { name: /^Agent run: /, kind: Kind.agent },
    { name: /^Guardrail /, kind: Kind.guardrail },
    { name: /^(?:OpenAI Agents trace: |Task: |Turn |Handoff: |Custom span: )/, kind: Kind.chain },
    { name: /^(?:Chat [Cc]ompletion|Completion|Responses API|Message|Response) with /, kind: Kind.model },
    { name: /^Embedding(?:s| Creation)? with /, kind: Kind.embedding },
    { name: /^MCP (?:request|client|server)/, kind: Kind.chain },
    { name: /^tool (\S+)$/, kind: Kind.tool },
  ],
}

/** The scopes of the model clients, in which a streamed call is two spans. */
export const logfireClients: Dialect = {
  name: 'logfire',
  scopes: /^logfire\.(?!openai_agents)\w+/,
  traits: ['streamTwins'],
}
