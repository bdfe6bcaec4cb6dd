/**
 * Rows and the time at which to look at each again, first come first served. Every queue has one
 * constant delay, so its deadlines ascend and the head is always the next. An entry whose row has
 * been freed since (another generation) is stale and passed over.
 */
export class DeadlineQueue {
  #rows = new Int32Array(1024)
  #generations = new Int32Array(1024)
  #deadlines = new Float64Array(1024)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(row: number, generation: number, deadlineMs: number): void {
    if (this.#size === this.#rows.length) this.#grow()
    const at = (this.#head + this.#size++) & (this.#rows.length - 1)
    this.#rows[at] = row
    this.#generations[at] = generation
    this.#deadlines[at] = deadlineMs
  }

  /** Deadline of the head, Infinity when there is none. */
  get nextMs(): number {
    return this.#size === 0 ? Infinity : this.#deadlines[this.#head]!
  }

  /** Takes the head: its row, or -1 when its generation is not that row's any more. */
  take(generations: Int32Array): number {
    const row = this.#rows[this.#head]!
    const live = generations[row] === this.#generations[this.#head]
    this.#head = (this.#head + 1) & (this.#rows.length - 1)
    this.#size--
    return live ? row : -1
  }

  #grow(): void {
    const length = this.#rows.length
    const rows = new Int32Array(length * 2)
    const generations = new Int32Array(length * 2)
    const deadlines = new Float64Array(length * 2)
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & (length - 1)
      rows[i] = this.#rows[at]!
      generations[i] = this.#generations[at]!
      deadlines[i] = this.#deadlines[at]!
    }
    this.#rows = rows
    this.#generations = generations
    this.#deadlines = deadlines
    this.#head = 0
  }
}
