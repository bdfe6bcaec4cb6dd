/**
 * Puts spans together to requests. State is small and constant per span (records.ts), nothing is
 * buffered, and nothing is counted before a request settles: then every record of it is known, each
 * span once, so that order, batching and repetition of what arrived cannot matter.
 *
 * A request settles at its root plus a short grace, or after an idle time without a root, or early
 * when there is no more room (the oldest first, counted). For a while after that its spans are
 * remembered: a repeated one is dropped, a new one is counted as late, for the same tenant.
 */
import { Text } from '../spans/dialect.ts'
import type { LogContent } from '../spans/logs.ts'
import { Kind } from '../spans/names.ts'
import type { Score, Span } from '../spans/span.ts'
import { traitBit } from '../spans/tables.ts'
import { Accounts } from './accounts.ts'
import { ContentStore, type ContentOptions, type KeptText } from './content.ts'
import { Conversations } from './conversations.ts'
import { TraceMemory, type MemoryOptions } from './memory.ts'
import { type AssemblerCounts, Late } from './late.ts'
import { DeadlineQueue } from './queue.ts'
import { BLOCK, Flag, Records } from './records.ts'
import { Requests, Row, RowFlag, State, Told } from './requests.ts'
import type { Escalation } from './recoveries.ts'
import { Responses } from './responses.ts'
import { Settled } from './settled.ts'
import { Settler } from './settle.ts'
import { Scores } from './scores.ts'
import { SeenSpans } from './seen.ts'
import { Sources } from './sources.ts'
import { SpanIndex } from './spanindex.ts'

export interface AssemblerOptions {
  /** After the root, for spans that come after it. */
  readonly settleGraceMs: number
  /** Without a root, after the last span. */
  readonly idleTimeoutMs: number
  /** After settling, for late and repeated spans. */
  readonly lateWindowMs: number
  readonly maxOpenRequests: number
  readonly maxSpansPerRequest: number
  /** Whose a request was, for scores that come long after it; without it they find it as long as late spans do. */
  readonly memory?: MemoryOptions
  /** What to keep of prompts, answers and results until a request settles; by default nothing. */
  readonly content?: ContentOptions
  /** Whom agents ask when a call keeps failing; by default what the names of tools and agents tell. */
  readonly escalation?: Escalation
}

const JOINS = traitBit('joinsLinks')

export class Assembler {
  readonly counts: AssemblerCounts = { duplicates: 0, late: 0, crowded: 0, evicted: 0, forgotten: 0, scoresUnmatched: 0, scoresCrowded: 0 }
  readonly requests: Requests
  readonly records: Records
  readonly #options: AssemblerOptions
  readonly #onSettled: (settled: Settled) => void
  readonly #settler: Settler
  readonly #seen: SeenSpans
  readonly #index: SpanIndex
  readonly #accounts: Accounts
  readonly #settled = new Settled()
  readonly #sources = new Sources()
  readonly #responses = new Responses()
  readonly #idle: DeadlineQueue
  readonly #rooted: DeadlineQueue
  readonly #remembered: DeadlineQueue
  readonly #late: Late
  readonly #scores = new Scores((row, scores) => this.#late.scores(row, scores), (scores, crowded) => this.#late.nobodysScores(scores, crowded))
  readonly memory: TraceMemory
  readonly #conversations: Conversations
  readonly content: ContentStore | undefined
  /** When what is added has come. Set once for a push: a call with it would allocate it. */
  nowMs = 0
  #open = 0

  constructor(options: AssemblerOptions, text: (id: number) => string, onSettled: (settled: Settled) => void) {
    this.#options = options
    this.content = options.content === undefined ? undefined : new ContentStore(options.content)
    this.#onSettled = onSettled
    this.memory = new TraceMemory(options.memory ?? { rememberMs: 0, maxTraces: 0 })
    // As many settled requests are remembered as may be open; blocks for 64 records a request on average.
    this.requests = new Requests(options.maxOpenRequests * 2 + 16)
    const queue = () => new DeadlineQueue(this.requests.generation)
    this.#idle = queue()
    this.#rooted = queue()
    this.#remembered = queue()
    this.records = new Records(options.maxOpenRequests * 9 + 64)
    this.#conversations = new Conversations(this.requests.capacity)
    this.#seen = new SeenSpans(this.requests, this.records)
    this.#index = new SpanIndex(this.requests, this.records)
    this.#accounts = new Accounts(this.requests, this.records, this.#sources)
    this.#settler = new Settler(this.requests, this.records, this.#sources, this.#responses, options.escalation ?? { people: undefined, models: [] }, text)
    this.#late = new Late(this.requests, this.records, this.#seen, this.#responses, this.memory, this.#settler, this.#settled, this.counts, onSettled)
  }

