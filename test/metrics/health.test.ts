import { expect, test } from 'vitest'
import { Exposition } from '../../src/metrics/expose.ts'
import { Health, HEALTH_METRICS, type HealthSource } from '../../src/metrics/health.ts'
import { ProcessMetrics } from '../../src/metrics/process.ts'
import { SeriesStore } from '../../src/metrics/store.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { parseExposition, type ParsedFamily } from './parse.ts'

const ACCEPT = { openmetrics: 'application/openmetrics-text', classic: 'text/plain' }

function sourceOf(): { -readonly [K in keyof HealthSource]: HealthSource[K] } {
  return {
    spansAccepted: 1, spansRejected: { malformed: 2, too_deep: 0 }, spansLate: 3, spansDuplicate: 4, spansCrowded: 10, contentDropped: { text: 12, total: 0 }, contentBytes: 13, logRecordsAccepted: 5, logRecordsRejected: { malformed: 11 },
    requestsRefused: { too_large: 6 }, openRequests: 7, openRequestsEvicted: 8, requestsForgotten: 16, pagesReceived: 9,
    log: { lines: 10, dropped: { rate_limit: 11, queue_full: 0 }, pushErrors: { '429': 12 }, tenantsOverflowed: 13, queueLines: 14, queueBytes: 15 },
    scores: {
      received: { http: 30 }, rejected: { no_score: 31 }, unmatched: { no_request: 32 }, duplicates: 33, polls: { langsmith: 34 }, pollErrors: { langsmith: 35 }, pollAge: { langsmith: 36 }, remembered: 37, crowdedOut: 38,
      judges: [
        { judge: 'judge/answer@1', pairs: 39, agreement: { value: 0.9, lower: 0.8, upper: 0.95 }, kappa: { value: 0.5, lower: -0.25, upper: 0.75 }, weightedKappa: { value: 0.25, lower: 0, upper: 0.5 }, bias: { value: -0.125, lower: -0.5, upper: 0.25 } },
        { judge: 'hostile "\n{', pairs: 1, agreement: { value: 1, lower: 0.2, upper: 1 }, kappa: undefined, weightedKappa: undefined, bias: undefined },
      ],
    },
    judge: {
      selected: { sample: 17 }, marks: 18, skipped: { no_content: 19 }, calls: 20, errors: { '429': 21 }, tokens: { input: 22 }, usd: 23,
      usedUsd: 24, budgetUsd: 25, queued: 26, running: 27, breaker: { closed: 1, half_open: 0, open: 0 },
    },
  }
}

async function read(exposition: Exposition, format: 'openmetrics' | 'classic'): Promise<Map<string, ParsedFamily>> {
  let text = ''
  for await (const piece of exposition.scrape(ACCEPT[format]).body) text += piece
  return parseExposition(text, format)
}

