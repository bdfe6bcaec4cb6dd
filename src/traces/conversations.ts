/** How long the context was when an agent last spoke in a conversation: where it is much shorter the next time, it was compressed in between. */
import { compressionBefore, LONG_CONTEXT, shortened } from './compressions.ts'
import { Action, type Settled } from './settled.ts'

/** Past this many the conversation that was spoken in longest ago is forgotten. */
const MOST_CONVERSATIONS = 20_000
/** A prime above all numbers of strings: two agents in one conversation have a history each. */
const AGENTS = 4_294_967_311

export class Conversations {
  /** Of open requests, by their row; 0: none is told. */
  readonly #ofRow: Float64Array
  /** Messages by conversation and agent. */
  readonly #messages = new Map<number, number>()

  constructor(rows: number) {
    this.#ofRow = new Float64Array(rows)
  }

  /** Of several that its spans tell the same one is taken, whatever their order. */
  hold(row: number, conversation: number): void {
    const known = this.#ofRow[row]!
    if (known === 0 || conversation < known) this.#ofRow[row] = conversation
  }

  take(row: number): number {
    const conversation = this.#ofRow[row]!
    this.#ofRow[row] = 0
    return conversation
  }

  /** Two requests have become one. */
  merge(from: number, to: number): void {
    const conversation = this.take(from)
    if (conversation !== 0) this.hold(to, conversation)
  }

  /** Adds to a settled request's recoveries what was compressed since the one before it. */
  settle(row: number, settled: Settled): void {
    const conversation = this.take(row)
    if (conversation === 0 || settled.messages < 0 || (settled.messages < LONG_CONTEXT && this.#messages.size === 0)) return
    const key = (conversation + settled.agent * AGENTS) % Number.MAX_SAFE_INTEGER
    const before = this.#messages.get(key) ?? 0
    const isTold = settled.recoveries.some(({ action }) => action === Action.compression)
    if (!isTold && before >= LONG_CONTEXT && shortened(before, settled.messages)) compressionBefore(settled)
    if (before > 0) this.#messages.delete(key)
    if (settled.messages < LONG_CONTEXT || isTold) return
    if (this.#messages.size >= MOST_CONVERSATIONS) for (const oldest of this.#messages.keys()) { this.#messages.delete(oldest); break }
    this.#messages.set(key, settled.messages)
  }
}
