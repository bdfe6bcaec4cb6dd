import { Kind } from '../names.ts'
import { kind, messages, number, responseId, text, GUESS, OWN, type Dialect } from '../dialect.ts'

/**
 * Vercel AI SDK 3 to 7, `experimental_telemetry` and `@ai-sdk/otel` in its legacy form. The current form of 7 (scope `gen_ai`)
 * is plain OTel GenAI with `agent_step` between `invoke_agent` and `chat`, and embeddings in two spans.
 *
 * The outer span of a call repeats tokens: in v5 those of the last step under the old names, in v6 and 7 their sum; it is
 * an agent, and the outer embedding a chain, so that only the inner ones count. The SDK retries itself, and every
 * attempt is a span. A stream that breaks never exports its root. `ai.response.msToFirstChunk` is milliseconds.
 * Exceptions are `AI_APICallError` whatever happened: only the text tells.
 */
export const vercelAi: Dialect = {
  name: 'vercel-ai',
  scopes: /^(?:ai|gen_ai|@ai-sdk\/otel)$/,
  traits: ['attemptsAreSpans'],
  content: { 'ai.prompt': 'input', 'ai.prompt.messages': 'input', 'ai.response.text': 'output', 'ai.response.object': 'output', 'ai.toolCall.args': 'input', 'ai.toolCall.result': 'output' },
  attributes: {
    'ai.operationId': kind({
      'ai.generateText': Kind.agent,
      'ai.streamText': Kind.agent,
      'ai.generateObject': Kind.agent,
      'ai.streamObject': Kind.agent,
      'ai.generateText.doGenerate': Kind.model,
      'ai.streamText.doStream': Kind.model,
      'ai.generateObject.doGenerate': Kind.model,
      'ai.streamObject.doStream': Kind.model,
      'ai.generateSpeech': Kind.model,
      'ai.generateImage': Kind.model,
      'ai.transcribe': Kind.model,
      'ai.toolCall': Kind.tool,
      'ai.embed': Kind.chain,
      'ai.embedMany': Kind.chain,
      'ai.embed.doEmbed': Kind.embedding,
      'ai.embedMany.doEmbed': Kind.embedding,
      'ai.rerank': Kind.chain,
      'ai.rerank.doRerank': Kind.retrieval,
    }, OWN - 2),
    'ai.toolCall.name': text('tool'),
    'ai.model.id': text('model'),
    'ai.response.model': text('responseModel'),
    'ai.model.provider': text('provider', GUESS),
    'ai.telemetry.functionId': text('agent'),
    'ai.response.id': responseId,
    'ai.usage.inputTokens': number('input', OWN),
    'ai.usage.promptTokens': number('input', OWN + 1),
    'ai.usage.tokens': number('input', OWN + 2),
    'ai.usage.outputTokens': number('output', OWN),
    'ai.usage.completionTokens': number('output', OWN + 1),
    'ai.usage.cachedInputTokens': number('cachedInput', OWN),
    'ai.usage.inputTokenDetails.cacheReadTokens': number('cachedInput', OWN + 1),
    'ai.usage.inputTokenDetails.cacheWriteTokens': number('cacheWrite', OWN),
    'ai.usage.reasoningTokens': number('reasoning', OWN),
    'ai.usage.outputTokenDetails.reasoningTokens': number('reasoning', OWN + 1),
    'ai.response.msToFirstChunk': number('firstTokenSeconds', OWN, 0.001),
    'metadata.ai.response.msToFirstChunk': number('firstTokenSeconds', GUESS, 0.001),
    'ai.prompt.messages': messages,
  },
  events: { 'ai.stream.firstChunk': 'firstToken' },
  names: [
    { name: /^ai\.(?:generate|stream)(?:Text|Object)\.do(?:Generate|Stream)(?: .*)?$/, kind: Kind.model },
    { name: /^ai\.embed(?:Many)?\.doEmbed(?: .*)?$/, kind: Kind.embedding },
    { name: /^ai\.embed(?:Many)?(?: .*)?$/, kind: Kind.chain },
    { name: /^ai\.toolCall(?: .*)?$/, kind: Kind.tool },
    { name: /^ai\.(?:generate|stream)(?:Text|Object)(?: (.+))?$/, kind: Kind.agent },
    { name: /^step \d+$/, kind: Kind.chain },
  ],
}
