/** People of the demo, who mark some of the answers a while after they were given, mostly as these are: so there is something to hold the judge's marks against. */
import type { Random } from './random.ts'
import type { Run } from './run.ts'
import { isLost } from './words.ts'

interface Mark {
  readonly trace_id: string
  readonly evaluator: string
  readonly mark: number
  readonly comment?: string
}

const SHARE = 0.25
const AFTER_MS = 15_000
/** People are no better than that. */
const SLIPS = 0.06
const MOST_WAITING = 1000
const MOST_AT_ONCE = 100

export class People {
  readonly #url: string
  readonly #random: Random
  readonly #waiting: { readonly dueMs: number; readonly mark: Mark }[] = []
  #sending: Promise<void> | undefined

  /** `url`: where the bridge takes scores, as http://127.0.0.1:9464 */
  constructor(url: string, random: Random) {
    this.#url = url
    this.#random = random
  }

  /** An answer was given; perhaps somebody will mark it. */
  read(trace: string, { answer }: Run, nowMs: number): void {
    if (answer === '' || !this.#random.chance(SHARE) || this.#waiting.length >= MOST_WAITING) return
    const lost = isLost(answer)
    const good = this.#random.chance(SLIPS) ? lost : !lost
    const mark = good ? 4 + Number(this.#random.chance(0.7)) : 1 + Number(this.#random.chance(0.3))
    this.#waiting.push({ dueMs: nowMs + AFTER_MS, mark: { trace_id: trace, evaluator: this.#random.one(['ada', 'bo', 'chen']), mark, ...(!good && { comment: 'not what was asked' }) } })
  }

  /** Sends the marks that are due. A bridge that is not there misses them. */
  tick(nowMs: number): void {
    if (this.#sending !== undefined || (this.#waiting[0]?.dueMs ?? Infinity) > nowMs) return
    const due = this.#waiting.findIndex(({ dueMs }) => dueMs > nowMs)
    const marks = this.#waiting.splice(0, Math.min(MOST_AT_ONCE, due < 0 ? this.#waiting.length : due)).map(({ mark }) => mark)
    this.#sending = fetch(`${this.#url}/v1/scores`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(marks), signal: AbortSignal.timeout(5000) })
      .then(async (response) => { await response.arrayBuffer() }, () => {})
      .finally(() => { this.#sending = undefined })
  }

  /** Resolves when nothing is on its way. */
  async stop(): Promise<void> {
    await this.#sending
  }
}
