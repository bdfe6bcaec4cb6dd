/** A request's records in order of time, with who is inside whom. Scratch, filled again for every request. */
import { OVERFLOW } from '../spans/strings.ts'
import { Kind } from '../spans/names.ts'
import { BLOCK, Flag, kindOf, type Records } from './records.ts'

export class Tree {
  size = 0
  /** Index of the root, -1 when it never came. */
  root = -1
  record = new Int32Array(64)
  parent = new Int32Array(64)
  packed = new Int32Array(64)
  name = new Int32Array(64)
  agent = new Int32Array(64)
  /** How many spans directly inside this one tell of the same call: above 0 it only repeats them. */
  absorbed = new Uint8Array(64)
  /** The span around this one that tells of the same call, -1 for none. */
  outer = new Int32Array(64)
  /** The settled step that a span is, -1 when it is none. */
  step = new Int32Array(64)
  /** Of a failed span: the record whose words say why, its own or one around it. */
  told = new Int32Array(64)
  #start = new Int32Array(64)
  /** Spans of agents besides the root. */
  #agents = 0
  /** In tens of microseconds, as starts are. */
  ends = new Float64Array(64)

  gather(block: number, last: number, lastFill: number, records: Records): void {
    let n = 0
    for (; block >= 0; block = records.next[block]!) {
      records.ordinal[block] = n
      const fill = block === last ? lastFill : BLOCK
      if (n + BLOCK > this.record.length) this.#grow()
      for (let slot = 0; slot < fill; slot++) {
        const record = block * BLOCK + slot
        this.record[n] = record
        this.told[n] = record
        this.packed[n] = records.packed(record)
        this.name[n] = records.name(record)
        const start = this.#start[n] = records.start(record)
        this.ends[n] = start + records.seconds(record) * 1e5
        n++
      }
    }
    this.size = n
    this.root = -1
    this.#agents = 0
    let localRoot = -1
    for (let i = 0; i < n; i++) {
      const parent = records.parent(this.record[i]!)
      this.parent[i] = parent < 0 ? -1 : records.ordinal[parent >> 3]! + (parent & 7)
      this.absorbed[i] = 0
      this.outer[i] = -1
      this.step[i] = -1
      const packed = this.packed[i]!
      if (kindOf(packed) === Kind.agent) this.#agents++
      if ((packed & Flag.arrived) === 0) continue
      if (parent < 0) this.root = this.root < 0 ? i : this.earlier(i, this.root, records)
      else if ((packed & Flag.localRoot) !== 0) localRoot = localRoot < 0 ? i : this.earlier(i, localRoot, records)
    }
    if (this.root < 0) this.root = localRoot
    if (this.root >= 0 && kindOf(this.packed[this.root]!) === Kind.agent) this.#agents--
  }

  refresh(records: Records): void {
    for (let i = 0; i < this.size; i++) this.packed[i] = records.packed(this.record[i]!)
  }

  /** The span that started first, -1 when none came. */
  first(records: Records): number {
    let first = -1
    for (let i = 0; i < this.size; i++) if ((this.packed[i]! & Flag.arrived) !== 0) first = first < 0 ? i : this.earlier(i, first, records)
    return first
  }

  earlier(a: number, b: number, records: Records): number {
    return this.compare(a, b, records) < 0 ? a : b
  }

  /** By start, then span id: an order that does not depend on arrival. */
  compare(a: number, b: number, records: Records): number {
    return this.#start[a]! - this.#start[b]!
      || (records.idHi(this.record[a]!) >>> 0) - (records.idHi(this.record[b]!) >>> 0)
      || (records.idLo(this.record[a]!) >>> 0) - (records.idLo(this.record[b]!) >>> 0)
  }

  /** Start in tens of microseconds, relative within the request. */
  start(i: number): number {
    return this.#start[i]!
  }

  end(i: number): number {
    return this.ends[i]!
  }

  /**
   * One call told of by nested spans (a framework's and an SDK's) is one step: the innermost. Between the two there
   * may be structure, but no other step: a tool that calls a model does not repeat it. A tool span repeats
   * another only under the same name.
   */
  absorb(text: (id: number) => string): void {
    let nests = false
    for (let i = 0; i < this.size; i++) {
      const kind = kindOf(this.packed[i]!)
      if (kind < Kind.model || kind > Kind.tool || (this.packed[i]! & Flag.twin) !== 0) continue
      let hops = 0
      for (let a = this.parent[i]!; a >= 0 && hops < MAX_DEPTH; a = this.parent[a]!, hops++) {
        const around = kindOf(this.packed[a]!)
        if (around === kind) {
          if (kind === Kind.tool && !sameTool(this.name[i]!, this.name[a]!, text)) break
          if (this.#isWithin(a, i)) break
          if (this.absorbed[a]! < 2) this.absorbed[a]!++
          this.outer[i] = a
          nests = true
          break
        }
        if (around !== Kind.chain && around !== Kind.unknown && around !== Kind.client) break
      }
    }
    if (!nests) return
    for (let i = 0; i < this.size; i++) {
      if (this.outer[i]! < 0 || this.absorbed[i] !== 0) continue
      let inner = i
      for (let a = this.outer[i]!; a >= 0; inner = a, a = this.outer[a]!) {
        if (this.absorbed[a]! > 1) { // several calls inside: none of them is the whole
          this.outer[inner] = -1
          break
        }
        if (this.name[i] === 0) this.name[i] = this.name[a]!
        if ((this.packed[a]! & Flag.failed) === 0) continue
        // A reply that arrived and could not be used has failed outside of the call that fetched it.
        if ((this.packed[i]! & Flag.failed) === 0) {
          this.packed[i]! |= Flag.failed | (this.packed[a]! & CAUSE_BITS)
          this.told[i] = this.told[a]!
          this.packed[a]! &= ~(Flag.failed | CAUSE_BITS)
        }
      }
    }
  }

  /** Spans that are each other's parents: neither repeats the other. */
  #isWithin(i: number, around: number): boolean {
    for (let a = i, hops = 0; a >= 0 && hops < MAX_DEPTH; a = this.outer[a]!, hops++) if (a === around) return true
    return false
  }

