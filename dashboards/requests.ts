import { deviations } from './shared.ts'
import { dashboard } from './dashboard.ts'
import { limitLine } from './objective.ts'
import { GOOD_HIGH, linkTo } from './panel.ts'
import { heatmap, LIMIT, lines, number } from './panels.ts'
import { mean, named, ofRequest, quantile, rate, recorded, share, total } from './query.ts'
import { table } from './table.ts'

const DURATION = 'agent_request_duration_seconds'
const SUCCESS = 'outcome="success"'
const toAgent = linkTo('agent', 'Show this agent', { agent: '${__field.labels.agent:percentencode}' })

export const requests = dashboard({
  name: 'requests', title: 'Requests', description: 'How many requests, how they end and how long they take.',
  rows: [
    {
      title: 'In the time range',
      panels: [
        number({ title: 'Requests', description: 'Requests settled within the time range.', width: 4, unit: 'count', queries: [{ expr: total('agent_requests_total') }] }),
        number({
          title: 'Success', description: 'Share of the requests of the time range that ended well.', width: 4, unit: 'ratio', decimals: 2, steps: GOOD_HIGH,
          queries: [{ expr: share(total('agent_requests_total', [], SUCCESS), total('agent_requests_total')) }],
        }),
        number({
          title: 'Unfinished', description: 'Share of the requests of the time range whose root span never came.', width: 4, unit: 'ratio', decimals: 2, steps: ['green', [0.001, 'orange'], [0.01, 'red']],
          queries: [{ expr: share(total('agent_requests_total', [], 'outcome="unfinished"'), total('agent_requests_total')) }],
        }),
        ...([0.5, 0.95, 0.99] as const).map((q) => number({
          title: `Latency P${q * 100}`, description: `${q * 100} % of the requests of the time range were faster than this.`, width: 4, unit: 'seconds',
          queries: [{ expr: quantile(q, DURATION, [], 'total') }],
        })),
      ],
    },
    {
      title: 'How many, and how they end',
      panels: [
        lines({
          title: 'Throughput by outcome', description: 'Requests a second by outcome: success, error, or unfinished (the root span never came).', width: 12, unit: 'perSecond', stacked: true,
          queries: [{ expr: rate('agent_requests_total', ['outcome']), legend: '{{outcome}}' }],
          overrides: [colored('success', 'green'), colored('error', 'red'), colored('unfinished', 'orange')],
        }),
        lines({
          title: 'Throughput by agent', description: 'Requests a second of the ten busiest agents.', width: 12, unit: 'perSecond', stacked: true,
          queries: [{ expr: named(`topk(10, ${rate('agent_requests_total', ['agent'])})`, 'agent'), legend: '{{agent}}' }], links: [toAgent],
        }),
        lines({
          title: 'Success rate', description: 'Share of requests that ended well, of the ten agents with the lowest, and the strictest limit among them.', width: 12, unit: 'ratio', max: 1, low: true,
          queries: [
            { expr: named(`bottomk(10, ${share(rate('agent_requests_total', ['agent'], SUCCESS), rate('agent_requests_total', ['agent']))})`, 'agent'), legend: '{{agent}}' },
            limitLine('success_rate'),
          ],
          overrides: [LIMIT], links: [toAgent],
        }),
        deviations(12, 8),
      ],
    },
    {
      title: 'How long they take',
      panels: [
        heatmap({ title: 'Latency', description: 'How many requests a second took how long. The dots are single requests: each leads to its trace.', width: 12, height: 12, unit: 'seconds', query: { expr: rate(`${DURATION}_bucket`, ['le']), exemplars: true } }),
        lines({
          title: 'Latency percentiles', description: 'Of all chosen requests, with the strictest limits among them. The dots are single requests: each leads to its trace.', width: 12, height: 12, unit: 'seconds',
          queries: [
            { legend: 'P50', expr: quantile(0.5, DURATION) }, { legend: 'P95', expr: quantile(0.95, DURATION), exemplars: true }, { legend: 'P99', expr: quantile(0.99, DURATION) },
            limitLine('latency_p95', 'P95'), limitLine('latency_p99', 'P99'),
          ],
          overrides: [LIMIT],
        }),
        lines({
          title: 'Share faster than the limit', description: 'The same objective the other way round: the share of the requests of the last hour that were faster than the limit of their tenant and agent. P95 is kept while it is above 95 %, P99 above 99 %.', width: 12, unit: 'ratio', max: 1, low: true,
          queries: ['latency_p95', 'latency_p99'].map((objective) => ({ legend: objective, expr: `1 - avg(${recorded('tenant_agent:objective_bad:ratio_rate1h', `objective="${objective}"`)})` })),
        }),
        lines({
          title: 'Latency P95 by agent', description: 'Of the ten slowest agents.', width: 12, unit: 'seconds',
          queries: [{ expr: named(`topk(10, ${quantile(0.95, DURATION, ['agent'])})`, 'agent'), legend: '{{agent}}' }], links: [toAgent],
        }),
        lines({
          title: 'Time to the first token, P95', description: 'From the start of a streamed model call to its first token, by model.', width: 12, unit: 'seconds',
          queries: [{ expr: named(`topk(10, ${quantile(0.95, 'agent_time_to_first_token_seconds', ['name'])})`, 'name'), legend: '{{name}}' }],
        }),
        lines({
          title: 'Steps per request', description: 'Mean number of steps of a request, by kind. A rise is an agent that goes in circles.', width: 12, unit: 'count',
          queries: [{ expr: ofRequest('agent_steps_per_request_sum', ['step'], 'now'), legend: '{{step}}' }],
        }),
        table({
          title: 'Agents', description: 'Every agent within the time range, the busiest first.', width: 24, height: 10,
          labels: [
            { label: 'tenant_id', title: 'Tenant', link: linkTo('tenant', 'Show this tenant', { tenant_id: '${__value.text:percentencode}' }) },
            { label: 'agent', title: 'Agent', link: linkTo('agent', 'Show this agent', { agent: '${__value.text:percentencode}' }) },
          ],
          values: [
            { title: 'Requests', unit: 'count', expr: total('agent_requests_total', ['tenant_id', 'agent']) },
            { title: 'Success', unit: 'ratio', decimals: 2, steps: GOOD_HIGH, expr: share(total('agent_requests_total', ['tenant_id', 'agent'], SUCCESS), total('agent_requests_total', ['tenant_id', 'agent'])) },
            { title: 'P50', unit: 'seconds', expr: quantile(0.5, DURATION, ['tenant_id', 'agent'], 'total') },
            { title: 'P95', unit: 'seconds', expr: quantile(0.95, DURATION, ['tenant_id', 'agent'], 'total') },
            { title: 'P99', unit: 'seconds', expr: quantile(0.99, DURATION, ['tenant_id', 'agent'], 'total') },
            { title: 'Cost of one', unit: 'usd', expr: mean('agent_request_cost_usd', ['tenant_id', 'agent'], 'total') },
          ],
          sortBy: 'Requests',
        }),
      ],
    },
  ],
})

function colored(of: string, color: string) {
  return { of, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }] }
}
