/**
 * One failure leaves an error on many spans: the tool, the node around it, the agent, the workflow, the root.
 * It is counted where it happened, at the innermost span that carries it. An error that a retry healed is
 * a recovery and not the cause of a failure.
 */
import { Cause, errorType, isStep, Kind, MOST_WORDS, NO_REASON, toldCause } from '../spans/names.ts'
import { causeIn, Flag, kindOf, sourceOf, type Records } from './records.ts'
import { Met, type Recoveries } from './recoveries.ts'
import { Outcome, type Settled, type SettledError } from './settled.ts'
import type { Sources } from './sources.ts'
import { findInStructure } from './structure.ts'
import { Successes } from './successes.ts'
import { CAUSE_BITS, MAX_DEPTH, type Tree } from './tree.ts'

/** Failures of one request that are looked into one by one; an agent in a loop can make thousands, all alike. */
const MAX_FAILURES = 1000

/** Causes that can be two readings of one failure. */
const FAMILY = new Uint8Array(32)
const families: readonly (readonly number[])[] = [
  [Cause.rateLimit, toldCause('rate_limit')],
  [Cause.unavailable, Cause.toolUnavailable, toldCause('model_unavailable'), toldCause('5xx')],
  [Cause.timeout, Cause.modelTimeout, Cause.toolTimeout, toldCause('timeout'), toldCause('timeout_inference')],
  [Cause.clientError, Cause.toolClientError, Cause.refused, Cause.missing, toldCause('4xx')],
  [Cause.overflow, toldCause('context_overflow')],
  [Cause.malformed, Cause.toolMalformed, Cause.validation, toldCause('malformed_response'), toldCause('validation_failed')],
  [Cause.loop, toldCause('deadlock')],
  [Cause.stopped],
  [Cause.staleData, toldCause('stale_data')],
]
families.forEach((causes, i) => causes.forEach((cause) => { FAMILY[cause] = i + 1 }))

/** Fills the errors, recoveries and root cause of a request of which some span failed. */
export function judge(tree: Tree, settled: Settled, records: Records, sources: Sources, recoveries: Recoveries, text: (id: number) => string): void {
  const failures: number[] = []
  for (let i = 0; i < tree.size && failures.length < MAX_FAILURES; i++) {
    const packed = tree.packed[i]!
    if ((packed & (Flag.arrived | Flag.failed | Flag.twin)) === (Flag.arrived | Flag.failed) && kindOf(packed) !== Kind.setup) failures.push(i)
  }
  failures.sort((a, b) => tree.compare(a, b, records))
  const own = failures.filter((i) => kindOf(tree.packed[i]!) !== Kind.client || standsAlone(tree, i))
  for (const i of own) borrowCause(tree, i)
  const healed = new Set<number>()
  const handedOver = new Set<number>()
  recoveries.look(tree)
  for (const i of own) {
    const met = recoveries.met(tree, i, settled, records)
    if (met === Met.healed) healed.add(i)
    else if (met === Met.handedOver) handedOver.add(i)
  }
  const echoes = new Set<number>()
  const successes = new Successes(tree, isOwnStep)
  for (const i of own) markEchoes(tree, i, healed.has(i), echoes, successes)
  for (const i of own) if (!echoes.has(i) && !isOwnStep(tree, i) && own.some((k) => isOwnStep(tree, k) && happensWithin(tree, k, i))) echoes.add(i)

  for (const i of own) if (!echoes.has(i) && saysNothing(tree, i) && own.some((k) => isLastWord(tree, k, i, healed, echoes, successes))) echoes.add(i)

  const rootFamily = tree.root < 0 ? 0 : FAMILY[causeIn(tree.packed[tree.root]!)]!
  const unmet: number[] = []
  const errors = new Map<number, SettledError>()
  for (const i of own) {
    if (echoes.has(i)) continue
    if (!healed.has(i) && !handedOver.has(i) && endsTheRun(tree, i, successes)) settled.outcome = settled.outcome === Outcome.success ? Outcome.error : settled.outcome
    if (causeIn(tree.packed[i]!) === Cause.stopped) continue
    const error = errorAt(tree, i, healed.has(i) || handedOver.has(i), records, sources)
    errors.set(i, error)
    settled.errors.push(error)
    if (!healed.has(i)) unmet.push(i)
  }
  if (settled.outcome === Outcome.success) return
  const open = unmet.filter((i) => !handedOver.has(i))
  const cause = (open.length > 0 ? open : unmet).reduce((best, i) => (best < 0 || explains(tree, i, best, rootFamily) ? i : best), -1)
  if (cause < 0 || isVague(tree, cause, successes)) explainByStructure(tree, settled, cause >= 0 && causeIn(tree.packed[cause]!) <= Cause.unknown ? errors.get(cause) : undefined, own.some((i) => causeIn(tree.packed[i]!) === Cause.stopped), records, text)
  settled.rootCause ??= errors.get(cause)
  if (cause < 0) return
  let hops = 0
  for (let a = tree.parent[cause]!; a >= 0 && hops < MAX_DEPTH; a = tree.parent[a]!, hops++) {
    const packed = tree.packed[a]!
    const kind = kindOf(packed)
    if (isStep(kind)) settled.path.push({ kind, name: tree.name[a]!, agent: tree.agent[a]!, failed: (packed & Flag.failed) !== 0 })
  }
}

