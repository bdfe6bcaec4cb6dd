/**
 * Calls of the last minutes by what they were asked: a table of fixed size, in which a newer call takes the place of an older one. Who asked
 * whom is told by hashes of their names, which a sweep of the string table does not change.
 */
const PLACES = 1 << 16
const WORDS = 6
/** Starts are known to ten microseconds, and lengths to one. */
const ROUNDING_MS = 1

export class RecentCalls {
  readonly #windowMs: number
  readonly #keys = new Int32Array(PLACES * WORDS)
  readonly #endMs = new Float64Array(PLACES)

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Whether the same was answered before this call began, within the window. The call is remembered, unless it is one of the answered: their first is the measure. */
  answered(hash: number, tenant: number, agent: number, model: number, input: number, startMs: number, endMs: number): boolean {
    const place = (Math.imul(hash ^ Math.imul(tenant, 31) ^ Math.imul(agent, 131) ^ Math.imul(model, 1031), 0x9e3779b1) >>> 16) & (PLACES - 1)
    const keys = this.#keys
    const at = place * WORDS
    const same = keys[at] === hash && keys[at + 1] === tenant && keys[at + 2] === agent && keys[at + 3] === model && keys[at + 4] === input && keys[at + 5] === 1
    if (same) {
      const waitMs = startMs - this.#endMs[place]!
      if (waitMs >= -ROUNDING_MS && waitMs <= this.#windowMs) return true
      // Beside each other, or told of in the other order: neither had the other's answer.
      if (waitMs < -ROUNDING_MS && endMs >= this.#endMs[place]! - this.#windowMs) return false
    }
    keys[at] = hash
    keys[at + 1] = tenant
    keys[at + 2] = agent
    keys[at + 3] = model
    keys[at + 4] = input
    keys[at + 5] = 1
    this.#endMs[place] = endMs
    return false
  }
}
