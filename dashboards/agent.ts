import { dashboard } from './dashboard.ts'
import { limitLine } from './objective.ts'
import { GOOD_HIGH } from './panel.ts'
import { bars, LIMIT, lines, number } from './panels.ts'
import { mean, named, ofRequest, quantile, rate, recorded, share, total } from './query.ts'
import { band, topCauses, WHOSE } from './shared.ts'
import { table } from './table.ts'

const STEP = 'agent_step_duration_seconds'
const BY_STEP = ['step', 'name'] as const
/** A sub-agent contains its own steps and would count them twice. */
const INNER = 'step!="agent"'
const requestsOf = (range: 'now' | 'total') => (range === 'now' ? rate : total)('agent_requests_total')

export const agent = dashboard({
  name: 'agent', title: 'Agent', description: 'One agent from inside: what its requests spend their time and money on, what fails in it, and whether it is like itself. Choose it above.',
  rows: [
    {
      title: '$agent',
      panels: [
        number({ title: 'Requests', description: 'Requests within the time range.', width: 4, unit: 'count', queries: [{ expr: total('agent_requests_total') }] }),
        number({ title: 'Success', description: 'Share of the requests within the time range that ended well.', width: 4, unit: 'ratio', decimals: 2, steps: GOOD_HIGH, queries: [{ expr: share(total('agent_requests_total', [], 'outcome="success"'), total('agent_requests_total')) }] }),
        number({ title: 'Latency P95', description: '95 % of the requests within the time range were faster than this.', width: 4, unit: 'seconds', queries: [{ expr: quantile(0.95, 'agent_request_duration_seconds', [], 'total') }] }),
        number({ title: 'Cost of a request', description: 'Mean within the time range.', width: 4, unit: 'usd', queries: [{ expr: mean('agent_request_cost_usd', [], 'total') }] }),
        number({ title: 'Steps of a request', description: 'Mean number of steps of a request, all kinds together.', width: 4, unit: 'count', decimals: 1, queries: [{ expr: `sum(${ofRequest('agent_steps_per_request_sum', ['step'], 'total')})` }] }),
        number({ title: 'Quality', description: 'Mean of the scores within the time range.', width: 4, unit: 'ratio', decimals: 1, none: 'not scored', queries: [{ expr: mean('agent_quality_score', [], 'total') }] }),
      ],
    },
    {
      title: 'What a request spends its time and money on',
      panels: [
        bars({ title: 'Time', description: 'Seconds of each step in a mean request of the time range. Steps that run side by side both count. Steps are known by agent, not by tenant.', width: 8, height: 10, unit: 'seconds', queries: [{ expr: `sort_desc(topk(12, ${ofRequest(`${STEP}_sum`, BY_STEP, 'total', INNER)}))`, legend: '{{step}} {{name}}' }] }),
        bars({ title: 'Money', description: 'USD of each step in a mean request of the time range.', width: 8, height: 10, unit: 'usd', color: 'purple', queries: [{ expr: `sort_desc(topk(12, ${total('agent_cost_usd_total', BY_STEP)} / on () group_left () (${requestsOf('total')} > 0) > 0))`, legend: '{{step}} {{name}}' }] }),
        bars({ title: 'Times', description: 'How often each step runs in a mean request of the time range.', width: 8, height: 10, unit: 'count', color: 'green', queries: [{ expr: `sort_desc(topk(12, ${ofRequest(`${STEP}_count`, BY_STEP, 'total')}))`, legend: '{{step}} {{name}}' }] }),
        lines({ title: 'Time of a request by step', description: 'Seconds of each step in a mean request.', width: 12, unit: 'seconds', stacked: true, queries: [{ expr: `topk(10, ${ofRequest(`${STEP}_sum`, BY_STEP, 'now', INNER)})`, legend: '{{step}} {{name}}' }] }),
        lines({ title: 'Cost of a request by step', description: 'USD of each step in a mean request.', width: 12, unit: 'usd', stacked: true, queries: [{ expr: `topk(10, ${rate('agent_cost_usd_total', BY_STEP)} / on () group_left () (${requestsOf('now')} > 0))`, legend: '{{step}} {{name}}' }] }),
        table({
          title: 'Steps', description: 'Every step of the time range. "Time" is its share of the time of all steps in the last minutes, as alerts on latency name it.', width: 24, height: 10,
          labels: [{ label: 'step', title: 'Step', width: 110 }, { label: 'name', title: 'Name' }],
          values: [
            { title: 'Times', unit: 'count', decimals: 0, expr: total(`${STEP}_count`, BY_STEP) },
            { title: 'Failed', unit: 'ratio', decimals: 1, steps: ['green', [0.005, 'orange'], [0.05, 'red']], expr: share(total(`${STEP}_count`, BY_STEP, 'outcome!="success"'), total(`${STEP}_count`, BY_STEP)) },
            { title: 'P50', unit: 'seconds', expr: quantile(0.5, STEP, BY_STEP, 'total') },
            { title: 'P95', unit: 'seconds', expr: quantile(0.95, STEP, BY_STEP, 'total') },
            { title: 'Cost', unit: 'usd', expr: total('agent_cost_usd_total', BY_STEP) },
            { title: 'Time', unit: 'ratio', width: 130, gauge: true, expr: `avg by (${BY_STEP.join(', ')}) (${recorded('agent_step:agent_step_duration_seconds:share')})` },
          ],
          sortBy: 'Times',
        }),
      ],
    },
    {
      title: 'How it does',
      panels: [
        lines({ title: 'Latency', description: 'Of its requests, with the limits in force. The dots are single requests: each leads to its trace.', width: 12, unit: 'seconds', queries: [{ legend: 'P50', expr: quantile(0.5, 'agent_request_duration_seconds') }, { legend: 'P95', expr: quantile(0.95, 'agent_request_duration_seconds'), exemplars: true }, { legend: 'P99', expr: quantile(0.99, 'agent_request_duration_seconds') }, limitLine('latency_p95', 'P95'), limitLine('latency_p99', 'P99')], overrides: [LIMIT] }),
        lines({ title: 'Latency P95 of steps', description: 'Of the ten slowest. The dots are single steps: each leads to its trace.', width: 12, unit: 'seconds', queries: [{ legend: '{{step}} {{name}}', expr: `topk(10, ${quantile(0.95, STEP, BY_STEP, 'now', INNER)})`, exemplars: true }] }),
        topCauses(24, WHOSE.filter(({ label }) => label === 'tenant_id')),
        lines({ title: 'Errors of steps', description: 'Errors a second, those that a retry healed among them.', width: 8, unit: 'events', stacked: true, queries: [{ legend: '{{type}} {{step}} {{name}}', expr: `topk(10, ${rate('agent_errors_total', ['type', 'step', 'name'])})` }] }),
        lines({ title: 'Recoveries', description: 'Errors a second that were met by a retry, a fallback or a compression, and how that ended.', width: 8, unit: 'events', stacked: true, queries: [{ legend: '{{action}} {{result}}', expr: rate('agent_recoveries_total', ['action', 'result']) }] }),
        lines({ title: 'Steps of a request', description: 'Mean number of steps of each kind. A rise is an agent that goes in circles.', width: 8, unit: 'count', stacked: true, queries: [{ legend: '{{step}}', expr: ofRequest('agent_steps_per_request_sum', ['step'], 'now') }] }),
        lines({ title: 'Tokens by model', description: 'Input and output tokens a second; the parts of them that are cached, written to a cache or reasoning are not shown again.', width: 8, unit: 'count', stacked: true, queries: [{ legend: '{{name}} {{type}}', expr: `topk(10, ${rate('agent_tokens_total', ['name', 'type'], 'type=~"input|output"')})` }] }),
        lines({ title: 'Messages in the context', description: 'Of its model calls, with the limit past which to compress.', width: 8, unit: 'messages', queries: [...[0.5, 0.95].map((q) => ({ legend: `P${q * 100}`, expr: quantile(q, 'agent_context_messages') })), limitLine('context_messages')], overrides: [LIMIT] }),
        lines({ title: 'Requests by tenant', description: 'Requests a second of the ten busiest tenants.', width: 8, unit: 'perSecond', stacked: true, queries: [{ legend: '{{tenant_id}}', expr: named(`topk(10, ${rate('agent_requests_total', ['tenant_id'])})`, 'tenant_id') }] }),
      ],
    },
    {
      title: 'Is it like itself',
      panels: [
        band('requests', 'Requests', 'perSecond', 'Requests a second within the band of what is normal for this agent at this time. Outside of it an anomaly is reported. Of several agents the widest is drawn.', 8),
        band('errors', 'Errors', 'ratio', 'Share of failed requests within the band of what is normal.', 8),
        band('latency', 'Latency', 'seconds', 'Latency of requests within the band of what is normal.', 8),
        band('cost', 'Cost of a request', 'usd', 'Cost of a request within the band of what is normal.', 8),
        band('tokens', 'Tokens of a request', 'count', 'Tokens of a request within the band of what is normal.', 8),
        band('quality', 'Quality', 'ratio', 'Mean score within the band of what is normal.', 8),
      ],
    },
  ],
})

