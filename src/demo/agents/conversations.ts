/** Conversations that go on over many runs: most end, some are compressed when they have grown long, and a few go on and rot. */
import type { Random } from './random.ts'

/** Past this many messages a history is to be compressed, as documented. */
const LONG = 50
const LONGEST = 90
/** Conversations that go on at once, with one caller. */
const AT_ONCE = 30
const MOST_CALLERS = 1000

export class Conversation {
  readonly id: string
  messages: number
  readonly #compresses: boolean

  constructor(id: string, messages: number, compresses: boolean) {
    this.id = id
    this.messages = messages
    this.#compresses = compresses
  }

  /** It is long, and its agent would compress it now. */
  get isDue(): boolean {
    return this.messages > LONG - 16 && this.#compresses
  }

  /** It is longer than it should be. */
  get isRotten(): boolean {
    return this.messages > LONG
  }

  grow(messages: number): void {
    this.messages += messages
  }

  compress(): void {
    this.messages = 6
  }
}

export class Conversations {
  readonly #random: Random
  readonly #open = new Map<string, Conversation[]>()
  #begun = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** The conversation that a caller goes on with, or begins. */
  next(caller: string): Conversation {
    const random = this.#random
    let open = this.#open.get(caller)
    if (open === undefined) {
      if (this.#open.size >= MOST_CALLERS) this.#open.clear()
      this.#open.set(caller, (open = Array.from({ length: AT_ONCE }, () => this.#begin(random.count(2, 30)))))
    }
    const at = random.count(0, open.length - 1)
    if (random.chance(0.25) || open[at]!.messages > LONGEST) open[at] = this.#begin(2)
    return open[at]!
  }

  #begin(messages: number): Conversation {
    return new Conversation(`c-${++this.#begun}`, messages, this.#random.chance(0.9))
  }
}
