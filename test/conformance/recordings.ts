/** Recorded exports of real agents and what truly happened in each: test/recordings/<dialect>/<scenario>/. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PriceBook } from '../../src/cost/prices.ts'
import type { SavingsOptions } from '../../src/cost/savings.ts'
import { Engine, type EngineOptions } from '../../src/engine.ts'
import { transcode } from '../../src/otlp/json.ts'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { AVOIDABLE } from '../../src/traces/settled.ts'

export const ROOT = fileURLToPath(new URL('../recordings/', import.meta.url))

export interface Truth {
  model_calls: number
  model_http_attempts: number
  tool_calls: number
  retrievals: number
  embedding_calls: number
  agent_runs: number
  tokens: { input: number; output: number; cached_input: number; reasoning: number; cache_write: number }
  errors: { class: string; where: string; hidden_by_sdk_retry?: boolean | null }[]
  outcomes: { ok: boolean }[]
  max_messages_in_call: number
}

export interface Recording {
  readonly name: string
  readonly dialect: string
  readonly scenario: string
  readonly truth: Truth
  /** Fields that the spans of this dialect do not carry are null. */
  readonly observable: Record<string, null>
  readonly bodies: readonly { signal: 'traces' | 'logs'; bytes: Uint8Array }[]
}

export function recordings(root = ROOT): Recording[] {
  return readdirSync(root).sort().flatMap((dialect) => readdirSync(join(root, dialect)).sort().map((scenario) => recording(root, dialect, scenario)))
}

export function recording(root: string, dialect: string, scenario: string): Recording {
  const folder = join(root, dialect, scenario)
  const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as { truth: Truth; observable?: Record<string, null> }
  const bodies = readdirSync(folder).filter((file) => /^(traces|logs)-.*\.(pb|json)$/.test(file)).sort().map((file) => {
    const signal = file.startsWith('logs') ? 'logs' as const : 'traces' as const
    const bytes = readFileSync(join(folder, file))
    return { signal, bytes: file.endsWith('.json') ? Uint8Array.from(transcode(signal, bytes).bytes) : bytes }
  })
  return { name: `${dialect}/${scenario}`, dialect, scenario, truth: meta.truth, observable: meta.observable ?? {}, bodies }
}

/** All reasons, as a bridge without settings of its own has them. */
export const ALL_SAVINGS: SavingsOptions = {
  reasons: AVOIDABLE, duplicateWindowSeconds: 300, cacheLifetimeSeconds: 300, contextMessages: 50, contextTokens: undefined, hashAttributes: [], downgrades: [], qualityLimit: () => 0.85,
}

export function testEngine(options: Partial<EngineOptions> = {}): Engine {
  return new Engine({
    dialects: DIALECTS, prices: new PriceBook(), savings: ALL_SAVINGS, settleGraceMs: 1000, idleTimeoutMs: 10_000, lateWindowMs: 60_000,
    maxOpenRequests: 1000, maxSpansPerRequest: 10_000, ...options,
  })
}

/** Plays bodies through a fresh engine and settles everything. Its tables have room for a run, no more: most of the time would go into making them. */
export function play(bodies: Recording['bodies'], engine = testEngine({ maxOpenRequests: 100, strings: { capacity: 1 << 14 } })): Engine {
  let now = 1_700_000_000_000
  for (const { signal, bytes } of bodies) engine[signal](bytes, now += 5)
  engine.tick(now += 20_000)
  engine.finish(now + 20_000)
  return engine
}

/** The series of a metric as rows of labels and a value: of a histogram its count, and its sum. */
export function series(engine: Engine, name: Parameters<Engine['store']['family']>[0]): { labels: Record<string, string>; value: number; count: number }[] {
  const family = engine.store.family(name)
  const rows = []
  for (let row = 0; row < family.rows; row++) {
    if (!family.visible(row, Infinity)) continue
    const labels = Object.fromEntries(family.definition.labels.map((label, i) => [label, engine.strings.text(family.label(row, i))]))
    rows.push({ labels, value: family.value(row), count: family.definition.kind === 'histogram' ? family.count(row) : 0 })
  }
  return rows
}

export interface Observed {
  model_calls: number
  tool_calls: number
  retrievals: number
  embedding_calls: number
  requests: number
  outcomes: Record<string, number>
  input: number
  output: number
  cached: number
  reasoning: number
  errors: string[]
  rootCauses: string[]
  /** USD by reason. */
  avoidable: Record<string, number>
}

/** What `/metrics` would show, in the words of the truth. */
export function observed(engine: Engine): Observed {
  const steps = series(engine, 'agent_step_duration_seconds')
  const tokens = series(engine, 'agent_tokens_total')
  const requests = series(engine, 'agent_requests_total')
  const sum = (rows: { value: number }[]) => rows.reduce((total, row) => total + row.value, 0)
  const step = (kind: string) => steps.filter(({ labels }) => labels['step'] === kind).reduce((total, row) => total + row.count, 0)
  const type = (kind: string) => sum(tokens.filter(({ labels }) => labels['type'] === kind))
  const classes = (name: 'agent_errors_total' | 'agent_root_causes_total') => series(engine, name).flatMap(({ labels, value }) => Array<string>(Math.round(value)).fill(labels['class'] === 'unclassified' ? 'unclassified' : `${labels['class']}.${labels['type']}`)).sort()
  return {
    model_calls: step('model'), tool_calls: step('tool'), retrievals: step('retrieval'), embedding_calls: step('embedding'),
    requests: sum(requests),
    outcomes: Object.fromEntries(['success', 'error', 'unfinished'].map((o) => [o, sum(requests.filter(({ labels }) => labels['outcome'] === o))])),
    input: type('input'), output: type('output'), cached: type('cached_input'), reasoning: type('reasoning'),
    errors: classes('agent_errors_total'), rootCauses: classes('agent_root_causes_total'),
    avoidable: Object.fromEntries(series(engine, 'agent_avoidable_cost_usd_total').filter(({ value }) => value > 0).map(({ labels, value }) => [labels['reason'], value])),
  }
}
