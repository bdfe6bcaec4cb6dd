/** Panels that stand on more than one dashboard. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { linkTo } from './panel.ts'
import { lines, type Override } from './panels.ts'
import { ratio, recorded, sum, total, totalBefore } from './query.ts'
import { type LabelColumn, table } from './table.ts'

const CAUSE: readonly LabelColumn[] = [
  { label: 'class', title: 'Class' }, { label: 'type', title: 'Type' }, { label: 'step', title: 'Step' }, { label: 'name', title: 'Name' },
]
export const WHOSE: readonly LabelColumn[] = [
  { label: 'tenant_id', title: 'Tenant', link: linkTo('tenant', 'Show this tenant', { tenant_id: '${__value.text:percentencode}' }) },
  { label: 'agent', title: 'Agent', link: linkTo('agent', 'Show this agent', { agent: '${__value.text:percentencode}' }) },
]

export function topCauses(width: number, whose: readonly LabelColumn[] = WHOSE): Builder<Panel> {
  const by = [...whose, ...CAUSE].map(({ label }) => label)
  const now = total('agent_root_causes_total', by)
  const before = totalBefore('agent_root_causes_total', by)
  return table({
    title: 'Top root causes', width, height: 9,
    description: 'What made requests fail within the time range. "Rise" compares with the range before it: 100 % is twice as many; empty is new.',
    labels: [...whose, ...CAUSE],
    values: [
      { title: 'Failed', unit: 'count', decimals: 0, width: 80, expr: `topk(20, ${now} > 0)` },
      { title: 'Share', unit: 'ratio', decimals: 1, width: 110, gauge: true, expr: `topk(20, ${now} > 0) / on () group_left () ${sum(now)}` },
      { title: 'Rise', unit: 'ratio', decimals: 0, width: 80, steps: ['green', [0.2, 'orange'], [1, 'red']], expr: `${ratio(`(topk(20, ${now} > 0) - ${before})`, before)}` },
    ],
    sortBy: 'Failed', none: 'nothing failed',
  })
}

/** Of all chosen agents at once, where their bands, each of its own size, could not be drawn into one graph. */
export function deviations(width: number, height: number): Builder<Panel> {
  const band = (part: string) => recorded(`agent:anomaly:${part}`)
  return lines({
    title: 'Distance from normal', width, height, unit: 'ratio', min: -2, max: 2, none: 'no band before a day of history',
    description: 'Where each signal of each agent is within its band of normal values: 0 % is the middle, ±100 % the edges, and past them it is an anomaly. The bands themselves are on the dashboard of the agent.',
    queries: [{
      legend: '{{agent}} {{signal}}',
      expr: `topk(15, clamp(2 * (${band('value')} - ${band('center')}) / (${band('upper')} - ${band('lower')} > 0), -2, 2))`,
    }],
    links: [linkTo('agent', 'Show this agent', { agent: '${__field.labels.agent:percentencode}' })],
  })
}

/** A signal with its band of normal values around it. */
export function band(signal: string, title: string, unit: 'perSecond' | 'ratio' | 'seconds' | 'usd' | 'count', description: string, width: number, height?: number): Builder<Panel> {
  const part = (name: string) => ({ expr: `max(${recorded(`agent:anomaly:${name}`, `signal="${signal}"`)})`, legend: name })
  const edge = (of: string, more: Override['properties']): Override => ({
    of, properties: [{ id: 'custom.lineWidth', value: 0 }, { id: 'color', value: { mode: 'fixed', fixedColor: 'blue' } }, { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } }, ...more],
  })
  return lines({
    title, description, width, ...(height === undefined ? {} : { height }), unit,
    queries: [part('value'), part('upper'), part('lower')],
    overrides: [
      { of: 'value', properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: 'orange' } }, { id: 'custom.fillOpacity', value: 0 }, { id: 'custom.lineWidth', value: 2 }] },
      edge('upper', [{ id: 'custom.fillBelowTo', value: 'lower' }, { id: 'custom.fillOpacity', value: 20 }]),
      edge('lower', [{ id: 'custom.fillOpacity', value: 0 }]),
    ],
  })
}
