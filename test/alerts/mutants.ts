/** Rules, broken in one place. */
import { readQuery } from './promql.ts'
import type { Rule } from './rulefile.ts'

export interface Mutant {
  readonly what: string
  /** Absent: the rule is taken out. */
  readonly mutant?: Rule
}

/** The same comparison, judged on the other side of its limit. */
const OTHER_SIDE: Readonly<Record<string, string>> = { '>': '>=', '>=': '>', '<': '<=', '<=': '<' }

export function mutantsOf(rule: Rule): Mutant[] {
  if (rule.alert === undefined) return [{ what: 'is not recorded' }]
  const { for: wait, keep_firing_for: keep, ...rest } = rule
  const waits = wait === undefined ? {} : { for: wait }
  const keeps = keep === undefined ? {} : { keep_firing_for: keep }
  return [
    { what: 'never fires', mutant: { ...rest, expr: 'vector(0) == 1' } },
    ...readQuery(rule.expr).comparisons.flatMap(({ from, to, operator }) => {
      const other = OTHER_SIDE[operator]
      if (other === undefined) return []
      return [{ what: `${other} instead of ${around(rule.expr, from, to)}`, mutant: { ...rule, expr: rule.expr.slice(0, from) + other + rule.expr.slice(to) } }]
    }),
    ...(wait === undefined ? [] : [{ what: 'fires at once', mutant: { ...rest, ...keeps } }]),
    ...(keep === undefined ? [] : [{ what: 'stops firing at once', mutant: { ...rest, ...waits } }]),
  ]
}

/** The operator with what stands beside it, so that a person finds the place. */
function around(expr: string, from: number, to: number): string {
  return expr.slice(Math.max(0, from - 40), to + 40).replace(/\s+/g, ' ').trim()
}

/** Mutants that no test can notice, by rule, each with the reason. */
export const SURVIVORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {}
