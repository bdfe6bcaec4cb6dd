/** Judging by a model of Anthropic's: https://platform.claude.com/docs/en/build-with-claude/structured-outputs */
import Anthropic from '@anthropic-ai/sdk'
import type { Message } from '@anthropic-ai/sdk/resources/messages'
import { call } from './call.ts'
import type { Key } from './key.ts'
import { MARK_SCHEMA, readMark } from './mark.ts'
import { promptOf } from './prompt.ts'
import type { Provider, Reply } from './provider.ts'
import { evaluatorOf, type Rubric } from './rubric.ts'

export interface ModelOptions {
  readonly model: string
  readonly baseUrl: string | undefined
  readonly key: Key
  readonly maxTokens: number
  readonly timeoutMs: number
}

export function anthropic({ model, baseUrl, key, maxTokens, timeoutMs }: ModelOptions, rubric: Rubric): Provider {
  const client = new Anthropic({ apiKey: key, baseURL: baseUrl ?? 'https://api.anthropic.com', openTelemetry: { traces: false, propagation: false }, logLevel: 'off', timeout: timeoutMs })
  return {
    evaluator: evaluatorOf(rubric),
    prepare: (one) => {
      const { system, user, text, bytes } = promptOf(one, rubric)
      return {
        text, bytes,
        // No temperature: models from Opus 4.7 on do not take one.
        send: (ended) => call(async (options) => replyOf(await client.messages.create({
          model, max_tokens: maxTokens, system,
          messages: [{ role: 'user', content: user }],
          output_config: { format: { type: 'json_schema', schema: MARK_SCHEMA } },
        }, options)), timeoutMs, ended),
      }
    },
  }
}

/** The API's input tokens are those that no cache had to do with. */
function replyOf({ content, stop_reason, usage }: Message): Reply {
  const cachedInput = usage?.cache_read_input_tokens ?? 0
  const cacheWrite = usage?.cache_creation_input_tokens ?? 0
  const counted = usage === undefined ? undefined : { input: usage.input_tokens + cachedInput + cacheWrite, cachedInput, cacheWrite, output: usage.output_tokens }
  const text = Array.isArray(content) ? content.map((block) => (block.type === 'text' ? block.text : '')).join('') : ''
  return { usage: counted, mark: stop_reason === 'refusal' ? 'refusal' : stop_reason === 'max_tokens' || stop_reason === 'model_context_window_exceeded' ? 'truncated' : readMark(text) }
}
