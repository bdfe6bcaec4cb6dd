/**
 * The steps of a request by what they are: those of one kind and name have one number, from 0 on, in the order in which they were first
 * asked for. A request has many steps of a few sorts, so what depends on kind and name alone is looked up or counted once for all of a sort.
 */
export class StepGroups {
  size = 0
  kind = new Int32Array(64)
  name = new Int32Array(64)
  /** Steps in the group: 0 for one that was only asked for. */
  steps = new Int32Array(64)
  /** Open addressing; what another request filled is empty, so that nothing has to be cleared. */
  #slots = new Int32Array(256)
  #filled = new Int32Array(256)
  #request = 1

  reset(): void {
    this.size = 0
    this.#request = (this.#request + 1) | 0 || 1
  }

  of(kind: number, name: number): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(name * 16 + kind, 0x9e3779b1) >>> 8) & mask
    for (; this.#filled[slot] === this.#request; slot = (slot + 1) & mask) {
      const group = this.#slots[slot]!
      if (this.name[group] === name && this.kind[group] === kind) return group
    }
    if (this.size === this.kind.length) return this.#grown(kind, name)
    const group = this.size++
    this.#filled[slot] = this.#request
    this.#slots[slot] = group
    this.kind[group] = kind
    this.name[group] = name
    this.steps[group] = 0
    return group
  }

  /** Kind and name as one number, the same in every request: numbers of strings are below 2^21. */
  key(group: number): number {
    return this.kind[group]! * 2 ** 21 + this.name[group]!
  }

  #grown(kind: number, name: number): number {
    const { size } = this
    const old = { kind: this.kind, name: this.name, steps: this.steps }
    for (const key of ['kind', 'name', 'steps'] as const) this[key] = new Int32Array(size * 2)
    this.#slots = new Int32Array(size * 8)
    this.#filled = new Int32Array(size * 8)
    this.size = 0
    for (let group = 0; group < size; group++) this.steps[this.of(old.kind[group]!, old.name[group]!)] = old.steps[group]!
    return this.of(kind, name)
  }
}
