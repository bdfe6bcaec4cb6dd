/** Which settled requests are judged, and why: the sample first, because only it speaks for all requests. */
import { Outcome, type Settled } from '../../traces/settled.ts'
import { inSample } from './sampling.ts'
import { Versions } from './versions.ts'

export const WHYS = ['sample', 'error', 'low_unit_score', 'new_version'] as const
export type Why = (typeof WHYS)[number]

export interface SelectionOptions {
  /** Of the requests, from 0 to 1. */
  readonly share: number
  /** Besides the sample. */
  readonly always: readonly Exclude<Why, 'sample'>[]
  /** Below this a score of the unit layer is low. */
  readonly lowUnitScore: number
  /** How long the version of an agent is new. */
  readonly newVersionMs: number
}

export class Selection {
  readonly #options: SelectionOptions
  readonly #text: (id: number) => string
  readonly #always: ReadonlySet<Why>
  readonly #versions: Versions

  constructor(options: SelectionOptions, text: (id: number) => string) {
    this.#options = options
    this.#text = text
    this.#always = new Set(options.always)
    this.#versions = new Versions(options.newVersionMs)
  }

  /** undefined: it is not judged. */
  why(settled: Settled, nowMs: number): Why | undefined {
    if (!settled.isRequest) return undefined
    // Each is looked at, or the first request of a version that is in the sample would leave its version unknown.
    const isNew = this.#always.has('new_version') && this.#versions.isNew(this.#text(settled.agent), this.#text(settled.version), nowMs)
    if (inSample(settled.trace, this.#options.share)) return 'sample'
    if (settled.outcome === Outcome.error && this.#always.has('error')) return 'error'
    if (this.#always.has('low_unit_score') && settled.scores.some(({ layer, value }) => layer === 'unit' && value < this.#options.lowUnitScore)) return 'low_unit_score'
    return isNew ? 'new_version' : undefined
  }
}
