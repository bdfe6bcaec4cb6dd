/** What is counted by itself, not with its request: spans and scores that come when it has settled, and spans past its limit. */
import { Kind } from '../spans/names.ts'
import type { Score, Span } from '../spans/span.ts'
import type { TraceMemory } from './memory.ts'
import type { Records } from './records.ts'
import { Row, Told, type Requests } from './requests.ts'
import type { Responses } from './responses.ts'
import type { Settled } from './settled.ts'
import type { Settler } from './settle.ts'
import type { SeenSpans } from './seen.ts'

export interface AssemblerCounts {
  duplicates: number
  late: number
  /** Spans past `maxSpansPerRequest`: counted one by one, without their place in the tree. */
  crowded: number
  evicted: number
  /** Settled requests forgotten before the end of their late window, for newer ones. */
  forgotten: number
  /** Scores whose request never came, and those that could not wait for it because too many did. */
  scoresUnmatched: number
  scoresCrowded: number
}

export class Late {
  readonly #requests: Requests
  readonly #records: Records
  readonly #seen: SeenSpans
  readonly #responses: Responses
  readonly #memory: TraceMemory
  readonly #settler: Settler
  readonly #settled: Settled
  readonly #counts: AssemblerCounts
  readonly #onSettled: (settled: Settled) => void

  constructor(requests: Requests, records: Records, seen: SeenSpans, responses: Responses, memory: TraceMemory, settler: Settler, settled: Settled, counts: AssemblerCounts, onSettled: (settled: Settled) => void) {
    this.#requests = requests
    this.#records = records
    this.#seen = seen
    this.#responses = responses
    this.#memory = memory
    this.#settler = settler
    this.#settled = settled
    this.#counts = counts
    this.#onSettled = onSettled
  }

  /** A span of a request that has settled. */
  latecomer(span: Span, row: number): void {
    if (!this.#seen.add(row, span.idHi, span.idLo)) {
      this.#counts.duplicates++
      return
    }
    this.#counts.late++
    this.span(span, row, true)
  }

  /** Counts one span for the tenant of its request. `late`: the request has settled. */
  span(span: Span, row: number, late: boolean): void {
    if (span.kind === Kind.model && span.responseHi !== 0) {
      this.#responses.flush(this.#requests, this.#records)
      if (this.#responses.known(span)) return
    }
    const settled = this.#recordOf(row)
    settled.late = late
    this.#settler.single(span, settled)
    this.#onSettled(settled)
  }

  /** Counts scores for the tenant of their request. */
  scores(row: number, scores: readonly Score[]): void {
    const settled = this.#recordOf(row)
    // Of the same request, and how long its context was.
    this.#memory.recall(settled.trace, settled)
    settled.scores.push(...scores)
    this.#onSettled(settled)
  }

  /** Counts a score for the tenant of a request that is remembered, and no more. False: it is not. */
  recalledScore(trace: Int32Array, score: Score): boolean {
    const settled = this.#settled
    settled.reset()
    if (!this.#memory.recall(trace, settled)) return false
    settled.scores.push(score)
    this.#onSettled(settled)
    return true
  }

  /** Counts the scores of a request that is not coming. */
  nobodysScores(scores: readonly Score[], crowded: boolean): void {
    if (crowded) this.#counts.scoresCrowded += scores.length
    else this.#counts.scoresUnmatched += scores.length
    const settled = this.#settled
    settled.reset()
    settled.tenant = settled.project = settled.agent = settled.service = 0
    settled.trace.fill(0)
    settled.scores.push(...scores)
    this.#onSettled(settled)
  }

  #recordOf(row: number): Settled {
    const requests = this.#requests
    const settled = this.#settled
    settled.reset()
    settled.tenant = requests.toldOf(row, Told.tenant)
    settled.project = requests.toldOf(row, Told.project)
    settled.agent = requests.toldOf(row, Told.agent)
    settled.service = requests.ints[(row << 5) + Row.service]!
    settled.weight = requests.doubles[(row << 4) + Row.weight]!
    const startMs = requests.doubles[(row << 4) + Row.startMs]!
    settled.startMs = startMs === Infinity ? requests.doubles[(row << 4) + Row.seenMs]! : startMs
    requests.traceOf(row, settled.trace)
    return settled
  }
}
