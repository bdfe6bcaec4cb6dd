/**
 * What was done about an error: the call made again, another model asked, a person called in. Attempts of one call are calls of the
 * same step and name by the same agent, one after the other. Each failed attempt is one recovery, and costs what it took: the time
 * until the next attempt began, waiting included, and the money paid for it.
 */
import { Cause, Kind, toldCause } from '../spans/names.ts'
import { causeIn, Flag, kindOf, roundSeconds, type Records } from './records.ts'
import { Action, Result, type Settled } from './settled.ts'
import type { Tree } from './tree.ts'

/** Who is asked when a call keeps failing. */
export interface Escalation {
  /** Names of tools and agents behind which there is a person; undefined: those in `PEOPLE`. */
  readonly people: RegExp | undefined
  /** Models, the smallest first: a fallback to a later one is an escalation. */
  readonly models: readonly string[]
}

const PEOPLE = /human(?!e|i[sz])|escalat|(?:live|real)[ _-]?(?:agent|person|operator)|manual[ _-]?review|page[ _-]?on[ _-]?call/i

export const Met = { not: 0, healed: 1, handedOver: 2 } as const

export class Recoveries {
  readonly #isPersonsName: RegExp
  readonly #models: readonly string[]
  readonly #text: (id: number) => string
  /** Of the request in hand, the calls that reached a person. */
  readonly #people = new Set<number>()

  constructor(escalation: Escalation, text: (id: number) => string) {
    this.#isPersonsName = escalation.people ?? PEOPLE
    this.#models = escalation.models
    this.#text = text
  }

  /** To be called once for each request, before `met`. */
  look(tree: Tree): void {
    this.#people.clear()
    for (let i = 0; i < tree.size; i++) if ((tree.packed[i]! & (Flag.arrived | Flag.failed)) === Flag.arrived && this.#isPerson(tree, i)) this.#people.add(i)
  }

  /** Whether what came after a failed call made up for it; notes what was done. One of `Met`. */
  met(tree: Tree, i: number, settled: Settled, records: Records): number {
    const kind = kindOf(tree.packed[i]!)
    if (kind !== Kind.model && kind !== Kind.tool && kind !== Kind.retrieval && kind !== Kind.embedding) return Met.not
    const end = tree.end(i) - 1
    // The first of each, by start; -1 is none.
    let again = -1, retried = -1, other = -1, replaced = -1, person = -1
    const first = (a: number, b: number) => (a < 0 || tree.compare(b, a, records) < 0 ? b : a)
    for (let k = 0; k < tree.size; k++) {
      const packed = tree.packed[k]!
      if (k === i || tree.start(k) < end || (packed & (Flag.arrived | Flag.twin)) !== Flag.arrived || tree.absorbed[k] !== 0) continue
      const failed = (packed & Flag.failed) !== 0
      if (this.#people.has(k)) person = first(person, k)
      if (kindOf(packed) !== kind || (tree.agent[k] !== tree.agent[i] && tree.parent[k] !== tree.parent[i])) continue
      if (tree.name[k] === tree.name[i]) {
        if (failed) again = first(again, k)
        else retried = first(retried, k)
      } else if (kind === Kind.model) {
        if (failed) other = first(other, k)
        else replaced = first(replaced, k)
      }
    }
    const next = [again, retried, other, replaced, person].reduce((a, b) => (b < 0 ? a : first(a, b)), -1)
    if (next < 0) return Met.not
    const step = tree.step[i]!
    if (step >= 0 && tree.step[next]! >= 0 && next !== person) settled.attemptOf[step] = tree.step[next]!
    const result = retried >= 0 ? Result.recovered
      : replaced >= 0 ? (this.#isLarger(tree.name[i]!, tree.name[replaced]!) ? Result.escalated : Result.recovered)
      : person >= 0 ? Result.escalated : Result.exhausted
    const action = retried >= 0 ? (OVERFLOWS.has(causeIn(tree.packed[i]!)) ? Action.compression : Action.retry)
      : replaced >= 0 || again < 0 ? Action.fallback : Action.retry
    // Around a call that has its own account only repeats it.
    if (tree.absorbed[i] === 0) {
      const seconds = roundSeconds(Math.max(0, tree.start(next) - tree.start(i)) / 1e5)
      settled.recoveries.push({ kind, name: tree.name[i]!, agent: tree.agent[i]!, action, result, step, seconds })
    }
    return result === Result.exhausted ? Met.not : retried < 0 && replaced < 0 ? Met.handedOver : Met.healed
  }

  #isPerson(tree: Tree, i: number): boolean {
    const kind = kindOf(tree.packed[i]!)
    if ((kind !== Kind.tool && kind !== Kind.agent) || tree.name[i] === 0 || i === tree.root) return false
    return this.#isPersonsName.test(this.#text(tree.name[i]!))
  }

  #isLarger(model: number, than: number): boolean {
    const asked = this.#models.indexOf(this.#text(model))
    return asked >= 0 && this.#models.indexOf(this.#text(than)) > asked
  }
}

/** The same call can only succeed with less in its context. */
const OVERFLOWS: ReadonlySet<number> = new Set([Cause.overflow, toldCause('context_overflow')])
