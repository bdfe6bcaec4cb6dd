/**
 * Puts spans together to requests. State is small and constant per span (records.ts), nothing is
 * buffered, and nothing is counted before a request settles: then every record of it is known, each
 * span once, so that order, batching and repetition of what arrived cannot matter.
 *
 * A request settles at its root plus a short grace, or after an idle time without a root, or early
 * when there is no more room (the oldest first, counted). For a while after that its spans are
 * remembered: a repeated one is dropped, a new one is counted as late, for the same tenant.
 */
import { Num, Text } from '../spans/dialect.ts'
import type { LogContent } from '../spans/logs.ts'
import { Kind } from '../spans/names.ts'
import { RESOURCE_RANK, type Score, type Span } from '../spans/span.ts'
import { traitBit } from '../spans/tables.ts'
import { ContentStore, type ContentOptions, type KeptText } from './content.ts'
import { Conversations } from './conversations.ts'
import { TraceMemory, type MemoryOptions } from './memory.ts'
import { DeadlineQueue } from './queue.ts'
import { BLOCK, clampTicks, Flag, pack, Records, roundSeconds } from './records.ts'
import { Requests, Row, RowFlag, State, Told } from './requests.ts'
import type { Escalation } from './recoveries.ts'
import { Responses } from './responses.ts'
import { Outcome, quantize, Settled } from './settled.ts'
import { Settler } from './settle.ts'
import { Scores } from './scores.ts'
import { SeenSpans } from './seen.ts'
import { Sources } from './sources.ts'

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

const JOINS = traitBit('joinsLinks')
const NATIVE = traitBit('nativeSdk')
const ATTEMPTS = traitBit('attemptsAreSpans')
/** Whose word counts first: the root's, that of a root within this process, then whoever started first; and within each a span's before its resource's. */
const ROOT_FIRST = 1e15
const LOCAL_ROOT_FIRST = ROOT_FIRST / 2
const RESOURCE_LAST = ROOT_FIRST / 8
/** What only some calls tell. */
const DETAILS = (1 << Num.cachedInput) | (1 << Num.cacheWrite) | (1 << Num.reasoning) | (1 << Num.messages) | (1 << Num.firstTokenSeconds) | (1 << Num.costUsd)
const COMPACTED = 1 << Num.compacted
/** Past this many records a request's span ids are looked up in a map instead of by looking at each. */
const BIG = 64

export class Assembler {
  readonly counts: AssemblerCounts = { duplicates: 0, late: 0, crowded: 0, evicted: 0, forgotten: 0, scoresUnmatched: 0, scoresCrowded: 0 }
  readonly requests: Requests
  readonly records: Records
  readonly #options: AssemblerOptions
  readonly #onSettled: (settled: Settled) => void
  readonly #settler: Settler
  readonly #seen: SeenSpans
  readonly #settled = new Settled()
  readonly #sources = new Sources()
  readonly #responses = new Responses()
  readonly #idle = new DeadlineQueue()
  readonly #rooted = new DeadlineQueue()
  readonly #remembered = new DeadlineQueue()
  readonly #scores = new Scores((row, scores) => this.#lateScores(row, scores), (scores, crowded) => this.#nobodysScores(scores, crowded))
  readonly memory: TraceMemory
  readonly #conversations = new Conversations()
  readonly content: ContentStore | undefined
  readonly #bigIndex = new Map<number, Map<number, number>>()
  #open = 0

  constructor(options: AssemblerOptions, text: (id: number) => string, onSettled: (settled: Settled) => void) {
    this.#options = options
    this.content = options.content === undefined ? undefined : new ContentStore(options.content)
    this.#onSettled = onSettled
    this.memory = new TraceMemory(options.memory ?? { rememberMs: 0, maxTraces: 0 })
    // As many settled requests are remembered as may be open; blocks for 64 records a request on average.
    this.requests = new Requests(options.maxOpenRequests * 2 + 16)
    this.records = new Records(options.maxOpenRequests * 9 + 64)
    this.#seen = new SeenSpans(this.requests, this.records)
    this.#settler = new Settler(this.requests, this.records, this.#sources, this.#responses, options.escalation ?? { people: undefined, models: [] }, text)
  }

  get openRequests(): number {
    return this.#open
  }

