import { alerts } from './annotations.ts'
import { deviations, topCauses } from './shared.ts'
import { dashboard } from './dashboard.ts'
import { ANY_IS_BAD, linkTo, GOOD_HIGH } from './panel.ts'
import { lines, mapped, number } from './panels.ts'
import { mean, named, quantile, rate, share, total } from './query.ts'
import { metOverTime, missed, scoreboard } from './scoreboard.ts'
import { table } from './table.ts'

const ERRORS = 'outcome!="success"'

export const overview = dashboard({
  name: 'overview', title: 'Overview',
  description: 'Are the agents well, and if not, where to look: every objective with its value, limit and error budget, what fires, and the causes.',
  rows: [
    {
      title: 'Now',
      panels: [
        number({
          title: 'Critical alerts', description: 'Alerts that page a person, firing now.', width: 3, height: 5, unit: 'count', steps: ANY_IS_BAD,
          queries: [{ expr: `count(${alerts('critical')}) or vector(0)` }],
        }),
        number({
          title: 'Warnings', description: 'Alerts that open a ticket, firing now.', width: 3, height: 5, unit: 'count', steps: ['green', [1e-9, 'orange']],
          queries: [{ expr: `count(${alerts('warning')}) or vector(0)` }],
        }),
        number({
          title: 'Requests', description: 'Agent requests settled, a second.', width: 4, unit: 'perSecond', trend: true,
          queries: [{ expr: rate('agent_requests_total') }], links: [linkTo('requests', 'Requests', {})],
        }),
        number({
          title: 'Success', description: 'Share of requests that ended well.', width: 4, unit: 'ratio', decimals: 2, trend: true, steps: GOOD_HIGH,
          queries: [{ expr: share(rate('agent_requests_total', [], 'outcome="success"'), rate('agent_requests_total')) }], links: [linkTo('errors', 'Errors and root causes', {})],
        }),
        number({
          title: 'Latency P95', description: '95 % of the requests are faster than this.', width: 3, unit: 'seconds', trend: true,
          queries: [{ expr: quantile(0.95, 'agent_request_duration_seconds') }], links: [linkTo('requests', 'Requests', {})],
        }),
        number({
          title: 'Spent', description: 'Cost of the requests within the time range.', width: 3, height: 5, unit: 'usd', decimals: 2,
          queries: [{ expr: total('agent_request_cost_usd_sum') }], links: [linkTo('cost', 'Cost', {})],
        }),
        number({
          title: 'Quality', description: 'Mean of all quality scores, from 0 to 1.', width: 4, unit: 'ratio', decimals: 1, trend: true, none: 'not scored',
          queries: [{ expr: mean('agent_quality_score') }], links: [linkTo('quality', 'Quality', {})],
        }),
      ],
    },
    { title: 'Objectives', panels: scoreboard() },
    { title: 'Where', panels: [metOverTime(), missed()] },
    {
      title: 'Why',
      panels: [
        topCauses(24),
        table({
          title: 'Alerts firing', description: 'What fires now, and for whom. The page of an alert names its root cause.', width: 12, height: 9,
          labels: [
            { label: 'alertname', title: 'Alert', width: 230 },
            { label: 'tenant_id', title: 'Tenant', link: linkTo('tenant', 'Show this tenant', { tenant_id: '${__value.text:percentencode}' }) },
            { label: 'agent', title: 'Agent', link: linkTo('agent', 'Show this agent', { agent: '${__value.text:percentencode}' }) },
          ],
          // By number: in the alphabet a warning comes after what is for information.
          values: [{
            title: 'Severity', unit: 'count', width: 100, steps: ['blue', [2, 'orange'], [3, 'red']],
            expr: `max by (alertname, tenant_id, agent) (3 * ${alerts('critical')} or 2 * ${alerts('warning')} or ${alerts('info', 'alertname!="Watchdog"')})`,
            mappings: mapped({ 3: { text: 'critical', color: 'red' }, 2: { text: 'warning', color: 'orange' }, 1: { text: 'info', color: 'blue' } }),
          }],
          sortBy: 'Severity', none: 'nothing fires',
        }),
        deviations(12, 9),
        lines({
          title: 'Requests by tenant', description: 'Requests a second of the ten busiest tenants.', width: 12, height: 9, unit: 'perSecond', stacked: true,
          queries: [{ expr: named(`topk(10, ${rate('agent_requests_total', ['tenant_id'])})`, 'tenant_id'), legend: '{{tenant_id}}' }],
          links: [linkTo('tenant', 'Show this tenant', { tenant_id: '${__field.labels.tenant_id:percentencode}' })],
        }),
        lines({
          title: 'Failed requests by agent', description: 'Requests a second that failed or never finished, of the ten agents with the most.', width: 12, height: 9, unit: 'perSecond',
          queries: [{ expr: named(`topk(10, ${rate('agent_requests_total', ['agent'], ERRORS)})`, 'agent'), legend: '{{agent}}' }],
          links: [linkTo('agent', 'Show this agent', { agent: '${__field.labels.agent:percentencode}' })],
        }),
      ],
    },
  ],
})