/** Whatever is around a call, failed without a word of why. */
function saysNothing(tree: Tree, i: number): boolean {
  return causeIn(tree.packed[i]!) <= Cause.unknown && !isOwnStep(tree, i)
}

/** Whether a failure within the time of another is the last that happened in it: after it nothing went well, though what is between the two may have closed with OK. */
function isLastWord(tree: Tree, k: number, around: number, healed: ReadonlySet<number>, echoes: ReadonlySet<number>, successes: Successes): boolean {
  if (k === around || healed.has(k) || echoes.has(k) || causeIn(tree.packed[k]!) <= Cause.unknown || tree.start(k) < tree.start(around) - 1 || tree.end(k) > tree.end(around) + 1) return false
  return !successes.stepFrom(tree.end(k) - 1)
}

/** Nothing is known of it, or only that whoever was around it ran out of time; or the agent went on after it. */
function isVague(tree: Tree, i: number, successes: Successes): boolean {
  const cause = causeIn(tree.packed[i]!)
  return cause <= Cause.unknown || (isOwnStep(tree, i) ? successes.modelFrom(tree.end(i) - 1) : cause === Cause.timeout)
}

/** What the shape of the run tells takes the place of the error that tells nothing. */
function explainByStructure(tree: Tree, settled: Settled, vague: SettledError | undefined, wanted: boolean, records: Records, text: (id: number) => string): void {
  const found = findInStructure(tree, records, wanted, text)
  if (found === undefined) return
  const { rule, words, kind, name, agent } = found
  const error = { type: errorType(found.cause, kind), kind, name, agent, service: settled.service, rule, words: words.slice(0, MOST_WORDS), met: false }
  if (vague === undefined) settled.errors.push(error)
  else settled.errors[settled.errors.indexOf(vague)] = error
  settled.rootCause = error
}

/** What an agent can go on after if it chooses to: the failure of anything it called but the model. */
function isOwnStep(tree: Tree, i: number): boolean {
  const kind = kindOf(tree.packed[i]!)
  return kind >= Kind.model && kind <= Kind.guardrail
}

/** A graph node beside the call it makes, rather than around it, fails with it: the same kind of failure within its time. */
function happensWithin(tree: Tree, inner: number, outer: number): boolean {
  const a = FAMILY[causeIn(tree.packed[inner]!)]!
  return a !== 0 && a === FAMILY[causeIn(tree.packed[outer]!)] && tree.start(inner) >= tree.start(outer) - 1 && tree.end(inner) <= tree.end(outer) + 1
}

/**
 * Frameworks close a root with OK after their run has failed (the OpenAI Agents SDK does), so the root's word is not enough: a model
 * or agent failure after which no model call succeeds is how the run ended.
 */
