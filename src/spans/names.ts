/** What a span is. The first group are steps of a request; the rest give the tree its shape or are evidence. */
export const Kind = {
  unknown: 0,
  model: 1,
  embedding: 2,
  retrieval: 3,
  tool: 4,
  state: 5,
  guardrail: 6,
  agent: 7,
  evaluation: 8,
  /** Structure only: a workflow, a graph node, a turn, a message hop. */
  chain: 9,
  /** A plain HTTP or database client span: evidence for the step around it. */
  client: 10,
  /** Building an agent, an index, a graph: neither a request nor a step. */
  setup: 11,
  /** Instrumentation noise, dropped on sight. */
  noise: 12,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** The value of label `step`, by kind. What is only structure is told as the agent's own doing. */
export const STEP_NAMES = ['agent', 'model', 'embedding', 'retrieval', 'tool', 'state', 'guardrail', 'agent', 'evaluation', 'agent', 'tool', 'agent', 'agent'] as const

/** Kinds that are counted as steps. */
export function isStep(kind: number): boolean {
  return kind >= Kind.model && kind <= Kind.evaluation
}

/** What a provider asks for a call when it may take its time, or must not. */
export const ServiceTier = { standard: 0, batch: 1, flex: 2, priority: 3 } as const
/** As providers write them. `auto` says nothing: the answer tells which it was. */
export const SERVICE_TIERS: Readonly<Record<string, number>> = {
  default: ServiceTier.standard, standard: ServiceTier.standard, on_demand: ServiceTier.standard, scale: ServiceTier.standard,
  batch: ServiceTier.batch, flex: ServiceTier.flex, priority: ServiceTier.priority,
}

/** Why something failed, before it is known whose failure it is. */
export const Cause = {
  none: 0,
  unknown: 1,
  rateLimit: 2,
  unavailable: 3,
  timeout: 4,
  clientError: 5,
  overflow: 6,
  malformed: 7,
  validation: 8,
  loop: 9,
  /** The caller gave up or a guardrail stopped the run: an end, not a fault of a step. */
  stopped: 10,
  staleData: 11,
  /** Timed out, and the text says it was the model that did not answer. */
  modelTimeout: 12,
  /** HTTP 5xx / 4xx / read timeout in the words of a tool's HTTP client, told by whatever span. */
  toolUnavailable: 13,
  toolClientError: 14,
  toolTimeout: 15,
  toolMalformed: 16,
  /** Who is refused is not told what was wrong with the call: no type of the taxonomy fits a model's 401 or 403. */
  refused: 17,
  /** What was asked for is not there: a model, or what a tool looked for. */
  missing: 18,
  /** And above: what the configuration says it is, on whatever step; see `toldCause`. */
  told: 19,
} as const
export type Cause = (typeof Cause)[keyof typeof Cause]

/** Why something failed, and how that is known. */
export interface Reason {
  readonly cause: number
  /** The rule that decided; `none` when none did. */
  readonly rule: string
  /** What it went by: a few words out of the error, a status, a duration. Text of a stranger's, cut. */
  readonly words: string
}
export const NO_REASON: Reason = { cause: Cause.unknown, rule: 'none', words: '' }
/** Longest text that is kept of what a rule went by. */
export const MOST_WORDS = 80

/** Class and type of the error taxonomy, in one list so that a number names both. */
export const ERROR_TYPES = [
  { class: '', type: '' },
  { class: 'unclassified', type: 'unclassified' },
  { class: 'model', type: 'rate_limit' },
  { class: 'model', type: 'validation_failed' },
  { class: 'model', type: 'model_unavailable' },
  { class: 'tool', type: 'timeout' },
  { class: 'tool', type: '4xx' },
  { class: 'tool', type: '5xx' },
  { class: 'tool', type: 'malformed_response' },
  { class: 'context', type: 'context_overflow' },
  { class: 'context', type: 'stale_data' },
  { class: 'coordination', type: 'deadlock' },
  { class: 'coordination', type: 'timeout_inference' },
] as const
export const UNCLASSIFIED = 1

function typeIndex(cls: string, type: string): number {
  return ERROR_TYPES.findIndex((e) => e.class === cls && e.type === type)
}
const T = {
  rateLimit: typeIndex('model', 'rate_limit'),
  validation: typeIndex('model', 'validation_failed'),
  unavailable: typeIndex('model', 'model_unavailable'),
  toolTimeout: typeIndex('tool', 'timeout'),
  tool4xx: typeIndex('tool', '4xx'),
  tool5xx: typeIndex('tool', '5xx'),
  toolMalformed: typeIndex('tool', 'malformed_response'),
  overflow: typeIndex('context', 'context_overflow'),
  stale: typeIndex('context', 'stale_data'),
  deadlock: typeIndex('coordination', 'deadlock'),
  timeoutInference: typeIndex('coordination', 'timeout_inference'),
}

/** The cause of an error that the configuration gives this type, which is then its type on whatever step. */
export function toldCause(type: string): number {
  const index = ERROR_TYPES.findIndex((e) => e.type === type)
  return Cause.told + Math.max(index, UNCLASSIFIED) - UNCLASSIFIED
}

/** The same evidence means another error on another step: a 503 is the model's or the tool's. Returns an index into ERROR_TYPES. */
export function errorType(cause: number, kind: number): number {
  if (cause >= Cause.told) return cause - Cause.told + UNCLASSIFIED
  const toolLike = kind === Kind.tool || kind === Kind.retrieval || kind === Kind.client || kind === Kind.state
  switch (cause) {
    case Cause.none: return 0
    case Cause.rateLimit: return toolLike ? T.tool4xx : T.rateLimit
    case Cause.unavailable: return toolLike ? T.tool5xx : T.unavailable
    case Cause.timeout: return toolLike ? T.toolTimeout : T.timeoutInference
    case Cause.modelTimeout: return T.timeoutInference
    case Cause.clientError: return toolLike ? T.tool4xx : T.validation
    case Cause.overflow: return T.overflow
    case Cause.malformed: return toolLike ? T.toolMalformed : T.validation
    case Cause.validation: return T.validation
    case Cause.loop: return T.deadlock
    case Cause.staleData: return T.stale
    case Cause.toolUnavailable: return kind === Kind.model ? T.unavailable : T.tool5xx
    case Cause.toolClientError: return kind === Kind.model ? T.validation : T.tool4xx
    case Cause.toolTimeout: return kind === Kind.model ? T.timeoutInference : T.toolTimeout
    case Cause.toolMalformed: return kind === Kind.model ? T.validation : T.toolMalformed
    case Cause.refused: return toolLike ? T.tool4xx : UNCLASSIFIED
    case Cause.missing: return toolLike ? T.tool4xx : T.unavailable
    default: return UNCLASSIFIED
  }
}

/** Who gives a mark: a check of the result, a model that judges, a person, or an evaluator elsewhere. */
export const LAYERS = ['unit', 'judge', 'human', 'external'] as const
export type Layer = (typeof LAYERS)[number]
