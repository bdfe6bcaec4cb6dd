/**
 * What went well in a request, and when. It is asked of every failure and of everything around it, in a request of ten thousand spans too,
 * so an answer takes a look or a binary search.
 */
import { Kind } from '../spans/names.ts'
import { Flag, kindOf } from './records.ts'
import type { Tree } from './tree.ts'

export class Successes {
  readonly #tree: Tree
  #lastModel = -Infinity
  #lastStep = -Infinity
  /** Starts of model calls that succeeded, in order, and of each the earliest end of it and those after it. */
  #starts: Float64Array | undefined
  #ends = new Float64Array(0)

  /** `isStep`: whether a span is a call of the agent's own. */
  constructor(tree: Tree, isStep: (tree: Tree, i: number) => boolean) {
    this.#tree = tree
    for (let i = 0; i < tree.size; i++) {
      if (!this.#isGood(i)) continue
      if (kindOf(tree.packed[i]!) === Kind.model) this.#lastModel = Math.max(this.#lastModel, tree.start(i))
      if (isStep(tree, i)) this.#lastStep = Math.max(this.#lastStep, tree.start(i))
    }
  }

  /** Whether a call of any kind began at `from` or later. */
  stepFrom(from: number): boolean {
    return this.#lastStep >= from
  }

  /** Whether a model call began at `from` or later, and ended by `to`. */
  modelFrom(from: number, to = Infinity): boolean {
    if (this.#lastModel < from) return false
    if (to === Infinity) return true
    const starts = this.#starts ??= this.#sort()
    let low = 0
    for (let high = starts.length; low < high;) {
      const middle = (low + high) >> 1
      if (starts[middle]! < from) low = middle + 1
      else high = middle
    }
    return this.#ends[low]! <= to
  }

  #sort(): Float64Array {
    const tree = this.#tree
    const models: number[] = []
    for (let i = 0; i < tree.size; i++) if (this.#isGood(i) && kindOf(tree.packed[i]!) === Kind.model) models.push(i)
    models.sort((a, b) => tree.start(a) - tree.start(b))
    this.#ends = Float64Array.from(models, (i) => tree.end(i))
    for (let k = this.#ends.length - 2; k >= 0; k--) this.#ends[k] = Math.min(this.#ends[k]!, this.#ends[k + 1]!)
    return Float64Array.from(models, (i) => tree.start(i))
  }

  #isGood(i: number): boolean {
    return (this.#tree.packed[i]! & (Flag.arrived | Flag.failed)) === Flag.arrived
  }
}
