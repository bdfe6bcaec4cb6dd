/** Runs recorded bodies through the engine, offline, and tells what the bridge would make of them. */
import { PriceBook } from '../cost/prices.ts'
import { Engine } from '../engine.ts'
import type { Family } from '../metrics/family.ts'
import { Malformed } from '../otlp/sink.ts'
import { Classifier } from '../spans/classify.ts'
import { DIALECTS } from '../spans/dialects/index.ts'
import { Kind } from '../spans/names.ts'
import { Scanner } from '../spans/scan.ts'
import type { DescribeSpans, SpansDescription } from './doctor-spans.ts'

const LIMITS = { settleGraceMs: 5_000, idleTimeoutMs: 600_000, lateWindowMs: 60_000, maxOpenRequests: 50_000, maxSpansPerRequest: 10_000 }
/** Of spans whose scope no dialect claims, but whose attributes do. */
const BY_ATTRIBUTES = 'known by their attributes'

export const describeSpans: DescribeSpans = (bodies) => {
  const engine = new Engine({ dialects: DIALECTS, prices: new PriceBook(), ...LIMITS })
  const dialects = countDialects(bodies, engine)
  let rejected = 0
  const nowMs = Date.now()
  for (const { signal, bytes } of bodies) {
    try {
      rejected += engine[signal](bytes, nowMs).rejected
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      rejected++
    }
  }
  engine.finish(nowMs + LIMITS.idleTimeoutMs * 2)

  const requests = rows(engine, 'agent_requests_total')
  const unpriced = rows(engine, 'agent_unpriced_calls_total')
  const byModel = (reason: string) => Object.fromEntries(unpriced.filter(({ labels }) => labels['reason'] === reason).map(({ labels, value }) => [labels['name'] || 'unnamed', value]))
  return {
    spans: engine.spansAccepted, rejected, dialects,
    requests: sum(requests), requestsWithoutTenant: sum(requests.filter(({ labels }) => labels['tenant_id'] === '')),
    modelCalls: sum(rows(engine, 'agent_step_duration_seconds', (family, row) => family.count(row)).filter(({ labels }) => labels['step'] === 'model')),
    withoutPrice: byModel('no_price'), withoutTokens: byModel('no_tokens'),
    scores: sum(rows(engine, 'agent_quality_score', (family, row) => family.count(row))),
  } satisfies SpansDescription
}

function countDialects(bodies: Parameters<DescribeSpans>[0], { tables, strings }: Engine): Record<string, number> {
  const counts: Record<string, number> = {}
  const classifier = new Classifier(tables, strings)
  const scanner = new Scanner(tables, strings, (span) => {
    classifier.classify(span)
    const dialect = tables.dialectOf(strings.text(span.scope)) ?? (span.kind === Kind.unknown ? '' : BY_ATTRIBUTES)
    counts[dialect] = (counts[dialect] ?? 0) + 1
  })
  for (const { signal, bytes } of bodies) if (signal === 'traces') scanner.scan(bytes)
  return counts
}

interface Row {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

function rows({ store, strings }: Engine, name: Parameters<Engine['store']['family']>[0], read = (family: Family, row: number) => family.value(row)): Row[] {
  const family = store.family(name)
  const found: Row[] = []
  for (let row = 0; row < family.rows; row++) {
    if (!family.visible(row, Infinity)) continue
    found.push({ labels: Object.fromEntries(family.definition.labels.map((label, i) => [label, strings.text(family.label(row, i))])), value: read(family, row) })
  }
  return found
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((total, { value }) => total + value, 0)
}