  /** Takes in one classified span. */
  add(span: Span, nowMs: number): void {
    if (span.kind === Kind.noise) return
    const requests = this.requests
    // A span needs a place for itself and perhaps one for its parent.
    while (this.records.room < 2) this.#evict(nowMs)
    let row = this.#rowOf(span.trace)
    if (row < 0) row = this.#openRow(span, nowMs)
    if (span.linkCount > 0 && (span.traits & JOINS) !== 0) row = this.#join(span, row)
    if (requests.state[row] === State.settled) return this.#late(span, row)

    let record = this.#find(row, span.idHi, span.idLo)
    if (record >= 0 && (this.records.packed(record) & Flag.arrived) !== 0) {
      this.counts.duplicates++
      return
    }
    if (record < 0) {
      if (requests.ints[(row << 5) + Row.records]! >= this.#options.maxSpansPerRequest) {
        this.counts.crowded++
        return this.#single(span, row, false)
      }
      record = this.#addRecord(row, span.idHi, span.idLo)
    }
    let parent = -1
    // A span that calls itself its parent has none.
    if ((span.parentHi | span.parentLo) !== 0 && (span.parentLo !== span.idLo || span.parentHi !== span.idHi)) {
      parent = requests.ints[(row << 5) + Row.lastParent]!
      if (parent < 0 || !this.records.is(parent, span.parentHi, span.parentLo)) {
        parent = this.#find(row, span.parentHi, span.parentLo)
        if (parent < 0) parent = this.#addRecord(row, span.parentHi, span.parentLo)
        requests.ints[(row << 5) + Row.lastParent] = parent
      }
    }
    this.#fill(span, row, record, parent, nowMs)
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
      if (!this.#recalledScore(trace, score)) this.#scores.await(trace, score, nowMs + this.#options.idleTimeoutMs)
    }
    else if (this.requests.state[row] === State.settled) this.#lateScores(row, [score])
    else this.#scores.hold(row, score)
  }

