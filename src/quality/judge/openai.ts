/** Judging by OpenAI, or whatever speaks its Chat Completions: https://platform.openai.com/docs/guides/structured-outputs */
import OpenAI from 'openai'
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions'
import type { ModelOptions } from './anthropic.ts'
import { call } from './call.ts'
import { MARK_SCHEMA, readMark } from './mark.ts'
import { promptOf } from './prompt.ts'
import type { Provider, Reply, Usage } from './provider.ts'
import { evaluatorOf, type Rubric } from './rubric.ts'

export function openai(options: ModelOptions, rubric: Rubric): Provider {
  const { model, maxTokens, timeoutMs } = options
  const client = openaiClient(options)
  return {
    evaluator: evaluatorOf(rubric),
    prepare: (one) => {
      const { system, user, text, bytes } = promptOf(one, rubric)
      return {
        text, bytes,
        send: (ended) => call(async (settings) => replyOf(await client.chat.completions.create({
          model, ...tokenLimit(options.baseUrl, maxTokens),
          messages: [{ role: 'system', content: system }, { role: 'user', content: user }],
          response_format: { type: 'json_schema', json_schema: { name: 'mark', strict: true, schema: MARK_SCHEMA } },
        }, settings)), timeoutMs, ended),
      }
    },
  }
}

export function openaiClient({ baseUrl, key, timeoutMs }: ModelOptions): OpenAI {
  return new OpenAI({ apiKey: key, baseURL: baseUrl ?? 'https://api.openai.com/v1', organization: null, project: null, logLevel: 'off', timeout: timeoutMs })
}

/** OpenAI's newer models refuse `max_tokens`; other servers know it alone, and one that passes over the limit would break the budget. */
export function tokenLimit(baseUrl: string | undefined, maxTokens: number): Pick<ChatCompletionCreateParamsNonStreaming, 'max_tokens' | 'max_completion_tokens'> {
  return baseUrl === undefined ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }
}

export function usageOf({ usage }: ChatCompletion): Usage | undefined {
  if (usage == null) return undefined
  return { input: usage.prompt_tokens, cachedInput: usage.prompt_tokens_details?.cached_tokens ?? 0, cacheWrite: 0, output: usage.completion_tokens }
}

function replyOf(completion: ChatCompletion): Reply {
  const choice = completion.choices?.[0]
  const refused = choice?.finish_reason === 'content_filter' || typeof choice?.message?.refusal === 'string'
  return { usage: usageOf(completion), mark: refused ? 'refusal' : choice?.finish_reason === 'length' ? 'truncated' : readMark(choice?.message?.content ?? '') }
}
