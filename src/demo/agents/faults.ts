/** What can go wrong in the demo, on demand: every type of the error taxonomy, and what is no error but still breaks an objective. */
import type { Random } from './random.ts'
import { allSteps, type Failure, type Run, type Step, type StepKind } from './run.ts'
import { SAID } from './said.ts'
import { lostAnswer } from './words.ts'

/** Where the page has to point. */
export interface Truth {
  readonly class: string
  readonly type: string
  readonly step: StepKind
}

export interface Fault {
  readonly id: string
  readonly about: string
  /** Absent: nothing fails, an objective is missed all the same. */
  readonly truth?: Truth
  /** The run as it goes while the fault is on; undefined: there is no run. */
  strike(run: Run, random: Random): Run | undefined
}

const RETRIES = 2

/** The run until its last step of a kind; that one fails, is tried again `retries` times, and fails the run. */
function endsAt(run: Run, kind: StepKind, failure: Failure, random: Random, { retries = 0, seconds, messages }: { retries?: number; seconds?: number; messages?: number } = {}): Run {
  const last = run.steps.findLastIndex((step) => [...allSteps([step])].some((inner) => inner.kind === kind))
  const model = [...allSteps(run.steps)].findLast((step) => step.kind === kind)
  // An agent that has no step of the kind calls one now.
  const step: Step = model ?? { kind, name: kind === 'retrieval' ? 'policies' : 'create_ticket', seconds: 0.03 }
  const { steps: _inside, outputTokens: _none, ...attempt } = step
  const failed: Step = { ...attempt, ...(kind === 'model' ? { outputTokens: 0 } : {}), ...(messages === undefined ? {} : { messages }), seconds: seconds ?? random.around(0.02), failure }
  return { ...run, steps: [...run.steps.slice(0, Math.max(0, last)), ...Array.from({ length: retries + 1 }, () => failed)], failure }
}

/** Two agents that each wait for the other's word, until something counts. */
function circles(run: Run, random: Random): Run {
  const names = ['planner', 'critic']
  const steps = Array.from({ length: 12 }, (_, i): Step => ({
    kind: 'agent', name: names[i % 2]!, seconds: 0.002,
    steps: [{ kind: 'model', provider: 'openai', name: 'gpt-4.1-mini', seconds: random.around(0.05), inputTokens: 900 + 40 * i, outputTokens: 30, messages: 4 + 2 * i, says: { input: names[(i + 1) % 2]! } }],
  }))
  return { ...run, steps, failure: SAID.deadlock }
}

const mapSteps = (steps: readonly Step[], change: (step: Step) => Step): Step[] => steps.map((step) => ({ ...change(step), ...(step.steps === undefined ? {} : { steps: mapSteps(step.steps, change) }) }))

export const FAULTS: readonly Fault[] = [
  { id: 'rate_limit', about: 'the model provider refuses calls: 429', truth: { class: 'model', type: 'rate_limit', step: 'model' }, strike: (run, random) => endsAt(run, 'model', SAID.rateLimit, random, { retries: RETRIES }) },
  { id: 'validation_failed', about: 'the model answers what its schema does not allow', truth: { class: 'model', type: 'validation_failed', step: 'model' }, strike: (run, random) => endsAt(run, 'model', SAID.validation, random, { retries: 1 }) },
  { id: 'model_unavailable', about: 'the model is down: 503', truth: { class: 'model', type: 'model_unavailable', step: 'model' }, strike: (run, random) => endsAt(run, 'model', SAID.unavailable, random, { retries: RETRIES }) },
  { id: 'timeout', about: 'a tool does not answer in time', truth: { class: 'tool', type: 'timeout', step: 'tool' }, strike: (run, random) => endsAt(run, 'tool', SAID.toolTimeout, random, { seconds: 0.4 }) },
  { id: '4xx', about: 'a tool refuses the call: 403', truth: { class: 'tool', type: '4xx', step: 'tool' }, strike: (run, random) => endsAt(run, 'tool', SAID.tool4xx, random) },
  { id: '5xx', about: 'a tool is down: 502', truth: { class: 'tool', type: '5xx', step: 'tool' }, strike: (run, random) => endsAt(run, 'tool', SAID.tool5xx, random, { retries: 1 }) },
  { id: 'malformed_response', about: 'a tool answers something that is no JSON', truth: { class: 'tool', type: 'malformed_response', step: 'tool' }, strike: (run, random) => endsAt(run, 'tool', SAID.malformed, random) },
  { id: 'context_overflow', about: 'conversations outgrow the context of the model', truth: { class: 'context', type: 'context_overflow', step: 'model' }, strike: (run, random) => endsAt(run, 'model', SAID.overflow, random, { messages: random.count(90, 160) }) },
  { id: 'stale_data', about: 'the index is weeks old', truth: { class: 'context', type: 'stale_data', step: 'retrieval' }, strike: (run, random) => endsAt(run, 'retrieval', SAID.stale, random) },
  { id: 'deadlock', about: 'two agents hand the work to each other until a limit ends it', truth: { class: 'coordination', type: 'deadlock', step: 'agent' }, strike: circles },
  { id: 'timeout_inference', about: 'the model does not answer in time', truth: { class: 'coordination', type: 'timeout_inference', step: 'model' }, strike: (run, random) => endsAt(run, 'model', SAID.inference, random, { seconds: 2 }) },
  { id: 'slow_model', about: 'every model call takes twenty times as long', strike: (run) => ({ ...run, steps: mapSteps(run.steps, (step) => (step.kind === 'model' ? { ...step, seconds: step.seconds * 20 } : step)) }) },
  { id: 'cost_blowup', about: 'ten times the tokens go into each model call', strike: (run) => ({ ...run, steps: mapSteps(run.steps, (step) => (step.kind === 'model' ? { ...step, inputTokens: (step.inputTokens ?? 0) * 10, cachedTokens: 0 } : step)) }) },
  { id: 'quality_drop', about: 'answers become bad', strike: (run, random) => ({ ...run, answer: lostAnswer(run.question), quality: random.one([0, 0.25, 0.5]) }) },
  { id: 'long_conversations', about: 'histories grow past 50 messages and are not compressed', strike: (run, random) => ({ ...run, steps: mapSteps(run.steps, (step) => (step.kind === 'model' ? { ...step, messages: 55 + random.count(0, 60), inputTokens: (step.inputTokens ?? 0) * 2 } : step)), quality: random.one([0.25, 0.5, 0.75, 1]), ...(random.chance(0.5) ? { answer: lostAnswer(run.question) } : {}) }) },
  { id: 'silence', about: 'the agent sends nothing any more', strike: () => undefined },
]

export function faultOf(id: string): Fault {
  const found = FAULTS.find((fault) => fault.id === id)
  if (found === undefined) throw new Error(`no fault ${JSON.stringify(id)}; there are ${FAULTS.map((fault) => fault.id).join(', ')}`)
  return found
}
