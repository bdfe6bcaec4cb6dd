/**
 * Rows and the time at which to look at each again, first come first served. Every queue has one
 * constant delay, so its deadlines ascend and the head is always the next. An entry whose row has
 * been freed since (another generation) is stale: passed over, and cleared away before the queue takes more memory, so that a long delay
 * costs no more than the rows that there are.
 */
export class DeadlineQueue {
  readonly #current: Int32Array
  #rows = new Int32Array(1024)
  #generations = new Int32Array(1024)
  #deadlines = new Float64Array(1024)
  #head = 0
  #size = 0

  /** `generations`: that of each row, which grows when the row is freed. */
  constructor(generations: Int32Array) {
    this.#current = generations
  }

  get size(): number {
    return this.#size
  }

  /** Entries that there is memory for. */
  get capacity(): number {
    return this.#rows.length
  }

  push(row: number, deadlineMs: number): void {
    if (this.#size === this.#rows.length) this.#makeRoom()
    const at = (this.#head + this.#size++) & (this.#rows.length - 1)
    this.#rows[at] = row
    this.#generations[at] = this.#current[row]!
    this.#deadlines[at] = deadlineMs
  }

  /** Deadline of the head, Infinity when there is none. */
  get nextMs(): number {
    return this.#size === 0 ? Infinity : this.#deadlines[this.#head]!
  }

  /** Takes the head: its row, or -1 when it is stale. */
  take(): number {
    const row = this.#rows[this.#head]!
    const live = this.#current[row] === this.#generations[this.#head]
    this.#head = (this.#head + 1) & (this.#rows.length - 1)
    this.#size--
    return live ? row : -1
  }

  /** Clears away what is stale; the memory doubles where that is less than half. */
  #makeRoom(): void {
    const length = this.#rows.length
    let live = 0
    for (let i = 0; i < length; i++) if (this.#current[this.#rows[i]!] === this.#generations[i]) live++
    const rows = new Int32Array(live * 2 > length ? length * 2 : length)
    const generations = new Int32Array(rows.length)
    const deadlines = new Float64Array(rows.length)
    let size = 0
    for (let i = 0; i < length; i++) {
      const at = (this.#head + i) & (length - 1)
      const row = this.#rows[at]!
      if (this.#current[row] !== this.#generations[at]) continue
      rows[size] = row
      generations[size] = this.#generations[at]!
      deadlines[size++] = this.#deadlines[at]!
    }
    this.#rows = rows
    this.#generations = generations
    this.#deadlines = deadlines
    this.#head = 0
    this.#size = size
  }
}
