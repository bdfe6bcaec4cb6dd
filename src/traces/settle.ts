/**
 * Reads a request off its records: which spans are steps and which only repeat one, which error is the
 * failure and which its echo, what made the request fail. Everything here depends on the set of records
 * alone. Scratch arrays are reused; a request without failures and nesting takes only the first passes.
 */
import { Num, Text } from '../spans/dialect.ts'
import { Cause, errorType, isStep, Kind } from '../spans/names.ts'
import type { Score, Span } from '../spans/span.ts'
import { judge } from './failures.ts'
import { causeIn, Flag, kindOf, sourceOf, type Records } from './records.ts'
import { RowFlag, Told, type Requests } from './requests.ts'
import type { Responses } from './responses.ts'
import { Outcome, type Settled } from './settled.ts'
import type { Sources } from './sources.ts'
import { Tree } from './tree.ts'

export class Settler {
  readonly #requests: Requests
  readonly #records: Records
  readonly #sources: Sources
  readonly #responses: Responses
  readonly #text: (id: number) => string
  readonly #tree = new Tree()

  constructor(requests: Requests, records: Records, sources: Sources, responses: Responses, text: (id: number) => string) {
    this.#text = text
    this.#requests = requests
    this.#records = records
    this.#sources = sources
    this.#responses = responses
  }

  settle(row: number, settled: Settled, scores: readonly Score[] | undefined): void {
    const { flags, weight, startMs, endMs } = this.#requests
    const requests = this.#requests
    const tree = this.#tree
    settled.reset()
    tree.gather(requests.firstBlock[row]!, requests.lastBlock[row]!, requests.fill[row]!, this.#records)
    if ((flags[row]! & RowFlag.twins) !== 0) this.#settleTwins(row, tree)
    tree.absorb(this.#text)

    const joined = (flags[row]! & RowFlag.joined) !== 0
    const root = tree.root
    const failed = (flags[row]! & RowFlag.failed) !== 0
    requests.traceOf(row, settled.trace)
    settled.weight = weight[row]!
    settled.startMs = startMs[row] === Infinity ? 0 : startMs[row]!
    settled.seconds = root >= 0 && !joined ? this.#records.seconds(tree.record[root]!) : Math.max(0, endMs[row]! - settled.startMs) / 1000
    settled.tenant = requests.toldOf(row, Told.tenant)
    settled.project = requests.toldOf(row, Told.project)
    settled.service = root >= 0 ? this.#sources.serviceOf(sourceOf(tree.packed[root]!)) : requests.service[row]!
    settled.agent = this.#agentOf(row, tree) || settled.service
    tree.nameAgents(settled.agent)
    this.#steps(tree, settled)
    settled.isRequest = isRequest(tree, root)
    settled.sharedCostUsd = requests.costUsd[row]!
    if (root < 0) settled.outcome = Outcome.unfinished
    else if (failed && (joined ? tree.agentFailed() : (tree.packed[root]! & Flag.failed) !== 0)) settled.outcome = Outcome.error
    if (failed) judge(tree, settled, this.#records, this.#sources)
    if (scores !== undefined) settled.scores.push(...scores)
  }

  /** One span by itself: late, or past the limit of its request. */
  single(span: Span, settled: Settled): void {
    if (isStep(span.kind)) {
      const i = settled.addStep()
      settled.kind[i] = span.kind
      settled.name[i] = span.name
      settled.stepAgent[i] = settled.agent
      settled.stepService[i] = span.text[Text.service]!
      settled.stepSeconds[i] = Math.round(span.seconds * 1048576) / 1048576
      settled.failed[i] = span.failed ? 1 : 0
      if (span.kind === Kind.model || span.kind === Kind.embedding) {
        const told = (field: number) => (span.numRank[field] === 255 ? -1 : span.num[field]!)
        settled.provider[i] = span.text[Text.provider]!
        settled.input[i] = told(Num.input)
        settled.output[i] = told(Num.output)
        settled.cachedInput[i] = told(Num.cachedInput)
        settled.cacheWrite[i] = told(Num.cacheWrite)
        settled.reasoning[i] = told(Num.reasoning)
        settled.stepMessages[i] = told(Num.messages)
        settled.firstTokenSeconds[i] = told(Num.firstTokenSeconds)
        settled.reportedUsd[i] = told(Num.costUsd)
      }
      if (span.failed) {
        settled.errors.push({ type: errorType(span.cause, span.kind), kind: span.kind, name: span.name, agent: settled.agent, service: span.text[Text.service]! })
      }
    }
    settled.scores.push(...span.scores)
  }

  #steps(tree: Tree, settled: Settled): void {
    const records = this.#records
    for (let i = 0; i < tree.size; i++) {
      const packed = tree.packed[i]!
      const kind = kindOf(packed)
      if (!isStep(kind) || tree.absorbed[i] !== 0 || (packed & (Flag.arrived | Flag.twin)) !== Flag.arrived) continue
      if (kind === Kind.agent && (i === tree.root || tree.repeatsAgent(i))) continue
      // A framework opens a tool span before it looks at the arguments: where they are not valid the tool never ran.
      if (kind === Kind.tool && (packed & Flag.failed) !== 0 && causeIn(packed) === Cause.validation) continue
      if ((packed & Flag.attempt) !== 0 && (packed & Flag.failed) !== 0 && kind === Kind.model && tree.nextAttempt(i, records) >= 0) continue
      const step = settled.addStep()
      const record = tree.record[i]!
      settled.kind[step] = kind
      settled.name[step] = tree.name[i]!
      settled.stepAgent[step] = tree.agent[i]!
      settled.stepService[step] = this.#sources.serviceOf(sourceOf(packed))
      settled.stepSeconds[step] = records.seconds(record)
      settled.failed[step] = (packed & Flag.failed) === 0 ? 0 : 1
      const call = records.call(record)
      if (call >= 0) this.#call(call, tree.outer[i]!, step, tree, settled)
    }
  }

  /** The innermost account of a call, with what it does not tell taken from the one around it. */
  #call(call: number, outer: number, step: number, tree: Tree, settled: Settled): void {
    const records = this.#records
    settled.provider[step] = records.provider(call)
    settled.input[step] = records.input(call)
    settled.output[step] = records.output(call)
    settled.firstTokenSeconds[step] = records.firstTokenSeconds(call)
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
      if (settled.firstTokenSeconds[step]! < 0) settled.firstTokenSeconds[step] = records.firstTokenSeconds(around)
      this.#detail(records.detail(around), step, settled)
    }
    if (settled.stepMessages[step]! > settled.messages) settled.messages = settled.stepMessages[step]!
  }

