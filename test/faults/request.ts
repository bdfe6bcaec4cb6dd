/** One run of a simulated agent as spans: what it did step by step, and by whom it is told. */
import type { Attributes, SpanSpec } from '../otlpbuilder.ts'

export const START_MS = 1_790_000_000_000

export interface Words {
  readonly message?: string
  readonly errorType?: string
  readonly exception?: readonly [type: string, message: string]
  readonly httpStatus?: number
}

export interface Step {
  readonly kind: 'model' | 'tool' | 'retrieval' | 'agent' | 'chain' | 'client'
  readonly name: string
  /** Of its own, besides what is inside. */
  readonly ms: number
  readonly steps?: readonly Step[]
  /** At the same time as the step before it. */
  readonly beside?: boolean
  readonly failed?: Words
  readonly usd?: number
  readonly attributes?: Attributes
  /** It goes on after whoever called it has ended. */
  readonly outlives?: boolean
}

export interface Run {
  readonly trace: number
  readonly agent: string
  readonly tenant: string
  readonly version: string
  readonly steps: readonly Step[]
  readonly failed?: Words
  readonly score?: number
  /** Of its own at the end. */
  readonly ms?: number
  readonly rootless?: boolean
  readonly dialect: 'otel' | 'openinference'
  /** A framework's span around each model call. */
  readonly doubled?: boolean
}

const SCOPES = { otel: 'opentelemetry.instrumentation.langchain_v2', openinference: 'openinference.instrumentation.langchain' } as const
const OTEL: Readonly<Record<string, readonly [operation: string, key: string]>> = {
  model: ['chat', 'gen_ai.request.model'], tool: ['execute_tool', 'gen_ai.tool.name'], retrieval: ['retrieval', 'gen_ai.data_source.id'], agent: ['invoke_agent', 'gen_ai.agent.name'], chain: ['chain', 'graph.node'],
}
const INFERENCE: Readonly<Record<string, readonly [kind: string, key: string]>> = {
  model: ['LLM', 'llm.model_name'], tool: ['TOOL', 'tool.name'], retrieval: ['RETRIEVER', 'retriever.name'], agent: ['AGENT', 'agent.name'], chain: ['CHAIN', 'graph.node'],
}

export function spansOf(run: Run): SpanSpec[] {
  const spans: SpanSpec[] = []
  const trace = run.trace.toString(16).padStart(32, '0')
  let ids = 0
  const nextId = () => (++ids).toString(16).padStart(16, '0')
  const common = { trace, scope: SCOPES[run.dialect], resource: { 'service.name': 'shop', 'service.version': run.version } }

  const add = (step: Step, parent: string, at: number): number => {
    const id = nextId()
    const place = spans.length
    if (run.doubled === true && step.kind === 'model') {
      const inner = { ...common, scope: 'opentelemetry.instrumentation.openai_v2', id: nextId(), parent: id, name: `chat ${step.name}`, kind: 3, startMs: at + 1, endMs: at + step.ms - 1 }
      spans.push({ ...inner, ...told(step.failed), attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': step.name, ...cost(step), ...words(step.failed) } })
    }
    const end = within(step.steps ?? [], id, at + step.ms / 2) + step.ms / 2
    spans.splice(place, 0, {
      ...common, id, parent, name: nameOf(step, run.dialect), startMs: at, endMs: end, ...told(step.failed), ...(step.kind === 'client' && { kind: 3 }),
      attributes: { ...identity(step, run.dialect), ...(run.doubled === true && step.kind === 'model' ? {} : cost(step)), ...words(step.failed), ...step.attributes },
    })
    return step.outlives === true ? at : end
  }
  const within = (steps: readonly Step[], parent: string, from: number): number => {
    let begin = from
    let end = from
    for (const step of steps) {
      if (step.beside !== true) begin = end
      end = Math.max(end, add(step, parent, begin + 1))
    }
    return end
  }

  const root = nextId()
  const end = within(run.steps, root, START_MS) + (run.ms ?? 2)
  if (run.rootless === true) return spans
  const { score } = run
  spans.unshift({
    ...common, id: root, name: `invoke_agent ${run.agent}`, startMs: START_MS, endMs: end, ...told(run.failed),
    attributes: { ...identity({ kind: 'agent', name: run.agent, ms: 0 }, run.dialect), 'tenant.id': run.tenant, ...words(run.failed) },
    ...(score !== undefined && { events: [...(told(run.failed).events ?? []), { name: 'gen_ai.evaluation.result', timeMs: end, attributes: { 'gen_ai.evaluation.name': 'helpful', 'gen_ai.evaluation.score.value': { double: score } } }] }),
  })
  return spans
}

function nameOf({ kind, name }: Step, dialect: Run['dialect']): string {
  return kind === 'client' ? 'POST' : kind === 'chain' || dialect === 'openinference' ? name : `${OTEL[kind]![0]} ${name}`
}

function identity({ kind, name }: Step, dialect: Run['dialect']): Attributes {
  if (kind === 'client') return { 'http.request.method': 'POST' }
  const [value, key] = (dialect === 'otel' ? OTEL : INFERENCE)[kind]!
  return { [dialect === 'otel' ? 'gen_ai.operation.name' : 'openinference.span.kind']: value, [key]: name }
}

function cost({ kind, usd }: Step): Attributes {
  return kind === 'model' ? { 'gen_ai.usage.cost': { double: usd ?? 0.0008 } } : {}
}

function told(failed: Words | undefined): Pick<SpanSpec, 'status' | 'events'> {
  if (failed === undefined) return {}
  const { message, exception } = failed
  return {
    status: { code: 2, ...(message !== undefined && { message }) },
    ...(exception !== undefined && { events: [{ name: 'exception', timeMs: START_MS, attributes: { 'exception.type': exception[0], 'exception.message': exception[1] } }] }),
  }
}

function words(failed: Words | undefined): Attributes {
  return {
    ...(failed?.errorType !== undefined && { 'error.type': failed.errorType }),
    ...(failed?.httpStatus !== undefined && { 'http.response.status_code': failed.httpStatus }),
  }
}
