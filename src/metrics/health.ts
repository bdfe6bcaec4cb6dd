/**
 * The bridge's own health, `spanbridge_*`, instrumented as any OpenTelemetry service is. Nearly all of it is read at a
 * scrape from plain numbers that the stages keep, so the hot path makes no call here; only the pipeline latency is
 * recorded, once a push.
 */
import type { Histogram } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { emptyResource } from '@opentelemetry/resources'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { fromClassic, type ExpositionSource, type Format } from './format.ts'
import type { SeriesStore } from './store.ts'

/** Counts since the start, and what is open now. A count by reason lists its known reasons at 0 from the start, so that a rule sees the first rise. */
export interface HealthSource {
  readonly spansAccepted: number
  readonly spansRejected: Readonly<Record<string, number>>
  readonly spansLate: number
  readonly spansDuplicate: number
  /** Spans past maxSpansPerRequest. */
  readonly spansCrowded: number
  /** Texts of prompts, answers and results that were not kept, or not whole, by the limit. */
  readonly contentDropped: Readonly<Record<string, number>>
  /** Bytes of such texts that are kept. */
  readonly contentBytes: number
  readonly logRecordsAccepted: number
  readonly logRecordsRejected: Readonly<Record<string, number>>
  /** Pushes answered with an error, by reason: too_large, malformed, overloaded, unsupported. */
  readonly requestsRefused: Readonly<Record<string, number>>
  readonly openRequests: number
  readonly openRequestsEvicted: number
  readonly requestsForgotten: number
  readonly pagesReceived: number
  /** The log of unhealthy requests; zeros where it is off. */
  readonly log: {
    readonly lines: number
    readonly dropped: Readonly<Record<string, number>>
    readonly pushErrors: Readonly<Record<string, number>>
    readonly tenantsOverflowed: number
    readonly queueLines: number
    readonly queueBytes: number
  }
  /** Scores that came by themselves, and what became of them. */
  readonly scores: {
    readonly received: Readonly<Record<string, number>>
    readonly rejected: Readonly<Record<string, number>>
    readonly unmatched: Readonly<Record<string, number>>
    readonly duplicates: number
    readonly polls: Readonly<Record<string, number>>
    readonly pollErrors: Readonly<Record<string, number>>
    readonly pollAge: Readonly<Record<string, number>>
    readonly remembered: number
    readonly crowdedOut: number
    /** By evaluator; a figure that cannot be reckoned is not there. */
    readonly judges: readonly JudgeFigures[]
  }
  /** The judge layer; zeros where it is off. */
  readonly judge: {
    readonly selected: Readonly<Record<string, number>>
    readonly marks: number
    readonly skipped: Readonly<Record<string, number>>
    readonly calls: number
    readonly errors: Readonly<Record<string, number>>
    readonly tokens: Readonly<Record<string, number>>
    readonly usd: number
    readonly usedUsd: number
    readonly budgetUsd: number
    readonly queued: number
    readonly running: number
    readonly breaker: Readonly<Record<string, number>>
  }
}

interface Figure {
  readonly value: number
  readonly lower: number
  readonly upper: number
}

/** How far a judge marks as people do. */
export interface JudgeFigures {
  readonly judge: string
  readonly pairs: number
  readonly agreement: Figure
  readonly kappa: Figure | undefined
  readonly weightedKappa: Figure | undefined
  readonly bias: Figure | undefined
}

interface State {
  readonly source: HealthSource
  readonly store: SeriesStore
  readonly version: string
}

interface Instrument {
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  /** The one label, of a metric that has one. */
  readonly label?: string
  /** A number, or with a label the number of each of its values. */
  readonly read: (state: State) => number | Readonly<Record<string, number>>
}

/** What is recorded when it happens, as a histogram in seconds. */
export const HEALTH_HISTOGRAMS = {
  spanbridge_pipeline_latency_seconds: {
    help: 'From a push received to its spans counted.', label: undefined,
    // Boundaries at the limits of its objective, 0.5 and 1 s.
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10],
  },
  spanbridge_time_to_root_cause_seconds: {
    help: 'From the start of an incident to its root cause, by who told it: the page, or a person who confirmed or corrected it.', label: 'by',
    // A boundary at the limit of its objective, 5 min.
    buckets: [5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 14_400, 86_400],
  },
  spanbridge_judge_duration_seconds: {
    help: 'Of a call of the judge, answered or not.', label: undefined,
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120],
  },
} as const satisfies Readonly<Record<string, { help: string; label: string | undefined; buckets: readonly number[] }>>
export type HealthHistogram = keyof typeof HEALTH_HISTOGRAMS

