import { Kind } from '../spans/names.ts'
import { StepGroups } from './groups.ts'
import type { Score } from '../spans/span.ts'
import type { SettledContent } from './content.ts'
import { grown } from './tree.ts'

export const Outcome = { success: 0, error: 1, unfinished: 2 } as const
export const OUTCOMES = ['success', 'error', 'unfinished'] as const
export const Action = { retry: 0, fallback: 1, compression: 2 } as const
export const ACTIONS = ['retry', 'fallback', 'compression'] as const
export const Result = { recovered: 0, exhausted: 1, escalated: 2 } as const
export const RESULTS = ['recovered', 'exhausted', 'escalated'] as const

/** What else can be wrong with a request than that it failed. */
export const ProblemKind = { slow: 0, expensive: 1, badAnswer: 2 } as const
export const PROBLEMS = ['slow', 'expensive', 'bad_answer'] as const

/** How a check of a result or an answer ended. `tooLong`: it was not kept whole, or is more than can be looked at. */
export const CheckResult = { pass: 0, fail: 1, noContent: 2, tooLong: 3 } as const
export const CHECK_RESULTS = ['pass', 'fail', 'no_content', 'too_long'] as const

/** Basis of a step's cost. `none`: the step costs nothing that is known. */
export const Basis = { none: 0, reported: 1, tokens: 2, latency: 3, shared: 4 } as const
export const BASES = ['', 'reported', 'tokens', 'latency', 'shared'] as const

/** Reasons of avoidable cost, in the order in which they are asked: a dollar is the first one's that claims it. */
export const Avoidable = { retryWaste: 0, duplicateCall: 1, abandoned: 2, cacheMiss: 3, contextBloat: 4, modelDowngrade: 5 } as const
export const AVOIDABLE = ['retry_waste', 'duplicate_call', 'abandoned', 'cache_miss', 'context_bloat', 'model_downgrade'] as const

/**
 * The record that flows from `traces/` onwards: one settled request, or late steps of one that has
 * settled. There is one, filled again each time; texts are numbers of the string table, -1 is "not told".
 */
export class Settled {
  /** False for work that is nobody's request (indexing, building an agent, judging) and for late steps: their steps and cost count, no request does. */
  isRequest = false
  late = false
  tenant = 0
  project = 0
  agent = 0
  service = 0
  /** Of the agent, else of the root's service; 0: not told. */
  version = 0
  outcome: number = Outcome.success
  /** Settled before its time, for want of room or at the end: what has not come is not missing. */
  early = false
  startMs = 0
  seconds = 0
  weight = 1
  /** Cost of the whole request that a span reported where no step has a cost of its own; 0: none. */
  sharedCostUsd = 0
  readonly trace = new Int32Array(4)
  /** Most messages in the context of one of its model calls, -1 unknown. */
  messages = -1
  /** Most tokens that one of its model calls was given, -1 unknown. */
  tokens = -1

  steps = 0
  kind = new Uint8Array(64)
  name = new Int32Array(64)
  /** Which of `groups` a step is in. */
  group = new Int32Array(64)
  readonly groups = new StepGroups()
  stepAgent = new Int32Array(64)
  stepService = new Int32Array(64)
  /** Unix time. */
  stepStartMs = new Float64Array(64)
  stepSeconds = new Float64Array(64)
  failed = new Uint8Array(64)
  /** The step that tried again what this failed one had tried, the next in time; -1: none did. */
  attemptOf = new Int32Array(64)
  /** What follows is told of model calls and embeddings. */
  provider = new Int32Array(64)
  input = new Int32Array(64)
  output = new Int32Array(64)
  cachedInput = new Int32Array(64)
  cacheWrite = new Int32Array(64)
  reasoning = new Int32Array(64)
  stepMessages = new Int32Array(64)
  firstTokenSeconds = new Float64Array(64)
  reportedUsd = new Float64Array(64)
  /** One of `ServiceTier`. */
  tier = new Uint8Array(64)
  /** Of the whole input, 0 where it is not known. Calls of one hash and one model ask the same. */
  inputHash = new Int32Array(64)
  /** Filled by `cost/`. */
  costUsd = new Float64Array(64)
  basis = new Uint8Array(64)
  totalUsd = 0
  /** By `Avoidable`. Their sum is at most `totalUsd`. */
  readonly avoidableUsd = new Float64Array(AVOIDABLE.length)
  hasAvoidable = false
  /** Where it was found, the first of them. */
  readonly avoidable: AvoidableStep[] = []

  readonly errors: SettledError[] = []
  /** The error that made the request fail, if one is known. */
  rootCause: SettledError | undefined
  /** The steps and agents around the root cause, from the inside out to the root: how the failure came to be the request's. */
  readonly path: PathStep[] = []
  readonly recoveries: Recovery[] = []
  readonly scores: Score[] = []
  /** What the checks of results and answers came to, and those that failed, in the order of time. */
  readonly checked: CheckCount[] = []
  readonly checks: FailedCheck[] = []
  /** What was said in it, where somebody wants it. */
  content: SettledContent | undefined
  /** The step that the request waited for longest. Only while the request is in hand. */
  dominant: () => Dominant | undefined = () => undefined
  /** Filled by `problems/`. */
  limits: RequestLimits = NO_LIMITS
  readonly problems: Problem[] = []

