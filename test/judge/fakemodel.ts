/**
 * An endpoint that takes calls as the Messages API of Anthropic and the Chat Completions API of OpenAI are documented, and answers as it is told. Whatever is not as
 * documented is answered 400, as both do. It records what it was sent.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Prompted {
  readonly system: string
  readonly user: string
  readonly headers: IncomingHttpHeaders
  readonly body: Readonly<Record<string, unknown>>
}

/** What is answered: a mark, or something else. */
export type FakeReply =
  | { readonly score: unknown; readonly reason?: string }
  | { readonly text: string }
  | { readonly refusal: true }
  | { readonly truncated: true }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly message?: string }
  | { readonly raw: string; readonly type?: string }
  /** Nothing, or after the headers nothing more. */
  | { readonly hang: 'before' | 'body' }
  | { readonly reset: true }

export interface FakeModel {
  readonly url: string
  /** Of each call that was as documented. */
  readonly calls: Prompted[]
  /** What the next calls are answered; then what `otherwise` says, a 4 by itself. */
  answer(...replies: FakeReply[]): void
  otherwise(reply: (call: Prompted) => FakeReply): void
  /** Resolves once there are so many calls. */
  called(times: number): Promise<void>
  stop(): Promise<void>
}

export const USAGE = { input: 700, output: 60 } as const

export async function fakeModel(): Promise<FakeModel> {
  const calls: Prompted[] = []
  const replies: FakeReply[] = []
  const waiting: { times: number; resolve: () => void }[] = []
  let otherwise: (call: Prompted) => FakeReply = () => ({ score: 4, reason: 'good' })
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const api = request.method === 'POST' ? APIS[request.url ?? ''] : undefined
      try {
        if (api === undefined) throw new Error(`${request.method} ${request.url} is no call`)
        const call = { ...api.read(JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>, request.headers), headers: request.headers }
        calls.push(call)
        reply(response, api, replies.shift() ?? otherwise(call), call)
        for (const one of waiting) if (calls.length >= one.times) one.resolve()
      } catch (error) {
        response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { type: 'invalid_request_error', message: (error as Error).message } }))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    answer: (...next) => void replies.push(...next),
    otherwise: (next) => { otherwise = next },
    called: (times) => new Promise((resolve) => {
      if (calls.length >= times) resolve()
      else waiting.push({ times, resolve })
    }),
    stop: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

interface Api {
  /** Throws what is not as documented. */
  read(body: Record<string, unknown>, headers: IncomingHttpHeaders): Omit<Prompted, 'headers'>
  write(text: string, end: 'done' | 'refusal' | 'truncated', body: Readonly<Record<string, unknown>>): unknown
}

const APIS: Readonly<Record<string, Api>> = {
  '/v1/messages': {
    read: (body, headers) => {
      if (!/^20\d\d-\d\d-\d\d$/.test(String(headers['anthropic-version']))) throw new Error('anthropic-version: header is required')
      if (!headers['x-api-key'] && !/^Bearer ./.test(headers.authorization ?? '')) throw new Error('no key')
      only(body, ['model', 'max_tokens', 'messages', 'system', 'output_config'])
      const { model, max_tokens: most, system, messages, output_config: output } = body as { model: unknown; max_tokens: unknown; system: unknown; messages: { role: string; content: unknown }[]; output_config?: { format?: { type?: string; schema?: Schema } } }
      if (typeof model !== 'string' || !Number.isInteger(most) || typeof system !== 'string') throw new Error('model, max_tokens and system are required here')
      if (messages.length !== 1 || messages[0]!.role !== 'user' || typeof messages[0]!.content !== 'string') throw new Error('messages: one text of the user is expected here')
      if (output?.format?.type !== 'json_schema') throw new Error('output_config.format: json_schema is expected here')
      checkSchema(output.format.schema)
      return { system, user: messages[0]!.content, body }
    },
    write: (text, end, { model }) => ({
      id: 'msg_1', type: 'message', role: 'assistant', model, content: [{ type: 'text', text }], stop_sequence: null,
      stop_reason: { done: 'end_turn', refusal: 'refusal', truncated: 'max_tokens' }[end],
      usage: { input_tokens: USAGE.input - 100, cache_read_input_tokens: 100, cache_creation_input_tokens: 0, output_tokens: USAGE.output },
    }),
  },
  '/v1/chat/completions': {
    read: (body, headers) => {
      if (!/^Bearer ./.test(headers.authorization ?? '')) throw new Error('You did not provide an API key')
      only(body, ['model', 'max_tokens', 'max_completion_tokens', 'messages', 'response_format', 'tools', 'tool_choice'])
      const { model, messages, response_format: format, tools } = body as { model: unknown; messages: { role: string; content: string }[]; response_format?: { type?: string; json_schema?: { name?: string; strict?: boolean; schema?: Schema } }; tools?: unknown[] }
      if (typeof model !== 'string' || !Number.isInteger(body['max_tokens'] ?? body['max_completion_tokens'])) throw new Error('model and a limit of tokens are required here')
      if (tools === undefined) {
        if (format?.type !== 'json_schema' || format.json_schema?.strict !== true || !/^[\w-]{1,64}$/.test(format.json_schema.name ?? '')) throw new Error('response_format: json_schema, strict, with a name')
        checkSchema(format.json_schema.schema)
      }
      const of = (role: string) => messages.filter((message) => message.role === role).map(({ content }) => content).join('\n')
      return { system: of('system'), user: of('user'), body }
    },
    write: (text, end, { model, tools }) => ({
      id: 'chatcmpl-1', object: 'chat.completion', created: 1, model,
      choices: [{
        index: 0, finish_reason: end === 'truncated' ? 'length' : tools === undefined ? 'stop' : 'tool_calls', logprobs: null,
        message: {
          role: 'assistant', content: end === 'refusal' || tools !== undefined ? null : text, refusal: end === 'refusal' ? 'I cannot help with that.' : null,
          ...(tools === undefined || end === 'refusal' ? {} : { tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'select_choice', arguments: text } }] }),
        },
      }],
      usage: { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output, prompt_tokens_details: { cached_tokens: 100 } },
    }),
  },
}

