/** What the series of a running bridge say is missing. */
import type { Expectations } from '../../config/expectations.ts'
import { checkExpected, type ChecksSeen } from './checks.ts'
import type { Finding } from './finding.ts'
import { sum, type Sample } from '../exposition.ts'

const MOST_NAMED = 5

export function checkMetrics(samples: readonly Sample[], expectations?: Expectations): Finding[] {
  const requests = sum(samples, 'agent_requests_total')
  if (requests === 0) {
    const spans = sum(samples, 'spanbridge_spans_accepted_total')
    const came = spans === 0 ? 'no spans have come yet' : `${spans} spans have come, no request has settled yet`
    const next = spans === 0 ? 'point OTEL_EXPORTER_OTLP_ENDPOINT here, or play recorded spans with spanbridge send' : 'wait for the settle grace after a root span, or for the idle timeout'
    return [...dialects(samples), ...rejected(samples), { level: 'warn', what: came, next }]
  }
  return [...dialects(samples), ...cost(samples), tenant(samples, requests), ...outcome(samples, requests), quality(samples), ...(expectations ? checkExpected(checksSeen(samples, expectations)) : []), ...overflow(samples), ...rejected(samples)]
}

/** Any series of the bridge's own with a `dialect` label. */
function dialects(samples: readonly Sample[]): Finding[] {
  const spans = totals(samples.filter(({ name }) => name.startsWith('spanbridge_') && name.endsWith('_total')), 'dialect')
  if (spans.length === 0) return []
  const known = spans.filter(([name]) => name !== '' && name !== 'unknown')
  if (known.length > 0) return [{ level: 'ok', what: `dialects: ${list(known)}`, next: '' }]
  return [{ level: 'warn', what: 'no span speaks a dialect that is known', next: 'instrument the agents with OpenTelemetry GenAI, OpenInference or OpenLLMetry' }]
}

function cost(samples: readonly Sample[]): Finding[] {
  const unpriced = samples.filter(({ name }) => name === 'agent_unpriced_calls_total')
  const noPrice = totals(unpriced.filter(({ labels }) => labels['reason'] === 'no_price'), 'name')
  const noTokens = totals(unpriced.filter(({ labels }) => labels['reason'] === 'no_tokens'), 'name')
  const found: Finding[] = []
  if (noPrice.length > 0) found.push({ level: 'warn', what: `cost: no price for ${list(noPrice)}`, next: 'add these models to pricing.yaml, or set latencyPricing for machines of your own' })
  if (noTokens.length > 0) {
    found.push({ level: 'warn', what: `cost: calls that tell no tokens: ${list(noTokens)}`, next: 'let streams report usage (stream_options.include_usage), and raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT for long conversations' })
  }
  if (found.length > 0) return found
  const usd = sum(samples, 'agent_cost_usd_total')
  return usd > 0
    ? [{ level: 'ok', what: `cost: every model call is priced, ${usd.toFixed(usd < 1 ? 6 : 2)} USD so far`, next: '' }]
    : [{ level: 'warn', what: 'cost: nothing costs anything yet', next: 'check that the spans of model calls are exported, not only those of the framework' }]
}

function tenant(samples: readonly Sample[], requests: number): Finding {
  const without = sum(samples, 'agent_requests_total', { tenant_id: '' })
  if (without === 0) return { level: 'ok', what: 'tenant: every request has a tenant_id', next: '' }
  const share = Math.round((100 * without) / requests)
  return { level: 'warn', what: `tenant: ${share} % of ${requests} requests have no tenant_id`, next: 'set the attribute tenant_id on the root span or the resource, or name your own key in tenant.attributes' }
}

function outcome(samples: readonly Sample[], requests: number): Finding[] {
  const unfinished = sum(samples, 'agent_requests_total', { outcome: 'unfinished' })
  if (unfinished === 0) return []
  return [{ level: 'warn', what: `${unfinished} of ${requests} requests never showed their root span`, next: 'flush the tracer provider before the process ends, and check that no sampler drops roots' }]
}

function quality(samples: readonly Sample[]): Finding {
  const scores = sum(samples, 'agent_quality_score_count')
  if (scores > 0) return { level: 'ok', what: `quality: ${scores} scores`, next: '' }
  return { level: 'warn', what: 'quality: no scores', next: 'send evaluations as spans or gen_ai.evaluation.result events, or turn on the judge: docs/judge.md' }
}

function checksSeen(samples: readonly Sample[], expectations: Expectations): ChecksSeen {
  const names = (metric: string, label: string, step?: string) => [...new Set(samples.filter(({ name, labels }) => name === metric && (step === undefined || labels['step'] === step)).map(({ labels }) => labels[label] ?? ''))]
  return {
    expectations, dialects: [],
    checked: samples.filter(({ name }) => name === 'agent_quality_checks_total').map(({ labels, value }) => ({ name: labels['name'] ?? '', result: labels['result'] ?? '', times: value })),
    tools: names('agent_step_duration_seconds_count', 'name', 'tool'), agents: [...names('agent_step_duration_seconds_count', 'name', 'agent'), ...names('agent_requests_total', 'agent')],
  }
}

function overflow(samples: readonly Sample[]): Finding[] {
  const full = new Set(samples.filter(({ labels }) => Object.values(labels).includes('__overflow__')).map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')))
  if (full.size === 0) return []
  return [{ level: 'warn', what: `past the series limit: ${[...full].slice(0, MOST_NAMED).join(', ')}`, next: 'find the name that never repeats (an id in a model, tool or agent name), or raise seriesLimit' }]
}

function rejected(samples: readonly Sample[]): Finding[] {
  const reasons = totals(samples.filter(({ name }) => /^spanbridge_.*rejected.*_total$/.test(name)), 'reason')
  if (reasons.length === 0) return []
  return [{ level: 'warn', what: `rejected spans: ${list(reasons)}`, next: 'the answers to the senders say which span and why' }]
}

/** Sums by a label, the largest first; zeros are left out. */
function totals(samples: readonly Sample[], label: string): [string, number][] {
  const sums = new Map<string, number>()
  for (const { labels, value } of samples) {
    const key = labels[label]
    if (key !== undefined && value > 0) sums.set(key, (sums.get(key) ?? 0) + value)
  }
  return [...sums].sort((a, b) => b[1] - a[1])
}

function list(counts: readonly (readonly [string, number])[]): string {
  const named = counts.slice(0, MOST_NAMED).map(([name, count]) => `${name === '' ? '(no name)' : name} (${count})`)
  return named.join(', ') + (counts.length > MOST_NAMED ? ` and ${counts.length - MOST_NAMED} more` : '')
}
