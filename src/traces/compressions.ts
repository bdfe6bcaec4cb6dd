/**
 * A history that was compressed so that the agent could go on: told by an event or an attribute, or seen where the number of messages falls, which in
 * a conversation that is only added to it never does. The next call tells whether it was enough.
 */
import { ERROR_TYPES, Kind } from '../spans/names.ts'
import { Flag } from './records.ts'
import { Action, Outcome, Result, type Settled } from './settled.ts'
import type { Tree } from './tree.ts'

/** Of a shorter history less is to be gained than what a fall by chance would be mistaken for. */
export const LONG_CONTEXT = 20
/** Where more than this part of the messages stays, some were only left out. */
const MOST_LEFT = 2 / 3
/** Numbers of strings are below it. */
const NAMES = 2 ** 21
const OVERFLOW = ERROR_TYPES.findIndex(({ type }) => type === 'context_overflow')

/** Adds what was compressed to a request's recoveries. `compacted`: records whose spans say so, taken out of the set. */
export function findCompressions(tree: Tree, settled: Settled, compacted: Set<number>): void {
  const calls = callsInTime(settled)
  // A call that overflowed and was made again with less is a recovery already.
  const told = new Set(settled.recoveries.filter(({ action }) => action === Action.compression).map(({ agent }) => agent))
  for (let i = 0; i < tree.size && compacted.size > 0; i++) {
    if (!compacted.delete(tree.record[i]!) || (tree.packed[i]! & (Flag.arrived | Flag.twin)) !== Flag.arrived || tree.absorbed[i] !== 0) continue
    const agent = tree.agent[i]!
    const own = tree.step[i]!
    const next = calls.find((step) => settled.stepAgent[step] === agent && step !== own && startsAfter(settled, step, own))
    told.add(agent)
    add(settled, agent, next ?? own, next)
  }
  if (settled.messages < LONG_CONTEXT) return
  const fell = new Map<number, number>()
  // From the last to the first: by agent and model the call that comes next, and the longest of all that do.
  const later = new Map<number, { next: number; most: number }>()
  for (const step of calls.toReversed()) {
    const messages = settled.stepMessages[step]!
    if (messages <= 0) continue
    const key = settled.stepAgent[step]! * NAMES + settled.name[step]!
    const after = later.get(key)
    // One that comes back to its length was another conversation's for a while.
    if (after !== undefined && messages >= LONG_CONTEXT && shortened(messages, settled.stepMessages[after.next]!) && after.most < messages) fell.set(settled.stepAgent[step]!, after.next)
    later.set(key, { next: step, most: Math.max(messages, after?.most ?? 0) })
  }
  for (const [agent, next] of fell) if (!told.has(agent)) add(settled, agent, next, next)
}

/** Whether so much has gone that it was not only a message or two left out. */
export function shortened(before: number, now: number): boolean {
  return now <= before * MOST_LEFT
}

/** Adds a compression that was done before the first call of a request. */
export function compressionBefore(settled: Settled): void {
  const first = callsInTime(settled).find((step) => settled.stepMessages[step]! > 0)
  if (first !== undefined) add(settled, settled.agent, first, first)
}

function add(settled: Settled, agent: number, call: number, next: number | undefined): void {
  const name = call < 0 ? 0 : settled.name[call]!
  const ended = next === undefined ? settled.outcome === Outcome.success : settled.failed[next] === 0 || !settled.errors.some((error) => error.type === OVERFLOW && error.agent === agent)
  settled.recoveries.push({ kind: Kind.model, name, agent, action: Action.compression, result: ended ? Result.recovered : Result.exhausted, step: -1, seconds: 0 })
}

/** An event that is on no step came before every call that is asked for. */
function startsAfter(settled: Settled, step: number, own: number): boolean {
  return own < 0 || settled.stepStartMs[step]! > settled.stepStartMs[own]!
}

/** Model calls by their start; those that start together by their number of messages, so that the order does not depend on what came first. */
function callsInTime({ steps, kind, stepStartMs, stepMessages, name }: Settled): number[] {
  const calls: number[] = []
  for (let i = 0; i < steps; i++) if (kind[i] === Kind.model) calls.push(i)
  return calls.sort((a, b) => stepStartMs[a]! - stepStartMs[b]! || stepMessages[a]! - stepMessages[b]! || name[a]! - name[b]!)
}