  reset(): void {
    this.isRequest = false
    this.late = false
    this.version = 0
    this.outcome = Outcome.success
    this.early = false
    this.seconds = 0
    this.weight = 1
    this.sharedCostUsd = 0
    this.messages = -1
    this.tokens = -1
    this.steps = 0
    this.groups.reset()
    this.totalUsd = 0
    if (this.hasAvoidable) {
      this.hasAvoidable = false
      this.avoidableUsd.fill(0)
      this.avoidable.length = 0
    }
    if (this.errors.length > 0) this.errors.length = 0
    this.rootCause = undefined
    if (this.path.length > 0) this.path.length = 0
    if (this.recoveries.length > 0) this.recoveries.length = 0
    if (this.scores.length > 0) this.scores.length = 0
    if (this.checked.length > 0) {
      this.checked.length = 0
      this.checks.length = 0
    }
    this.content = undefined
    if (this.problems.length > 0) this.problems.length = 0
  }

  /** One more step; its index. */
  addStep(kind: number, name: number): number {
    if (this.steps === this.kind.length) this.#grow()
    const i = this.steps++
    this.kind[i] = kind
    this.name[i] = name
    const group = this.group[i] = this.groups.of(kind, name)
    this.groups.steps[group]!++
    this.costUsd[i] = 0
    this.attemptOf[i] = -1
    this.basis[i] = Basis.none
    if (kind === Kind.model || kind === Kind.embedding) {
      this.cachedInput[i] = -1
      this.cacheWrite[i] = -1
      this.reasoning[i] = -1
      this.stepMessages[i] = -1
      this.firstTokenSeconds[i] = -1
      this.reportedUsd[i] = -1
      this.tier[i] = 0
      this.inputHash[i] = 0
    }
    return i
  }

  avoid(reason: number, usd: number): void {
    this.hasAvoidable = true
    this.avoidableUsd[reason]! += usd
  }

  #grow(): void {
    const length = this.kind.length * 2
    this.kind = grown(this.kind, length)
    this.failed = grown(this.failed, length)
    this.basis = grown(this.basis, length)
    this.tier = grown(this.tier, length)
    for (const key of ['name', 'group', 'stepAgent', 'stepService', 'provider', 'input', 'output', 'cachedInput', 'cacheWrite', 'reasoning', 'stepMessages', 'attemptOf', 'inputHash'] as const) this[key] = grown(this[key], length)
    for (const key of ['stepStartMs', 'stepSeconds', 'firstTokenSeconds', 'reportedUsd', 'costUsd'] as const) this[key] = grown(this[key], length)
  }
}

export interface Dominant {
  readonly kind: number
  readonly name: number
  readonly agent: number
  readonly seconds: number
  /** Of the whole critical path. */
  readonly share: number
}

export interface AvoidableStep {
  /** One of `Avoidable`. */
  readonly reason: number
  readonly usd: number
  readonly step: number
  /** Tokens that it was about, -1 where it was about the whole call. */
  readonly tokens: number
  /** The cheaper model, 0 where there is none. */
  readonly instead: number
}

export interface SettledError {
  /** Index into ERROR_TYPES. */
  readonly type: number
  readonly kind: number
  readonly name: number
  readonly agent: number
  readonly service: number
  /** The rule that decided what it is, and what it went by: a few words of a stranger's. */
  readonly rule: string
  readonly words: string
  /** A later attempt made up for it, or somebody else was asked. */
  readonly met: boolean
}

/** Limits of one request, by the objectives in force; undefined: none. */
export interface RequestLimits {
  readonly durationSeconds: number | undefined
  readonly costUsd: number | undefined
  readonly score: number | undefined
}
const NO_LIMITS: RequestLimits = { durationSeconds: undefined, costUsd: undefined, score: undefined }

/** A limit that a request broke, and the step that is why. */
export interface Problem {
  /** Index into PROBLEMS. */
  readonly problem: number
  readonly kind: number
  readonly name: number
  /** Of the step: seconds on the critical path, or USD. Of an answer: its lowest score. */
  readonly amount: number
  /** Of the request's. */
  readonly share: number
  /** Who gave the lowest score. */
  readonly evaluator?: number
}

export interface CheckCount {
  /** Of the tool or the agent. */
  readonly name: number
  readonly check: number
  /** Index into CHECK_RESULTS. */
  readonly result: number
  times: number
}

export interface FailedCheck {
  /** Whose result it was; -1: the answer of the request. */
  readonly step: number
  /** A tool or an agent, and its name. */
  readonly kind: number
  readonly name: number
  readonly check: number
  /** What was not as expected. The user's words and the names of parts, never the content. */
  readonly why: string
}

export interface PathStep {
  readonly kind: number
  readonly name: number
  readonly agent: number
  readonly failed: boolean
}

export interface Recovery {
  readonly kind: number
  readonly name: number
  readonly agent: number
  /** Index into ACTIONS. */
  readonly action: number
  /** Index into RESULTS. */
  readonly result: number
  /** The failed attempt, as an index of steps; -1: an SDK's own attempt, which is none. */
  readonly step: number
  /** From its start to the next attempt's. */
  readonly seconds: number
}

/**
 * Costs are whole multiples of 2^-36 USD (15 picodollars). Sums of such numbers are exact in a double up to
 * 131,072 USD, so the steps' sum equals the requests' to the last digit in whatever order they are added.
 */
const QUANTUM = 2 ** 36

export function quantize(usd: number): number {
  return Math.round(usd * QUANTUM) / QUANTUM
}

/** The same, never more than it was, less so many quanta: where it is held against a sum of that many rounded costs. */
export function floorUsd(usd: number, quanta = 0): number {
  return Math.max(0, Math.floor(usd * QUANTUM) - quanta) / QUANTUM
}
