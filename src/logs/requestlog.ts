/** The stage: settled requests come in, lines of the unhealthy ones go out. Pure: times come in, and where the lines go is not known here. */
import type { StringTable } from '../spans/strings.ts'
import { Outcome, type Settled } from '../traces/settled.ts'
import type { LogCounts } from './counts.ts'
import { causeOf, requestLine, type LogLine } from './line.ts'
import { Tally } from './tally.ts'
import { Throttle } from './throttle.ts'
import { verdictOn } from './verdict.ts'

export interface RequestLogOptions {
  readonly linesPerSecond: number
  readonly strings: StringTable
  readonly counts: LogCounts
}

const TALLY_EVERY_MS = 10_000
/** A line of the bridge itself, so that the log tells that nothing failed from that nobody looked, and where lines are missing. */
const OWN_LINE_EVERY_MS = 60_000

export class RequestLog {
  readonly #throttle: Throttle
  readonly #tally = new Tally()
  readonly #strings: StringTable
  readonly #counts: LogCounts
  readonly #write: (line: LogLine) => void
  #talliedMs = -Infinity
  #ownLineMs = -Infinity

  constructor(options: RequestLogOptions, write: (line: LogLine) => void) {
    this.#throttle = new Throttle(options.linesPerSecond)
    this.#strings = options.strings
    this.#counts = options.counts
    this.#write = write
  }

  settled(settled: Settled, nowMs: number): void {
    const strings = this.#strings
    if (settled.isRequest) this.#tally.count(strings.text(settled.tenant), settled.outcome === Outcome.success, settled.weight, nowMs)
    else if (settled.scores.length === 0) return
    const verdict = verdictOn(settled)
    if (verdict === undefined) return
    // Most lines of a meltdown end here, so a cause's own words do for its fingerprint.
    const cause = settled.rootCause && causeOf(settled.rootCause, strings)
    const kind = JSON.stringify([strings.text(settled.tenant), strings.text(settled.agent), cause ?? verdict.why])
    const admitted = this.#throttle.admit(kind, verdict.why[0] === 'failed', settled.weight, nowMs)
    if (admitted === undefined) this.#counts.dropped.rate_limit++
    else this.#write(requestLine(settled, verdict, admitted, strings, nowMs))
  }

  tick(nowMs: number): void {
    if (Math.abs(nowMs - this.#talliedMs) >= TALLY_EVERY_MS) {
      this.#talliedMs = nowMs
      for (const line of this.#tally.lines(nowMs)) this.#write(line)
      this.#counts.tenantsOverflowed = this.#tally.overflowed
    }
    if (Math.abs(nowMs - this.#ownLineMs) >= OWN_LINE_EVERY_MS) {
      this.#ownLineMs = nowMs
      this.#write(this.#ownLine(nowMs))
    }
  }

  /** What has not been told yet, at shutdown. */
  finish(nowMs: number): void {
    for (const line of this.#tally.lines(nowMs, true)) this.#write(line)
    this.#write(this.#ownLine(nowMs))
  }

  #ownLine(nowMs: number): LogLine {
    const { lines, dropped } = this.#counts
    return { stream: { event: 'bridge' }, timeMs: nowMs, text: JSON.stringify({ lines, dropped }), metadata: { level: 'info' } }
  }
}
