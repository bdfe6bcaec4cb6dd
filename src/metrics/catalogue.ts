/**
 * Every `agent_*` metric, once: name, kind, unit, labels, buckets, help. The series store, `/metrics`,
 * the reference in the docs and the lints of rules and dashboards all read this list.
 */
export type MetricKind = 'counter' | 'gauge' | 'histogram'

export interface MetricDefinition {
  readonly name: string
  readonly kind: MetricKind
  /** OpenMetrics unit, the suffix of the name where there is one; '' for a plain count. */
  readonly unit: 'seconds' | 'usd' | 'tokens' | 'ratio' | ''
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds, ascending, without +Inf. Only for a histogram. */
  readonly buckets?: readonly number[]
  readonly exemplars?: boolean
  /** The label that becomes `__overflow__` past the series limit; the others stay, so that sums by tenant remain right. */
  readonly overflow?: string
}

/** Boundaries at every latency limit of alerts/objectives.json (0.3, 0.5, 1 s) and out to an hour: agents run for minutes. */
const LATENCY = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600] as const
/** A boundary at each cost limit: 0.01 (internal tools), 0.03 (customer service), 0.12 (code review). */
const COST = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.5, 1, 2, 5, 10, 50] as const
/** The quality limit 0.85 and the five judge marks (s−1)/4. */
const QUALITY = [0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1] as const
const STEPS = [1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000] as const
/** 50 is where the history should be compressed. */
const MESSAGES = [1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 500] as const

const REQUEST = ['tenant_id', 'project_id', 'agent'] as const

function define<const T extends Record<string, Omit<MetricDefinition, 'name'>>>(metrics: T): { readonly [K in keyof T]: MetricDefinition } {
  return Object.fromEntries(Object.entries(metrics).map(([name, rest]) => [name, { name, ...rest }])) as { readonly [K in keyof T]: MetricDefinition }
}

