/**
 * Agent requests as fast-check makes them up, and the spans that instrumentations would leave of them: agents in agents,
 * chains, calls told of twice in one trace and in two, tools, retrievals, failures that echo up to the root, retries that heal.
 */
import fc from 'fast-check'
import type { Attributes, SpanSpec } from '../otlpbuilder.ts'

export const START_MS = 1_790_000_000_000
export const FRAMEWORK = 'opentelemetry.instrumentation.langchain_v2'
export const SDK = 'opentelemetry.instrumentation.openai_v2'
export const NATIVE = 'com.anthropic.sdk.messages'
export const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-3-5-sonnet-20241022', 'o3', 'no-such-model'] as const
const FAILURES = {
  rateLimit: 'Error code: 429 - Rate limit reached for requests',
  overflow: "This model's maximum context length is 128000 tokens",
  toolTimeout: 'ReadTimeout: The read operation timed out',
  odd: 'the frobnicator is upset',
} as const

export interface Call {
  readonly is: 'model'
  readonly model: (typeof MODELS)[number]
  readonly tokens: { readonly input: number; readonly output: number; readonly cached: number; readonly reasoning: number } | undefined
  readonly reportedUsd: number | undefined
  /** Spans around the SDK's that tell of the same call. */
  readonly layers: number
  /** A trace of its own with the same call in it, by whom. */
  readonly twin: typeof NATIVE | typeof SDK | undefined
  /** The provider reports an error first, and the retry succeeds. */
  readonly healed: boolean
  readonly firstTokenMs: number | undefined
}
export type Node =
  | Call
  | { readonly is: 'tool' | 'retrieval'; readonly name: string; readonly healed: boolean }
  | { readonly is: 'chain' | 'agent'; readonly name: string; readonly children: readonly Node[] }

export interface Scenario {
  readonly seed: number
  readonly tenant: string
  readonly tenantOnResource: boolean
  readonly project: string
  readonly service: string
  readonly childTenant: string
  readonly agent: string
  readonly children: readonly Node[]
  /** What stops the run, if anything does. */
  readonly failure: keyof typeof FAILURES | undefined
  /** Several steps at the same time, rather than one after the other. */
  readonly parallel: boolean
  readonly shape: 'whole' | 'rootless' | 'orphan' | 'remote'
  readonly threshold: string | undefined
  readonly score: number | undefined
  /** A cost that only the root tells. */
  readonly rootUsd: number | undefined
  readonly offsetMs: number
}

const tokens = fc.record({ input: fc.nat(5000), output: fc.nat(2000), cached: fc.nat(6000), reasoning: fc.nat(2500) })
const call: fc.Arbitrary<Node> = fc.record({
  is: fc.constant('model' as const),
  model: fc.constantFrom(...MODELS),
  tokens: fc.option(tokens, { nil: undefined, freq: 5 }),
  reportedUsd: fc.option(fc.double({ min: 1e-9, max: 3, noNaN: true }), { nil: undefined, freq: 1 }),
  layers: fc.nat(2),
  twin: fc.constantFrom(undefined, undefined, NATIVE, SDK),
  healed: fc.boolean(),
  firstTokenMs: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
})
const leaf: fc.Arbitrary<Node> = fc.record({ is: fc.constantFrom('tool' as const, 'retrieval' as const), name: fc.constantFrom('search', 'lookup_order', 'faq'), healed: fc.boolean() })
const { node } = fc.letrec<{ node: Node; inner: Node }>((tie) => ({
  node: fc.oneof({ maxDepth: 3, withCrossShrink: true }, call, leaf, tie('inner')),
  inner: fc.record({ is: fc.constantFrom('chain' as const, 'agent' as const), name: fc.constantFrom('planner', 'writer', 'turn'), children: fc.array(tie('node'), { maxLength: 3 }) }),
}))

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(0x7fffffff),
  tenant: fc.constantFrom('acme', 'globex', ''),
  tenantOnResource: fc.boolean(),
  project: fc.constantFrom('support', ''),
  service: fc.constantFrom('shop', 'desk', ''),
  childTenant: fc.constantFrom('intruder', ''),
  agent: fc.constantFrom('triage', 'helper'),
  children: fc.array(node, { maxLength: 4 }),
  failure: fc.constantFrom(undefined, undefined, ...(Object.keys(FAILURES) as (keyof typeof FAILURES)[])),
  parallel: fc.boolean(),
  shape: fc.constantFrom('whole', 'whole', 'whole', 'rootless', 'orphan', 'remote'),
  threshold: fc.constantFrom(undefined, undefined, '8', 'e666', 'c', '55'),
  score: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined, freq: 1 }),
  rootUsd: fc.option(fc.double({ min: 0.0001, max: 1, noNaN: true }), { nil: undefined, freq: 1 }),
  offsetMs: fc.nat(300),
})

