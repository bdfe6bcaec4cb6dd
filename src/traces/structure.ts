/**
 * What the shape of a failed run tells when its words do not: two agents that hand over to each other, a call made again and again, a
 * model that never answered. Only for a run that failed or never ended, and whose failure has no cause of its own: agents that take
 * turns and come to an end are at work.
 */
import { Cause, Kind } from '../spans/names.ts'
import { causeIn, Flag, kindOf, type Records } from './records.ts'
import type { Tree } from './tree.ts'

/** Turns of two agents, without a result of any tool in between: three times there and back. */
const LEAST_TURNS = 6
/** Calls of one tool in a row. */
const LEAST_REPEATS = 8
/** Without any span before the end: at least this long, and half of the run. */
const LEAST_GAP_SECONDS = 5

export interface Finding {
  readonly rule: keyof typeof STRUCTURE_RULES
  readonly cause: number
  readonly kind: number
  readonly name: number
  readonly agent: number
  readonly words: string
}

/** By the rule's id: what it goes by. */
export const STRUCTURE_RULES = {
  'cycle.agents': `Two agents took turns ${LEAST_TURNS} times or more with no result of a tool in between, and the run failed or never ended.`,
  'cycle.call': `One tool was called ${LEAST_REPEATS} times in a row or more, and the run failed or never ended.`,
  'gap.model': `The run failed after ${LEAST_GAP_SECONDS} s or more, and half of its time, in which no step ended: the call that was waited for left no span.`,
} as const

/** `wanted`: somebody ended the run, so that it ended late says nothing. undefined: nothing in the shape of the run explains it. */
export function findInStructure(tree: Tree, records: Records, wanted: boolean, text: (id: number) => string): Finding | undefined {
  const order: number[] = []
  for (let i = 0; i < tree.size; i++) {
    const packed = tree.packed[i]!
    const kind = kindOf(packed)
    if ((packed & (Flag.arrived | Flag.twin)) === Flag.arrived && kind >= Kind.model && kind <= Kind.agent && tree.absorbed[i] === 0 && i !== tree.root) order.push(i)
  }
  order.sort((a, b) => tree.compare(a, b, records))
  return cycleOfAgents(tree, order, text) ?? cycleOfCalls(tree, order, text) ?? (wanted ? undefined : gap(tree, order, records))
}

function cycleOfAgents(tree: Tree, order: readonly number[], text: (id: number) => string): Finding | undefined {
  let turns: number[] = []
  for (const i of order) {
    const kind = kindOf(tree.packed[i]!)
    if (kind === Kind.agent && tree.name[i] !== 0) {
      const name = tree.name[i]!
      if (turns.at(-1) === name) continue
      if (turns.length >= 2 && turns.at(-2) !== name) turns = turns.slice(-1)
      turns.push(name)
    } else if ((kind === Kind.tool || kind === Kind.retrieval || kind === Kind.state) && (tree.packed[i]! & Flag.failed) === 0) turns = []
  }
  if (turns.length < LEAST_TURNS) return undefined
  const [a, b] = [turns[0]!, turns[1]!]
  return { rule: 'cycle.agents', cause: Cause.loop, kind: Kind.agent, name: turns.at(-1)!, agent: tree.root < 0 ? a : tree.agent[tree.root]!, words: `${text(a)} and ${text(b)} took ${turns.length} turns` }
}

function cycleOfCalls(tree: Tree, order: readonly number[], text: (id: number) => string): Finding | undefined {
  let last = -1
  let repeats = 0
  for (const i of order) {
    if (kindOf(tree.packed[i]!) !== Kind.tool) continue
    repeats = last >= 0 && tree.name[i] === tree.name[last] ? repeats + 1 : 1
    last = i
  }
  if (repeats < LEAST_REPEATS || tree.name[last] === 0) return undefined
  return { rule: 'cycle.call', cause: Cause.loop, kind: Kind.tool, name: tree.name[last]!, agent: tree.agent[last]!, words: `${text(tree.name[last]!)} ${repeats} times in a row` }
}

function gap(tree: Tree, order: readonly number[], records: Records): Finding | undefined {
  const { root } = tree
  if (root < 0) return undefined
  let lastEnd = tree.start(root)
  let model = -1
  for (const i of order) {
    if (kindOf(tree.packed[i]!) === Kind.agent && causeIn(tree.packed[i]!) <= Cause.unknown && (tree.packed[i]! & Flag.failed) !== 0) continue
    lastEnd = Math.max(lastEnd, tree.end(i))
    if (kindOf(tree.packed[i]!) === Kind.model) model = i
  }
  const seconds = (tree.end(root) - lastEnd) / 1e5
  if (seconds < LEAST_GAP_SECONDS || seconds < records.seconds(tree.record[root]!) / 2) return undefined
  return { rule: 'gap.model', cause: Cause.modelTimeout, kind: Kind.model, name: model < 0 ? 0 : tree.name[model]!, agent: tree.agent[root]!, words: `${seconds.toFixed(0)} s without a step before the end` }
}
