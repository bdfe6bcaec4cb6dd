/** How long the context was when an agent last spoke in a conversation: where it is much shorter the next time, it was compressed in between. */
import { compressionBefore, LONG_CONTEXT, shortened } from './compressions.ts'
import { Action, type Settled } from './settled.ts'

/** Past this many the conversation that was spoken in longest ago is forgotten. */
const MOST_CONVERSATIONS = 20_000
/** A prime above all numbers of strings: two agents in one conversation have a history each. */
const AGENTS = 4_294_967_311

export class Conversations {
  /** Of open requests, by their row. */
  readonly #ofRow = new Map<number, number>()
  /** Messages by conversation and agent. */
  readonly #messages = new Map<number, number>()
  /** Most spans tell what the one before them told. */
  #lastRow = -1
  #last = 0

  /** Of several that its spans tell the same one is taken, whatever their order. */
  hold(row: number, conversation: number): void {
    if (row === this.#lastRow && conversation === this.#last) return
    this.#lastRow = row
    this.#last = conversation
    const known = this.#ofRow.get(row)
    if (known === undefined || conversation < known) this.#ofRow.set(row, conversation)
  }

  take(row: number): number | undefined {
    const conversation = this.#ofRow.get(row)
    if (conversation === undefined) return undefined
    this.#ofRow.delete(row)
    if (row === this.#lastRow) this.#lastRow = -1
    return conversation
  }

  /** Two requests have become one. */
  merge(from: number, to: number): void {
    const conversation = this.take(from)
    if (conversation !== undefined) this.hold(to, conversation)
  }

  /** Adds to a settled request's recoveries what was compressed since the one before it. */
  settle(row: number, settled: Settled): void {
    const conversation = this.take(row)
    if (conversation === undefined || settled.messages < 0 || (settled.messages < LONG_CONTEXT && this.#messages.size === 0)) return
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
