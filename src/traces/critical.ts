/**
 * Which step the time of a request went to. From its end backwards: at each moment the request waited for the call that ended last before
 * it, so of calls at the same time only the slowest counts, and what no call covers is the caller's own time. Time of structure and of
 * plain clients belongs to the step around them.
 */
import { isStep, Kind } from '../spans/names.ts'
import { Flag, kindOf } from './records.ts'
import type { Dominant, Settled } from './settled.ts'
import { grown, MAX_DEPTH, type Tree } from './tree.ts'

/** Of a group: none of its spans has been walked to. */
const UNSEEN = -2

export class CriticalPath {
  /** By span: the child that ends last, and the sibling that ends before it; -1 for none. */
  #first = new Int32Array(64)
  #next = new Int32Array(64)
  #order = new Int32Array(64)
  /** By span, and in the last place of what has no root: the time within which it is walked. A call with such numbers would allocate them. */
  #from = new Float64Array(65)
  #to = new Float64Array(65)
  /** By group of steps: its time, and a span of it; -1 for what has no root. */
  #ticks = new Float64Array(64)
  #spans = new Int32Array(64)
  #known = 0
  /** Groups in the order in which they were walked to. */
  #owners = new Int32Array(64)
  #size = 0

  /** The step that the request waited for longest in all; undefined where there is no time. */
  dominant(tree: Tree, settled: Settled): Dominant | undefined {
    const { size, root } = tree
    if (this.#first.length < size) {
      this.#first = new Int32Array(size * 2)
      this.#next = new Int32Array(size * 2)
      this.#order = new Int32Array(size * 2)
      this.#from = new Float64Array(size * 2 + 1)
      this.#to = new Float64Array(size * 2 + 1)
    }
    this.#size = 0
    this.#known = 0
    const last = this.#link(tree, root)
    const place = root < 0 ? size : root
    this.#from[place] = root < 0 ? this.#least(tree) : tree.start(root)
    this.#to[place] = root < 0 ? last : tree.end(root)
    this.#walk(tree, settled, root, this.#ownerOf(tree, settled, root, -1), 0)
    let best = -1
    let all = 0
    for (let k = 0; k < this.#size; k++) {
      const owner = this.#owners[k]!
      all += this.#ticks[owner]!
      if (best < 0 || this.#ticks[owner]! > this.#ticks[best]!) best = owner
    }
    if (all <= 0) return undefined
    const span = this.#spans[best]!
    const isOwn = span < 0 || !isStep(kindOf(tree.packed[span]!)) || span === root && kindOf(tree.packed[span]!) === Kind.agent
    return {
      kind: isOwn ? Kind.agent : kindOf(tree.packed[span]!), name: isOwn ? settled.agent : tree.name[span]!, agent: isOwn ? settled.agent : tree.agent[span]!,
      seconds: this.#ticks[best]! / 1e5, share: this.#ticks[best]! / all,
    }
  }

  #least(tree: Tree): number {
    let least = Infinity
    for (let i = 0; i < tree.size; i++) if ((tree.packed[i]! & Flag.arrived) !== 0) least = Math.min(least, tree.start(i))
    return least
  }

  /** Lists the children of each span, the last to end first; those whose parent never came are the root's. Returns the end of the last. */
  #link(tree: Tree, root: number): number {
    const first = this.#first
    const next = this.#next
    const order = this.#order
    let n = 0
    for (let i = 0; i < tree.size; i++) {
      first[i] = -1
      if (i !== root && (tree.packed[i]! & (Flag.arrived | Flag.twin)) === Flag.arrived) order[n++] = i
    }
    // Spans come in the order of their ends, nearly, so an insertion is a step or two; ends that are in no order are sorted.
    const { ends } = tree
    let moves = 0
    for (let k = 1; k < n && moves < 8 * n; k++) {
      const i = order[k]!
      const end = ends[i]!
      let at = k
      for (; at > 0 && ends[order[at - 1]!]! > end && moves < 8 * n; at--, moves++) order[at] = order[at - 1]!
      order[at] = i
    }
    if (moves >= 8 * n) order.subarray(0, n).sort((a, b) => ends[a]! - ends[b]!)
    this.#roots = -1
    for (let k = 0; k < n; k++) {
      const i = order[k]!
      let parent = tree.parent[i]!
      if (parent >= 0 && (tree.packed[parent]! & (Flag.arrived | Flag.twin)) !== Flag.arrived) parent = root
      if (parent < 0) parent = root
      if (parent < 0) {
        next[i] = this.#roots
        this.#roots = i
      } else {
        next[i] = first[parent]!
        first[parent] = i
      }
    }
    return n === 0 ? 0 : ends[order[n - 1]!]!
  }
  #roots = -1

  #walk(tree: Tree, settled: Settled, i: number, owner: number, depth: number): void {
    const from = this.#from[i < 0 ? tree.size : i]!
    const { ends } = tree
    let until = this.#to[i < 0 ? tree.size : i]!
    if (depth < MAX_DEPTH) {
      for (let child = i < 0 ? this.#roots : this.#first[i]!; child >= 0 && until > from; child = this.#next[child]!) {
        const begin = Math.max(tree.start(child), from)
        const end = Math.min(ends[child]!, until)
        if (end <= begin) continue
        this.#ticks[owner]! += until - end
        const its = this.#ownerOf(tree, settled, child, owner)
        if (this.#first[child]! < 0) this.#ticks[its]! += end - begin
        else {
          this.#from[child] = begin
          this.#to[child] = end
          this.#walk(tree, settled, child, its, depth + 1)
        }
        until = begin
      }
    }
    if (until > from) this.#ticks[owner]! += until - from
  }

  /** Whom the own time of a span belongs to, as a group: itself, or who it is inside of. */
  #ownerOf(tree: Tree, settled: Settled, i: number, around: number): number {
    const kind = i < 0 ? Kind.chain : kindOf(tree.packed[i]!)
    if (around >= 0 && !isStep(kind)) return around
    const step = i < 0 ? -1 : tree.step[i]!
    const group = step >= 0 ? settled.group[step]! : settled.groups.of(kind, i < 0 ? 0 : tree.name[i]!)
    if (group >= this.#known) this.#know(settled.groups.size)
    if (this.#spans[group] === UNSEEN) {
      this.#spans[group] = i
      this.#owners[this.#size++] = group
    }
    return group
  }

  #know(groups: number): void {
    if (groups > this.#spans.length) {
      this.#ticks = grown(this.#ticks, groups * 2)
      this.#spans = grown(this.#spans, groups * 2)
      this.#owners = grown(this.#owners, groups * 2)
    }
    for (; this.#known < groups; this.#known++) {
      this.#ticks[this.#known] = 0
      this.#spans[this.#known] = UNSEEN
    }
  }
}
