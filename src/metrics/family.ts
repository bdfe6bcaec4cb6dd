/**
 * All series of one metric, in typed arrays: a row a series. A span touches several families, so `at` and
 * what follows it allocate nothing and know one shape each.
 *
 *     family.add(family.at(tenant, project, agent, outcome), 1)
 *
 * A row is good until the next `SeriesStore.expire`: look it up, use it, forget it.
 */
import { EMPTY, OVERFLOW } from '../spans/strings.ts'
import type { MetricDefinition } from './catalogue.ts'
import { ExemplarTable, type Exemplar, type ExemplarPool, type ExemplarReason } from './exemplars.ts'
import { overflowSteps, TENANT, type OverflowStep } from './overflow.ts'
import { grown, KEY_WIDTH, SeriesIndex } from './series.ts'

export class Family {
  readonly definition: MetricDefinition
  /** Lookups that were counted under `__overflow__`. */
  overflowed = 0
  /** Values refused: not a number, infinite, or negative where the metric cannot go down. */
  invalid = 0
  /** Set by the store. */
  nowSeconds = 0
  /** Number of the scrape to come, set by the store; a row made now is first seen by that scrape. */
  scrape = 1

  readonly #index = new SeriesIndex()
  readonly #limit: number
  readonly #tenantLimit: number
  readonly #untenantedLimit: number
  readonly #tenantColumn: number
  readonly #tenantRows = new Map<number, number>()
  readonly #steps: readonly OverflowStep[]
  #reservedRows = 0

  readonly #bounds: Float64Array
  /** The first bucket for values of each size, so that a value is compared with one or two bounds. */
  readonly #sizes: Uint8Array
  readonly #leastSize: number
  /** Buckets a row has, +Inf included; 0 when not a histogram. */
  readonly #width: number
  /** The value of a counter or gauge, the sum of a histogram. */
  #values: Float64Array
  /** `#width` counts a row, each of its own bucket alone. Doubles, for a sampled span weighs more than 1 and not a whole number. */
  #counts: Float64Array
  readonly #exemplars: ExemplarTable | undefined