test.each(['openmetrics', 'classic'] as const)('in %s, all of it stands beside the series', async (format) => {
  const store = new SeriesStore(new StringTable(), { seriesLimit: 1 })
  const tokens = store.family('agent_tokens_total')
  for (const name of [2, 3, 4]) tokens.add(tokens.at(0, 0, name), NaN)
  const source = sourceOf()
  const health = new Health(source, store, '1.2.3')
  for (const seconds of [0.3, 0.7, 5]) health.pipelineLatency(seconds)
  const families = await read(new Exposition(store, [health]), format)
  const name = (metric: string): string => (format === 'openmetrics' ? metric.replace(/_total$/, '') : metric)
  const valuesOf = (metric: string): unknown => families.get(name(metric))?.samples.map((sample) => [Object.values(sample.labels)[0] ?? '', sample.value])

  for (const [metric, { kind, help }] of Object.entries(HEALTH_METRICS)) {
    expect(families.get(name(metric)), metric).toMatchObject({ type: kind, help })
    expect(families.get(name(metric))!.samples.every((sample) => sample.name === metric)).toBe(true)
  }
  expect(valuesOf('spanbridge_spans_accepted_total')).toEqual([['', 1]])
  expect(valuesOf('spanbridge_spans_rejected_total')).toEqual([['malformed', 2], ['too_deep', 0]])
  expect(valuesOf('spanbridge_requests_refused_total')).toEqual([['too_large', 6]])
  expect(valuesOf('spanbridge_spans_crowded_total')).toEqual([['', 10]])
  expect(valuesOf('spanbridge_content_dropped_total')).toEqual([['text', 12], ['total', 0]])
  expect(valuesOf('spanbridge_content_bytes')).toEqual([['', 13]])
  expect(valuesOf('spanbridge_log_records_rejected_total')).toEqual([['malformed', 11]])
  expect(valuesOf('spanbridge_open_requests')).toEqual([['', 7]])
  expect(valuesOf('spanbridge_requests_forgotten_total')).toEqual([['', 16]])
  expect(valuesOf('spanbridge_log_lines_dropped_total')).toEqual([['rate_limit', 11], ['queue_full', 0]])
  expect(valuesOf('spanbridge_log_push_errors_total')).toEqual([['429', 12]])
  expect(valuesOf('spanbridge_log_queue_bytes')).toEqual([['', 15]])
  expect(valuesOf('spanbridge_judge_selected_total')).toEqual([['sample', 17]])
  expect(valuesOf('spanbridge_judge_cost_usd_total')).toEqual([['', 23]])
  expect(valuesOf('spanbridge_judge_breaker')).toEqual([['closed', 1], ['half_open', 0], ['open', 0]])
  expect(valuesOf('spanbridge_scores_rejected_total')).toEqual([['no_score', 31]])
  expect(valuesOf('spanbridge_score_poll_age_seconds')).toEqual([['langsmith', 36]])
  expect(valuesOf('spanbridge_judge_pairs')).toEqual([['judge/answer@1', 39], ['hostile "\n{', 1]])
  expect(valuesOf('spanbridge_judge_kappa_lower')).toEqual([['judge/answer@1', -0.25]])
  expect(valuesOf('spanbridge_judge_bias')).toEqual([['judge/answer@1', -0.125]])
  expect(valuesOf('spanbridge_series')).toContainEqual(['agent_tokens_total', 2])
  expect(valuesOf('spanbridge_series_overflow_total')).toContainEqual(['agent_tokens_total', 2])
  expect(valuesOf('spanbridge_values_invalid_total')).toContainEqual(['agent_tokens_total', 3])
  expect(valuesOf('spanbridge_build_info')).toEqual([['1.2.3', 1]])
  expect(families.has('target_info')).toBe(false)

  const latency = families.get('spanbridge_pipeline_latency_seconds')!
  const at = (le: string): number | undefined => latency.samples.find((sample) => sample.labels['le'] === le)?.value
  expect([at('0.5'), at('1.0'), at('+Inf')]).toEqual([1, 2, 3])

  source.spansAccepted = 10
  source.spansRejected = { malformed: 3, too_deep: 1 }
  const later = await read(new Exposition(store, [health]), format)
  expect(later.get(name('spanbridge_spans_accepted_total'))?.samples[0]?.value).toBe(10)
  expect(later.get(name('spanbridge_spans_rejected_total'))?.samples.map(({ value }) => value)).toEqual([3, 1])
})

test('the process tells its own, the same counters after either format', async () => {
  const store = new SeriesStore(new StringTable())
  const exposition = new Exposition(store, [new Health(sourceOf(), store, '1.2.3'), new ProcessMetrics()])
  const open = await read(exposition, 'openmetrics')
  expect(open.get('process_cpu_seconds')?.samples.map(({ name }) => name)).toEqual(['process_cpu_seconds_total'])
  const classic = await read(exposition, 'classic')
  expect(classic.get('process_cpu_seconds_total')?.samples.map(({ name }) => name)).toEqual(['process_cpu_seconds_total'])
  const misnamed = [...classic].filter(([name, { type }]) => name.endsWith('_total') !== (type === 'counter')).map(([name]) => name)
  expect(misnamed).toEqual([])
})
