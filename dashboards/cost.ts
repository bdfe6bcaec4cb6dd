import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboard } from './dashboard.ts'
import { limitLine, ofObjective } from './objective.ts'
import { linkTo, type Query, type Steps } from './panel.ts'
import { bars, heatmap, LIMIT, lines, number } from './panels.ts'
import { among, mean, named, quantile, rate, recorded, scraped, share, sum, total } from './query.ts'
import { table } from './table.ts'

const REQUEST = 'agent_request_cost_usd'
const GROWTH: Steps = ['text', [-1, 'green'], [0.1, 'orange'], [0.5, 'red']]
const AVOIDABLE = total('agent_avoidable_cost_usd_total', ['agent', 'reason'])
const OWNER = ['tenant_id', 'agent'] as const
const LAST_MONTH = sum(recorded('tenant_agent:agent_cost_usd:increase30d'), OWNER)
const HOURLY = sum(recorded('tenant_agent:agent_cost_usd:increase1h'))
/** Of the panels that are about this month, whatever is chosen. */
const THIS_MONTH = 'now/M'
// Of what a rule has recorded: a month of every cost series would be more samples than Prometheus reads for one query. It is the cost of the hour
// before, looked at six times an hour, so that the first hour of a month or of a bridge is seen at all.
const SPENT = `sum_over_time(${HOURLY}[$__range:10m]) / 6`
const SECONDS_LEFT = '(days_in_month() * 86400 - (day_of_month() - 1) * 86400 - time() % 86400)'

const perHour = (title: string, what: string, label: string, width: number, dashboard?: string): Builder<Panel> => lines({
  title, description: `USD an hour, of the ten dearest ${what}.`, width, unit: 'usd', stacked: true,
  queries: [{ expr: named(`topk(10, 3600 * ${rate(label === 'name' ? 'agent_cost_usd_total' : `${REQUEST}_sum`, [label])})`, label), legend: `{{${label}}}` }],
  ...(dashboard === undefined ? {} : { links: [linkTo(dashboard, `Show this ${dashboard}`, { [label]: `\${__field.labels.${label}:percentencode}` })] }),
})

const dearest = (title: string, description: string, queries: readonly Query[]): Builder<Panel> => bars({ title, description, width: 8, height: 9, unit: 'usd', queries, color: 'purple' })

