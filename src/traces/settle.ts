/**
 * Reads a request off its records: which spans are steps and which only repeat one, which error is the
 * failure and which its echo, what made the request fail. Everything here depends on the set of records
 * alone. Scratch arrays are reused; a request without failures and nesting takes only the first passes.
 */
import { Num, Text } from '../spans/dialect.ts'
import { Cause, errorType, isStep, Kind } from '../spans/names.ts'
import type { Score, Span } from '../spans/span.ts'
import { CriticalPath } from './critical.ts'
import { findCompressions, LONG_CONTEXT } from './compressions.ts'
import { judge } from './failures.ts'
import { type Escalation, Recoveries } from './recoveries.ts'
import { causeIn, Flag, kindOf, roundSeconds, sourceOf, type Records } from './records.ts'
import { SettledContent, type KeptText } from './content.ts'
import { Row, RowFlag, Told, type Requests } from './requests.ts'
import type { Responses } from './responses.ts'
import { Outcome, type Settled } from './settled.ts'
import type { Sources } from './sources.ts'
import { Tree } from './tree.ts'

/** The assembler ranks what a root tells below this, and all others' words above. */
const ROOT_RANK = -9e14
const NONE: Set<number> = new Set()

export class Settler {
  readonly #requests: Requests
  readonly #records: Records
  readonly #sources: Sources
  readonly #responses: Responses
  readonly #text: (id: number) => string
  readonly #tree = new Tree()
  readonly #recoveries: Recoveries
  readonly #critical = new CriticalPath()
  #inHand: Settled | undefined
  readonly #dominant = () => this.#inHand && this.#critical.dominant(this.#tree, this.#inHand)

  constructor(requests: Requests, records: Records, sources: Sources, responses: Responses, escalation: Escalation, text: (id: number) => string) {
    this.#recoveries = new Recoveries(escalation, text)
    this.#text = text
    this.#requests = requests
    this.#records = records
    this.#sources = sources
    this.#responses = responses
  }