  #detail(detail: number, step: number, settled: Settled): void {
    if (detail < 0) return
    const records = this.#records
    if (settled.cachedInput[step]! < 0) settled.cachedInput[step] = records.detailAt(detail, 0)
    if (settled.cacheWrite[step]! < 0) settled.cacheWrite[step] = records.detailAt(detail, 1)
    if (settled.reasoning[step]! < 0) settled.reasoning[step] = records.detailAt(detail, 2)
    if (settled.stepMessages[step]! < 0) settled.stepMessages[step] = records.detailAt(detail, 3)
    if (settled.reportedUsd[step]! <= 0) settled.reportedUsd[step] = records.costUsd(detail)
  }

  /** The root's own word, else the outermost agent span, else what any span says. */
  #agentOf(row: number, tree: Tree): number {
    const told = this.#requests.toldOf(row, Told.agent)
    if (told !== 0 && this.#requests.toldRank[row * 3 + Told.agent]! < -1e14) return told
    return tree.outermostAgent(this.#records) || told
  }

  /**
   * A call told of in two requests counts in the one that knows more around it, with the tokens of the
   * provider's own SDK. The other is marked, so that it is left out whichever settles first.
   */
  #settleTwins(row: number, tree: Tree): void {
    const records = this.#records
    for (let i = 0; i < tree.size; i++) {
      const record = tree.record[i]!
      const twin = this.#responses.twinOf(record)
      if (twin === undefined) continue
      const other = records.packed(twin.record)
      const mine = tree.packed[i]!
      const native = (mine & Flag.native) !== 0
      const otherNative = (other & Flag.native) !== 0
      const context = twin.row === row ? 0 : Number(this.#requests.records[row]! > 1) - Number(this.#requests.records[twin.row]! > 1)
      const wins = context !== 0 ? context > 0 : native !== otherNative ? !native : records.idLo(record) < records.idLo(twin.record)
      const [winner, loser] = wins ? [record, twin.record] : [twin.record, record]
      if (native !== otherNative) {
        if ((records.packed(loser) & Flag.native) !== 0) records.adopt(winner, loser, true)
        else records.adopt(winner, loser, false)
      } else records.adopt(winner, loser, false)
      records.setPacked(loser, records.packed(loser) | Flag.twin)
      tree.packed[i] = records.packed(record)
      if (twin.row === row) tree.refresh(records)
      this.#responses.forget(record)
    }
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
