/**
 * The judge of the demo, which has nobody's key: it speaks Chat Completions as far as the bridge's judge asks it to, and knows the bad answers that the demo's agents
 * give. Meant for loopback or a private network.
 */
import { fileURLToPath } from 'node:url'
import express, { type Router } from 'express'
import { z } from 'zod'
import { isLost } from './words.ts'

const KEY = './judge-key.txt'
/** In the image of the bridge. */
export const KEY_IN_IMAGE = '/app/src/demo/agents/judge-key.txt'

/**
 * The bridge's settings for it. Priced as a model of the list, so that there is a cost to see; more requests are judged than would be for money. It has a key of
 * its own, or the bridge would send it that of whoever has one in the environment.
 */
export function demoJudgeSettings(demoUrl: string, keyFile = fileURLToPath(new URL(KEY, import.meta.url))): Readonly<Record<string, string>> {
  return {
    SPANBRIDGE_JUDGE_PROVIDER: 'openai', SPANBRIDGE_JUDGE_BASE_URL: `${demoUrl}/v1`, SPANBRIDGE_JUDGE_API_KEY_FILE: keyFile, SPANBRIDGE_JUDGE_MODEL: 'gpt-5.4-mini', SPANBRIDGE_JUDGE_SHARE: '0.1',
    SPANBRIDGE_JUDGE_USD_PER_DAY: '1000', SPANBRIDGE_JUDGE_TENANT_USD_PER_DAY: '1000', SPANBRIDGE_JUDGE_TENANT_REQUESTS_PER_DAY: '1000000',
  }
}

const BYTES_PER_TOKEN = 4
const completionRequest = z.object({ model: z.string(), messages: z.array(z.object({ role: z.string(), content: z.string() })).min(1) })

/** POST /v1/chat/completions */
export function demoJudge(): Router {
  const router = express.Router()
  router.post('/v1/chat/completions', express.json({ limit: '1mb' }), (request, response) => {
    const asked = completionRequest.safeParse(request.body)
    if (!asked.success) return void response.status(400).json({ error: { type: 'invalid_request_error', message: 'expected a model and messages' } })
    const { model, messages } = asked.data
    const prompt = messages.map(({ content }) => content).join('\n')
    const content = JSON.stringify(markOf(prompt))
    const tokens = (text: string) => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
    response.json({
      id: 'demo', object: 'chat.completion', created: 0, model,
      choices: [{ index: 0, finish_reason: 'stop', logprobs: null, message: { role: 'assistant', content, refusal: null } }],
      usage: { prompt_tokens: tokens(prompt), completion_tokens: tokens(content), total_tokens: tokens(prompt) + tokens(content) },
    })
  })
  return router
}

/** Of what stands in the fence of the answer, and nothing else. */
function markOf(prompt: string): { readonly reason: string; readonly score: number } {
  const answer = /<answer (\S+)>\n([\s\S]*?)\n<\/answer \1>/.exec(prompt.slice(prompt.lastIndexOf('<question ')))?.[2] ?? ''
  return isLost(answer) ? { reason: 'It is not about what was asked.', score: 1 } : { reason: 'It is none of the answers that this simulated judge knows to be bad.', score: 5 }
}