/** Some requests at about the same time, all of other ids. */
export const traffic: fc.Arbitrary<Scenario[]> = fc.array(scenario, { minLength: 1, maxLength: 4 }).map((list) => list.map((one, i) => ({ ...one, seed: (one.seed * 4 + i) % 0x7fffffff })))

/** The model calls that truly happened, healed attempts among them as calls that failed. */
export function callsOf(nodes: readonly Node[]): Call[] {
  return nodes.flatMap((node) => (node.is === 'model' ? [node] : 'children' in node ? callsOf(node.children) : []))
}

/** Whether there is anything in it but structure: a trace of chains alone is nobody's request. */
export function isRequest({ shape, failure, children }: Scenario): boolean {
  const holds = (nodes: readonly Node[]): boolean => nodes.some((node) => node.is !== 'chain' || holds(node.children))
  return shape !== 'rootless' || failure !== undefined || holds(children)
}

/** All spans of a request in the order of their start, its twins in traces of their own included. */
export function spansOf(scenario: Scenario): SpanSpec[] {
  return new Writer(scenario).spans
}

class Writer {
  readonly spans: SpanSpec[] = []
  readonly #scenario: Scenario
  readonly #trace: string
  #ids = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#trace = this.#id(16)
    const at = START_MS + scenario.offsetMs
    const root = this.#id(8)
    const place = this.spans.length
    const parent = scenario.shape === 'orphan' ? this.#id(8) : root
    let end = this.#children(scenario.children, parent, at + 1, scenario.childTenant)
    if (scenario.failure !== undefined) end = this.#leaf('tool', 'last_straw', parent, end, FAILURES[scenario.failure])
    const failed = scenario.failure === undefined ? {} : failure(FAILURES[scenario.failure])
    if (scenario.shape !== 'rootless') {
      this.#span(place, {
        id: root, name: `invoke_agent ${scenario.agent}`, startMs: at, endMs: end + 1, ...failed,
        ...(scenario.shape === 'remote' ? { parent: this.#id(8), flags: 0x300 } : {}),
        attributes: {
          'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': scenario.agent,
          // What the agent used in all, which its calls tell too.
          'gen_ai.usage.input_tokens': 1234, 'gen_ai.usage.output_tokens': 567,
          ...(scenario.tenant === '' || scenario.tenantOnResource ? {} : { 'tenant.id': scenario.tenant }),
          ...(scenario.project === '' ? {} : { 'project.id': scenario.project }),
          ...(scenario.rootUsd === undefined ? {} : { 'gen_ai.usage.cost': { double: scenario.rootUsd } }),
        },
        ...(scenario.score === undefined ? {} : { events: [{ name: 'gen_ai.evaluation.result', timeMs: end, attributes: { 'gen_ai.evaluation.name': 'helpful', 'gen_ai.evaluation.score.value': { double: scenario.score } } }] }),
      })
    }
  }

  /** Returns the end of the last. */
  #children(nodes: readonly Node[], parent: string, startMs: number, tenant: string): number {
    let end = startMs
    for (const [i, node] of nodes.entries()) end = Math.max(end, this.#node(node, parent, this.#scenario.parallel ? startMs + i * 0.137 : end + 0.25, tenant))
    return end
  }

  #node(node: Node, parent: string, at: number, tenant: string): number {
    if (node.is === 'model') return this.#call(node, parent, at)
    if (!('children' in node)) {
      const retry = node.healed ? this.#leaf(node.is, node.name, parent, at, FAILURES.toolTimeout) + 0.5 : at
      return this.#leaf(node.is, node.name, parent, retry, undefined)
    }
    const id = this.#id(8)
    const place = this.spans.length
    const end = this.#children(node.children, id, at + 0.5, tenant) + 0.5
    this.#span(place, {
      id, parent, name: node.is === 'agent' ? `invoke_agent ${node.name}` : 'invoke_workflow', startMs: at, endMs: end,
      attributes: {
        'gen_ai.operation.name': node.is === 'agent' ? 'invoke_agent' : 'invoke_workflow',
        ...(node.is === 'agent' ? { 'gen_ai.agent.name': node.name, 'gen_ai.usage.input_tokens': 999 } : {}),
        ...(tenant === '' ? {} : { 'tenant.id': tenant }),
      },
    })
    return end
  }

  #leaf(is: 'tool' | 'retrieval', name: string, parent: string, at: number, error: string | undefined): number {
    const end = at + 1.5
    this.#span(this.spans.length, {
      id: this.#id(8), parent, name: is === 'tool' ? `execute_tool ${name}` : `retrieval ${name}`, startMs: at, endMs: end,
      attributes: is === 'tool' ? { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name } : { 'gen_ai.operation.name': 'retrieval', 'gen_ai.data_source.id': name },
      ...(error === undefined ? {} : failure(error)),
    })
    return end
  }

  #call(call: Call, parent: string, at: number): number {
    if (call.healed) {
      this.#span(this.spans.length, { id: this.#id(8), parent, name: `chat ${call.model}`, scope: SDK, startMs: at, endMs: at + 1, attributes: request(call), ...failure(FAILURES.rateLimit) })
      at += 1.5
    }
    const end = at + 12.345 + call.layers
    const answered: Attributes = { ...request(call), 'gen_ai.response.id': `chatcmpl-${this.#id(8)}` }
    const told: Attributes = {
      ...answered,
      ...(call.tokens === undefined ? {} : {
        'gen_ai.usage.input_tokens': call.tokens.input, 'gen_ai.usage.output_tokens': call.tokens.output,
        'gen_ai.usage.cache_read.input_tokens': call.tokens.cached, 'gen_ai.usage.reasoning.output_tokens': call.tokens.reasoning,
      }),
      ...(call.reportedUsd === undefined ? {} : { 'gen_ai.usage.cost': { double: call.reportedUsd } }),
    }
    for (let layer = 0; layer <= call.layers; layer++) {
      const id = this.#id(8)
      const innermost = layer === call.layers
      this.#span(this.spans.length, {
        id, parent, name: `chat ${call.model}`, scope: innermost ? SDK : FRAMEWORK, kind: 3,
        startMs: at + layer * 0.1, endMs: end - layer * 0.1, attributes: told,
        ...(innermost && call.firstTokenMs !== undefined ? { events: [{ name: 'gen_ai.content.completion.chunk', timeMs: at + call.firstTokenMs }] } : {}),
      })
      parent = id
    }
    if (call.twin !== undefined) {
      this.#span(this.spans.length, { trace: this.#id(16), id: this.#id(8), name: `chat ${call.model}`, scope: call.twin, kind: 3, startMs: at + 0.3, endMs: end - 0.3, attributes: told })
    }
    return end
  }

  #span(place: number, span: Omit<SpanSpec, 'trace'> & { trace?: string }): void {
    const { tenant, tenantOnResource, service, threshold } = this.#scenario
    this.spans.splice(place, 0, {
      trace: this.#trace, scope: FRAMEWORK,
      resource: { ...(service === '' ? {} : { 'service.name': service }), ...(tenantOnResource && tenant !== '' ? { 'tenant.id': tenant } : {}) },
      ...(threshold === undefined ? {} : { traceState: `ot=th:${threshold}` }),
      ...span,
    })
  }

  /** Numbers that look random and are the same for the same scenario. */
  #id(length: number): string {
    let state = (Math.imul(this.#scenario.seed, 0x9e3779b1) + Math.imul(++this.#ids, 0x85ebca6b)) >>> 0
    let id = ''
    while (id.length < length * 2) {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0
      id += state.toString(16).padStart(8, '0')
    }
    return id
  }
}

function request(call: Call): Attributes {
  return { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': call.model, 'gen_ai.provider.name': call.model.startsWith('claude') ? 'anthropic' : 'openai' }
}

function failure(message: string): Pick<SpanSpec, 'status'> {
  return { status: { code: 2, message } }
}
