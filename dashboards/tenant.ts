import { dashboard } from './dashboard.ts'
import { limitLine } from './objective.ts'
import { BUDGET, GOOD_HIGH, linkTo } from './panel.ts'
import { bars, LIMIT, lines, mapped, number } from './panels.ts'
import { mean, named, quantile, rate, recorded, share, total } from './query.ts'
import { OF_THE_ALLOWED, ofTheAllowed } from './scoreboard.ts'
import { topCauses, WHOSE } from './shared.ts'
import { table } from './table.ts'

const toAgent = linkTo('agent', 'Show this agent', { agent: '${__field.labels.agent:percentencode}' })
const byAgent = (expr: string) => ({ expr: named(expr, 'agent'), legend: '{{agent}}' })

export const tenant = dashboard({
  name: 'tenant', title: 'Tenant', description: 'One tenant, as its own people would ask: does it work, is it fast, is it good, what does it cost. Choose it above.',
  rows: [
    {
      title: '$tenant_id',
      panels: [
        number({ title: 'Requests', description: 'Requests within the time range.', width: 4, unit: 'count', queries: [{ expr: total('agent_requests_total') }] }),
        number({ title: 'Success', description: 'Share of the requests within the time range that ended well.', width: 4, unit: 'ratio', decimals: 2, steps: GOOD_HIGH, queries: [{ expr: share(total('agent_requests_total', [], 'outcome="success"'), total('agent_requests_total')) }] }),
        number({ title: 'Latency P95', description: '95 % of the requests within the time range were faster than this.', width: 4, unit: 'seconds', queries: [{ expr: quantile(0.95, 'agent_request_duration_seconds', [], 'total') }] }),
        number({ title: 'Quality', description: 'Mean of the scores within the time range.', width: 4, unit: 'ratio', decimals: 1, none: 'not scored', queries: [{ expr: mean('agent_quality_score', [], 'total') }] }),
        number({ title: 'Spent', description: 'Cost of the requests within the time range.', width: 4, unit: 'usd', decimals: 2, queries: [{ expr: total('agent_request_cost_usd_sum') }] }),
        number({ title: 'Cost of a request', description: 'Mean within the time range.', width: 4, unit: 'usd', queries: [{ expr: mean('agent_request_cost_usd', [], 'total') }] }),
      ],
    },
    {
      title: 'Objectives',
      panels: [
        table({
          title: 'Objectives', description: `Every objective of every agent: whether it is met now, how much there is of what the limit in force for this tenant allows, and what is left of the error budget of 30 days. ${OF_THE_ALLOWED}`, width: 24, height: 10,
          labels: [{ label: 'objective', title: 'Objective' }, ...WHOSE],
          values: [
            { title: 'Now', unit: 'count', width: 90, expr: `min by (objective, tenant_id, agent) (${recorded('tenant_agent:objective:met')})`, steps: ['red', [1, 'green']], mappings: mapped({ 0: { text: 'missed', color: 'red' }, 1: { text: 'met', color: 'green' } }) },
            { title: 'Of the allowed', unit: 'ratio', decimals: 0, expr: `max by (objective, tenant_id, agent) (${ofTheAllowed(recorded)})` },
            { title: 'Budget left', unit: 'ratio', decimals: 1, steps: BUDGET, expr: `min by (objective, tenant_id, agent) (${recorded('tenant_agent:objective:error_budget_remaining')})` },
          ],
          sortBy: 'Now', ascending: true,
        }),
        lines({ title: 'Error budget left', description: 'Of the budgets of 30 days, the ten that have the least. Below 0 more has failed than the objective allows.', width: 24, unit: 'ratio', min: -1, max: 1, low: true, queries: [{ expr: named(`bottomk(10, min by (objective, agent) (${recorded('tenant_agent:objective:error_budget_remaining')}))`, 'agent'), legend: '{{agent}} {{objective}}' }], links: [toAgent] }),
      ],
    },
    {
      title: 'Agents',
      panels: [
        lines({ title: 'Requests', description: 'Requests a second by agent.', width: 12, unit: 'perSecond', stacked: true, queries: [byAgent(`topk(10, ${rate('agent_requests_total', ['agent'])})`)], links: [toAgent] }),
        lines({ title: 'Failed requests', description: 'Share of requests that failed or never finished, by agent.', width: 12, unit: 'ratio', queries: [byAgent(`topk(10, 1 - ${share(rate('agent_requests_total', ['agent'], 'outcome="success"'), rate('agent_requests_total', ['agent']))})`)], links: [toAgent] }),
        lines({ title: 'Latency P95', description: 'By agent, with the strictest limit among them.', width: 12, unit: 'seconds', queries: [byAgent(`topk(10, ${quantile(0.95, 'agent_request_duration_seconds', ['agent'])})`), limitLine('latency_p95')], overrides: [LIMIT], links: [toAgent] }),
        lines({ title: 'Quality', description: 'Mean score by agent, with the highest limit among them.', width: 12, unit: 'ratio', max: 1, low: true, queries: [byAgent(`bottomk(10, ${mean('agent_quality_score', ['agent'])})`), limitLine('quality_score')], overrides: [LIMIT], links: [toAgent] }),
      ],
    },
    {
      title: 'Money and causes',
      panels: [
        lines({ title: 'Cost by agent', description: 'USD an hour.', width: 8, height: 9, unit: 'usd', stacked: true, queries: [byAgent(`topk(10, 3600 * ${rate('agent_request_cost_usd_sum', ['agent'])})`)], links: [toAgent] }),
        bars({ title: 'Cost by project', description: 'Within the time range.', width: 8, height: 9, unit: 'usd', color: 'purple', queries: [{ expr: named(`sort_desc(topk(12, ${total('agent_request_cost_usd_sum', ['project_id'])}))`, 'project_id'), legend: '{{project_id}}' }] }),
        bars({ title: 'Cost by model or tool', description: 'Within the time range.', width: 8, height: 9, unit: 'usd', color: 'purple', queries: [{ expr: named(`sort_desc(topk(12, ${total('agent_cost_usd_total', ['name'])} > 0))`, 'name'), legend: '{{name}}' }] }),
        topCauses(24, WHOSE.filter(({ label }) => label === 'agent')),
      ],
    },
  ],
})
