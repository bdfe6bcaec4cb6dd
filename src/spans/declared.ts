/** Errors that the configuration knows: tried before the table in `causes.ts`, on the same words. */
import type { FailureText } from './errors.ts'
import { MOST_WORDS, type Reason, STEP_NAMES, toldCause } from './names.ts'

export interface DeclaredError {
  readonly match: RegExp
  /** A type of the taxonomy, or `unclassified`. */
  readonly type: string
  /** Only for errors of this step, as label `step` names it; undefined: of any. */
  readonly step: string | undefined
}

/** A pattern is fast on a text of this length: the configuration has seen to it. */
const LOOKED_AT = 2048

export class DeclaredErrors {
  readonly #rules: readonly { readonly match: RegExp; readonly cause: number; readonly step: string | undefined }[]

  constructor(declared: readonly DeclaredError[]) {
    this.#rules = declared.map(({ match, type, step }) => ({ match, cause: toldCause(type), step }))
  }

  get any(): boolean {
    return this.#rules.length > 0
  }

  /** What the first rule that fits says, undefined when none does. */
  reason(failure: FailureText, kind: number): Reason | undefined {
    const { exceptionType, errorType, statusMessage, errorMessage, exceptionMessage } = failure
    const words = [exceptionType, errorType, statusMessage, errorMessage, exceptionMessage].filter((text) => text !== '').join('\n').slice(0, LOOKED_AT)
    for (const [i, { match, step, cause }] of this.#rules.entries()) {
      const found = step === undefined || step === STEP_NAMES[kind] ? match.exec(words) : null
      if (found !== null) return { cause, rule: `configured.${i + 1}`, words: found[0].slice(0, MOST_WORDS) }
    }
    return undefined
  }
}
