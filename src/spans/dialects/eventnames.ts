import { Kind } from '../names.ts'
import { evidence, number, parse, OWN, type Dialect } from '../dialect.ts'

/**
 * Spans named after what happens in an agent: `model.generate`, `vector.retrieval`, `tool.call`, `state_update`,
 * `agent_session`, with `gen_ai.token_count.request/response`, `gen_ai.latency` and `gen_ai.error`. The name may go on
 * with what it is about (`tool.call search`). `gen_ai.error` being there and not saying no is a failure. `gen_ai.latency`
 * repeats the length of the span and is left alone.
 */
const NOT_AN_ERROR = new Set(['', 'false', 'False', 'none', 'None', 'null', '0', 'ok', 'OK'])

export const eventNames: Dialect = {
  name: 'event-names',
  attributes: {
    'gen_ai.token_count.request': number('input', OWN),
    'gen_ai.token_count.response': number('output', OWN),
    'gen_ai.error': evidence('errorMessage'),
  },
  names: [
    { name: /^model[._]generate(?:[ .:/](.+))?$/, kind: Kind.model },
    { name: /^model[._]embed(?:[ .:/](.+))?$/, kind: Kind.embedding },
    { name: /^vector[._]retrieval(?:[ .:/](.+))?$/, kind: Kind.retrieval },
    { name: /^tool[._]call(?:[ :/](.+))?$/, kind: Kind.tool },
    { name: /^state[._](?:update|read|write|load|save)(?:[ .:/](.+))?$/, kind: Kind.state },
    { name: /^agent[._]session(?:[ .:/](.+))?$/, kind: Kind.agent },
    { name: /^guardrail[._]check(?:[ .:/](.+))?$/, kind: Kind.guardrail },
  ],
}

export const eventNamesFailure: Dialect = {
  name: 'event-names',
  attributes: {
    'gen_ai.error': parse((text, fields) => { if (!NOT_AN_ERROR.has(text)) fields.failed() }, { headBytes: 16 }),
  },
}
