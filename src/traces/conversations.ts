/** How long the context was when an agent last spoke in a conversation: where it is much shorter the next time, it was compressed in between. */
import { compressionBefore, LONG_CONTEXT, shortened } from './compressions.ts'
import { Action, type Settled } from './settled.ts'

/** Past this many the conversation that was spoken in longest ago is forgotten. */
const MOST_CONVERSATIONS = 20_000
/** A prime above all numbers of strings: two agents in one conversation have a history each. */
const AGENTS = 4_294_967_311

export class Conversations {
  /** Of open requests, by their row: both halves of the hash, of which the first is 0 where none is told. */
  readonly #ofRow: Int32Array
  /** Messages by conversation and agent. */
  readonly #messages = new Map<number, number>()

  constructor(rows: number) {
    this.#ofRow = new Int32Array(rows * 2)
  }

  /** Of several that its spans tell the same one is taken, whatever their order. */
  hold(row: number, hi: number, lo: number): void {
    const ofRow = this.#ofRow
    const known = ofRow[row * 2]!
    if (known !== 0 && (hi > known || (hi === known && lo >= ofRow[row * 2 + 1]!))) return
    ofRow[row * 2] = hi
    ofRow[row * 2 + 1] = lo
  }

  forget(row: number): void {
    this.#ofRow[row * 2] = 0
  }

  /** Two requests have become one. */
  merge(from: number, to: number): void {
    if (this.#ofRow[from * 2] !== 0) this.hold(to, this.#ofRow[from * 2]!, this.#ofRow[from * 2 + 1]!)
    this.forget(from)
  }

  /** Adds to a settled request's recoveries what was compressed since the one before it. */
  settle(row: number, settled: Settled): void {
    const hi = this.#ofRow[row * 2]!
    this.forget(row)
    if (hi === 0 || settled.messages < 0 || (settled.messages < LONG_CONTEXT && this.#messages.size === 0)) return
    const conversation = (hi >>> 0) * 2 ** 21 + (this.#ofRow[row * 2 + 1]! & 0x1fffff)
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
