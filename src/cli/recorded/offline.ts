/** Runs recorded bodies through an engine that is configured as a bridge's, without a bridge: what commands that read files share. */
import type { Config } from '../../config/config.ts'
import { engineOptions } from '../../configured.ts'
import { Engine, type EngineOptions } from '../../engine.ts'
import type { MetricName } from '../../metrics/catalogue.ts'
import type { Family } from '../../metrics/family.ts'
import { Malformed } from '../../otlp/sink.ts'
import type { Settled } from '../../traces/settled.ts'
import type { Signal } from './shape.ts'

export interface Body {
  readonly signal: Signal
  /** Protobuf. */
  readonly bytes: Uint8Array
}

/** All bodies, all their requests settled. `rejected`: spans and log records that cannot be read. `each` gets every settled request and the texts of its numbers. */
export function runOffline(bodies: readonly Body[], config: Config, more: Partial<EngineOptions> = {}, each?: (settled: Settled, text: (id: number) => string) => void): { readonly engine: Engine; readonly rejected: number } {
  const options = engineOptions(config)
  const engine: Engine = new Engine({ ...options, ...more, ...(each && { onSettled: (settled) => each(settled, (id) => engine.strings.text(id)) }) })
  const nowMs = Date.now()
  let rejected = 0
  for (const { signal, bytes } of bodies) {
    try {
      rejected += engine[signal](bytes, nowMs).rejected
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      rejected++
    }
  }
  engine.finish(nowMs + options.idleTimeoutMs * 2)
  return { engine, rejected }
}

export interface Row {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric's series as they stand; `read` where the value is not a counter's. */
export function rows({ store, strings }: Engine, name: MetricName, read = (family: Family, row: number) => family.value(row)): Row[] {
  const family = store.family(name)
  const found: Row[] = []
  for (let row = 0; row < family.rows; row++) {
    if (!family.visible(row, Infinity)) continue
    found.push({ labels: Object.fromEntries(family.definition.labels.map((label, i) => [label, strings.text(family.label(row, i))])), value: read(family, row) })
  }
  return found
}
