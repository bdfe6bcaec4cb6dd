import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboard } from './dashboard.ts'
import { ANY_IS_BAD } from './panel.ts'
import { heatmap, LIMIT, lines, number } from './panels.ts'
import { documentedLimit, quantile, rate, recordedOf, scraped } from './query.ts'

/** Prometheus may scrape other programs too: of them, what shares its job with a bridge. */
function ofBridges(expr: string): string {
  return `${expr} and on (cluster, job) group by (cluster, job) (last_over_time(${scraped('spanbridge_build_info')}[$__range]))`
}
const UP = ofBridges('up{cluster=~"$cluster",job=~"$job",instance=~"$instance"}')
const LATENCY = 'spanbridge_pipeline_latency_seconds'
const limitOf = (objective: string) => ({ legend: `limit ${objective.slice(-3).toUpperCase()}`, expr: documentedLimit(objective) })

function counted(title: string, metric: string, description: string): Builder<Panel> {
  return number({ title, description, width: 4, unit: 'whole', decimals: 0, steps: ANY_IS_BAD, queries: [{ expr: `sum(increase(${scraped(metric)}[$__range])) or vector(0)` }] })
}

export const bridge = dashboard({
  name: 'bridge', title: 'Bridge',
  description: 'The health of Spanbridge itself: whether what the other dashboards show can be believed.',
  rows: [
    {
      title: 'Is anything lost',
      panels: [
        number({
          title: 'Bridges up', description: 'Bridges that Prometheus can scrape, of those that it knows.', width: 4, unit: 'count', steps: ['red', [1, 'green']],
          queries: [{ expr: `sum(${UP})`, legend: 'up' }, { expr: `count(${UP})`, legend: 'known' }],
        }),
        counted('Spans rejected', 'spanbridge_spans_rejected_total', 'Spans that could not be read, within the time range.'),
        counted('Pushes refused', 'spanbridge_requests_refused_total', 'Pushes answered with an error, within the time range.'),
        counted('Requests evicted', 'spanbridge_open_requests_evicted_total', 'Requests settled early to make room for newer ones, within the time range: the bridge is too small for the traffic.'),
        counted('Series overflowed', 'spanbridge_series_overflow_total', 'Counts that went to __overflow__ because a metric or a tenant had no room, within the time range.'),
        counted('Calls without a price', 'agent_unpriced_calls_total', 'Model calls whose cost is unknown, within the time range.'),
      ],
    },
    {
      title: 'What comes in',
      panels: [
        lines({
          title: 'Spans', description: 'Spans a second: accepted, and of these late (their request was settled already) and delivered twice. Requests forgotten before the end of the late window: a late span of theirs opens them again.', width: 12, unit: 'events',
          queries: [...['accepted', 'late', 'duplicate'].map((kind) => ({ legend: kind, expr: rate(`spanbridge_spans_${kind}_total`) })), { legend: 'requests forgotten', expr: rate('spanbridge_requests_forgotten_total') }],
        }),
        lines({
          title: 'Turned away', description: 'Spans and log records rejected, and pushes refused, a second, by reason. The sender was told; ask it.', width: 12, unit: 'events',
          queries: [
            { legend: 'span: {{reason}}', expr: rate('spanbridge_spans_rejected_total', ['reason']) },
            { legend: 'log record: {{reason}}', expr: rate('spanbridge_log_records_rejected_total', ['reason']) },
            { legend: 'push: {{reason}}', expr: rate('spanbridge_requests_refused_total', ['reason']) },
          ],
        }),
        lines({
          title: 'Spans by bridge', description: 'How evenly the spans are spread over the bridges.', width: 12, unit: 'events', stacked: true,
          queries: [{ legend: '{{instance}}', expr: rate('spanbridge_spans_accepted_total', ['instance']) }],
        }),
        lines({
          title: 'Log records and pages', description: 'Evaluation results taken as log records, and notifications received from Alertmanager, a second.', width: 12, unit: 'events',
          queries: [{ legend: 'log records', expr: rate('spanbridge_log_records_accepted_total') }, { legend: 'notifications', expr: rate('spanbridge_pages_received_total') }],
        }),
      ],
    },
    {
      title: 'How long it takes',
      panels: [
        lines({
          title: 'Pipeline latency', description: 'From a push received to its spans counted, with the limits of its objectives.', width: 12, height: 10, unit: 'seconds',
          queries: [
            { legend: 'P95', expr: quantile(0.95, LATENCY) }, { legend: 'P99', expr: quantile(0.99, LATENCY) },
            limitOf('pipeline_latency_p95'), limitOf('pipeline_latency_p99'),
          ],
          overrides: [LIMIT],
        }),
        heatmap({ title: 'Pipeline latency, all pushes', description: 'How many pushes a second took how long.', width: 12, unit: 'seconds', query: { expr: rate(`${LATENCY}_bucket`, ['le']) } }),
        lines({
          title: 'Share within the limit', description: 'Share of the pushes of the last hour that were counted within the limit of each objective.', width: 12, unit: 'ratio', max: 1, low: true,
          queries: [{ legend: '{{objective}}', expr: `1 - max by (objective) (${recordedOf([], 'tenant_agent:objective_bad:ratio_rate1h', 'objective=~"pipeline_latency_.*"')})` }],
        }),
        lines({
          title: 'Open requests', description: 'Agent requests that wait for more spans, by bridge.', width: 12, unit: 'count',
          queries: [{ legend: '{{instance}}', expr: `sum by (instance) (${scraped('spanbridge_open_requests')})` }],
        }),
      ],
    },
    {
      title: 'What it holds',
      panels: [
        lines({
          title: 'Series', description: 'Series held, by metric. A steep rise is a label with too many values.', width: 12, unit: 'count', stacked: true,
          queries: [{ legend: '{{metric}}', expr: `sum by (metric) (${scraped('spanbridge_series')})` }],
        }),
        lines({
          title: 'Overflow and loss', description: 'What found no room or was no number, a second: series by metric, strings, exemplars, spans of a request that had too many, prompts and answers, tenants in the tally of outcomes, invalid values; and series freed because nothing touched them.', width: 12, unit: 'events',
          queries: [
            { legend: 'series of {{metric}}', expr: `topk(5, ${rate('spanbridge_series_overflow_total', ['metric'])})` },
            { legend: 'strings', expr: rate('spanbridge_strings_overflow_total') },
            { legend: 'exemplars', expr: rate('spanbridge_exemplars_dropped_total') },
            { legend: 'spans of crowded requests', expr: rate('spanbridge_spans_crowded_total') },
            { legend: 'content past the limit of {{limit}}', expr: rate('spanbridge_content_dropped_total', ['limit']) },
            { legend: 'tenants in the tally', expr: rate('spanbridge_log_tally_overflow_total') },
            { legend: 'invalid values', expr: rate('spanbridge_values_invalid_total') },
            { legend: 'series expired', expr: rate('spanbridge_series_expired_total') },
          ],
        }),
        lines({
          title: 'Strings and exemplars', description: 'Different strings (label values, span names, scopes) and exemplars held.', width: 8, unit: 'count',
          queries: [{ legend: 'strings', expr: `sum(${scraped('spanbridge_strings')})` }, { legend: 'exemplars', expr: `sum(${scraped('spanbridge_exemplars')})` }],
        }),
        lines({
          title: 'Content kept', description: 'Bytes of prompts, answers and results of open requests, kept for checks and the judge. 0 where nobody asks for them.', width: 8, unit: 'bytes',
          queries: [{ legend: 'kept', expr: `sum(${scraped('spanbridge_content_bytes')})` }],
        }),
        lines({
          title: 'Calls without a price', description: 'Model calls a second whose cost is unknown, by model and reason. Give no_price models a price in the configuration.', width: 8, unit: 'events', none: 'every call has one',
          queries: [{ legend: '{{name}} {{reason}}', expr: `topk(10, ${rate('agent_unpriced_calls_total', ['name', 'reason'])})` }],
        }),
      ],
    },
    {
      title: 'What it tells Loki',
      panels: [
        lines({
          title: 'Log lines', description: 'Lines about unhealthy requests a second: stored, and never stored by reason. Of rate_limit the next line of the same kind tells how many.', width: 8, unit: 'events',
          queries: [{ legend: 'stored', expr: rate('spanbridge_log_lines_total') }, { legend: 'dropped: {{reason}}', expr: rate('spanbridge_log_lines_dropped_total', ['reason']) }],
        }),
        lines({
          title: 'Log pushes that failed', description: 'Pushes a second that Loki did not take, by its answer or by what kept one from coming.', width: 8, unit: 'events',
          queries: [{ legend: '{{error}}', expr: rate('spanbridge_log_push_errors_total', ['error']) }],
        }),
        lines({
          title: 'Log queue', description: 'Bytes of the lines that wait for Loki, and how many they are. Past its limit the oldest go.', width: 8, unit: 'bytes',
          queries: [{ legend: 'bytes', expr: `sum(${scraped('spanbridge_log_queue_bytes')})` }, { legend: 'lines', expr: `sum(${scraped('spanbridge_log_queue_lines')})` }],
          overrides: [{ of: 'lines', properties: [{ id: 'unit', value: 'short' }, { id: 'custom.axisPlacement', value: 'right' }] }],
        }),
      ],
    },
    {
      title: 'The process',
      panels: [
        lines({
          title: 'CPU', description: 'Cores in use, by bridge. One process uses at most about one.', width: 8, unit: 'ratio',
          queries: [{ legend: '{{instance}}', expr: `sum by (instance) (${ofBridges(`rate(${scraped('process_cpu_seconds_total')}[$__rate_interval])`)})` }],
        }),
        lines({
          title: 'Memory', description: 'Resident memory, by bridge.', width: 8, unit: 'bytes',
          queries: [{ legend: '{{instance}}', expr: `sum by (instance) (${ofBridges(scraped('process_resident_memory_bytes'))})` }],
        }),
        lines({
          title: 'Event loop lag', description: 'P99 of the delay of the event loop, by bridge: above a second, pushes wait.', width: 8, unit: 'seconds',
          queries: [{ legend: '{{instance}}', expr: `max by (instance) (${ofBridges(scraped('nodejs_eventloop_lag_p99_seconds'))})` }],
        }),
        lines({
          title: 'Versions', description: 'Bridges by version; two at once during a rollout.', width: 12, unit: 'count', stacked: true,
          queries: [{ legend: '{{version}}', expr: `sum by (version) (${scraped('spanbridge_build_info')})` }],
        }),
        lines({
          title: 'Scrape duration', description: 'How long Prometheus takes to read /metrics, by bridge.', width: 12, unit: 'seconds',
          queries: [{ legend: '{{instance}}', expr: `max by (instance) (${ofBridges(scraped('scrape_duration_seconds'))})` }],
        }),
      ],
    },
  ],
})

