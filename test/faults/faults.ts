/**
 * Requests of simulated agents with one fault each, of known kind and place, among what goes on in real ones beside it: errors that a retry
 * heals, failures that the agent shrugs off, calls at the same time, frameworks that repeat a failure on every span around it or close with
 * words of their own, calls told of twice. The words of a fault are real ones, of the half of test/errors that was held out.
 */
import { isHeldOut, type Labelled, PUBLISHED } from '../errors/labelled.ts'
import type { Run, Step, Words } from './request.ts'

export interface Truth {
  /** What has to be named: the root cause of a failure, or why a limit was broken. */
  readonly problem: 'failed' | 'slow' | 'expensive' | 'bad_answer'
  /** Type of the taxonomy; '' where the fault is no error. */
  readonly type: string
  readonly step: string
  readonly name: string
}

export interface Fault {
  readonly kind: string
  readonly run: Run
  readonly truth: Truth
}

export const KINDS = [
  'rate_limit', 'validation_failed', 'model_unavailable', 'timeout', '4xx', '5xx', 'malformed_response', 'context_overflow', 'stale_data', 'deadlock', 'timeout_inference',
  'slow model', 'slow tool', 'slow beside others', 'slow own code', 'dear model', 'dear loop', 'bad answer',
] as const

/** The same for the same seed. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b1) >>> 0
  }

  next(): number {
    let t = (this.#state = (this.#state + 0x6d2b79f5) >>> 0)
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  of<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }
}

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5'] as const
const TOOLS = ['lookup_order', 'search_web', 'run_tests', 'refund', 'crm'] as const
const OPAQUE: readonly Words[] = [{ message: 'Agent run failed' }, { message: 'Workflow execution error, see the logs' }, {}]
const HARMLESS: Readonly<Record<string, readonly Words[]>> = {
  model: [{ message: 'Error code: 429 - slow down' }, { errorType: 'APIConnectionError', message: 'Connection error.' }, { message: 'Overloaded', errorType: 'overloaded_error' }],
  tool: [{ message: "Server error '503 Service Unavailable' for url 'https://crm.example'" }, { exception: ['httpx.ReadTimeout', 'timed out'] }, { message: "Client error '404 Not Found' for url 'https://crm.example/7'" }],
}

/** Real words by type and step, those that no rule was improved on. */
const TEXTS: ReadonlyMap<string, readonly Labelled[]> = Map.groupBy(PUBLISHED.filter(isHeldOut), ({ expected, step }) => `${expected.split('.').at(-1)} ${step}`)

function wordsOf(dice: Dice, type: string, step: string): Words {
  const { statusMessage, errorMessage, errorType, exceptionType, exceptionMessage, httpStatus } = dice.of(TEXTS.get(`${type} ${step}`)!)
  const message = statusMessage ?? errorMessage
  return {
    ...(message !== undefined && { message }), ...(errorType !== undefined && { errorType }), ...(httpStatus !== undefined && { httpStatus }),
    ...((exceptionType ?? exceptionMessage) !== undefined && { exception: [exceptionType ?? '', exceptionMessage ?? ''] as const }),
  }
}

