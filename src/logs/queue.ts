/** Lines that wait for Loki, bounded in number and bytes. */
import type { LogCounts } from './counts.ts'
import type { LogLine, Stream } from './line.ts'

interface Waiting {
  readonly stream: string
  /** `["<ns>","<text>",{…}]`, as the push API takes it. */
  readonly entry: string
}

const MOST_LINES = 50_000

export class LineQueue {
  bytes = 0
  readonly #limitBytes: number
  readonly #counts: LogCounts
  readonly #labels: Readonly<Record<string, string>>
  #waiting: Waiting[] = []
  #first = 0
  #order = 0

  /** `labels`: of every stream, besides its own. */
  constructor(limitBytes: number, labels: Readonly<Record<string, string>>, counts: LogCounts) {
    this.#limitBytes = limitBytes
    this.#labels = labels
    this.#counts = counts
  }

  get lines(): number {
    return this.#waiting.length - this.#first
  }

  /** Without room the oldest go: what is asked of the log is mostly the present. */
  add(line: LogLine): void {
    // Loki keeps the order of a millisecond's lines by what comes after it.
    this.#order = (this.#order + 1) % 1_000_000
    const nanos = `${Math.floor(line.timeMs)}${String(this.#order).padStart(6, '0')}`
    const waiting = { stream: this.#streamOf(line.stream), entry: JSON.stringify([nanos, line.text, line.metadata]) }
    this.#waiting.push(waiting)
    this.bytes += sizeOf(waiting)
    while (this.lines > 0 && (this.bytes > this.#limitBytes || this.lines > MOST_LINES)) {
      this.#shift()
      this.#counts.dropped.queue_full++
    }
  }

  /** The oldest lines, at least one and else at most `limitBytes`, as the body of a push. undefined when nothing waits. */
  take(limitBytes: number): { readonly body: string; readonly lines: number } | undefined {
    const entries = new Map<string, string[]>()
    let lines = 0
    let bytes = 0
    while (this.lines > 0) {
      const next = this.#waiting[this.#first]!
      bytes += sizeOf(next)
      if (lines > 0 && bytes > limitBytes) break
      this.#shift()
      const of = entries.get(next.stream)
      if (of === undefined) entries.set(next.stream, [next.entry])
      else of.push(next.entry)
      lines++
    }
    if (lines === 0) return undefined
    return { body: `{"streams":[${[...entries].map(([stream, values]) => `{"stream":${stream},"values":[${values.join(',')}]}`).join(',')}]}`, lines }
  }

  #shift(): void {
    const waiting = this.#waiting
    this.bytes -= sizeOf(waiting[this.#first]!)
    this.#first++
    if (this.#first * 2 > waiting.length) {
      this.#waiting = waiting.slice(this.#first)
      this.#first = 0
    }
  }

  #streamOf(stream: Stream): string {
    return JSON.stringify({ ...this.#labels, service_name: 'spanbridge', ...stream })
  }
}

function sizeOf({ entry, stream }: Waiting): number {
  return Buffer.byteLength(entry) + stream.length
}