export const HEALTH_METRICS: Readonly<Record<string, Instrument>> = {
  spanbridge_spans_accepted_total: { kind: 'counter', help: 'Spans read and passed on, duplicates included.', read: ({ source }) => source.spansAccepted },
  spanbridge_spans_rejected_total: { kind: 'counter', help: 'Spans that could not be read, by reason.', label: 'reason', read: ({ source }) => source.spansRejected },
  spanbridge_spans_late_total: { kind: 'counter', help: 'Spans that came after their request was settled; they still count.', read: ({ source }) => source.spansLate },
  spanbridge_spans_duplicate_total: { kind: 'counter', help: 'Spans delivered again; they count once.', read: ({ source }) => source.spansDuplicate },
  spanbridge_spans_crowded_total: { kind: 'counter', help: 'Spans of requests that had too many; they count one by one, without their place in the request.', read: ({ source }) => source.spansCrowded },
  spanbridge_content_dropped_total: { kind: 'counter', help: 'Prompts, answers and results that were not kept for checks and the judge, by the limit: request and total, or text, where only the middle was left out; late: told in a log record whose span had settled, or never came.', label: 'limit', read: ({ source }) => source.contentDropped },
  spanbridge_content_bytes: { kind: 'gauge', help: 'Bytes of prompts, answers and results kept of open requests.', read: ({ source }) => source.contentBytes },
  spanbridge_log_records_accepted_total: { kind: 'counter', help: 'Log records read and passed on.', read: ({ source }) => source.logRecordsAccepted },
  spanbridge_log_records_rejected_total: { kind: 'counter', help: 'Log records, and the scores in them, that could not be read, by reason.', label: 'reason', read: ({ source }) => source.logRecordsRejected },
  spanbridge_requests_refused_total: { kind: 'counter', help: 'Pushes over HTTP and gRPC answered with an error, by reason.', label: 'reason', read: ({ source }) => source.requestsRefused },
  spanbridge_open_requests: { kind: 'gauge', help: 'Agent requests that wait for more spans.', read: ({ source }) => source.openRequests },
  spanbridge_requests_forgotten_total: { kind: 'counter', help: 'Settled agent requests forgotten before the end of the late window, to make room for newer ones: a span that comes for one now opens it again.', read: ({ source }) => source.requestsForgotten },
  spanbridge_open_requests_evicted_total: { kind: 'counter', help: 'Agent requests settled early to make room for newer ones.', read: ({ source }) => source.openRequestsEvicted },
  spanbridge_series: { kind: 'gauge', help: 'Series held, by metric.', label: 'metric', read: ({ store }) => byMetric(store, (family) => family.size) },
  spanbridge_series_overflow_total: { kind: 'counter', help: 'Lookups counted under __overflow__ because the metric or the tenant had no room, by metric.', label: 'metric', read: ({ store }) => byMetric(store, (family) => family.overflowed) },
  spanbridge_series_expired_total: { kind: 'counter', help: 'Series freed because nothing touched them for long.', read: ({ store }) => store.expired },
  spanbridge_values_invalid_total: { kind: 'counter', help: 'Values refused as negative, infinite or not a number, by metric.', label: 'metric', read: ({ store }) => byMetric(store, (family) => family.invalid) },
  spanbridge_exemplars: { kind: 'gauge', help: 'Exemplars held.', read: ({ store }) => store.exemplars.size },
  spanbridge_exemplars_dropped_total: { kind: 'counter', help: 'Exemplars that found no room.', read: ({ store }) => store.exemplars.dropped },
  spanbridge_strings: { kind: 'gauge', help: 'Different strings held: label values, span names, scopes.', read: ({ store }) => store.strings.size },
  spanbridge_strings_overflow_total: { kind: 'counter', help: 'Strings that became __overflow__ because the table was full.', read: ({ store }) => store.strings.overflowed },
  spanbridge_pages_received_total: { kind: 'counter', help: 'Notifications received from Alertmanager.', read: ({ source }) => source.pagesReceived },
  spanbridge_log_lines_total: { kind: 'counter', help: 'Lines about unhealthy requests that Loki took.', read: ({ source }) => source.log.lines },
  spanbridge_log_lines_dropped_total: { kind: 'counter', help: 'Lines that were never stored, by reason. Of rate_limit the next line of the same kind tells how many.', label: 'reason', read: ({ source }) => source.log.dropped },
  spanbridge_log_push_errors_total: { kind: 'counter', help: 'Pushes that Loki did not take, by its answer or by what kept one from coming.', label: 'error', read: ({ source }) => source.log.pushErrors },
  spanbridge_log_tally_overflow_total: { kind: 'counter', help: 'Requests of tenants that found no room in the tally of outcomes told to Loki.', read: ({ source }) => source.log.tenantsOverflowed },
  spanbridge_log_queue_lines: { kind: 'gauge', help: 'Lines that wait for Loki.', read: ({ source }) => source.log.queueLines },
  spanbridge_log_queue_bytes: { kind: 'gauge', help: 'Bytes of lines that wait for Loki.', read: ({ source }) => source.log.queueBytes },
  spanbridge_judge_selected_total: { kind: 'counter', help: 'Requests chosen to be judged, by why: the sample, or something about them.', label: 'why', read: ({ source }) => source.judge.selected },
  spanbridge_judge_marks_total: { kind: 'counter', help: 'Requests that a judge marked.', read: ({ source }) => source.judge.marks },
  spanbridge_judge_skipped_total: { kind: 'counter', help: 'Requests chosen and not marked, by reason: no content on the spans, a budget that is spent, a judge that fails or gives no mark.', label: 'reason', read: ({ source }) => source.judge.skipped },
  spanbridge_judge_calls_total: { kind: 'counter', help: 'Calls of the judge, each try counted.', read: ({ source }) => source.judge.calls },
  spanbridge_judge_errors_total: { kind: 'counter', help: 'Calls of the judge that gave no mark, by the answer or by what kept one from coming.', label: 'error', read: ({ source }) => source.judge.errors },
  spanbridge_judge_tokens_total: { kind: 'counter', help: 'Tokens that the judge tells it used, by type.', label: 'type', read: ({ source }) => source.judge.tokens },
  spanbridge_judge_cost_usd_total: { kind: 'counter', help: 'Cost of the judge in USD, by the tokens that it tells.', read: ({ source }) => source.judge.usd },
  spanbridge_judge_budget_used_usd: { kind: 'gauge', help: "Of today's budget for judging, in USD: spent, or reserved for calls under way and for those that may have been charged without an answer.", read: ({ source }) => source.judge.usedUsd },
  spanbridge_judge_budget_usd: { kind: 'gauge', help: 'What judging may cost in a day, in USD; 0 without a judge.', read: ({ source }) => source.judge.budgetUsd },
  spanbridge_judge_queue: { kind: 'gauge', help: 'Requests that wait to be judged.', read: ({ source }) => source.judge.queued },
  spanbridge_judge_running: { kind: 'gauge', help: 'Requests that are being judged.', read: ({ source }) => source.judge.running },
  spanbridge_judge_breaker: { kind: 'gauge', help: 'Whether calls are let through to the judge: 1 for the state that is, closed (they are), half_open (one tries), open (none is).', label: 'state', read: ({ source }) => source.judge.breaker },
  spanbridge_scores_received_total: { kind: 'counter', help: 'Scores taken by themselves and not with spans or log records, by where they came from.', label: 'source', read: ({ source }) => source.scores.received },
  spanbridge_scores_rejected_total: { kind: 'counter', help: 'Scores that are not counted, of whatever origin, by reason.', label: 'reason', read: ({ source }) => source.scores.rejected },
  spanbridge_scores_duplicate_total: { kind: 'counter', help: 'Scores told again; they count once.', read: ({ source }) => source.scores.duplicates },
  spanbridge_scores_unmatched_total: { kind: 'counter', help: 'Scores counted for no tenant, because no request of their trace is known or came (no_request), or because too many waited for one (crowded).', label: 'reason', read: ({ source }) => source.scores.unmatched },
  spanbridge_score_polls_total: { kind: 'counter', help: 'Times a source of scores was asked, by source.', label: 'source', read: ({ source }) => source.scores.polls },
  spanbridge_score_poll_errors_total: { kind: 'counter', help: 'Times it gave no answer that could be read.', label: 'source', read: ({ source }) => source.scores.pollErrors },
  spanbridge_score_poll_age_seconds: { kind: 'gauge', help: 'Time since a source of scores was last read.', label: 'source', read: ({ source }) => source.scores.pollAge },
  spanbridge_traces_remembered: { kind: 'gauge', help: 'Requests of which it is known whose they were, for scores that come later.', read: ({ source }) => source.scores.remembered },
  spanbridge_traces_crowded_out_total: { kind: 'counter', help: 'Requests of which that was forgotten before its time, for newer ones.', read: ({ source }) => source.scores.crowdedOut },
  spanbridge_judge_pairs: { kind: 'gauge', help: 'Requests that both a judge and a person marked, the newest 300 at most, by evaluator of the judge.', label: 'evaluator', read: judged(({ pairs }) => pairs) },
  spanbridge_judge_agreement_ratio: { kind: 'gauge', help: 'Share of these in which both say good (4 or 5 of 5) or both bad.', label: 'evaluator', read: judged(({ agreement }) => agreement.value) },
  spanbridge_judge_agreement_lower_ratio: { kind: 'gauge', help: 'Lower bound of its 95 % interval.', label: 'evaluator', read: judged(({ agreement }) => agreement.lower) },
  spanbridge_judge_agreement_upper_ratio: { kind: 'gauge', help: 'Upper bound of its 95 % interval.', label: 'evaluator', read: judged(({ agreement }) => agreement.upper) },
  spanbridge_judge_kappa: { kind: 'gauge', help: "Cohen's kappa of good and bad: agreement beyond chance, 1 at most.", label: 'evaluator', read: judged(({ kappa }) => kappa?.value) },
  spanbridge_judge_kappa_lower: { kind: 'gauge', help: 'Lower bound of its 95 % interval.', label: 'evaluator', read: judged(({ kappa }) => kappa?.lower) },
  spanbridge_judge_kappa_upper: { kind: 'gauge', help: 'Upper bound of its 95 % interval.', label: 'evaluator', read: judged(({ kappa }) => kappa?.upper) },
  spanbridge_judge_weighted_kappa: { kind: 'gauge', help: "Cohen's kappa of the five marks, weighted by the square of the difference.", label: 'evaluator', read: judged(({ weightedKappa }) => weightedKappa?.value) },
  spanbridge_judge_bias: { kind: 'gauge', help: "Mean of the judge's mark less the person's, on the scale from 0 to 1: above 0 the judge is milder.", label: 'evaluator', read: judged(({ bias }) => bias?.value) },
  spanbridge_judge_bias_lower: { kind: 'gauge', help: 'Lower bound of its 95 % interval.', label: 'evaluator', read: judged(({ bias }) => bias?.lower) },
  spanbridge_judge_bias_upper: { kind: 'gauge', help: 'Upper bound of its 95 % interval.', label: 'evaluator', read: judged(({ bias }) => bias?.upper) },
  spanbridge_build_info: { kind: 'gauge', help: 'Always 1; the version is in the label.', label: 'version', read: ({ version }) => ({ [version]: 1 }) },
}