export const METRICS = define({
  agent_requests_total: {
    kind: 'counter', unit: '', labels: [...REQUEST, 'outcome'], overflow: 'agent',
    help: 'Agent requests settled, by outcome: success, error, or unfinished (the root span never came).',
  },
  agent_request_duration_seconds: {
    kind: 'histogram', unit: 'seconds', labels: REQUEST, buckets: LATENCY, exemplars: true, overflow: 'agent',
    help: 'Duration of an agent request, from the start of its first span to the end of its root.',
  },
  agent_request_cost_usd: {
    kind: 'histogram', unit: 'usd', labels: REQUEST, buckets: COST, exemplars: true, overflow: 'agent',
    help: 'Cost of an agent request in USD. Its sum equals the sum of agent_cost_usd_total.',
  },
  agent_cost_usd_total: {
    kind: 'counter', unit: 'usd', labels: [...REQUEST, 'step', 'name', 'basis'], overflow: 'name',
    help: 'Cost in USD of steps, by how it is known: reported, tokens (times price), latency (times price per second), shared.',
  },
  agent_avoidable_cost_usd_total: {
    kind: 'counter', unit: 'usd', labels: [...REQUEST, 'reason'], overflow: 'agent',
    help: 'The part of the cost in USD that need not have been, by reason: retry_waste, duplicate_call, abandoned, cache_miss, context_bloat, model_downgrade. At most the cost.',
  },
  agent_unpriced_calls_total: {
    kind: 'counter', unit: '', labels: ['name', 'reason'], overflow: 'name',
    help: 'Model calls whose cost is unknown, because there is no_price for the model or there are no_tokens on the span.',
  },
  agent_step_duration_seconds: {
    kind: 'histogram', unit: 'seconds', labels: ['service', 'agent', 'step', 'name', 'outcome'], buckets: LATENCY, exemplars: true, overflow: 'name',
    help: 'Duration of one step of a request. step: model, embedding, retrieval, tool, state, guardrail, agent, evaluation.',
  },
  agent_time_to_first_token_seconds: {
    kind: 'histogram', unit: 'seconds', labels: ['service', 'name'], buckets: LATENCY, overflow: 'name',
    help: 'From the start of a streamed model call to its first token.',
  },
  agent_tokens_total: {
    kind: 'counter', unit: 'tokens', labels: ['service', 'agent', 'name', 'type'], overflow: 'name',
    help: 'Tokens of model calls. input includes cached_input and cache_write; output includes reasoning; embedding is what was embedded.',
  },
  agent_steps_per_request: {
    kind: 'histogram', unit: '', labels: ['agent', 'step'], buckets: STEPS, overflow: 'agent',
    help: 'Steps of one kind in a request.',
  },
  agent_errors_total: {
    kind: 'counter', unit: '', labels: ['service', 'agent', 'class', 'type', 'step', 'name'], overflow: 'name',
    help: 'Errors of steps, each failure once, by class and type of the taxonomy; unclassified stays honest.',
  },
  agent_root_causes_total: {
    kind: 'counter', unit: '', labels: ['tenant_id', 'agent', 'class', 'type', 'step', 'name'], exemplars: true, overflow: 'name',
    help: 'Failed requests by the error that made them fail.',
  },
  agent_problem_causes_total: {
    kind: 'counter', unit: '', labels: ['tenant_id', 'agent', 'problem', 'step', 'name'], exemplars: true, overflow: 'name',
    help: 'Requests past a limit by the step that is why. problem: slow (the step it waited for longest), expensive (what cost most beyond its usual), bad_answer (the error that nobody made up for, else the evaluator).',
  },
  agent_request_features_total: {
    kind: 'counter', unit: '', labels: ['agent', 'feature', 'value', 'verdict'], overflow: 'value',
    help: 'Requests by what was in them, each value once a request. feature: tenant_id, version, model, tool, retrieval, sub_agent, error. verdict: good, failed, slow, expensive, bad_answer, the first that applies.',
  },
  agent_recoveries_total: {
    kind: 'counter', unit: '', labels: ['agent', 'step', 'name', 'action', 'result'], overflow: 'name',
    help: 'Errors that were met by a retry, a fallback or a compression, and how that ended: recovered, exhausted, escalated.',
  },
  agent_recovery_seconds_total: {
    kind: 'counter', unit: 'seconds', labels: ['agent', 'step', 'name', 'action', 'result'], overflow: 'name',
    help: 'Time that recoveries took: from the start of each failed attempt to that of the next, waiting included.',
  },
  agent_recovery_cost_usd_total: {
    kind: 'counter', unit: 'usd', labels: ['agent', 'step', 'name', 'action', 'result'], overflow: 'name',
    help: 'Cost in USD of the failed attempts that recoveries made up for, or did not.',
  },
  agent_context_messages: {
    kind: 'histogram', unit: '', labels: ['agent', 'name'], buckets: MESSAGES, overflow: 'name',
    help: 'Messages in the context of a model call.',
  },
  agent_quality_score: {
    kind: 'histogram', unit: 'ratio', labels: [...REQUEST, 'layer', 'evaluator'], buckets: QUALITY, exemplars: true, overflow: 'evaluator',
    help: 'Quality scores from 0 to 1. layer: unit, judge, human, external.',
  },
  agent_quality_by_context: {
    kind: 'histogram', unit: 'ratio', labels: ['agent', 'messages'], buckets: QUALITY, overflow: 'agent',
    help: 'Quality scores by the number of messages in the context: 0-10, 11-25, 26-50, 51-100, 101+.',
  },
  agent_quality_by_tokens: {
    kind: 'histogram', unit: 'ratio', labels: ['agent', 'tokens'], buckets: QUALITY, overflow: 'agent',
    help: 'Quality scores by the input tokens of the longest model call of the request: 0-4k, 4k-16k, 16k-64k, 64k-200k, 200k+.',
  },
  agent_context_requests_total: {
    kind: 'counter', unit: '', labels: ['agent', 'context', 'size', 'outcome'], overflow: 'agent',
    help: 'Requests by how much was in the context of their longest model call. context: messages, in the sizes of agent_quality_by_context, or tokens, in those of agent_quality_by_tokens.',
  },
  agent_context_cost_usd_total: {
    kind: 'counter', unit: 'usd', labels: ['agent', 'context', 'size'], overflow: 'agent',
    help: 'Cost in USD of the requests that agent_context_requests_total counts.',
  },
  agent_quality_checks_total: {
    kind: 'counter', unit: '', labels: ['agent', 'name', 'check', 'result'], overflow: 'name',
    help: 'Expectations checked on the results of tools and the answers of agents. name: the tool or the agent; result: pass, fail, no_content (the span tells none), too_long.',
  },
  agent_error_labels_total: {
    kind: 'counter', unit: '', labels: ['predicted', 'actual'], overflow: 'actual',
    help: 'Errors that a person has labelled: the type the bridge gave and the one the person gave.',
  },
  agent_objective: {
    kind: 'gauge', unit: '', labels: ['objective', 'agent', 'tenant_id'], overflow: 'agent',
    help: 'The limit in force of each objective, for everyone (empty agent and tenant_id) or for one agent or tenant.',
  },
})

export type MetricName = keyof typeof METRICS