type Schema = { readonly type?: unknown; readonly properties?: Readonly<Record<string, { readonly minimum?: unknown; readonly maximum?: unknown }>>; readonly required?: unknown; readonly additionalProperties?: unknown }

/** What both take: every property required, no others, and none of the keywords that are not supported. */
function checkSchema(schema: Schema | undefined): void {
  if (schema?.type !== 'object' || schema.additionalProperties !== false) throw new Error('schema: an object without additionalProperties')
  const names = Object.keys(schema.properties ?? {})
  if (JSON.stringify(schema.required) !== JSON.stringify(names)) throw new Error('schema: every property is required')
  for (const property of Object.values(schema.properties ?? {})) if (property.minimum !== undefined || property.maximum !== undefined) throw new Error('schema: minimum and maximum are not supported')
}

function only(body: object, keys: readonly string[]): void {
  const other = Object.keys(body).find((key) => !keys.includes(key))
  if (other !== undefined) throw new Error(`${other}: Extra inputs are not permitted`)
}

function reply(response: ServerResponse, api: Api, one: FakeReply, { body }: Prompted): void {
  const send = (value: unknown) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if ('score' in one) send(api.write(JSON.stringify({ reason: one.reason ?? 'because', score: one.score }), 'done', body))
  else if ('text' in one) send(api.write(one.text, 'done', body))
  else if ('refusal' in one) send(api.write('', 'refusal', body))
  else if ('truncated' in one) send(api.write('{"reason": "it', 'truncated', body))
  else if ('raw' in one) response.writeHead(200, { 'content-type': one.type ?? 'application/json' }).end(one.raw)
  else if ('reset' in one) response.destroy()
  else if ('hang' in one) {
    if (one.hang === 'body') response.writeHead(200, { 'content-type': 'application/json' }).write('{"id": "msg_')
  } else response.writeHead(one.status, { 'content-type': 'application/json', ...one.headers }).end(JSON.stringify({ type: 'error', error: { type: 'api_error', message: one.message ?? 'failed' } }))
}

/** The parts of a prompt as a judge that keeps to its rules reads them: fenced by the mark that the system prompt tells, anything else is not allowed to be there. */
export function partsOf(user: string, system: string): { readonly what: string; readonly text: string }[] {
  const mark = /<answer ([^>\s]+)>/.exec(system)?.[1]
  if (mark === undefined) throw new Error('the system prompt tells no mark')
  const parts: { what: string; text: string }[] = []
  let rest = user
  for (let open = new RegExp(`^\\n*<(\\w+) ${mark}>\\n`).exec(rest); open !== null; open = new RegExp(`^\\n*<(\\w+) ${mark}>\\n`).exec(rest)) {
    const close = `\n</${open[1]} ${mark}>`
    const end = rest.indexOf(close, open[0].length - 1)
    parts.push({ what: open[1]!, text: rest.slice(open[0].length, Math.max(open[0].length, end)) })
    rest = rest.slice(end + close.length)
  }
  if (rest !== '\n\nMark the answer by the rubric.') throw new Error(`outside of every fence: ${JSON.stringify(rest)}`)
  return parts
}
