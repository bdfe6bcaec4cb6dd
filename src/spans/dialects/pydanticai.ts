import { Kind } from '../names.ts'
import { evidence, jsonObject, number, parse, text, GUESS, OWN, type Dialect } from '../dialect.ts'
import { record, scoreOf } from './usage.ts'

/**
 * Pydantic AI: OTel GenAI. The agent span has its sum under `gen_ai.aggregated_usage.*`, which is not read; a model span its cost in
 * `operation.cost`. Failed tools: ERROR without a message, only the exception event. Formats 1 and 2 have other span names
 * (`agent run`, `running tool`) and no operation on them. With an Anthropic model the SDK's own span is nested in every call.
 */
export const pydanticAi: Dialect = {
  name: 'pydantic-ai',
  scopes: /^pydantic-ai/,
  content: { 'pydantic_ai.all_messages': 'input', 'final_result': 'output', 'tool_arguments': 'input', 'tool_response': 'output' },
  attributes: {
    'operation.cost': number('costUsd', OWN),
    'agent_name': text('agent', OWN + 1),
    'model_name': text('model', GUESS + 5),
    'pydantic_ai.tool.retry.cause': evidence('errorType'),
  },
  names: [
    { name: /^chat (\S.*)$/, kind: Kind.model },
    { name: /^(?:agent run|run (\S.*)|(\S.*) run)$/, kind: Kind.agent },
    { name: /^running tool(?:: (\S+))?$/, kind: Kind.tool },
    { name: /^(?:running \d+ tools?|running output function|running tools)$/, kind: Kind.chain },
    { name: /^embeddings (\S.*)$/, kind: Kind.embedding },
  ],
}

/**
 * pydantic_evals: scores as JSON in `scores` and `assertions` on the `case` span, not on the evaluators' own. An evaluator that
 * crashed is a failed evaluation, not a failed agent. Online evaluation sends its scores as log records instead.
 */
export const pydanticEvals: Dialect = {
  name: 'pydantic-evals',
  scopes: /^pydantic-evals/,
  traits: ['tellsScores'],
  attributes: {
    'scores': parse(readScores, { trait: 'tellsScores' }),
    'assertions': parse(readScores, { trait: 'tellsScores' }),
    'evaluator_name': text('evaluator', OWN),
  },
  names: [
    { name: /^(?:evaluator: |evaluate online)/, kind: Kind.evaluation, overrules: true },
    { name: /^(?:evaluate |case: |execute )/, kind: Kind.chain, overrules: true },
  ],
}

function readScores(json: string, fields: Parameters<Parameters<typeof parse>[0]>[1]): void {
  for (const [name, result] of Object.entries(jsonObject(json) ?? {})) {
    const score = scoreOf(record(result).value ?? result)
    if (score !== undefined) fields.score(name, score)
  }
}