function endsTheRun(tree: Tree, i: number, successes: Successes): boolean {
  const kind = kindOf(tree.packed[i]!)
  if (kind !== Kind.model && isOwnStep(tree, i)) return false
  if (kind === Kind.client || kind === Kind.evaluation || kind === Kind.embedding) return false
  return !successes.modelFrom(tree.end(i) - 1)
}

function errorAt(tree: Tree, i: number, met: boolean, records: Records, sources: Sources): SettledError {
  const packed = tree.packed[i]!
  const kind = kindOf(packed)
  const { rule, words } = records.reasons.get(tree.told[i]!) ?? NO_REASON
  return { type: errorType(causeIn(packed), kind), kind, name: tree.name[i]!, agent: tree.agent[i]!, service: sources.serviceOf(sourceOf(packed)), rule, words, met }
}

/** Of two failures that no retry healed, the one of the root's own kind explains it, then the one that came last. */
function explains(tree: Tree, a: number, b: number, rootFamily: number): boolean {
  if (rootFamily !== 0) {
    const fits = Number(FAMILY[causeIn(tree.packed[a]!)] === rootFamily) - Number(FAMILY[causeIn(tree.packed[b]!)] === rootFamily)
    if (fits !== 0) return fits > 0
  }
  return tree.end(a) >= tree.end(b)
}

/** A plain HTTP span inside a step is that step's evidence; outside of any step it is a tool of the agent. */
function standsAlone(tree: Tree, i: number): boolean {
  let hops = 0
  for (let a = tree.parent[i]!; a >= 0 && hops < MAX_DEPTH; a = tree.parent[a]!, hops++) {
    const packed = tree.packed[a]!
    const kind = kindOf(packed)
    if (kind >= Kind.model && kind <= Kind.guardrail) {
      if ((packed & Flag.failed) !== 0 && causeIn(packed) <= Cause.unknown) takeCause(tree, a, i)
      return false
    }
    if (kind === Kind.agent) return true
  }
  return true
}

/** A span whose failure has no words takes those of the failed spans around it, up to the first that has some. */
function borrowCause(tree: Tree, i: number): void {
  if (causeIn(tree.packed[i]!) > Cause.unknown) return
  let hops = 0
  for (let a = tree.parent[i]!; a >= 0 && hops < MAX_DEPTH; a = tree.parent[a]!, hops++) {
    const packed = tree.packed[a]!
    if ((packed & Flag.failed) === 0) {
      if (isStructure(kindOf(packed))) continue
      return
    }
    if (causeIn(packed) > Cause.unknown) return takeCause(tree, i, a)
  }
}

/** Marks the spans around a failure that only pass it on. */
function markEchoes(tree: Tree, i: number, healed: boolean, echoes: Set<number>, successes: Successes): void {
  if (healed) return
  const family = FAMILY[causeIn(tree.packed[i]!)]!
  let passedOn = true
  let hops = 0
  for (let a = tree.parent[i]!; a >= 0 && hops < MAX_DEPTH; a = tree.parent[a]!, hops++) {
    const packed = tree.packed[a]!
    if ((packed & Flag.failed) === 0) {
      if (!isStructure(kindOf(packed))) passedOn = false
      continue
    }
    const around = FAMILY[causeIn(packed)]!
    // Where a model answered afterwards, within the time of what is around, the agent went on.
    if (around === 0 ? passedOn && !successes.modelFrom(tree.end(i) - 1, tree.end(a) + 1) : around === family) echoes.add(a)
  }
}

function isStructure(kind: number): boolean {
  return kind === Kind.chain || kind === Kind.unknown || kind === Kind.client
}

/** What a span says of its failure is said of another. */
function takeCause(tree: Tree, to: number, from: number): void {
  tree.packed[to] = (tree.packed[to]! & ~CAUSE_BITS) | (tree.packed[from]! & CAUSE_BITS)
  tree.told[to] = tree.told[from]!
}