  get openRequests(): number {
    return this.#open
  }

  /** Takes in one classified span. */
  add(span: Span): void {
    if (span.kind === Kind.noise) return
    const requests = this.requests
    // A span needs a place for itself and perhaps one for its parent.
    while (this.records.room < 2) this.#evict()
    let row = this.#rowOf(span.trace)
    if (row < 0) row = this.#openRow(span)
    if (span.linkCount > 0 && (span.traits & JOINS) !== 0) row = this.#join(span, row)
    if (requests.state[row] === State.settled) return this.#late.latecomer(span, row)

    let record = this.#index.find(row, span.idHi, span.idLo)
    if (record >= 0 && (this.records.packed(record) & Flag.arrived) !== 0) {
      this.counts.duplicates++
      return
    }
    if (record < 0) {
      if (requests.ints[(row << 5) + Row.records]! >= this.#options.maxSpansPerRequest) {
        this.counts.crowded++
        return this.#late.span(span, row, false)
      }
      record = this.#index.add(row, span.idHi, span.idLo)
    }
    let parent = -1
    // A span that calls itself its parent has none.
    if ((span.parentHi | span.parentLo) !== 0 && (span.parentLo !== span.idLo || span.parentHi !== span.idHi)) {
      parent = requests.ints[(row << 5) + Row.lastParent]!
      if (parent < 0 || !this.records.is(parent, span.parentHi, span.parentLo)) {
        parent = this.#index.find(row, span.parentHi, span.parentLo)
        if (parent < 0) parent = this.#index.add(row, span.parentHi, span.parentLo)
        requests.ints[(row << 5) + Row.lastParent] = parent
      }
    }
    this.#fill(span, row, record, parent)
  }

  /** An exporter sends a trace's spans one after the other: mostly it is the row of the span before. */
  #rowOf(trace: Int32Array): number {
    const last = this.#lastTrace
    const row = this.#lastRow
    if (row >= 0 && last[0] === trace[0] && last[1] === trace[1] && last[2] === trace[2] && last[3] === trace[3] && this.requests.generation[row] === this.#lastGeneration) return row
    const found = this.requests.find(trace)
    if (found >= 0) {
      last.set(trace)
      this.#lastRow = found
      this.#lastGeneration = this.requests.generation[found]!
    }
    return found
  }
  readonly #lastTrace = new Int32Array(4)
  #lastRow = -1
  #lastGeneration = 0

