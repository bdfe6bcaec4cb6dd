/** Runs as spans, written with the OpenTelemetry SDK as an agent's own instrumentation would: OTel GenAI attributes, exceptions as events. */
import { context, SpanKind, SpanStatusCode, trace, type Attributes, type Context, type Span, type Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { lengthOf, secondsOf, type Failure, type Run, type Step } from './run.ts'

const SCOPE = 'spanbridge.demo'

export class Telemetry {
  readonly #exporter: () => SpanExporter
  readonly #providers = new Map<string, BasicTracerProvider>()

  /** `endpoint`: of OTLP/HTTP, as http://127.0.0.1:4318 */
  constructor(endpoint: string, exporter: () => SpanExporter = () => new OTLPTraceExporter({ url: `${endpoint}/v1/traces` })) {
    this.#exporter = exporter
  }

  /** Writes the spans of a run that ends at a time, in milliseconds since 1970. Its trace id. */
  write(run: Run, endMs: number): string {
    const tracer = this.#tracerOf(run)
    const startMs = endMs - (secondsOf(run.steps) + 0.002) * 1000
    const root = tracer.startSpan(`invoke_agent ${run.agent}`, {
      kind: SpanKind.SERVER, startTime: startMs,
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': run.agent, 'gen_ai.conversation.id': run.conversation, 'gen_ai.input.messages': spoken('user', run.question), tenant_id: run.tenant, project_id: run.project },
    })
    this.#steps(tracer, run.steps, trace.setSpan(context.active(), root), startMs + 1, false)
    if (run.quality !== undefined) root.addEvent('gen_ai.evaluation.result', { 'gen_ai.evaluation.name': 'answer_quality', 'gen_ai.evaluation.score.value': run.quality }, endMs)
    if (run.failure === undefined) root.setAttribute('gen_ai.output.messages', spoken('assistant', run.answer))
    else fail(root, run.failure, endMs)
    root.end(endMs)
    return root.spanContext().traceId
  }

  /** Sends what is waiting. */
  async flush(): Promise<void> {
    await Promise.all([...this.#providers.values()].map((provider) => provider.forceFlush()))
  }

  /** Sends what is waiting, and ends. */
  async stop(): Promise<void> {
    await Promise.allSettled([...this.#providers.values()].map((provider) => provider.shutdown()))
  }

  #steps(tracer: Tracer, steps: readonly Step[], parent: Context, startMs: number, parallel: boolean): void {
    let atMs = startMs
    for (const step of steps) {
      const endMs = atMs + lengthOf(step) * 1000
      const span = tracer.startSpan(nameOf(step), { kind: step.kind === 'agent' || step.kind === 'tool' ? SpanKind.INTERNAL : SpanKind.CLIENT, startTime: atMs, attributes: attributesOf(step) }, parent)
      if (step.steps !== undefined) this.#steps(tracer, step.steps, trace.setSpan(parent, span), atMs + step.seconds * 500, step.parallel === true)
      if (step.compacts === true) span.addEvent('gen_ai.conversation.compacted', {}, atMs)
      if (step.failure !== undefined) fail(span, step.failure, endMs)
      span.end(endMs)
      if (!parallel) atMs = endMs
    }
  }

  #tracerOf({ service, version }: Run): Tracer {
    let provider = this.#providers.get(service)
    if (provider === undefined) {
      provider = new BasicTracerProvider({
        resource: resourceFromAttributes({ 'service.name': service, 'service.version': version, 'deployment.environment.name': 'demo' }),
        spanProcessors: [new BatchSpanProcessor(this.#exporter(), { scheduledDelayMillis: 500, maxQueueSize: 20_000, maxExportBatchSize: 2000 })],
      })
      this.#providers.set(service, provider)
    }
    return provider.getTracer(SCOPE)
  }
}

function nameOf({ kind, name }: Step): string {
  return { model: `chat ${name}`, embedding: `embeddings ${name}`, retrieval: `retrieval ${name}`, tool: `execute_tool ${name}`, state: `update_memory ${name}`, agent: `invoke_agent ${name}` }[kind]
}

function attributesOf(step: Step): Attributes {
  switch (step.kind) {
    case 'model':
    case 'embedding':
      return defined({
        'gen_ai.operation.name': step.kind === 'model' ? 'chat' : 'embeddings',
        'gen_ai.provider.name': step.provider,
        'gen_ai.request.model': step.name,
        'gen_ai.usage.input_tokens': step.inputTokens,
        'gen_ai.usage.output_tokens': step.outputTokens,
        'gen_ai.usage.cache_read.input_tokens': step.cachedTokens,
        'gen_ai.input.messages': step.messages === undefined ? undefined : conversation(step.messages, step.says?.input ?? ''),
        'gen_ai.output.messages': step.failure === undefined && step.says?.output !== undefined ? spoken('assistant', step.says.output) : undefined,
      })
    case 'retrieval': return { 'gen_ai.operation.name': 'retrieval', 'gen_ai.data_source.id': step.name }
    case 'tool': return defined({ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': step.name, 'gen_ai.tool.call.result': step.failure === undefined ? step.says?.output : undefined })
    case 'state': return { 'gen_ai.operation.name': 'update_memory' }
    case 'agent': return { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': step.name }
  }
}

const histories = new Map<number, string>()

/** A history of that many messages: the last one in words, those before it without. */
function conversation(messages: number, last: string): string {
  let before = histories.get(messages)
  if (before === undefined) {
    before = Array.from({ length: messages - 1 }, (_, i) => `${JSON.stringify({ role: i % 2 === 0 ? 'user' : 'assistant', parts: [] })},`).join('')
    histories.set(messages, before)
  }
  return `[${before}${message('user', last)}]`
}

function spoken(role: string, content: string): string {
  return `[${message(role, content)}]`
}

function message(role: string, content: string): string {
  return JSON.stringify({ role, parts: [{ type: 'text', content }] })
}

function fail(span: Span, { type, message, httpStatus }: Failure, atMs: number): void {
  span.setAttribute('error.type', type)
  if (httpStatus !== undefined) span.setAttribute('http.response.status_code', httpStatus)
  span.addEvent('exception', { 'exception.type': type, 'exception.message': message }, atMs)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

function defined(attributes: Readonly<Record<string, string | number | undefined>>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Attributes
}
