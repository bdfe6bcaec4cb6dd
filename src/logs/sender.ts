/** Takes lines to Loki in batches, one push at a time, and again with growing pauses while Loki cannot take them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogCounts } from './counts.ts'
import type { LogLine } from './line.ts'
import type { PushFailure } from './push.ts'
import type { LineQueue } from './queue.ts'

export interface SenderOptions {
  readonly queue: LineQueue
  readonly counts: LogCounts
  readonly push: (body: string, ended: AbortSignal) => Promise<PushFailure | undefined>
  /** Told once when pushes begin to fail, and once when they succeed again. */
  readonly tell: (message: string) => void
  readonly batchWaitMs?: number
  readonly batchBytes?: number
  readonly firstPauseMs?: number
}

const BATCH_WAIT_MS = 1000
const BATCH_BYTES = 512 * 1024
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** With the pauses some four minutes: then a batch is given up, for the sake of those behind it. */
const MOST_TRIES = 12

export class Sender {
  readonly #options: Required<SenderOptions>
  readonly #timer: NodeJS.Timeout
  readonly #stopping = new AbortController()
  readonly #ended = new AbortController()
  #sending: Promise<void> | undefined
  #failing = false

  constructor(options: SenderOptions) {
    this.#options = { batchWaitMs: BATCH_WAIT_MS, batchBytes: BATCH_BYTES, firstPauseMs: FIRST_PAUSE_MS, ...options }
    this.#timer = setInterval(() => void this.#send(), this.#options.batchWaitMs)
    this.#timer.unref()
  }

  add(line: LogLine): void {
    const { queue, batchBytes } = this.#options
    queue.add(line)
    if (queue.bytes >= batchBytes) void this.#send()
  }

  /** Sends what waits, each batch tried once more, within the limit; the rest is counted as dropped. */
  async stop(limitMs: number): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    const limit = setTimeout(() => this.#ended.abort(), limitMs)
    await this.#send()
    clearTimeout(limit)
  }

  #send(): Promise<void> {
    return (this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    }))
  }

  async #sendAll(): Promise<void> {
    const { queue, batchBytes } = this.#options
    for (let batch = queue.take(batchBytes); batch !== undefined; batch = queue.take(batchBytes)) await this.#deliver(batch)
  }

  async #deliver({ body, lines }: { readonly body: string; readonly lines: number }): Promise<void> {
    const { counts, push, firstPauseMs } = this.#options
    for (let tries = 1; ; tries++) {
      const stopping = this.#stopping.signal.aborted
      if (this.#ended.signal.aborted) {
        counts.dropped.shutdown += lines
        return
      }
      const failure = await push(body, this.#ended.signal)
      if (failure === undefined) {
        counts.lines += lines
        return this.#tellSuccess()
      }
      counts.pushErrors[failure.error]++
      this.#tellFailure(failure)
      const end = !failure.retryable ? 'refused' : stopping ? 'shutdown' : tries === MOST_TRIES ? 'undeliverable' : undefined
      if (end !== undefined) {
        counts.dropped[end] += lines
        return
      }
      // With jitter, so that many bridges do not come back at once.
      const pause = failure.retryAfterSeconds !== undefined ? failure.retryAfterSeconds * 1000 : firstPauseMs * 2 ** (tries - 1)
      await sleep(Math.min(pause, LONGEST_PAUSE_MS) * (1 + Math.random() * 0.5), undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    }
  }

  #tellFailure({ message }: PushFailure): void {
    if (!this.#failing) this.#options.tell(`cannot push to Loki: ${message}`)
    this.#failing = true
  }

  #tellSuccess(): void {
    if (this.#failing) this.#options.tell('Loki takes lines again')
    this.#failing = false
  }
}
