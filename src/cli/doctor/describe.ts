/** What a bridge of this configuration would make of recorded bodies. */
import type { Engine } from '../../engine.ts'
import { Classifier } from '../../spans/classify.ts'
import { ERROR_TYPES, Kind, STEP_NAMES, UNCLASSIFIED } from '../../spans/names.ts'
import { Scanner } from '../../spans/scan.ts'
import type { DescribeSpans, SpansDescription } from './spans.ts'
import { rows, runOffline, type Row } from '../recorded/offline.ts'

/** Of spans whose scope no dialect claims, but whose attributes do. */
const BY_ATTRIBUTES = 'known by their attributes'

export const describeSpans: DescribeSpans = (bodies, config, expectations) => {
  const errors = { told: {} as Record<string, number>, unclassified: {} as Record<string, number> }
  const { engine, rejected } = runOffline(bodies, config, expectations && { expectations }, (settled, text) => {
    for (const { type, kind, name, rule, words } of settled.errors) {
      const what = `${STEP_NAMES[kind]}${name === 0 ? '' : ` ${text(name)}`}`
      if (type === UNCLASSIFIED) count(errors.unclassified, what)
      else count(errors.told, `${ERROR_TYPES[type]!.type} at ${what} by ${rule}${words === '' ? '' : `, "${words}"`}`)
    }
  })
  const dialects = countDialects(bodies, engine)

  const requests = rows(engine, 'agent_requests_total')
  const unpriced = rows(engine, 'agent_unpriced_calls_total')
  const byModel = (reason: string) => Object.fromEntries(unpriced.filter(({ labels }) => labels['reason'] === reason).map(({ labels, value }) => [labels['name'] || 'unnamed', value]))
  const steps = rows(engine, 'agent_step_duration_seconds', (family, row) => family.count(row))
  const namesOf = (step: string, label: string) => [...new Set(steps.filter(({ labels }) => labels['step'] === step).map(({ labels }) => labels[label] ?? ''))]
  return {
    spans: engine.spansAccepted, rejected, dialects,
    requests: sum(requests), requestsWithoutTenant: sum(requests.filter(({ labels }) => labels['tenant_id'] === '')),
    modelCalls: sum(steps.filter(({ labels }) => labels['step'] === 'model')),
    withoutPrice: byModel('no_price'), withoutTokens: byModel('no_tokens'),
    checks: engine.expectations && {
      expectations: engine.expectations, dialects: Object.keys(dialects),
      checked: rows(engine, 'agent_quality_checks_total').map(({ labels, value }) => ({ name: labels['name'] ?? '', result: labels['result'] ?? '', times: value })),
      tools: namesOf('tool', 'name'), agents: [...namesOf('agent', 'name'), ...new Set(requests.map(({ labels }) => labels['agent'] ?? ''))],
    },
    scores: sum(rows(engine, 'agent_quality_score', (family, row) => family.count(row))),
    errors: errors.told, unclassified: errors.unclassified,
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

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((total, { value }) => total + value, 0)
}
