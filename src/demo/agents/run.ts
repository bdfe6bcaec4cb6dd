/** One run of an agent as data, before it becomes spans: what it did, in which order, how long each step took and what failed. */

export type StepKind = 'model' | 'embedding' | 'retrieval' | 'tool' | 'state' | 'agent'

/** What an SDK or a tool's client says when it fails, as its exception would. */
export interface Failure {
  readonly type: string
  readonly message: string
  readonly httpStatus?: number
}

export interface Step {
  readonly kind: StepKind
  /** The model, the tool, the collection, the sub-agent. */
  readonly name: string
  readonly seconds: number
  readonly provider?: string
  /** Input tokens with the cached part, as OTel GenAI counts them. */
  readonly inputTokens?: number
  readonly cachedTokens?: number
  readonly outputTokens?: number
  /** Messages in the context. */
  readonly messages?: number
  /** What went in and came out, in words. */
  readonly says?: { readonly input?: string; readonly output?: string }
  /** The history was compressed before this call. */
  readonly compacts?: boolean
  readonly failure?: Failure
  /** What happens inside, one after the other unless `parallel`. */
  readonly steps?: readonly Step[]
  readonly parallel?: boolean
}

export interface Run {
  readonly agent: string
  readonly service: string
  readonly version: string
  readonly tenant: string
  readonly project: string
  readonly conversation: string
  readonly question: string
  /** '' where the run failed before it had one. */
  readonly answer: string
  readonly steps: readonly Step[]
  /** Why the run as a whole failed, where it did. */
  readonly failure?: Failure
  /** A judge's mark from 0 to 1, where the run was judged. */
  readonly quality?: number
}

/** Seconds from the first step to the last, one after the other. */
export function secondsOf(steps: readonly Step[], parallel = false): number {
  const each = steps.map(lengthOf)
  return parallel ? Math.max(0, ...each) : each.reduce((sum, seconds) => sum + seconds, 0)
}

/** A step with steps inside lasts as long as they do, and `seconds` of its own. */
export function lengthOf({ seconds, steps = [], parallel = false }: Step): number {
  return seconds + secondsOf(steps, parallel)
}

/** Every step, those inside others too. */
export function* allSteps(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step
    yield* allSteps(step.steps ?? [])
  }
}
