/** What recorded bodies say about themselves. */
import type { Config } from '../../config/config.ts'
import type { Expectations } from '../../config/expectations.ts'
import { checkExpected, type ChecksSeen } from './checks.ts'
import type { Finding } from './finding.ts'
import type { Body } from '../recorded/offline.ts'

/** Runs bodies through an engine of this configuration. */
export type DescribeSpans = (bodies: readonly Body[], config: Config, expectations?: Expectations) => SpansDescription

export interface SpansDescription {
  readonly spans: number
  /** Spans that could not be read. */
  readonly rejected: number
  /** Spans by dialect; '' is none that is known. */
  readonly dialects: Readonly<Record<string, number>>
  readonly requests: number
  readonly requestsWithoutTenant: number
  readonly modelCalls: number
  /** Calls by model. */
  readonly withoutPrice: Readonly<Record<string, number>>
  readonly withoutTokens: Readonly<Record<string, number>>
  readonly scores: number
  /** Undefined where nothing is expected. */
  readonly checks: ChecksSeen | undefined
  /** Errors of steps by type, place, rule and the words it went by. */
  readonly errors: Readonly<Record<string, number>>
  readonly unclassified: Readonly<Record<string, number>>
}

export function checkSpans(found: SpansDescription): Finding[] {
  const findings: Finding[] = []
  const add = (level: Finding['level'], what: string, next = ''): number => findings.push({ level, what, next })
  if (found.spans === 0) add('fail', 'no spans in these files', 'check that they are OTLP export requests')
  else add('ok', `${found.spans} spans in ${found.requests} requests`)
  if (found.rejected > 0) add('fail', `${found.rejected} spans cannot be read`, 'the exporter or a proxy damages them: record again')
  const known = Object.entries(found.dialects).filter(([name]) => name !== '')
  if (known.length > 0) add('ok', `dialects: ${list(known)}`)
  else if (found.spans > 0) add('warn', 'no span speaks a dialect that is known', 'durations and errors are counted; for cost and tokens use OpenTelemetry GenAI, OpenInference or OpenLLMetry')
  if (found.modelCalls === 0 && found.spans > 0) add('warn', 'no model calls in these spans', 'instrument the model SDK too: this framework does not report its calls')
  const noPrice = Object.entries(found.withoutPrice)
  const noTokens = Object.entries(found.withoutTokens)
  if (noPrice.length > 0) add('warn', `cost: no price for ${list(noPrice)}`, 'add these models to pricing.yaml')
  if (noTokens.length > 0) add('warn', `cost: calls that tell no tokens: ${list(noTokens)}`, 'let streams report usage (stream_options.include_usage), and raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT for long conversations')
  if (found.modelCalls > 0 && noPrice.length + noTokens.length === 0) add('ok', `cost: all ${found.modelCalls} model calls can be priced`)
  if (found.requestsWithoutTenant > 0) add('warn', `tenant: ${found.requestsWithoutTenant} of ${found.requests} requests have no tenant_id`, 'set the attribute tenant_id on the root span or the resource, or name your own key in tenant.attributes')
  else if (found.requests > 0) add('ok', 'tenant: every request has a tenant_id')
  const errors = Object.entries(found.errors)
  if (errors.length > 0) add('ok', `errors: ${list(errors)}`)
  const unclassified = Object.entries(found.unclassified)
  if (unclassified.length > 0) add('warn', `errors without a type: ${list(unclassified)}`, 'give them one in errors of the configuration')
  if (found.scores === 0) add('warn', 'quality: no scores', 'send evaluations as spans or gen_ai.evaluation.result events, or turn on the judge: docs/judge.md')
  else add('ok', `quality: ${found.scores} scores`)
  if (found.checks !== undefined) findings.push(...checkExpected(found.checks))
  return findings
}

function list(counts: readonly (readonly [string, number])[]): string {
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5).map(([name, count]) => `${name} (${count})`).join(', ')
}