  /** A score for a request by trace id, that came by itself: before, while or after the request is in hand. */
  addScore(trace: Int32Array, score: Score, nowMs: number): void {
    const row = this.requests.find(trace)
    if (row < 0) {
      if (!this.#late.recalledScore(trace, score)) this.#scores.await(trace, score, nowMs + this.#options.idleTimeoutMs)
    }
    else if (this.requests.state[row] === State.settled) this.#late.scores(row, [score])
    else this.#scores.hold(row, score)
  }

  /** What a log record tells of a span, which may come before or after it. */
  addContent(said: LogContent, nowMs: number): void {
    const row = this.requests.find(said.trace)
    if (row >= 0 && this.requests.state[row] === State.settled) this.content?.tooLate()
    else this.content?.keepLogged(said, nowMs + this.#options.idleTimeoutMs)
  }

  /**
   * Ends a push: what its spans need to be looked up for is looked up together, and what is due is settled. Little at a time, beside the
   * spans that take its place: its memory is then used again while it is still in the processor's cache.
   */
  endPush(): void {
    this.#flush()
    this.#settleDue(this.nowMs)
  }

  /** Settles what is due and forgets what is old. To be called several times a second. */
  tick(nowMs: number): void {
    this.nowMs = nowMs
    this.#settleDue(nowMs)
    this.#scores.giveUp(nowMs)
    this.content?.expire(nowMs)
    this.memory.expire(nowMs)
  }

  #flush(): void {
    this.#responses.flush(this.requests, this.records)
  }

  #settleDue(nowMs: number): void {
    const { requests } = this
    while (this.#rooted.nextMs <= nowMs) {
      const row = this.#rooted.take()
      if (row < 0 || requests.state[row] !== State.rooted) continue
      const flags = requests.ints[(row << 5) + Row.flags]!
      if ((flags & RowFlag.joined) !== 0) {
        // Of a run spread over many traces each has a root: the run is over when its agent has ended and nothing more comes.
        const wait = (flags & RowFlag.agentSeen) !== 0 ? this.#options.settleGraceMs : this.#options.idleTimeoutMs
        if (requests.doubles[(row << 4) + Row.seenMs]! + wait > nowMs) {
          this.#rooted.push(row, nowMs + Math.max(1, this.#options.settleGraceMs))
          continue
        }
      }
      this.#settle(row)
    }
    while (this.#idle.nextMs <= nowMs) {
      const row = this.#idle.take()
      if (row < 0 || requests.state[row] !== State.open) continue
      const deadline = requests.doubles[(row << 4) + Row.seenMs]! + this.#options.idleTimeoutMs
      if (deadline > nowMs) this.#idle.push(row, deadline)
      else this.#settle(row)
    }
    while (this.#remembered.nextMs <= nowMs) {
      const row = this.#remembered.take()
      if (row >= 0 && requests.state[row] === State.settled) this.#forget(row)
    }
  }

  /** Settles everything in hand, at shutdown. */
  settleAll(nowMs: number): void {
    this.nowMs = nowMs
    for (const queue of [this.#rooted, this.#idle]) {
      while (queue.size > 0) {
        const row = queue.take()
        if (row >= 0 && (this.requests.state[row] === State.open || this.requests.state[row] === State.rooted)) this.#settle(row, true)
      }
    }
    this.#scores.giveUp(Infinity)
  }

  /** Marks the numbers of all strings in use, for a sweep of the string table. */
  markLive(live: Uint8Array): void {
    this.#sources.markLive(live)
    const { requests, records } = this
    for (let row = 0; row < requests.capacity; row++) {
      if (requests.state[row] === State.free) continue
      live[requests.ints[(row << 5) + Row.service]!] = 1
      for (let which = 0; which < 3; which++) live[requests.toldOf(row, which)] = 1
      if (requests.state[row] === State.settled) continue
      for (let block = requests.ints[(row << 5) + Row.firstBlock]!; block >= 0; block = records.next[block]!) {
        const fill = requests.fillOf(row, block)
        for (let slot = 0; slot < fill; slot++) {
          const record = block * BLOCK + slot
          live[records.name(record)] = 1
          const call = records.call(record)
          if (call >= 0) live[records.provider(call)] = 1
        }
      }
    }
    this.#scores.markLive(live)
    this.memory.markLive(live)
    this.#responses.markLive(live)
  }

  #openRow(span: Span): number {
    while (this.requests.full || this.#open >= this.#options.maxOpenRequests) this.#evict()
    const row = this.requests.open(span.trace, this.nowMs)
    this.#open++
    this.requests.doubles[(row << 4) + Row.baseMs] = span.startMs
    this.requests.ints[(row << 5) + Row.service] = span.text[Text.service]!
    this.#idle.push(row, this.nowMs + this.#options.idleTimeoutMs)
    this.#scores.arrived(span.trace, row)
    return row
  }

  /** Makes room: forgets the longest settled, or settles the longest open. */
  #evict(): void {
    const { requests } = this
    this.#flush()
    if (requests.full || this.records.room < 2) {
      while (this.#remembered.size > 0) {
        const row = this.#remembered.take()
        if (row < 0 || requests.state[row] !== State.settled) continue
        this.counts.forgotten++
        return this.#forget(row)
      }
    }
    for (const queue of [this.#rooted, this.#idle]) {
      while (queue.size > 0) {
        const row = queue.take()
        if (row < 0 || (requests.state[row] !== State.open && requests.state[row] !== State.rooted)) continue
        this.counts.evicted++
        return this.#settle(row, true)
      }
    }
  }

  #fill(span: Span, row: number, record: number, parent: number): void {
    const { requests, records } = this
    requests.doubles[(row << 4) + Row.seenMs] = this.nowMs
    this.#accounts.keep(span, row, record, parent)
    if (span.kind === Kind.model) this.#responses.note(span, row, record, requests, records)
    if (span.conversationHi !== 0) this.#conversations.hold(row, span.conversationHi, span.conversationLo)
    this.content?.keep(span, row, record)
    if (span.scores.length > 0) for (const score of span.scores) this.#scores.hold(row, score)
    if (parent < 0 && requests.ints[(row << 5) + Row.root]! < 0) {
      requests.ints[(row << 5) + Row.root] = record
      requests.state[row] = State.rooted
      this.#rooted.push(row, this.nowMs + this.#options.settleGraceMs)
    }
  }