  /** What a log record tells of a span, which may come before or after it. */
  addContent(said: LogContent, nowMs: number): void {
    const row = this.requests.find(said.trace)
    if (row >= 0 && this.requests.state[row] === State.settled) this.content?.tooLate()
    else this.content?.keepLogged(said, nowMs + this.#options.idleTimeoutMs)
  }

  /** Ends a push: what its spans need to be looked up for is looked up together. */
  flush(): void {
    this.#responses.flush(this.requests, this.records)
  }

  /** Settles what is due. To be called several times a second. */
  tick(nowMs: number): void {
    const { requests } = this
    while (this.#rooted.nextMs <= nowMs) {
      const row = this.#rooted.take(requests.generation)
      if (row < 0 || requests.state[row] !== State.rooted) continue
      const flags = requests.ints[(row << 5) + Row.flags]!
      if ((flags & RowFlag.joined) !== 0) {
        // Of a run spread over many traces each has a root: the run is over when its agent has ended and nothing more comes.
        const wait = (flags & RowFlag.agentSeen) !== 0 ? this.#options.settleGraceMs : this.#options.idleTimeoutMs
        if (requests.doubles[(row << 4) + Row.seenMs]! + wait > nowMs) {
          this.#rooted.push(row, requests.generation[row]!, nowMs + Math.max(1, this.#options.settleGraceMs))
          continue
        }
      }
      this.#settle(row, nowMs)
    }
    while (this.#idle.nextMs <= nowMs) {
      const row = this.#idle.take(requests.generation)
      if (row < 0 || requests.state[row] !== State.open) continue
      const deadline = requests.doubles[(row << 4) + Row.seenMs]! + this.#options.idleTimeoutMs
      if (deadline > nowMs) this.#idle.push(row, requests.generation[row]!, deadline)
      else this.#settle(row, nowMs)
    }
    while (this.#remembered.nextMs <= nowMs) {
      const row = this.#remembered.take(requests.generation)
      if (row >= 0 && requests.state[row] === State.settled) this.#forget(row)
    }
    this.#scores.giveUp(nowMs)
    this.content?.expire(nowMs)
    this.memory.expire(nowMs)
  }

  /** Settles everything in hand, at shutdown. */
  settleAll(nowMs: number): void {
    for (const queue of [this.#rooted, this.#idle]) {
      while (queue.size > 0) {
        const row = queue.take(this.requests.generation)
        if (row >= 0 && (this.requests.state[row] === State.open || this.requests.state[row] === State.rooted)) this.#settle(row, nowMs, true)
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

  #openRow(span: Span, nowMs: number): number {
    while (this.requests.full || this.#open >= this.#options.maxOpenRequests) this.#evict(nowMs)
    const row = this.requests.open(span.trace, nowMs)
    this.#open++
    this.requests.doubles[(row << 4) + Row.baseMs] = span.startMs
    this.requests.ints[(row << 5) + Row.service] = span.text[Text.service]!
    this.#idle.push(row, this.requests.generation[row]!, nowMs + this.#options.idleTimeoutMs)
    this.#scores.arrived(span.trace, row)
    return row
  }

  /** Makes room: forgets the longest settled, or settles the longest open. */
  #evict(nowMs: number): void {
    const { requests } = this
    this.flush()
    if (requests.full || this.records.room < 2) {
      while (this.#remembered.size > 0) {
        const row = this.#remembered.take(requests.generation)
        if (row < 0 || requests.state[row] !== State.settled) continue
        this.counts.forgotten++
        return this.#forget(row)
      }
    }
    for (const queue of [this.#rooted, this.#idle]) {
      while (queue.size > 0) {
        const row = queue.take(requests.generation)
        if (row < 0 || (requests.state[row] !== State.open && requests.state[row] !== State.rooted)) continue
        this.counts.evicted++
        return this.#settle(row, nowMs, true)
      }
    }
  }

  #addRecord(row: number, idHi: number, idLo: number): number {
    const { requests, records } = this
    let fill = requests.ints[(row << 5) + Row.fill]!
    let block = requests.ints[(row << 5) + Row.lastBlock]!
    if (block < 0 || fill === BLOCK) {
      const fresh = records.takeBlock(row)
      if (block < 0) requests.ints[(row << 5) + Row.firstBlock] = fresh
      else records.next[block] = fresh
      requests.ints[(row << 5) + Row.lastBlock] = block = fresh
      fill = 0
    }
    const record = block * BLOCK + fill
    requests.ints[(row << 5) + Row.fill] = fill + 1
    const count = requests.ints[(row << 5) + Row.records]! + 1
    requests.ints[(row << 5) + Row.records] = count
    records.setId(record, idHi, idLo)
    if (count === BIG) this.#indexBig(row)
    else if (count > BIG) this.#bigIndex.get(row)!.set(idKey(idHi, idLo), record)
    return record
  }

  #indexBig(row: number): void {
    this.#bigIndex.set(row, new Map())
    this.#indexFrom(row, this.requests.ints[(row << 5) + Row.firstBlock]!)
  }

  /** Puts a request's records into its map, from a block to the last. */
  #indexFrom(row: number, block: number): void {
    const { requests, records } = this
    const index = this.#bigIndex.get(row)!
    for (; block >= 0; block = records.next[block]!) {
      const fill = requests.fillOf(row, block)
      for (let slot = 0; slot < fill; slot++) index.set(idKey(records.idHi(block * BLOCK + slot), records.idLo(block * BLOCK + slot)), block * BLOCK + slot)
    }
  }

  #find(row: number, idHi: number, idLo: number): number {
    const { requests, records } = this
    if (requests.ints[(row << 5) + Row.records]! >= BIG) {
      const record = this.#bigIndex.get(row)!.get(idKey(idHi, idLo))
      if (record === undefined) return -1
      // Some tracers count their ids up in the bits that the key leaves out.
      if (records.is(record, idHi, idLo)) return record
    }
    const last = requests.ints[(row << 5) + Row.lastBlock]!
    for (let block = requests.ints[(row << 5) + Row.firstBlock]!; block >= 0; block = records.next[block]!) {
      const slot = records.find(block, block === last ? requests.ints[(row << 5) + Row.fill]! : BLOCK, idHi, idLo)
      if (slot >= 0) return block * BLOCK + slot
    }
    return -1
  }

  #fill(span: Span, row: number, record: number, parent: number, nowMs: number): void {
    const { requests, records } = this
    requests.doubles[(row << 4) + Row.seenMs] = nowMs
    if (span.startMs > 0) {
      if (requests.doubles[(row << 4) + Row.baseMs] === 0) requests.doubles[(row << 4) + Row.baseMs] = span.startMs
      if (span.startMs < requests.doubles[(row << 4) + Row.startMs]!) requests.doubles[(row << 4) + Row.startMs] = span.startMs
      if (span.endMs > requests.doubles[(row << 4) + Row.endMs]!) requests.doubles[(row << 4) + Row.endMs] = span.endMs
    }
    if (span.weight > requests.doubles[(row << 4) + Row.weight]!) requests.doubles[(row << 4) + Row.weight] = span.weight
    const isRoot = parent < 0
    let flags: number = Flag.arrived
    if (span.failed) {
      flags |= Flag.failed
      requests.ints[(row << 5) + Row.flags]! |= RowFlag.failed
      records.reasons.set(record, span.reason)
    }
    if (span.tells(COMPACTED) && span.num[Num.compacted]! > 0) {
      requests.ints[(row << 5) + Row.flags]! |= RowFlag.compacted
      records.compacted.add(record)
    }
    if ((span.traits & NATIVE) !== 0) flags |= Flag.native
    if ((span.traits & ATTEMPTS) !== 0) flags |= Flag.attempt
    if (span.remoteParent) flags |= Flag.localRoot
    if (span.kind === Kind.agent) requests.ints[(row << 5) + Row.flags]! |= RowFlag.agentSeen
    const source = this.#sources.of(span.text[Text.service]!, span.text[Text.version]!)
    const ticks = clampTicks(span.startMs > 0 ? Math.floor(span.startMs * 100) - Math.floor(requests.doubles[(row << 4) + Row.baseMs]! * 100) : -Infinity)
    records.set(record, parent, ticks, roundSeconds(span.seconds), span.name, pack(span.kind, span.cause, flags, source))
    if (span.kind === Kind.model || span.kind === Kind.embedding) this.#fillCall(span, row, record)
    else if (isRoot && span.told(Num.costUsd) > 0) requests.doubles[(row << 4) + Row.costUsd]! += quantize(span.num[Num.costUsd]!)
    if (span.conversation !== 0) this.#conversations.hold(row, span.conversation)
    this.#tell(span, row, isRoot)
    this.content?.keep(span, row, record)
    if (span.scores.length > 0) for (const score of span.scores) this.#scores.hold(row, score)
    if (isRoot && requests.ints[(row << 5) + Row.root]! < 0) {
      requests.ints[(row << 5) + Row.root] = record
      requests.state[row] = State.rooted
      this.#rooted.push(row, requests.generation[row]!, nowMs + this.#options.settleGraceMs)
    }
  }

