/** Errors that the configuration knows: tried before the table in `causes.ts`, on the same words. */
import type { FailureText } from './errors.ts'
import { STEP_NAMES, toldCause } from './names.ts'

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

  /** The cause that the first rule that fits says, undefined when none does. */
  cause(failure: FailureText, kind: number): number | undefined {
    const { exceptionType, errorType, statusMessage, errorMessage, exceptionMessage } = failure
    const words = [exceptionType, errorType, statusMessage, errorMessage, exceptionMessage].filter((text) => text !== '').join('\n').slice(0, LOOKED_AT)
    return this.#rules.find(({ match, step }) => (step === undefined || step === STEP_NAMES[kind]) && match.test(words))?.cause
  }
}
