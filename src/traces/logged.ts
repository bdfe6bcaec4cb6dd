/** Content that log records tell, by trace, until the request of that trace settles: logs and spans are exported apart, and either may come first. */

/** Traces of which it is kept; past them that of the oldest is forgotten. */
const MOST_TRACES = 10_000
const OVERHEAD = 64

export interface LoggedText {
  readonly spanHi: number
  readonly spanLo: number
  readonly side: number
  readonly bytes: Uint8Array
  readonly cutAt: number
  readonly left: number
}

interface Waiting {
  /** By span and side. */
  readonly texts: Map<string, LoggedText>
  readonly deadlineMs: number
  bytes: number
}

export class LoggedContent {
  /** In the order of their deadlines. */
  readonly #byTrace = new Map<string, Waiting>()

  get size(): number {
    return this.#byTrace.size
  }

  /** With what it takes to keep each text, so that there cannot be many that are empty. */
  bytesOf(trace: string): number {
    const waiting = this.#byTrace.get(trace)
    return waiting === undefined ? 0 : waiting.bytes + waiting.texts.size * OVERHEAD
  }

  /** Of a span and a side the last one stays: of messages it is the newest. Returns the bytes of what it replaces. */
  put(trace: string, text: LoggedText, deadlineMs: number): number {
    let waiting = this.#byTrace.get(trace)
    if (waiting === undefined) this.#byTrace.set(trace, waiting = { texts: new Map(), deadlineMs, bytes: 0 })
    const key = `${text.spanHi} ${text.spanLo} ${text.side}`
    const replaced = waiting.texts.get(key)?.bytes.length ?? 0
    waiting.texts.set(key, text)
    waiting.bytes += text.bytes.length - replaced
    return replaced
  }

  take(trace: string): readonly LoggedText[] {
    const waiting = this.#byTrace.get(trace)
    this.#byTrace.delete(trace)
    return waiting === undefined ? [] : [...waiting.texts.values()]
  }

  /** What there is no room for any more. */
  crowded(): readonly LoggedText[] {
    return this.#byTrace.size > MOST_TRACES ? this.#takeFirst() : []
  }

  expired(nowMs: number): readonly LoggedText[] {
    const texts: LoggedText[] = []
    for (const { deadlineMs } of this.#byTrace.values()) {
      if (deadlineMs > nowMs) break
      texts.push(...this.#takeFirst())
    }
    return texts
  }

  #takeFirst(): readonly LoggedText[] {
    for (const trace of this.#byTrace.keys()) return this.take(trace)
    return []
  }
}