  settle(row: number, settled: Settled, scores: readonly Score[] | undefined, said: readonly KeptText[] | undefined): void {
    const requests = this.#requests
    const flags = requests.ints[(row << 5) + Row.flags]!
    const startMs = requests.doubles[(row << 4) + Row.startMs]!
    const endMs = requests.doubles[(row << 4) + Row.endMs]!
    const tree = this.#tree
    settled.reset()
    tree.gather(requests.ints[(row << 5) + Row.firstBlock]!, requests.ints[(row << 5) + Row.lastBlock]!, requests.ints[(row << 5) + Row.fill]!, this.#records)
    if ((flags & RowFlag.twins) !== 0) this.#settleTwins(row, tree)
    tree.absorb(this.#text)

    const joined = (flags & RowFlag.joined) !== 0
    const root = tree.root
    const failed = (flags & RowFlag.failed) !== 0
    requests.traceOf(row, settled.trace)
    settled.weight = requests.doubles[(row << 4) + Row.weight]!
    settled.startMs = startMs === Infinity ? 0 : startMs
    settled.seconds = root >= 0 && !joined ? this.#records.seconds(tree.record[root]!) : roundSeconds(Math.max(0, endMs - settled.startMs) / 1000)
    settled.tenant = requests.toldOf(row, Told.tenant)
    settled.project = requests.toldOf(row, Told.project)
    const first = root >= 0 ? root : tree.first(this.#records)
    settled.service = first >= 0 ? this.#sources.serviceOf(sourceOf(tree.packed[first]!)) : requests.ints[(row << 5) + Row.service]!
    settled.version = first >= 0 ? this.#sources.versionOf(sourceOf(tree.packed[first]!)) : 0
    settled.agent = this.#agentOf(row, tree) || settled.service
    this.#inHand = settled
    tree.nameAgents(settled.agent)
    this.#steps(tree, settled, requests.doubles[(row << 4) + Row.baseMs]!)
    settled.isRequest = isRequest(tree, root)
    settled.dominant = this.#dominant
    settled.sharedCostUsd = requests.doubles[(row << 4) + Row.costUsd]!
    if (root < 0) settled.outcome = Outcome.unfinished
    else if (failed && (joined ? tree.agentFailed() : (tree.packed[root]! & Flag.failed) !== 0)) settled.outcome = Outcome.error
    if (failed || (root < 0 && settled.isRequest)) judge(tree, settled, this.#records, this.#sources, this.#recoveries, this.#text)
    if (failed) this.#forgetReasons(tree)
    if ((flags & RowFlag.compacted) !== 0 || settled.messages >= LONG_CONTEXT) findCompressions(tree, settled, (flags & RowFlag.compacted) !== 0 ? this.#records.compacted : NONE)
    if (scores !== undefined) settled.scores.push(...scores)
    if (said !== undefined && said.length > 0) settled.content = this.#contentOf(tree, settled, said)
  }

  #forgetReasons(tree: Tree): void {
    const records = this.#records
    for (let i = 0; i < tree.size; i++) if ((records.packed(tree.record[i]!) & Flag.failed) !== 0) records.reasons.delete(tree.record[i]!)
  }

  /** One span by itself: late, or past the limit of its request. */
  single(span: Span, settled: Settled): void {
    if (isStep(span.kind)) {
      const i = settled.addStep(span.kind, span.name)
      settled.stepAgent[i] = settled.agent
      settled.stepService[i] = span.text[Text.service]!
      settled.stepStartMs[i] = span.startMs > 0 ? span.startMs : settled.startMs
      settled.stepSeconds[i] = roundSeconds(span.seconds)
      settled.failed[i] = span.failed ? 1 : 0
      if (span.kind === Kind.model || span.kind === Kind.embedding) {
        settled.provider[i] = span.text[Text.provider]!
        settled.input[i] = span.told(Num.input)
        settled.output[i] = span.told(Num.output)
        settled.cachedInput[i] = span.told(Num.cachedInput)
        settled.cacheWrite[i] = span.told(Num.cacheWrite)
        settled.reasoning[i] = span.told(Num.reasoning)
        settled.stepMessages[i] = span.told(Num.messages)
        settled.firstTokenSeconds[i] = roundSeconds(span.told(Num.firstTokenSeconds))
        settled.reportedUsd[i] = span.told(Num.costUsd)
        settled.tier[i] = Math.max(0, span.told(Num.tier))
        settled.inputHash[i] = span.inputHash
      }
      if (span.failed) {
        settled.errors.push({ type: errorType(span.cause, span.kind), kind: span.kind, name: span.name, agent: settled.agent, service: span.text[Text.service]!, rule: span.reason.rule, words: span.reason.words, met: false })
      }
    }
    settled.scores.push(...span.scores)
  }

  #steps(tree: Tree, settled: Settled, baseMs: number): void {
    const records = this.#records
    for (let i = 0; i < tree.size; i++) {
      const packed = tree.packed[i]!
      const kind = kindOf(packed)
      if (!isStep(kind) || tree.absorbed[i] !== 0 || (packed & (Flag.arrived | Flag.twin)) !== Flag.arrived) continue
      if (kind === Kind.agent && (i === tree.root || tree.repeatsAgent(i))) continue
      // A framework opens a tool span before it looks at the arguments: where they are not valid the tool never ran.
      if (kind === Kind.tool && (packed & Flag.failed) !== 0 && causeIn(packed) === Cause.validation) continue
      if ((packed & Flag.attempt) !== 0 && (packed & Flag.failed) !== 0 && kind === Kind.model && tree.nextAttempt(i, records) >= 0) continue
      const step = tree.step[i] = settled.addStep(kind, tree.name[i]!)
      const record = tree.record[i]!
      settled.stepAgent[step] = tree.agent[i]!
      settled.stepService[step] = this.#sources.serviceOf(sourceOf(packed))
      settled.stepStartMs[step] = baseMs + tree.start(i) / 100
      settled.stepSeconds[step] = records.seconds(record)
      settled.failed[step] = (packed & Flag.failed) === 0 ? 0 : 1
      const call = records.call(record)
      if (call >= 0) this.#call(call, tree.outer[i]!, step, tree, settled)
    }
  }

  #contentOf(tree: Tree, settled: Settled, said: readonly KeptText[]): SettledContent {
    const records = this.#records
    // Of each step the records that tell of it, the innermost first.
    const accounts: number[][] = Array.from({ length: settled.steps }, () => [])
    for (let i = 0; i < tree.size; i++) {
      const step = tree.step[i]!
      if (step < 0) continue
      for (let at = i, depth = 0; at >= 0 && depth < 8; at = tree.outer[at]!, depth++) accounts[step]!.push(tree.record[at]!)
    }
    const inTime = [...accounts.keys()].filter((step) => settled.kind[step] === Kind.model || (settled.kind[step] === Kind.agent && settled.name[step] === settled.agent))
    const first = (step: number) => accounts[step]![0]!
    inTime.sort((a, b) => records.start(first(a)) - records.start(first(b)) || (records.idHi(first(a)) >>> 0) - (records.idHi(first(b)) >>> 0) || (records.idLo(first(a)) >>> 0) - (records.idLo(first(b)) >>> 0))
    return new SettledContent(said, accounts, tree.root >= 0 ? tree.record[tree.root]! : -1, [Kind.agent, Kind.model].map((kind) => inTime.filter((step) => settled.kind[step] === kind)))
  }

  /** The innermost account of a call, with what it does not tell taken from the one around it. */
  #call(call: number, outer: number, step: number, tree: Tree, settled: Settled): void {
    const records = this.#records
    settled.provider[step] = records.provider(call)
    settled.input[step] = records.input(call)
    settled.output[step] = records.output(call)
    this.#detail(records.detail(call), step, settled)
    // Each around the other: at most as many as frameworks nest.
    for (let depth = 0; outer >= 0 && depth < 8; depth++, outer = tree.outer[outer]!) {
      const around = records.call(tree.record[outer]!)
      if (around < 0) continue
      if (settled.provider[step] === 0) settled.provider[step] = records.provider(around)
      if (settled.input[step]! < 0 && settled.output[step]! < 0) {
        settled.input[step] = records.input(around)
        settled.output[step] = records.output(around)
      }
      this.#detail(records.detail(around), step, settled)
    }
    if (settled.stepMessages[step]! > settled.messages) settled.messages = settled.stepMessages[step]!
    if (settled.kind[step] === Kind.model && settled.input[step]! > settled.tokens) settled.tokens = settled.input[step]!
  }

  #detail(detail: number, step: number, settled: Settled): void {
    if (detail < 0) return
    const records = this.#records
    if (settled.cachedInput[step]! < 0) settled.cachedInput[step] = records.detailAt(detail, 0)
    if (settled.cacheWrite[step]! < 0) settled.cacheWrite[step] = records.detailAt(detail, 1)
    if (settled.reasoning[step]! < 0) settled.reasoning[step] = records.detailAt(detail, 2)
    if (settled.stepMessages[step]! < 0) settled.stepMessages[step] = records.detailAt(detail, 3)
    if (settled.firstTokenSeconds[step]! < 0) settled.firstTokenSeconds[step] = records.firstTokenSeconds(detail)
    if (settled.reportedUsd[step]! <= 0) settled.reportedUsd[step] = records.costUsd(detail)
    if (settled.tier[step] === 0) settled.tier[step] = records.tier(detail)
    if (settled.inputHash[step] === 0) settled.inputHash[step] = records.inputHash(detail)
  }

