/** What an installation would do, step by step, before it does it; and the same backwards. */

export type Effect = 'create' | 'change' | 'keep' | 'remove' | 'leave'

export interface Step {
  readonly effect: Effect
  /** What, as a person reads it: `dashboard Cost (spanbridge-cost) in folder Spanbridge`. */
  readonly what: string
  /** Why nothing is done, of `leave`. */
  readonly why?: string
  /** Absent where there is nothing to do. */
  readonly apply?: () => Promise<void>
}

export interface Place {
  /** Steps that bring the place to what is to be installed. */
  install(): Promise<readonly Step[]>
  /** Steps that take away what was installed, and nothing else. */
  uninstall(): Promise<readonly Step[]>
}

const MARKS: Readonly<Record<Effect, string>> = { create: '+', change: '~', keep: '=', remove: '-', leave: '!' }

/** A line a step: `+ dashboard …`. */
export function planText(steps: readonly Step[]): string {
  return steps.map(({ effect, what, why }) => `${MARKS[effect]} ${what}${why === undefined ? '' : `: left as it is, ${why}`}\n`).join('')
}

export function summaryOf(steps: readonly Step[]): string {
  const count = (effect: Effect) => steps.filter((step) => step.effect === effect).length
  const words: [Effect, string][] = [['create', 'to create'], ['change', 'to change'], ['remove', 'to remove'], ['keep', 'already there'], ['leave', 'left alone']]
  return words.filter(([effect]) => count(effect) > 0).map(([effect, word]) => `${count(effect)} ${word}`).join(', ') || 'nothing to do'
}

export function pending(steps: readonly Step[]): readonly (Step & { apply: () => Promise<void> })[] {
  return steps.filter((step): step is Step & { apply: () => Promise<void> } => step.apply !== undefined)
}