  #fillCall(span: Span, row: number, record: number): void {
    const call = this.records.setCall(record, span.text[Text.provider]!, span.told(Num.input), span.told(Num.output), span.responseLo)
    const tier = Math.max(0, span.told(Num.tier))
    if (tier > 0 || span.inputHash !== 0 || span.tells(DETAILS)) {
      this.records.setDetail(call, span.told(Num.cachedInput), span.told(Num.cacheWrite), span.told(Num.reasoning), span.told(Num.messages),
        roundSeconds(span.told(Num.firstTokenSeconds)), span.told(Num.costUsd), tier, span.inputHash)
    }
    if (span.kind === Kind.model) this.#responses.note(span, row, record, this.requests, this.records)
  }

  #tell(span: Span, row: number, isRoot: boolean): void {
    const { text, textRank } = span
    const rank = isRoot ? span.startMs - ROOT_FIRST : span.remoteParent ? span.startMs - LOCAL_ROOT_FIRST : span.startMs
    if (text[Text.tenant] !== 0) this.requests.tell(row, Told.tenant, text[Text.tenant]!, rank + (textRank[Text.tenant] === RESOURCE_RANK ? RESOURCE_LAST : 0), span.idLo)
    if (text[Text.project] !== 0) this.requests.tell(row, Told.project, text[Text.project]!, rank + (textRank[Text.project] === RESOURCE_RANK ? RESOURCE_LAST : 0), span.idLo)
    if (text[Text.agent] !== 0) this.requests.tell(row, Told.agent, text[Text.agent]!, rank, span.idLo)
    if (isRoot) this.requests.ints[(row << 5) + Row.service] = span.text[Text.service]!
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
          this.#conversations.take(row)
          this.#open--
          requests.merge(row, other)
          row = other
          if (scores !== undefined) this.#lateScores(row, scores)
        }
      } else if (requests.state[row] === State.settled || requests.ints[(row << 5) + Row.records]! + requests.ints[(other << 5) + Row.records]! > this.#options.maxSpansPerRequest) continue
      else row = this.#mergeRows(other, row)
    }
    requests.ints[(row << 5) + Row.flags]! |= RowFlag.joined
    return row
  }

  #mergeRows(a: number, b: number): number {
    const { requests, records } = this
    // The older row stays: ticks of the other are rebased.
    const [to, from] = requests.ints[(a << 5) + Row.records]! >= requests.ints[(b << 5) + Row.records]! ? [a, b] : [b, a]
    const shift = Math.floor(requests.doubles[(from << 4) + Row.baseMs]! * 100) - Math.floor(requests.doubles[(to << 4) + Row.baseMs]! * 100)
    if (requests.ints[(from << 5) + Row.records]! > 0) {
      this.#retire(to)
      for (let block = requests.ints[(from << 5) + Row.firstBlock]!; block >= 0; block = records.next[block]!) {
        records.owner[block] = to
        for (let slot = 0; slot < BLOCK; slot++) records.shiftStart(block * BLOCK + slot, shift)
      }
      const last = requests.ints[(to << 5) + Row.lastBlock]!
      if (last < 0) requests.ints[(to << 5) + Row.firstBlock] = requests.ints[(from << 5) + Row.firstBlock]!
      else records.next[last] = requests.ints[(from << 5) + Row.firstBlock]!
      requests.ints[(to << 5) + Row.lastBlock] = requests.ints[(from << 5) + Row.lastBlock]!
      requests.ints[(to << 5) + Row.fill] = requests.ints[(from << 5) + Row.fill]!
      const before = requests.ints[(to << 5) + Row.records]!
      requests.ints[(to << 5) + Row.records] = before + requests.ints[(from << 5) + Row.records]!
      this.#bigIndex.delete(from)
      if (this.#bigIndex.has(to)) this.#indexFrom(to, requests.ints[(from << 5) + Row.firstBlock]!)
      else if (requests.ints[(to << 5) + Row.records]! >= BIG) this.#indexBig(to)
    }
    if (requests.ints[(to << 5) + Row.root]! < 0 && requests.ints[(from << 5) + Row.root]! >= 0) {
      requests.ints[(to << 5) + Row.root] = requests.ints[(from << 5) + Row.root]!
      requests.ints[(to << 5) + Row.service] = requests.ints[(from << 5) + Row.service]!
    }
    requests.doubles[(to << 4) + Row.startMs] = Math.min(requests.doubles[(to << 4) + Row.startMs]!, requests.doubles[(from << 4) + Row.startMs]!)
    requests.doubles[(to << 4) + Row.endMs] = Math.max(requests.doubles[(to << 4) + Row.endMs]!, requests.doubles[(from << 4) + Row.endMs]!)
    requests.doubles[(to << 4) + Row.seenMs] = Math.max(requests.doubles[(to << 4) + Row.seenMs]!, requests.doubles[(from << 4) + Row.seenMs]!)
    requests.doubles[(to << 4) + Row.weight] = Math.max(requests.doubles[(to << 4) + Row.weight]!, requests.doubles[(from << 4) + Row.weight]!)
    requests.doubles[(to << 4) + Row.costUsd]! += requests.doubles[(from << 4) + Row.costUsd]!
    requests.ints[(to << 5) + Row.flags]! |= requests.ints[(from << 5) + Row.flags]!
    for (let which = 0; which < 3; which++) {
      const text = requests.toldOf(from, which)
      if (text !== 0) requests.tell(to, which, text, requests.toldRankOf(from, which), requests.ints[(from << 5) + Row.toldId + which]!)
    }
    for (const score of this.#scores.take(from) ?? []) this.#scores.hold(to, score)
    this.content?.merge(from, to)
    this.#conversations.merge(from, to)
    if (requests.state[from] === State.rooted && requests.state[to] === State.open) {
      requests.state[to] = State.rooted
      this.#rooted.push(to, requests.generation[to]!, requests.doubles[(to << 4) + Row.seenMs]! + this.#options.settleGraceMs)
    }
    this.#open--
    requests.merge(from, to)
    return to
  }

  /** Marks the unused slots of a row's last block, before another row's blocks come after it. */
  #retire(row: number): void {
    const block = this.requests.ints[(row << 5) + Row.lastBlock]!
    if (block < 0) return
    for (let slot = this.requests.ints[(row << 5) + Row.fill]!; slot < BLOCK; slot++) this.records.setId(block * BLOCK + slot, 0, 0)
    this.requests.ints[(row << 5) + Row.records]! += BLOCK - this.requests.ints[(row << 5) + Row.fill]!
  }

  /** Counts scores by themselves, for the tenant of their request. */
  #lateScores(row: number, scores: readonly Score[]): void {
    const settled = this.#lateRecord(row)
    // Of the same request, and how long its context was.
    this.memory.recall(settled.trace, settled)
    settled.scores.push(...scores)
    this.#onSettled(settled)
  }

  /** Counts a score for the tenant of a request that is remembered, and no more. */
  #recalledScore(trace: Int32Array, score: Score): boolean {
    const settled = this.#settled
    settled.reset()
    if (!this.memory.recall(trace, settled)) return false
    settled.scores.push(score)
    this.#onSettled(settled)
    return true
  }

  /** Counts the scores of a request that is not coming. */
  #nobodysScores(scores: readonly Score[], crowded: boolean): void {
    if (crowded) this.counts.scoresCrowded += scores.length
    else this.counts.scoresUnmatched += scores.length
    const settled = this.#settled
    settled.reset()
    settled.tenant = settled.project = settled.agent = settled.service = 0
    settled.trace.fill(0)
    settled.scores.push(...scores)
    this.#onSettled(settled)
  }

  #settle(row: number, nowMs: number, early = false): void {
    const settled = this.#settled
    this.#settler.settle(row, settled, this.#scores.take(row), this.#saidIn(row))
    this.#conversations.settle(row, settled)
    settled.early = early && this.requests.state[row] === State.open
    this.#bigIndex.delete(row)
    this.#open--
    this.requests.ints[(row << 5) + Row.told + Told.agent] = settled.agent
    this.#seen.remember(row)
    this.requests.state[row] = State.settled
    this.#remembered.push(row, this.requests.generation[row]!, nowMs + this.#options.lateWindowMs)
    if (settled.isRequest && this.memory.capacity > 0) this.requests.eachTrace(row, (trace) => this.memory.note(trace, settled, nowMs))
    this.#onSettled(settled)
  }

  /** What its spans tell goes before what is told beside them. */
  #saidIn(row: number): readonly KeptText[] | undefined {
    const { content } = this
    if (content === undefined) return undefined
    this.requests.traceOf(row, this.#trace)
    return [...content.takeLogged(this.#trace, (hi, lo) => this.#find(row, hi, lo)), ...content.take(row)]
  }
  readonly #trace = new Int32Array(4)

  #forget(row: number): void {
    this.#seen.forget(row)
    this.requests.free(row)
  }

  #late(span: Span, row: number): void {
    if (!this.#seen.add(row, span.idHi, span.idLo)) {
      this.counts.duplicates++
      return
    }
    this.counts.late++
    this.#single(span, row, true)
  }

  /** Counts one span by itself, for the tenant of its request. */
  #single(span: Span, row: number, late: boolean): void {
    if (span.kind === Kind.model && span.responseHi !== 0) {
      this.flush()
      if (this.#responses.known(span)) return
    }
    const settled = this.#lateRecord(row)
    settled.late = late
    this.#settler.single(span, settled)
    this.#onSettled(settled)
  }

  #lateRecord(row: number): Settled {
    const { requests } = this
    const settled = this.#settled
    settled.reset()
    settled.tenant = requests.toldOf(row, Told.tenant)
    settled.project = requests.toldOf(row, Told.project)
    settled.agent = requests.toldOf(row, Told.agent)
    settled.service = requests.ints[(row << 5) + Row.service]!
    settled.weight = requests.doubles[(row << 4) + Row.weight]!
    const startMs = requests.doubles[(row << 4) + Row.startMs]!
    settled.startMs = startMs === Infinity ? requests.doubles[(row << 4) + Row.seenMs]! : startMs
    settled.outcome = Outcome.success
    requests.traceOf(row, settled.trace)
    return settled
  }
}

/** 53 of a span id's 64 bits: enough to tell the spans of one request apart. */
function idKey(idHi: number, idLo: number): number {
  return (idLo >>> 0) + (idHi & 0x1fffff) * 4294967296
}
