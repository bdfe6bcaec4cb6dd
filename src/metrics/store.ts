/**
 * Every series of the catalogue, and what holds for all of them: the clock, expiry, limits, and which strings are in use.
 */
import type { StringTable } from '../spans/strings.ts'
import { METRICS, type MetricName } from './catalogue.ts'
import { ExemplarPool } from './exemplars.ts'
import { Family } from './family.ts'

export interface SeriesStoreOptions {
  /** Most series of one metric; about a fifth more are kept for what overflows. */
  readonly seriesLimit?: number
  /** The part of a metric's limit that one tenant may use. */
  readonly tenantShare?: number
  /** A series not touched for this long is freed. */
  readonly expireAfterSeconds?: number
  /** Most exemplars held at once, over all metrics. */
  readonly exemplarLimit?: number
}

/** Rows looked at in one call of `expire`: 0.1 ms, or 4 ms when every one of them is a histogram to be freed. */
const ROWS_PER_EXPIRY = 20_000

export class SeriesStore {
  readonly strings: StringTable
  readonly families: readonly Family[]
  readonly exemplars: ExemplarPool
  /** Series freed since the start. */
  expired = 0
  readonly #byName: ReadonlyMap<MetricName, Family>
  readonly #expireAfterSeconds: number
  #scrape = 1
  #cursorFamily = 0
  #cursorRow = 0

  constructor(strings: StringTable, options: SeriesStoreOptions = {}) {
    const { seriesLimit = 100_000, tenantShare = 0.25, expireAfterSeconds = 86_400, exemplarLimit = 50_000 } = options
    this.strings = strings
    this.exemplars = new ExemplarPool(exemplarLimit)
    this.#expireAfterSeconds = expireAfterSeconds
    const names = Object.keys(METRICS) as MetricName[]
    this.#byName = new Map(names.map((name) => [name, new Family(METRICS[name], seriesLimit, tenantShare, this.exemplars)]))
    this.families = [...this.#byName.values()]
  }

  family(name: MetricName): Family {
    const family = this.#byName.get(name)
    if (family === undefined) throw new Error(`cannot find metric ${name}: not in the catalogue`)
    return family
  }

  /** Sets the time at which series are touched from now on. */
  tick(nowSeconds: number): void {
    for (const family of this.families) family.nowSeconds = nowSeconds
  }

  /**
   * Frees series that were not touched for `expireAfterSeconds` and returns how many. Looks at a bounded number of rows
   * and goes on from there in the next call, so call it often: every few seconds.
   */
  expire(nowSeconds: number): number {
    const second = nowSeconds - this.#expireAfterSeconds
    let freed = 0
    let rows = ROWS_PER_EXPIRY
    for (let i = 0; i <= this.families.length && rows > 0; i++) {
      const family = this.families[this.#cursorFamily]!
      const end = Math.min(family.rows, this.#cursorRow + rows)
      rows -= Math.max(0, end - this.#cursorRow)
      for (let row = this.#cursorRow; row < end; row++) if (family.expire(row, second)) freed++
      this.#cursorRow = end
      if (end < family.rows) break
      this.#cursorFamily = (this.#cursorFamily + 1) % this.families.length
      this.#cursorRow = 0
    }
    this.expired += freed
    return freed
  }

  /**
   * Begins a scrape and returns its number. `family.visible(row, number)` is true for the series of this moment alone:
   * a series made while the scrape is being written, in a row that expired meanwhile, does not appear twice.
   */
  beginScrape(): number {
    const scrape = this.#scrape++
    for (const family of this.families) family.scrape = this.#scrape
    return scrape
  }

  /** Sets `live[id] = 1` for every string in use, for `StringTable.sweep`. */
  markLive(live: Uint8Array): void {
    for (const family of this.families) family.markLive(live)
  }

  /** For each metric, how many lookups were counted under `__overflow__`. */
  get overflowed(): Readonly<Record<MetricName, number>> {
    return Object.fromEntries(this.families.map((family) => [family.definition.name, family.overflowed])) as Record<MetricName, number>
  }
}
