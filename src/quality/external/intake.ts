/** Scores that come by themselves, over HTTP, from the pager or from a source elsewhere: onto our scale, to their request, and a person's word to the judges' marks. */
import type { Scales, ScoreRejection } from '../../spans/scale.ts'
import type { Calibration } from '../calibration/calibration.ts'
import { traceOf } from './trace.ts'

export const SCORE_SOURCES = ['http', 'pager', 'langsmith', 'braintrust'] as const
export type ScoreSourceName = (typeof SCORE_SOURCES)[number]

export interface GivenScore {
  /** 32 hex digits, or the same as a UUID. */
  readonly trace: string
  readonly evaluator: string
  readonly layer: 'external' | 'human'
  /** On the evaluator's scale; whether it is good needs none. */
  readonly score?: number | boolean
  readonly label?: string
  /** Of a person: 1 to 5, whatever the evaluator's scale. */
  readonly mark?: number
  readonly comment?: string
}

export interface IntakeOptions {
  readonly scales: Scales
  readonly calibration: Calibration
  readonly score: (trace: string, score: { readonly evaluator: string; readonly value: number; readonly layer: 'external' | 'human' }, nowMs: number) => boolean
}

export class Intake {
  readonly received = Object.fromEntries(SCORE_SOURCES.map((source) => [source, 0])) as Record<ScoreSourceName, number>
  /** Told before. */
  duplicates = 0
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  get scales(): Scales {
    return this.#options.scales
  }

  /** Why it is not counted; undefined when it is. */
  take({ trace: told, evaluator, layer, score, label = '', mark, comment = '' }: GivenScore, source: ScoreSourceName, nowMs: number): ScoreRejection | undefined {
    const { scales, calibration } = this.#options
    const trace = traceOf(told)
    const value = trace === undefined ? 'no_trace' : mark !== undefined ? (mark - 1) / 4 : typeof score === 'boolean' ? Number(score) : scales.value(evaluator, score ?? NaN, label)
    if (typeof value !== 'number' || trace === undefined) {
      scales.rejected[value as ScoreRejection]++
      return value as ScoreRejection
    }
    this.received[source]++
    this.#options.score(trace, { evaluator, value, layer }, nowMs)
    // A score of 1 may be a thumb as well as the best of five.
    if (layer === 'human') calibration.person({ trace, evaluator, value, fiveMarks: mark !== undefined, comment }, nowMs)
    return undefined
  }
}
