/**
 * Scores as others write them, on our scale from 0 to 1. OTel GenAI and OpenInference leave the range, and which end of it is
 * good, to the evaluator: unless the configuration says otherwise it is 0 to 1, and 1 is good. A result may have no number
 * and only a word.
 */

export interface ScaleRule {
  /** Undefined: of every evaluator without a rule of its own. */
  readonly evaluator: string | undefined
  /** What becomes 0 and what becomes 1; either may be the larger. */
  readonly worst: number
  readonly best: number
}

export interface LabelRule {
  readonly evaluator: string | undefined
  /** In any case of letters. */
  readonly label: string
  /** From 0 to 1. */
  readonly value: number
}

/** Why a score is not counted. */
export const SCORE_REJECTIONS = ['out_of_range', 'unknown_label', 'no_score', 'no_trace', 'too_many', 'malformed'] as const
export type ScoreRejection = (typeof SCORE_REJECTIONS)[number]

/** Words that mean the same whatever was asked: not yes, true or hallucinated. Those of OTel's examples, and their kin. */
const LABELS: Readonly<Record<string, number>> = {
  pass: 1, passed: 1, correct: 1, relevant: 1, good: 1, success: 1, acceptable: 1,
  fail: 0, failed: 0, incorrect: 0, not_relevant: 0, irrelevant: 0, bad: 0, failure: 0, unacceptable: 0,
}

export class Scales {
  readonly rejected = Object.fromEntries(SCORE_REJECTIONS.map((reason) => [reason, 0])) as Record<ScoreRejection, number>
  readonly #scales: ReadonlyMap<string | undefined, ScaleRule>
  readonly #labels = new Map<string, number>()

  constructor(scales: readonly ScaleRule[] = [], labels: readonly LabelRule[] = []) {
    this.#scales = new Map(scales.map((rule) => [rule.evaluator, rule]))
    for (const [label, value] of Object.entries(LABELS)) this.#labels.set(keyOf(undefined, label), value)
    for (const { evaluator, label, value } of labels) this.#labels.set(keyOf(evaluator, label), value)
  }

  /** A number from 0 to 1, or why there is none. `score` is NaN where there is only a label, `label` '' where there is only a number. */
  value(evaluator: string, score: number, label: string): number | ScoreRejection {
    if (Number.isNaN(score)) {
      if (label === '') return 'no_score'
      return this.#labels.get(keyOf(evaluator, label)) ?? this.#labels.get(keyOf(undefined, label)) ?? 'unknown_label'
    }
    const scale = this.#scales.get(evaluator) ?? this.#scales.get(undefined)
    const value = scale === undefined ? score : (score - scale.worst) / (scale.best - scale.worst)
    // + 0: no -0.
    return value >= 0 && value <= 1 ? value + 0 : 'out_of_range'
  }

  /** The same, with what there is none for counted; NaN then. */
  counted(evaluator: string, score: number, label: string): number {
    const value = this.value(evaluator, score, label)
    if (typeof value === 'number') return value
    this.rejected[value]++
    return NaN
  }
}

function keyOf(evaluator: string | undefined, label: string): string {
  return JSON.stringify([evaluator ?? null, label.trim().toLowerCase()])
}