/** `seed` decides all; faults of the same seed and another kind lie in the same agent. */
export function faultOf(kind: (typeof KINDS)[number], seed: number): Fault {
  const dice = new Dice(seed * 31 + KINDS.indexOf(kind))
  const model = dice.of(MODELS)
  const other = dice.of(MODELS.filter((name) => name !== model))
  const tool = dice.of(TOOLS)
  const base = {
    trace: seed * 64 + KINDS.indexOf(kind) + 1, agent: dice.of(['support', 'coder', 'research']), tenant: dice.of(['acme', 'globex', 'initech']), version: dice.of(['1.4.0', '2.3.1']),
    dialect: dice.of(['otel', 'openinference'] as const), doubled: dice.chance(0.25),
  }
  const noise = noiseOf(dice, [tool, model], !['stale_data', 'bad answer'].includes(kind))
  const chat = (more: Partial<Step> = {}): Step => ({ kind: 'model', name: model, ms: dice.between(40, 90), ...more })
  const use = (more: Partial<Step> = {}): Step => ({ kind: 'tool', name: tool, ms: dice.between(5, 40), ...more })
  /** The step, as deep in the agent as the dice say. */
  const nested = (step: Step, failed?: Words): Step => {
    const inner: Step = dice.chance(0.4) ? { kind: 'chain', name: 'tools', ms: 1, steps: [step], ...(failed && { failed }) } : step
    return dice.chance(0.4) ? { kind: 'agent', name: dice.of(['planner', 'writer']), ms: 2, steps: [chat(), inner], ...(failed && dice.chance(0.8) && { failed }) } : inner
  }
  /** A run that ends with this step's failure, which the root repeats or puts into words of its own. */
  const fatal = (step: Step, type: string): Fault => {
    const around = dice.chance(0.7) ? step.failed! : dice.of(OPAQUE)
    return {
      kind, truth: { problem: 'failed', type, step: step.kind, name: step.name },
      run: { ...base, steps: [chat({ name: dice.chance(0.5) ? model : other }), ...noise, nested(step, dice.chance(0.7) ? step.failed : undefined)], failed: around },
    }
  }
  const well = (steps: readonly Step[], truth: Omit<Truth, 'type'> & { type?: string }, more: Partial<Run> = {}): Fault => ({ kind, run: { ...base, steps, ...more }, truth: { type: '', ...truth } })

  switch (kind) {
    case 'rate_limit': case 'validation_failed': case 'model_unavailable': case 'context_overflow':
      return fatal(chat({ failed: wordsOf(dice, kind, 'model') }), kind)
    case 'timeout': case '4xx': case '5xx': case 'malformed_response':
      return fatal(use({ failed: wordsOf(dice, kind, 'tool') }), kind)
    case 'timeout_inference':
      if (dice.chance(0.3)) { // the SDK leaves no span of the call that never came back
        return well([chat(), ...noise, chat(), use()], { problem: 'failed', type: kind, step: 'model', name: model }, { failed: dice.of(OPAQUE), ms: dice.between(20_000, 60_000) })
      }
      return fatal(chat({ ms: 600, failed: dice.chance(0.3) ? {} : wordsOf(dice, kind, 'model'), attributes: { timeout_ms: 600 } }), kind)
    case 'deadlock': {
      const turns = Array.from({ length: Math.floor(dice.between(6, 12)) }, (_, i): Step => ({ kind: 'agent', name: i % 2 === 0 ? 'writer' : 'critic', ms: 2, steps: [chat()] }))
      if (dice.chance(0.3)) return fatal({ kind: 'agent', name: 'writer', ms: 2, steps: turns.slice(0, 3), failed: wordsOf(dice, kind, 'agent') }, kind)
      const rootless = dice.chance(0.4)
      return well([chat(), ...noise, ...turns], { problem: 'failed', type: kind, step: 'agent', name: turns.at(-1)!.name }, rootless ? { rootless } : { failed: dice.of(OPAQUE) })
    }
    case 'stale_data': {
      const age = { 'data.age_seconds': Math.round(dice.between(3e6, 9e6)), 'data.max_age_seconds': 2_592_000 }
      return well([chat(), ...noise, { kind: 'retrieval', name: 'faq', ms: 20, attributes: age }, chat()], { problem: 'bad_answer', type: kind, step: 'retrieval', name: 'faq' }, { score: dice.between(0, 0.8) })
    }
    case 'slow model': {
      const ms = dice.between(2_000, 6_000)
      return well([use(), ...noise, nested(chat({ name: other, ms })), use()], { problem: 'slow', step: 'model', name: other })
    }
    case 'slow tool':
      return well([chat(), ...noise, nested(use({ ms: dice.between(2_000, 6_000), steps: dice.chance(0.5) ? [{ kind: 'client', name: 'POST', ms: 5 }] : [] })), chat()], { problem: 'slow', step: 'tool', name: tool })
    case 'slow beside others': {
      const ms = dice.between(2_000, 4_000)
      const beside = TOOLS.filter((name) => name !== tool).slice(0, 3).map((name): Step => ({ kind: 'tool', name, ms: ms * dice.between(0.4, 0.9), beside: true }))
      return well([chat(), ...noise, use({ ms }), ...beside, chat(), { kind: 'tool', name: 'audit', ms: 20_000, outlives: true }], { problem: 'slow', step: 'tool', name: tool })
    }
    case 'slow own code':
      return well([chat(), ...noise, use()], { problem: 'slow', step: 'agent', name: base.agent }, { ms: dice.between(2_000, 5_000) })
    case 'dear model':
      return well([chat(), ...noise, nested(chat({ name: 'gpt-huge', usd: dice.between(0.012, 0.2) })), chat()], { problem: 'expensive', step: 'model', name: 'gpt-huge' })
    case 'dear loop':
      return well([chat({ name: other, usd: 0.006 }), ...noise, ...Array.from({ length: 24 }, () => chat({ ms: 5, usd: 0.0008 }))], { problem: 'expensive', step: 'model', name: model })
    case 'bad answer': {
      const failed = wordsOf(dice, '5xx', 'tool')
      return well([chat(), ...healed(dice, [tool, model]), nested(use({ failed })), chat()], { problem: 'bad_answer', type: '', step: 'tool', name: tool }, { score: dice.between(0, 0.8) })
    }
  }
}

/** What goes on beside a fault; never at its step. `shrugs`: also failures that the agent goes on without, which may be why an answer is bad. */
function noiseOf(dice: Dice, not: readonly string[], shrugs: boolean): Step[] {
  const tools = TOOLS.filter((name) => !not.includes(name))
  const steps: Step[] = [...healed(dice, not)]
  if (dice.chance(0.3)) steps.push({ kind: 'tool', name: tools[0]!, ms: 10 }, { kind: 'tool', name: tools[1]!, ms: 12, beside: true })
  if (shrugs && dice.chance(0.4)) steps.push({ kind: 'tool', name: 'suggest', ms: 10, failed: dice.of(HARMLESS['tool']!) }, { kind: 'model', name: 'gpt-4.1-mini', ms: 10, usd: 0.0001 })
  if (shrugs && dice.chance(0.2)) steps.push({ kind: 'tool', name: 'prefetch', ms: 10, beside: true, failed: dice.of(HARMLESS['tool']!) }, { kind: 'model', name: 'gpt-4.1-mini', ms: 10, usd: 0.0001 })
  if (dice.chance(0.2)) steps.push({ kind: 'chain', name: 'guard', ms: 1, steps: [{ kind: 'client', name: 'POST', ms: 4 }] })
  return steps
}

/** A call that fails and is made again, and a model that another one stands in for. */
function healed(dice: Dice, not: readonly string[]): Step[] {
  const name = dice.of(TOOLS.filter((tool) => !not.includes(tool)))
  const steps: Step[] = []
  if (dice.chance(0.5)) steps.push({ kind: 'tool', name, ms: 10, failed: dice.of(HARMLESS['tool']!) }, { kind: 'tool', name, ms: 10 })
  if (dice.chance(0.3)) steps.push({ kind: 'model', name: 'gpt-4.1-nano', ms: 10, failed: dice.of(HARMLESS['model']!), usd: 0.0001 }, { kind: 'model', name: 'gpt-4.1-nano', ms: 10, usd: 0.0001 })
  return steps
}