export class Health implements ExpositionSource {
  readonly #reader = new ScrapeReader()
  readonly #histograms: Readonly<Record<HealthHistogram, Histogram>>
  // Without target_info, which is Prometheus's to make from the scrape, and without a label for the scope.
  readonly #serializer = new PrometheusSerializer('', false, undefined, true, true)

  constructor(source: HealthSource, store: SeriesStore, version: string) {
    const provider = new MeterProvider({ readers: [this.#reader], resource: emptyResource() })
    const meter = provider.getMeter('spanbridge')
    const state = { source, store, version }
    for (const [name, { kind, help, label = '', read }] of Object.entries(HEALTH_METRICS)) {
      const instrument = kind === 'counter' ? meter.createObservableCounter(name, { description: help }) : meter.createObservableGauge(name, { description: help })
      instrument.addCallback((result) => {
        const read1 = read(state)
        if (typeof read1 === 'number') result.observe(read1)
        else for (const [value, number] of Object.entries(read1)) result.observe(number, { [label]: value })
      })
    }
    this.#histograms = Object.fromEntries(Object.entries(HEALTH_HISTOGRAMS).map(([name, { help, buckets }]) => [name, meter.createHistogram(name, {
      description: help,
      unit: 'seconds', // printed as `# UNIT`, so the word of the name and not OpenTelemetry's `s`
      advice: { explicitBucketBoundaries: [...buckets] },
    })])) as Record<HealthHistogram, Histogram>
  }

  /** Records one push: seconds from its arrival to its last span counted. */
  pipelineLatency(seconds: number): void {
    this.#histograms.spanbridge_pipeline_latency_seconds.record(seconds)
  }

  /** Records how long a call of the judge took. */
  judgeCall(seconds: number): void {
    this.#histograms.spanbridge_judge_duration_seconds.record(seconds)
  }

  /** Records that a page, or a person, told the root cause of an incident, seconds after it began. */
  rootCause(by: 'page' | 'person', seconds: number): void {
    this.#histograms.spanbridge_time_to_root_cause_seconds.record(seconds, { by })
  }

  async text(format: Format): Promise<string> {
    const { resourceMetrics, errors } = await this.#reader.collect()
    if (errors.length > 0) throw new Error('cannot read the health metrics', { cause: errors[0] })
    return fromClassic(this.#serializer.serialize(resourceMetrics), format)
  }
}

/** Collects when asked, and starts no server: /metrics is ours. */
class ScrapeReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function judged(figure: (one: JudgeFigures) => number | undefined): Instrument['read'] {
  return ({ source }) => Object.fromEntries(source.scores.judges.flatMap((one) => {
    const value = figure(one)
    return value === undefined ? [] : [[one.judge, value]]
  }))
}

function byMetric(store: SeriesStore, read: (family: SeriesStore['families'][number]) => number): Record<string, number> {
  return Object.fromEntries(store.families.map((family) => [family.definition.name, read(family)]))
}
