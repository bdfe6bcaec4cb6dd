/** What goes wrong in ordinary runs and is made up for: a call made again, another model asked, a person called in. */
import type { Random } from './random.ts'
import type { Failure, Step } from './run.ts'
import { SAID } from './said.ts'
import { toolResult } from './words.ts'

/** Who takes over when a model is down. */
const FALLBACKS: Readonly<Record<string, { readonly provider: string; readonly name: string }>> = {
  'gpt-4.1': { provider: 'openai', name: 'gpt-4o' },
  'gpt-4.1-mini': { provider: 'openai', name: 'gpt-4o-mini' },
  'claude-sonnet-4-5': { provider: 'openai', name: 'gpt-4.1' },
}

/** Who takes over when an answer of a small one does not do. */
const LARGER: Readonly<Record<string, { readonly provider: string; readonly name: string }>> = { 'gpt-4.1-mini': { provider: 'openai', name: 'gpt-4.1' } }
/** The models of the demo that stand in for each other so, the smallest first: the bridge's `escalation.models`. */
export const ESCALATION = ['gpt-4.1-mini', 'gpt-4.1'] as const

/** In one run of how many each happens. */
const OFTEN = { refused: 0.02, unfit: 0.015, down: 0.01, escalated: 0.006 }

/** The steps of a run with what may have gone wrong among them; `times` as often as usual. */
export function mishap(steps: readonly Step[], times: number, random: Random): readonly Step[] {
  const model = random.one(indexes(steps, 'model'))
  const tool = random.one(indexes(steps, 'tool'))
  const wrong = random.next() / times
  if (model !== undefined && wrong < OFTEN.refused) return before(steps, model, [attempt(steps[model]!, SAID.rateLimit, random)])
  // An answer that does not fit its schema has been paid for all the same.
  if (model !== undefined && wrong < OFTEN.refused + OFTEN.unfit) {
    const step = steps[model]!
    const unfit = { ...attempt(step, SAID.validation, random), outputTokens: step.outputTokens ?? 0 }
    const larger = LARGER[step.name]
    return larger !== undefined && random.chance(0.5) 
      // It keeps the work to the end.
      ? [...steps.slice(0, model), unfit, ...steps.slice(model).map((one) => (one.name === step.name ? { ...one, ...larger } : one))]
      : before(steps, model, [unfit])
  }
  if (model !== undefined && wrong < OFTEN.refused + OFTEN.unfit + OFTEN.down) {
    const other = { ...steps[model]!, ...FALLBACKS[steps[model]!.name] }
    return [...steps.slice(0, model), attempt(steps[model]!, SAID.unavailable, random), other, ...steps.slice(model + 1)]
  }
  if (tool !== undefined && wrong < OFTEN.refused + OFTEN.unfit + OFTEN.down + OFTEN.escalated) {
    const failed = attempt(steps[tool]!, SAID.tool5xx, random)
    const person: Step = { kind: 'tool', name: 'escalate_to_human', seconds: random.around(0.02), says: { output: toolResult('escalate_to_human', random) } }
    return [...steps.slice(0, tool), failed, { ...failed, seconds: random.around(0.03) }, person, ...steps.slice(tool + 1)]
  }
  return steps
}

function attempt(step: Step, failure: Failure, random: Random): Step {
  const { outputTokens: _none, ...rest } = step
  return { ...rest, ...(step.kind === 'model' ? { outputTokens: 0 } : {}), seconds: random.around(0.02), failure }
}

function before(steps: readonly Step[], at: number, more: readonly Step[]): Step[] {
  return [...steps.slice(0, at), ...more, ...steps.slice(at)]
}

function indexes(steps: readonly Step[], kind: Step['kind']): number[] {
  return [...steps.keys()].filter((i) => steps[i]!.kind === kind)
}