  /** Each span's agent: the nearest agent span around it, else the request's. */
  nameAgents(requestAgent: number): void {
    if (this.#agents === 0) {
      this.agent.fill(requestAgent, 0, this.size)
      return
    }
    for (let i = 0; i < this.size; i++) this.agent[i] = 0
    for (let i = 0; i < this.size; i++) this.#agentAt(i, requestAgent)
  }

  #agentAt(i: number, requestAgent: number): number {
    let at = i
    let hops = 0
    while (at >= 0 && this.agent[at] === 0 && hops++ < MAX_DEPTH) {
      if (kindOf(this.packed[at]!) === Kind.agent && this.name[at] !== 0) {
        this.agent[at] = at === this.root ? requestAgent : this.name[at]!
        break
      }
      at = this.parent[at]!
    }
    const agent = at >= 0 && this.agent[at] !== 0 ? this.agent[at]! : requestAgent
    for (let up = i; up >= 0 && up !== at && this.agent[up] === 0; up = this.parent[up]!) this.agent[up] = agent
    return agent
  }

  /** The nearest of `candidates` around a record of this request, -1 when it is inside of none. */
  nearestAround(record: number, candidates: readonly number[]): number {
    let hops = 0
    for (let a = this.parent[this.record.indexOf(record)]!; a >= 0 && hops < MAX_DEPTH; a = this.parent[a]!, hops++) {
      if (this.record[a] !== record && candidates.includes(this.record[a]!)) return this.record[a]!
    }
    return -1
  }

  /** Two layers of one framework each have a span for the same agent. */
  repeatsAgent(i: number): boolean {
    let hops = 0
    for (let a = this.parent[i]!; a >= 0 && hops < MAX_DEPTH; a = this.parent[a]!, hops++) {
      const kind = kindOf(this.packed[a]!)
      if (kind === Kind.agent) return this.name[a] === this.name[i]
      if (kind !== Kind.chain && kind !== Kind.unknown) return false
    }
    return false
  }

  /** The name of the agent span with the fewest spans around it, 0 when there is none. */
  outermostAgent(records: Records): number {
    let best = -1
    let bestDepth = Infinity
    for (let i = 0; i < this.size; i++) {
      if (kindOf(this.packed[i]!) !== Kind.agent || this.name[i] === 0 || this.name[i] === OVERFLOW) continue
      let depth = 0
      for (let a = this.parent[i]!; a >= 0 && depth < MAX_DEPTH; a = this.parent[a]!) depth++
      if (depth < bestDepth || (depth === bestDepth && this.compare(i, best, records) < 0)) {
        best = i
        bestDepth = depth
      }
    }
    return best < 0 ? 0 : this.name[best]!
  }

  /** Of a run without one root: whether an agent span failed that is in no other. */
  agentFailed(): boolean {
    for (let i = 0; i < this.size; i++) {
      if (kindOf(this.packed[i]!) !== Kind.agent || (this.packed[i]! & Flag.failed) === 0) continue
      let a = this.parent[i]!
      for (let hops = 0; a >= 0 && hops < MAX_DEPTH && kindOf(this.packed[a]!) !== Kind.agent; hops++) a = this.parent[a]!
      if (a < 0 || (this.packed[a]! & Flag.failed) !== 0) return true
    }
    return false
  }

  /** The attempt after a failed one, where an SDK makes each a span: the next model span under the same parent. */
  nextAttempt(i: number, records: Records): number {
    let next = -1
    for (let k = 0; k < this.size; k++) {
      if (k === i || this.parent[k] !== this.parent[i] || kindOf(this.packed[k]!) !== Kind.model || this.#start[k]! < this.#start[i]!) continue
      if (this.compare(i, k, records) < 0 && (next < 0 || this.compare(k, next, records) < 0)) next = k
    }
    return next
  }

  #grow(): void {
    const length = this.record.length * 2
    for (const key of ['record', 'parent', 'packed', 'name', 'agent', 'outer', 'step', 'told'] as const) this[key] = grown(this[key], length)
    this.#start = grown(this.#start, length)
    this.ends = grown(this.ends, length)
    this.absorbed = grown(this.absorbed, length)
  }
}

/** Deeper nesting than this is damage (parents that form a ring) and not followed. */
export const MAX_DEPTH = 256
export const CAUSE_BITS = 31 << 4

/** The same numbers with room for more. */
export function grown<T extends Uint8Array | Int32Array | Float64Array>(old: T, length: number): T {
  const array = new (old.constructor as new (length: number) => T)(length)
  array.set(old)
  return array
}

/** `support_agent.lookup_order` around `lookup_order` is one call; so is the same name, or no name at all. */
function sameTool(inner: number, outer: number, text: (id: number) => string): boolean {
  if (inner === outer || inner === 0 || outer === 0) return true
  const a = text(inner)
  const b = text(outer)
  return b.endsWith(`.${a}`) || a.endsWith(`.${b}`) || b.endsWith(` ${a}`) || a.endsWith(` ${b}`)
}
