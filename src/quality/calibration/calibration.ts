/** How far each judge can be believed: its marks against people's of the same requests. */
import { agreementOf, type Agreement } from './agreement.ts'
import type { Difference, JudgeMark, Marks, PersonMark } from './marks.ts'

export interface JudgeAgreement extends Agreement {
  readonly judge: string
}

/** A rubric that was replaced is no news. */
const AT_WORK_MS = 7 * 86_400_000
const RECKONED_AGAIN_MS = 600_000

export class Calibration {
  readonly #marks: Marks
  #results: readonly JudgeAgreement[] | undefined
  #reckonedMs = 0

  constructor(marks: Marks) {
    this.#marks = marks
  }

  judge(mark: JudgeMark, nowMs: number): void {
    if (this.#marks.judge(mark, nowMs)) this.#results = undefined
  }

  person(mark: PersonMark, nowMs: number): void {
    this.#marks.person(mark, nowMs)
    this.#results = undefined
  }

  /** One for each judge at work whose marks people have marked too. Reckoned when something has changed, else now and then. */
  results(nowMs: number): readonly JudgeAgreement[] {
    if (this.#results === undefined || Math.abs(nowMs - this.#reckonedMs) > RECKONED_AGAIN_MS) {
      this.#reckonedMs = nowMs
      this.#results = this.#marks.judges(nowMs - AT_WORK_MS).flatMap((judge) => {
        const agreement = agreementOf(this.#marks.pairs(judge))
        return agreement === undefined ? [] : [{ judge, ...agreement }]
      })
    }
    return this.#results
  }

  /** Where a judge and people differ most. */
  differences(judge: string, most: number): Difference[] {
    return this.#marks.differences(judge, most)
  }
}