  /** The root's own word, else the outermost agent span, else what any span says. */
  #agentOf(row: number, tree: Tree): number {
    const told = this.#requests.toldOf(row, Told.agent)
    if (told !== 0 && this.#requests.toldRankOf(row, Told.agent) < ROOT_RANK) return told
    return tree.outermostAgent(this.#records) || told
  }

  /**
   * A call told of in two requests counts in the one that knows more around it, with the tokens of the
   * provider's own SDK. The other is marked, so that it is left out whichever settles first.
   */
  #settleTwins(row: number, tree: Tree): void {
    const records = this.#records
    const done = new Set<number>()
    for (let i = 0; i < tree.size; i++) {
      const twins = done.has(tree.record[i]!) ? undefined : this.#responses.twinsOf(tree.record[i]!)
      if (twins === undefined) continue
      // The best first: what follows depends on the set of twins alone.
      const all = [...twins].sort((a, b) => this.#compareTwins(a, b))
      const winner = records.rowOf(all[0]!)
      const within = all.filter((record) => records.rowOf(record) === winner)
      for (const record of all) if (records.rowOf(record) !== winner) for (const other of within) this.#yield(record, other)
      const mine = all.filter((record) => records.rowOf(record) === row)
      if (winner === row) this.#settleSiblings(mine, tree)
      for (const record of mine) {
        done.add(record)
        this.#responses.forget(record)
      }
    }
    tree.refresh(records)
  }

  /** In one trace, of those that are not one inside the other only the best stays: around it `absorb` does the rest. */
  #settleSiblings(twins: readonly number[], tree: Tree): void {
    if (twins.length === 1) return
    const around = new Map(twins.map((record) => [record, tree.nearestAround(record, twins)]))
    const best = new Map<number, number>()
    for (const record of twins) if (!best.has(around.get(record)!)) best.set(around.get(record)!, record)
    for (const record of twins) {
      const chosen = best.get(around.get(record)!)!
      if (chosen !== record) this.#yield(record, chosen)
    }
    // Who is inside of one that yielded yields with it.
    for (const record of twins) {
      for (let a = around.get(record)!, hops = 0; a >= 0 && hops < twins.length; a = around.get(a)!, hops++) {
        if ((this.#records.packed(a) & Flag.twin) !== 0) this.#yield(record, best.get(around.get(a)!)!)
      }
    }
  }

  #yield(loser: number, winner: number): void {
    const records = this.#records
    records.adopt(winner, loser, (records.packed(loser) & ~records.packed(winner) & Flag.native) !== 0)
    records.setPacked(loser, records.packed(loser) | Flag.twin)
  }

  /** Before 0: `a` counts rather than `b`. A request around it, a framework's word, then the id decide. */
  #compareTwins(a: number, b: number): number {
    const records = this.#records
    const context = (record: number) => Number(this.#requests.ints[(records.rowOf(record) << 5) + Row.records]! > 1)
    const native = (record: number) => records.packed(record) & Flag.native
    return context(b) - context(a) || native(a) - native(b)
      || (records.idHi(a) >>> 0) - (records.idHi(b) >>> 0) || (records.idLo(a) >>> 0) - (records.idLo(b) >>> 0)
  }
}

/** Building an index or an agent, judging, and plain traffic are nobody's request; a trace in an unknown dialect is one. */
function isRequest(tree: Tree, root: number): boolean {
  if (root >= 0 && kindOf(tree.packed[root]!) === Kind.evaluation) return false
  for (let i = 0; i < tree.size; i++) {
    const packed = tree.packed[i]!
    if ((packed & (Flag.arrived | Flag.twin)) !== Flag.arrived) continue
    const kind = kindOf(packed)
    if (kind !== Kind.chain && kind !== Kind.embedding && kind !== Kind.client && kind !== Kind.setup && kind !== Kind.evaluation) return true
  }
  return false
}
