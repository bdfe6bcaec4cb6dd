/** Ways in which the spans of some requests can reach the bridge, and what it counted in the end. */
import fc from 'fast-check'
import type { Engine } from '../../src/engine.ts'
import { tracesBody, type SpanSpec } from '../otlpbuilder.ts'
import { testEngine } from '../conformance/recordings.ts'
import { START_MS } from './scenario.ts'

export const GRACE_MS = 1000
const NOW_MS = START_MS + 60_000

export interface Delivery {
  /** Sorts the spans anew. */
  readonly order: number
  /** Spans in each batch, again and again. */
  readonly sizes: readonly number[]
  /** Batches, by place, that are sent a second time at the end or at once. */
  readonly again: readonly { readonly batch: number; readonly atOnce: boolean }[]
}

export const delivery: fc.Arbitrary<Delivery> = fc.record({
  order: fc.nat(0x7fffffff),
  sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
  again: fc.array(fc.record({ batch: fc.nat(40), atOnce: fc.boolean() }), { maxLength: 6 }),
})

/** Everything in one batch, in the order of its start. */
export function deliverWhole(spans: readonly SpanSpec[], engine = testEngine({ settleGraceMs: GRACE_MS, maxOpenRequests: 100, strings: { capacity: 4096 } })): Engine {
  engine.traces(tracesBody(spans), NOW_MS)
  return settleAll(engine)
}

/** Batches with time between them, all within the grace of the first. */
export function deliver(spans: readonly SpanSpec[], way: Delivery, engine = testEngine({ settleGraceMs: GRACE_MS, maxOpenRequests: 100, strings: { capacity: 4096 } })): Engine {
  const mixed = shuffled(spans, way.order)
  const batches: SpanSpec[][] = []
  for (let at = 0; at < mixed.length;) {
    const size = way.sizes[batches.length % way.sizes.length]!
    batches.push(mixed.slice(at, at += size))
  }
  for (const { batch, atOnce } of way.again) {
    const place = batch % Math.max(1, batches.length)
    const repeated = batches[place]
    if (repeated !== undefined) batches.splice(atOnce ? place : batches.length, 0, repeated)
  }
  const stepMs = (GRACE_MS - 1) / Math.max(1, batches.length)
  batches.forEach((batch, i) => {
    const nowMs = NOW_MS + Math.floor(i * stepMs)
    engine.tick(nowMs)
    engine.traces(tracesBody(batch), nowMs)
  })
  return settleAll(engine)
}

export function settleAll(engine: Engine): Engine {
  engine.tick(NOW_MS + 30_000)
  engine.finish(NOW_MS + 31_000)
  return engine
}

export type Counted = Record<string, Record<string, number[]>>

/** Every series of every metric: a counter's value; a histogram's sum and buckets. Series are named by their labels. */
export function counted(engine: Engine): Counted {
  return Object.fromEntries(engine.store.families.map((family) => {
    const { name, labels, buckets } = family.definition
    const rows: [string, number[]][] = []
    for (let row = 0; row < family.rows; row++) {
      if (!family.visible(row, Infinity)) continue
      const key = JSON.stringify(labels.map((_, i) => engine.strings.text(family.label(row, i))))
      rows.push([key, [family.value(row), ...(family.definition.kind === 'histogram' ? Array.from({ length: (buckets?.length ?? 0) + 1 }, (_, i) => family.bucket(row, i)) : [])]])
    }
    return [name, Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)))]
  }))
}

/** The sum of a metric over its series, of those with these labels. */
export function total(engine: Engine, name: Parameters<Engine['store']['family']>[0], labels: Record<string, string> = {}): number {
  const family = engine.store.family(name)
  let sum = 0
  for (let row = 0; row < family.rows; row++) {
    if (!family.visible(row, Infinity)) continue
    if (Object.entries(labels).every(([label, value]) => engine.strings.text(family.label(row, family.definition.labels.indexOf(label))) === value)) sum += family.value(row)
  }
  return sum
}

/** How often a histogram was observed, over its series with these labels. */
export function observations(engine: Engine, name: Parameters<Engine['store']['family']>[0], labels: Record<string, string> = {}): number {
  const family = engine.store.family(name)
  let sum = 0
  for (let row = 0; row < family.rows; row++) {
    if (!family.visible(row, Infinity)) continue
    if (Object.entries(labels).every(([label, value]) => engine.strings.text(family.label(row, family.definition.labels.indexOf(label))) === value)) sum += family.count(row)
  }
  return sum
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const out = [...list]
  let state = seed
  for (let i = out.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const k = Math.floor((state / 2 ** 32) * (i + 1))
    ;[out[i], out[k]] = [out[k]!, out[i]!]
  }
  return out
}