  constructor(definition: MetricDefinition, limit: number, tenantShare: number, pool: ExemplarPool) {
    this.definition = definition
    if (definition.labels.length > KEY_WIDTH) throw new Error(`cannot keep series of ${definition.name}: more than ${KEY_WIDTH} labels`)
    this.#limit = limit
    this.#tenantColumn = definition.labels.indexOf(TENANT)
    if (![-1, 0, 2].includes(this.#tenantColumn)) throw new Error(`cannot keep series of ${definition.name}: its ${TENANT} is neither the first nor the third label`)
    this.#tenantLimit = Math.max(1, Math.floor(limit * tenantShare))
    // Spans without a tenant may be all there is, so they are not held to one tenant's share; they leave room for one.
    this.#untenantedLimit = Math.max(this.#tenantLimit, limit - this.#tenantLimit)
    this.#steps = overflowSteps(definition, limit)
    this.#bounds = Float64Array.from(definition.buckets ?? [])
    const positive = this.#bounds.filter((bound) => bound > 0)
    this.#leastSize = positive.length === 0 ? 0 : sizeOf(positive[0]!)
    this.#sizes = new Uint8Array(positive.length === 0 ? 0 : sizeOf(positive.at(-1)!) - this.#leastSize + 2)
    for (let size = 1; size < this.#sizes.length; size++) this.#sizes[size] = this.#bounds.findLastIndex((bound) => sizeOf(bound) < this.#leastSize + size) + 1
    this.#width = definition.kind === 'histogram' ? this.#bounds.length + 1 : 0
    this.#values = new Float64Array(this.#index.capacity)
    this.#counts = new Float64Array(this.#index.capacity * this.#width)
    this.#exemplars = definition.exemplars ? new ExemplarTable(pool, Math.max(1, this.#width)) : undefined
  }

  /** Series held now, those of the overflow included. */
  get size(): number {
    return this.#index.size
  }

  /** The row of the series with these label numbers, in catalogue order; made when it is new. */
  at(a: number = EMPTY, b: number = EMPTY, c: number = EMPTY, d: number = EMPTY, e: number = EMPTY, f: number = EMPTY): number {
    const row = this.#index.find(a, b, c, d, e, f)
    if (row < 0) return this.#make(a, b, c, d, e, f)
    this.#index.touched[row] = this.nowSeconds
    return row
  }

  /** The row of a series, -1 when there is none: makes nothing and touches nothing. */
  find(a: number = EMPTY, b: number = EMPTY, c: number = EMPTY, d: number = EMPTY, e: number = EMPTY, f: number = EMPTY): number {
    return this.#index.find(a, b, c, d, e, f)
  }

  /** Counter: adds `value`. */
  add(row: number, value: number): void {
    if (value >= 0 && value < Infinity) this.#values[row]! += value
    else this.invalid++
  }

  /** Gauge: becomes `value`. */
  set(row: number, value: number): void {
    if (Number.isFinite(value)) this.#values[row] = value
    else this.invalid++
  }

  /** Histogram: counts `value`, `weight` times. `sum`: what that adds to the sum, where it was rounded in parts. */
  observe(row: number, value: number, weight: number = 1, sum: number = value * weight): void {
    if (!(value >= 0 && value < Infinity && weight > 0 && weight < Infinity)) {
      this.invalid++
      return
    }
    this.#counts[row * this.#width + this.#bucketOf(value)]! += weight
    this.#values[row]! += sum
  }

  /** Histogram: adds to the sum alone, for a part that comes after the whole was counted. */
  addSum(row: number, value: number): void {
    this.add(row, value)
  }

  /**
   * Offers a trace as the example of what `value` counts; one that says more is kept in its place.
   * `t0`–`t3`: the trace id, four big-endian words. `timestampMs`: when the bridge counted it, not when the span ended,
   * since Prometheus refuses an exemplar older than the series' last one.
   */
  exemplar(row: number, value: number, t0: number, t1: number, t2: number, t3: number, timestampMs: number, reason: ExemplarReason): void {
    if (this.#exemplars === undefined || !(value >= 0 && value < Infinity)) return
    this.#exemplars.offer(this.#width === 0 ? row : row * this.#width + this.#bucketOf(value), value, t0, t1, t2, t3, timestampMs, reason)
  }

  // What follows is read by /metrics and the tests.

  /** Rows ever handed out: every series is below this. */
  get rows(): number {
    return this.#index.rows
  }

  /** True when the row is a series and was one when `scrape` began. */
  visible(row: number, scrape: number): boolean {
    const born = this.#index.born[row]!
    return born !== 0 && born <= scrape
  }

  label(row: number, column: number): number {
    return this.#index.label(row, column)
  }

  /** The value of a counter or gauge, the sum of a histogram. */
  value(row: number): number {
    return this.#values[row]!
  }

  /** What fell into one bucket of a histogram alone, not into those below it; the last is +Inf. */
  bucket(row: number, bucket: number): number {
    return this.#counts[row * this.#width + bucket]!
  }

  /** How often a histogram was observed. */
  count(row: number): number {
    let count = 0
    for (let i = 0; i < this.#width; i++) count += this.#counts[row * this.#width + i]!
    return count
  }

  exemplarOf(row: number, bucket: number = 0): Exemplar | undefined {
    return this.#exemplars?.get(this.#width === 0 ? row : row * this.#width + bucket)
  }

  /** Frees the row if it is a series not touched since `second`; true when it did. */
  expire(row: number, second: number): boolean {
    const index = this.#index
    if (index.born[row] === 0 || index.touched[row]! > second) return false
    if (index.reserved[row] === 1) this.#reservedRows--
    else this.#countTenant(index.label(row, this.#tenantColumn), -1)
    this.#values[row] = 0
    const first = row * this.#width
    this.#counts.fill(0, first, first + this.#width)
    this.#exemplars?.releaseRow(row)
    index.remove(row)
    return true
  }

  /** Sets `live[id] = 1` for each string in use. */
  markLive(live: Uint8Array): void {
    const columns = this.definition.labels.length
    for (let row = 0; row < this.#index.rows; row++) {
      if (this.#index.born[row] === 0) continue
      for (let i = 0; i < columns; i++) live[this.#index.label(row, i)] = 1
    }
  }

  #make(a: number, b: number, c: number, d: number, e: number, f: number): number {
    const tenant = this.#tenantColumn === 0 ? a : this.#tenantColumn === 2 ? c : EMPTY
    if (this.#index.size - this.#reservedRows < this.#limit && this.#tenantHasRoom(tenant)) {
      this.#countTenant(tenant, 1)
      return this.#insert(a, b, c, d, e, f)
    }
    return this.#overflow(a, b, c, d, e, f)
  }

  #overflow(a: number, b: number, c: number, d: number, e: number, f: number): number {
    this.overflowed++
    for (let i = 0; ; i++) {
      const { mask, room } = this.#steps[i]!
      const a1 = mask & 1 ? OVERFLOW : a
      const b1 = mask & 2 ? OVERFLOW : b
      const c1 = mask & 4 ? OVERFLOW : c
      const d1 = mask & 8 ? OVERFLOW : d
      const e1 = mask & 16 ? OVERFLOW : e
      const f1 = mask & 32 ? OVERFLOW : f
      let row = this.#index.find(a1, b1, c1, d1, e1, f1)
      if (row >= 0) {
        this.#index.touched[row] = this.nowSeconds
        return row
      }
      if (this.#reservedRows < room) {
        row = this.#insert(a1, b1, c1, d1, e1, f1)
        this.#index.reserved[row] = 1
        this.#reservedRows++
        return row
      }
    }
  }

  #insert(a: number, b: number, c: number, d: number, e: number, f: number): number {
    this.#refuseExtraLabels(a, b, c, d, e, f)
    const row = this.#index.insert(a, b, c, d, e, f, this.scrape, this.nowSeconds)
    if (row >= this.#values.length) {
      this.#values = grown(this.#values, new Float64Array(this.#index.capacity))
      this.#counts = grown(this.#counts, new Float64Array(this.#index.capacity * this.#width))
    }
    return row
  }

  #tenantHasRoom(tenant: number): boolean {
    if (this.#tenantColumn < 0) return true
    return (this.#tenantRows.get(tenant) ?? 0) < (tenant === EMPTY ? this.#untenantedLimit : this.#tenantLimit)
  }

  #countTenant(tenant: number, by: 1 | -1): void {
    if (this.#tenantColumn < 0) return
    const rows = (this.#tenantRows.get(tenant) ?? 0) + by
    if (rows === 0) this.#tenantRows.delete(tenant)
    else this.#tenantRows.set(tenant, rows)
  }

  /** A label too many would be part of the key but not of what is shown: two rows that look alike. */
  #refuseExtraLabels(...ids: number[]): void {
    const extra = ids.slice(this.definition.labels.length).some((id) => id !== EMPTY)
    if (extra) throw new Error(`cannot make a series of ${this.definition.name}: more than its ${this.definition.labels.length} labels`)
  }

  /** The first bucket whose upper bound is not below `value`. */
  #bucketOf(value: number): number {
    const bounds = this.#bounds
    const sizes = this.#sizes
    const size = sizeOf(value) - this.#leastSize
    let bucket = size < 0 ? 0 : sizes[size < sizes.length ? size : sizes.length - 1] ?? 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    return bucket
  }
}

const DOUBLE = new Float64Array(1)
const HALVES = new Int32Array(DOUBLE.buffer)

/** Sixteen sizes from each power of two to the next, in the order of the values, which are not negative. */
function sizeOf(value: number): number {
  DOUBLE[0] = value
  return HALVES[1]! >> 16
}
