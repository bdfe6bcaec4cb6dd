/** Requests that wait for the judge, bounded in number and bytes. What finds no room is not judged: the sample is then smaller, and not another one. */
import { bytesOf, type Case } from './case.ts'

interface Waiting {
  readonly one: Case
  readonly bytes: number
  readonly sinceMs: number
}

const MOST_BYTES = 32 * 1024 * 1024

export class CaseQueue {
  bytes = 0
  readonly #limit: number
  #waiting: Waiting[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get length(): number {
    return this.#waiting.length
  }

  /** False without room. */
  add(one: Case, nowMs: number): boolean {
    const bytes = bytesOf(one)
    if (this.#waiting.length >= this.#limit || this.bytes + bytes > MOST_BYTES) return false
    this.#waiting.push({ one, bytes, sinceMs: nowMs })
    this.bytes += bytes
    return true
  }

  /** The one that waits longest, and since when. */
  take(): { readonly one: Case; readonly sinceMs: number } | undefined {
    const first = this.#waiting.shift()
    if (first !== undefined) this.bytes -= first.bytes
    return first
  }
}
