/**
 * What one agent request of the benchmark looks like: 20 model calls, 10 retrievals, 5 tool calls, a state update and
 * the root, as an OpenTelemetry GenAI instrumentation without content capture writes them: about ten attributes and
 * 400 bytes a span.
 */
import type { Random } from './random.ts'

export const SPANS_PER_REQUEST = 37
export const MODEL_CALLS_PER_REQUEST = 20
export const TENANTS = 20
export const PROJECTS = 3

export interface SpanDraft {
  readonly name: string
  /** OTLP SpanKind: 1 internal, 3 client. */
  readonly kind: 1 | 3
  /** From the start of the request. */
  readonly startMicros: number
  readonly durationMicros: number
  readonly attributes: readonly (readonly [string, string | number])[]
  /** Starts with the sixteen characters that are made anew for every batch. */
  readonly responseId?: string
  readonly error?: string
}

const MODELS = [
  { provider: 'openai', host: 'api.openai.com', model: 'gpt-4.1', release: 'gpt-4.1-2025-04-14', medianMicros: 900_000 },
  { provider: 'openai', host: 'api.openai.com', model: 'gpt-4.1-mini', release: 'gpt-4.1-mini-2025-04-14', medianMicros: 400_000 },
  { provider: 'anthropic', host: 'api.anthropic.com', model: 'claude-sonnet-4-5', release: 'claude-sonnet-4-5-20250929', medianMicros: 1_300_000 },
  { provider: 'anthropic', host: 'api.anthropic.com', model: 'claude-haiku-4-5', release: 'claude-haiku-4-5-20251001', medianMicros: 500_000 },
] as const
const AGENTS = ['support', 'research', 'billing', 'code-review'] as const
const COLLECTIONS = ['product_kb', 'tickets', 'contracts'] as const
const TOOLS = ['http_api', 'sql_query', 'send_mail', 'search_web', 'calculator'] as const

/** The spans of request `index` of a batch in the order in which they end, which is the order of an exporter: root last. */
export function draftRequest(index: number, random: Random): SpanDraft[] {
  const conversation = `conv_${random.hex(12)}`
  const spans: SpanDraft[] = []
  let now = 2_000
  /** The next span starts when the last one has ended and the agent has done its own bit. */
  const add = (span: Omit<SpanDraft, 'startMicros'>): void => {
    spans.push({ ...span, startMicros: now })
    now += span.durationMicros + random.integer(300, 4_000)
  }
  const failing = index % 10 === 7 ? 11 : -1
  for (let call = 0; call < MODEL_CALLS_PER_REQUEST; call++) {
    if (call % 2 === 0) add(retrieval(random))
    add(modelCall(random, conversation, call === failing))
    if (call % 4 === 3) add(toolCall(random))
  }
  add({ name: 'update_memory session', kind: 1, durationMicros: random.latency(2_000, 1.5), attributes: [['gen_ai.operation.name', 'update_memory'], ['gen_ai.conversation.id', conversation], ['memory.key', 'summary'], ['memory.size', random.integer(200, 9_000)]] })
  const agent = AGENTS[index % AGENTS.length]!
  spans.push({
    name: `invoke_agent ${agent}`,
    kind: 1,
    startMicros: 0,
    durationMicros: now,
    attributes: [
      ['gen_ai.operation.name', 'invoke_agent'], ['gen_ai.provider.name', 'openai'], ['gen_ai.agent.name', agent], ['gen_ai.agent.id', `agent_${random.hex(16)}`],
      ['gen_ai.conversation.id', conversation], ['tenant_id', `tenant-${index % TENANTS}`], ['project_id', `project-${index % PROJECTS}`],
      ['session.id', `sess_${random.hex(16)}`], ['user.id', `user-${random.integer(1, 99_999)}`],
    ],
  })
  return spans
}

function modelCall(random: Random, conversation: string, failed: boolean): Omit<SpanDraft, 'startMicros'> {
  const { provider, host, model, release, medianMicros } = MODELS[random.integer(0, MODELS.length - 1)]!
  const asked: [string, string | number][] = [
    ['gen_ai.operation.name', 'chat'], ['gen_ai.provider.name', provider], ['gen_ai.request.model', model], ['gen_ai.request.temperature', 0.7],
    ['gen_ai.request.max_tokens', 1024], ['gen_ai.conversation.id', conversation], ['server.address', host],
  ]
  const span = { name: `chat ${model}`, kind: 3, durationMicros: random.latency(medianMicros, 1.6) } as const
  if (failed) return { ...span, error: "Error code: 429 - {'error': {'message': 'Rate limit reached', 'type': 'requests'}}", attributes: [...asked, ['error.type', 'RateLimitError']] }
  return {
    ...span,
    responseId: random.hex(28),
    attributes: [
      ...asked, ['gen_ai.response.model', release],
      ['gen_ai.usage.input_tokens', random.integer(300, 6_000)], ['gen_ai.usage.output_tokens', random.integer(20, 900)],
    ],
  }
}

function retrieval(random: Random): Omit<SpanDraft, 'startMicros'> {
  const collection = COLLECTIONS[random.integer(0, COLLECTIONS.length - 1)]!
  return {
    name: `retrieval ${collection}`,
    kind: 3,
    durationMicros: random.latency(60_000, 1.7),
    attributes: [
      ['gen_ai.operation.name', 'retrieval'], ['gen_ai.data_source.id', collection], ['db.system.name', 'postgresql'], ['db.operation.name', 'SELECT'],
      ['db.collection.name', collection], ['gen_ai.request.top_k', 10], ['server.address', 'vectors.internal'], ['server.port', 5432],
    ],
  }
}

function toolCall(random: Random): Omit<SpanDraft, 'startMicros'> {
  const tool = TOOLS[random.integer(0, TOOLS.length - 1)]!
  return {
    name: `execute_tool ${tool}`,
    kind: 1,
    durationMicros: random.latency(180_000, 2),
    attributes: [
      ['gen_ai.operation.name', 'execute_tool'], ['gen_ai.tool.name', tool], ['gen_ai.tool.type', 'function'], ['gen_ai.tool.call.id', `call_${random.hex(24)}`],
      ['http.request.method', 'GET'], ['http.response.status_code', 200], ['url.full', `https://tools.internal/v1/${tool}/${random.hex(8)}`],
    ],
  }
}