export const cost = dashboard({
  name: 'cost', title: 'Cost', description: 'Who spends what on which model, how it grows, and what could be saved.', from: 'now-24h',
  rows: [
    {
      title: 'In all',
      panels: [
        number({ title: 'Spent', description: 'Cost of the requests within the time range.', width: 4, unit: 'usd', decimals: 2, queries: [{ expr: total(`${REQUEST}_sum`) }] }),
        number({ title: 'Cost of a request', description: 'Mean cost of a request within the time range.', width: 4, unit: 'usd', queries: [{ expr: mean(REQUEST, [], 'total') }] }),
        number({ title: 'Spent this month', description: 'Cost of this calendar month so far, a few minutes behind.', width: 4, unit: 'usd', decimals: 2, since: THIS_MONTH, none: 'none yet', queries: [{ expr: SPENT }] }),
        number({
          title: 'Forecast for this month', description: 'What this month has cost so far, and for what is left of it (in UTC) the mean of the last seven days.', width: 4, unit: 'usd', decimals: 2, since: THIS_MONTH, none: 'none yet',
          queries: [{ expr: `${SPENT} + avg_over_time(${HOURLY}[7d:10m]) / 3600 * on () ${SECONDS_LEFT}` }],
        }),
        number({
          title: 'Growth, month over month', description: 'Cost of the last 30 days against that of the 30 days before, of the tenant and agent that grows most.', width: 4, unit: 'ratio', decimals: 0, steps: GROWTH, none: 'none yet',
          queries: [{ expr: `max(${ofObjective('cost_growth', 'value')})` }],
        }),
        number({
          title: 'Could be saved', description: 'Optimisation space: avoidable cost by actual cost within the time range. Above 10 % savings are waiting.', width: 4, unit: 'ratio', decimals: 1, steps: ['green', [0.1, 'orange']],
          queries: [{ expr: share(total('agent_avoidable_cost_usd_total'), total(`${REQUEST}_sum`)) }],
        }),
      ],
    },
    {
      title: 'Who and what',
      panels: [
        perHour('By tenant', 'tenants', 'tenant_id', 12, 'tenant'), perHour('By project', 'projects', 'project_id', 12),
        perHour('By agent', 'agents', 'agent', 12, 'agent'), perHour('By model or tool', 'models and tools', 'name', 12),
        dearest('Dearest kinds of step', 'Cost within the time range by kind of step.', [{ expr: `sort_desc(${total('agent_cost_usd_total', ['step'])})`, legend: '{{step}}' }]),
        dearest('Dearest models and tools', 'Cost within the time range of the ten dearest.', [{ expr: named(`sort_desc(topk(10, ${total('agent_cost_usd_total', ['name'])} > 0))`, 'name'), legend: '{{name}}' }]),
        dearest('How the cost is known', 'reported: by the provider. tokens: times the price of the model. latency: times a price per second. shared: known for the whole request only.', [
          { expr: `sort_desc(${total('agent_cost_usd_total', ['basis'])})`, legend: '{{basis}}' },
        ]),
      ],
    },
    {
      title: 'A request',
      panels: [
        lines({
          title: 'Cost of a request', description: 'Mean cost of a request of the ten dearest agents, and the strictest limit among them.', width: 12, height: 10, unit: 'usd',
          queries: [
            { expr: named(`topk(10, ${mean(REQUEST, ['agent'])})`, 'agent'), legend: '{{agent}}' },
            limitLine('cost_per_request'),
          ],
          overrides: [LIMIT], links: [linkTo('agent', 'Show this agent', { agent: '${__field.labels.agent:percentencode}' })],
        }),
        heatmap({ title: 'Cost of requests', description: 'How many requests a second cost how much. The dots are single requests: each leads to its trace.', width: 12, unit: 'usd', query: { expr: rate(`${REQUEST}_bucket`, ['le']), exemplars: true } }),
        lines({
          title: 'Cost percentiles', description: 'Of all chosen requests. A P99 far above the P50 is a few requests that cost most of the money.', width: 12, unit: 'usd',
          queries: [0.5, 0.95, 0.99].map((q) => ({ legend: `P${q * 100}`, expr: quantile(q, REQUEST), exemplars: q === 0.99 })),
        }),
        lines({
          title: 'Tokens', description: 'Tokens a second by type. cached_input and cache_write are parts of input, reasoning is a part of output.', width: 12, unit: 'count',
          queries: [{ expr: rate('agent_tokens_total', ['type']), legend: '{{type}}' }],
        }),
      ],
    },
    {
      title: 'What could be saved',
      panels: [
        dearest('Avoidable cost by reason', 'The part of the cost within the time range that need not have been.', [{ expr: `sort_desc(${total('agent_avoidable_cost_usd_total', ['reason'])} > 0)`, legend: '{{reason}}' }]),
        lines({
          title: 'Optimisation space', description: 'Avoidable cost by actual cost, by reason, and the limit past which the owner is told.', width: 16, height: 9, unit: 'ratio', stacked: false,
          queries: [
            { expr: `${rate('agent_avoidable_cost_usd_total', ['reason'])} / on () group_left () (${rate(`${REQUEST}_sum`)} > 0)`, legend: '{{reason}}' },
            limitLine('cost_optimisation'),
          ],
          overrides: [LIMIT],
        }),
        table({
          title: 'Savings', description: 'Avoidable cost within the time range by agent and reason, and what part it is of the cost of the agent. Reasons never count a dollar twice.', width: 24, height: 8,
          labels: [
            { label: 'agent', title: 'Agent', link: linkTo('agent', 'Show this agent', { agent: '${__value.text:percentencode}' }) },
            { label: 'reason', title: 'Reason' },
          ],
          values: [
            { title: 'Could be saved', unit: 'usd', decimals: 4, expr: `${AVOIDABLE} > 0` },
            { title: 'Of its cost', unit: 'ratio', decimals: 1, steps: ['green', [0.1, 'orange']], expr: `(${AVOIDABLE} > 0) / on (agent) group_left () ${total(`${REQUEST}_sum`, ['agent'])}` },
          ],
          sortBy: 'Could be saved', none: 'nothing',
        }),
        table({
          title: 'Growth', description: 'Cost of the last 30 days by tenant and agent, its growth over the 30 days before, and what could be saved.', width: 16, height: 9,
          labels: [
            { label: 'tenant_id', title: 'Tenant', link: linkTo('tenant', 'Show this tenant', { tenant_id: '${__value.text:percentencode}' }) },
            { label: 'agent', title: 'Agent', link: linkTo('agent', 'Show this agent', { agent: '${__value.text:percentencode}' }) },
          ],
          values: [
            { title: 'Last 30 days', unit: 'usd', decimals: 2, expr: LAST_MONTH },
            { title: 'Growth', unit: 'ratio', decimals: 0, steps: GROWTH, expr: among(LAST_MONTH, OWNER, `max by (tenant_id, agent) (${ofObjective('cost_growth', 'value')})`) },
            { title: 'Could be saved', unit: 'ratio', decimals: 1, steps: ['green', [0.1, 'orange']], expr: among(LAST_MONTH, OWNER, `max by (tenant_id, agent) (${ofObjective('cost_optimisation', 'value')})`) },
          ],
          sortBy: 'Last 30 days', none: 'an hour has to pass first',
        }),
        bars({
          title: 'Calls without a price', description: 'Model calls within the time range whose cost is unknown and in none of these numbers, by model and reason.', width: 8, height: 9, unit: 'count', decimals: 0, steps: ['text', [0, 'red']], none: 'none',
          queries: [{ expr: `sort_desc(topk(12, sum by (name, reason) (increase(${scraped('agent_unpriced_calls_total')}[$__range])) > 0))`, legend: '{{name}} {{reason}}' }],
        }),
      ],
    },
  ],
})
