/** Spans of one run of an agent, which calls a model and a tool, and what went wrong in it. */
import type { SpanSpec } from '../otlpbuilder.ts'

export const START_MS = 1_700_000_000_000

export interface Run {
  readonly tenant?: string
  readonly agent?: string
  readonly seconds?: number
  /** The words of a failure, of the step `at`, that took the run with it. */
  readonly failure?: string
  readonly at?: 'tool' | 'model' | 'agent'
  readonly costUsd?: number
  readonly prompt?: string
  readonly scores?: Readonly<Record<string, number>>
}

let traces = 0

export function run({ tenant = 'acme', agent = 'support', seconds = 0.2, failure, at = 'tool', costUsd, prompt = '', scores = {} }: Run): SpanSpec[] {
  const trace = (++traces).toString(16).padStart(32, '0')
  const common = { trace, scope: 'opentelemetry.instrumentation.openai_v2', resource: { 'service.name': 'shop' }, startMs: START_MS, endMs: START_MS + seconds * 1000 }
  const failed = (where: Run['at']) => (failure === undefined || (where !== at && where !== 'agent') ? {} : { status: { code: 2, message: failure } })
  return [
    { ...common, ...failed('agent'), id: '0000000000000001', name: 'invoke_agent', attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent, 'tenant.id': tenant, 'project.id': 'desk' } },
    {
      ...common, ...failed('model'), id: '0000000000000002', parent: '0000000000000001', name: 'chat',
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', 'gen_ai.input.messages': prompt, ...(costUsd !== undefined && { 'gen_ai.usage.cost': { double: costUsd } }) },
    },
    {
      ...common, ...failed('tool'), id: '0000000000000003', parent: '0000000000000001', name: 'execute_tool lookup_order',
      attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'lookup_order', 'gen_ai.tool.call.arguments': prompt },
      events: Object.entries(scores).map(([name, score]) => ({ name: 'gen_ai.evaluation.result', timeMs: START_MS, attributes: { 'gen_ai.evaluation.name': name, 'gen_ai.evaluation.score.value': { double: score } } })),
    },
  ]
}
