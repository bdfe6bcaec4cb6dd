import { Kind } from '../names.ts'
import { number, parse, text, GUESS, OWN, STANDARD, type Dialect } from '../dialect.ts'

/**
 * LiteLLM's own callback: `litellm_request` and below it `raw_gen_ai_request`, which repeats the call with Python
 * reprs for values and has no kind. Errors: ERROR without a message, the words in `error.message`, the HTTP status as text in
 * `error.code` (a timeout is 408). Empty strings, `None` and `False` as text. The proxy adds spans for its own caches and
 * databases. An application's metadata is on no span; teams and projects of the proxy are.
 */
const CACHED = /'cached_tokens': (\d+)/
const REASONING = /'reasoning_tokens': (\d+)/

export const liteLlm: Dialect = {
  name: 'litellm',
  scopes: /^litellm/,
  attributes: {
    'gen_ai.cost.total_cost': number('costUsd', OWN),
    'error.code': number('httpStatus', STANDARD + 2),
    'metadata.usage_object': parse((repr, fields) => {
      for (const [field, found] of [['cachedInput', CACHED], ['reasoning', REASONING]] as const) {
        const tokens = found.exec(repr)?.[1]
        if (tokens !== undefined) fields.number(field, Number(tokens))
      }
    }),
    'litellm.provider.model': text('model', GUESS + 5),
    'error.llm_provider': text('provider', GUESS + 5),
  },
  names: [
    { name: /^litellm_request$/, kind: Kind.model },
    { name: /^raw_gen_ai_request$/, kind: Kind.noise, overrules: true },
    { name: /^guardrail$/, kind: Kind.guardrail },
    { name: /^Received Proxy Server Request$/, kind: Kind.chain },
    { name: /^(?:self|redis|postgres|auth|router|proxy_pre_call|batch_write_to_db|reset_budget_job)$/, kind: Kind.noise },
  ],
}