  /** Joins the traces a span links to with its own; returns the row of them all. */
  #join(span: Span, row: number): number {
    const { requests } = this
    for (let i = 0; i < span.linkCount; i++) {
      const other = requests.find(span.links, i * 4)
      if (other === row) continue
      if (other < 0) {
        if (requests.full) return row
        requests.alias(span.links, i * 4, row)
      } else if (requests.state[other] === State.settled) {
        if (requests.ints[(row << 5) + Row.records] === 0 && requests.state[row] === State.open) {
          // The run has settled and this trace is its latecomer.
          const scores = this.#scores.take(row)
          this.content?.take(row)
          this.#conversations.forget(row)
          this.#open--
          requests.merge(row, other)
          row = other
          if (scores !== undefined) this.#late.scores(row, scores)
        }
      } else if (requests.state[row] === State.settled || requests.ints[(row << 5) + Row.records]! + requests.ints[(other << 5) + Row.records]! > this.#options.maxSpansPerRequest) continue
      else row = this.#mergeRows(other, row)
    }
    requests.ints[(row << 5) + Row.flags]! |= RowFlag.joined
    return row
  }

  #mergeRows(a: number, b: number): number {
    const { requests } = this
    // The larger row stays: ticks of the other are rebased.
    const [to, from] = requests.ints[(a << 5) + Row.records]! >= requests.ints[(b << 5) + Row.records]! ? [a, b] : [b, a]
    this.#index.append(to, from, Math.floor(requests.doubles[(from << 4) + Row.baseMs]! * 100) - Math.floor(requests.doubles[(to << 4) + Row.baseMs]! * 100))
    requests.adopt(to, from)
    for (const score of this.#scores.take(from) ?? []) this.#scores.hold(to, score)
    this.content?.merge(from, to)
    this.#conversations.merge(from, to)
    if (requests.state[from] === State.rooted && requests.state[to] === State.open) {
      requests.state[to] = State.rooted
      this.#rooted.push(to, requests.doubles[(to << 4) + Row.seenMs]! + this.#options.settleGraceMs)
    }
    this.#open--
    requests.merge(from, to)
    return to
  }

  #settle(row: number, early = false): void {
    const settled = this.#settled
    this.#settler.settle(row, settled, this.#scores.take(row), this.#saidIn(row))
    this.#conversations.settle(row, settled)
    settled.early = early && this.requests.state[row] === State.open
    this.#index.forget(row)
    this.#open--
    this.requests.ints[(row << 5) + Row.told + Told.agent] = settled.agent
    this.#seen.remember(row)
    this.requests.state[row] = State.settled
    this.#remembered.push(row, this.nowMs + this.#options.lateWindowMs)
    if (settled.isRequest && this.memory.capacity > 0) this.requests.eachTrace(row, this.#note)
    this.#onSettled(settled)
  }

  readonly #note = (ids: Int32Array, at: number) => { this.memory.note(ids, at, this.#settled, this.nowMs) }

  /** What its spans tell goes before what is told beside them. */
  #saidIn(row: number): readonly KeptText[] | undefined {
    const { content } = this
    if (content === undefined) return undefined
    this.requests.traceOf(row, this.#trace)
    return [...content.takeLogged(this.#trace, (hi, lo) => this.#index.find(row, hi, lo)), ...content.take(row)]
  }
  readonly #trace = new Int32Array(4)

  #forget(row: number): void {
    this.#seen.forget(row)
    this.requests.free(row)
  }
}
