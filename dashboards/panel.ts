/** What every panel has, whatever it shows. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import { type DashboardLinkBuilder, DashboardLinkBuilder as Link, type Panel, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PROMETHEUS } from './variables.ts'

export interface PanelSpec {
  readonly title: string
  /** What is seen, and what to think of it. */
  readonly description: string
  /** Of a row of 24. */
  readonly width: number
  /** In units of about 38 pixels. */
  readonly height?: number
}

export interface Query {
  readonly expr: string
  /** `{{label}}` is the value of a label. */
  readonly legend?: string
  /** Whether its points lead to traces. */
  readonly exemplars?: boolean
}

/** The units in use, by what they are of. Grafana's names. */
export const UNIT = {
  seconds: 's', ratio: 'percentunit', usd: 'currencyUSD', count: 'short', whole: 'locale', perSecond: 'reqps', events: 'cps', messages: 'none', bytes: 'bytes', text: 'string',
} as const
export type Unit = keyof typeof UNIT

/** From the lowest value on: a color, then at each further value another. */
export type Steps = readonly [first: string, ...rest: (readonly [number, string])[]]
// The first color is also that of "nothing to show": where low is bad, red begins at a value.
export const GOOD_HIGH: Steps = ['text', [0, 'red'], [0.9, 'orange'], [0.99, 'green']]
export const ANY_IS_BAD: Steps = ['green', [1e-9, 'red']]
/** Of an error budget. */
export const BUDGET: Steps = ['text', [-1e9, 'red'], [1e-9, 'orange'], [0.25, 'green']]

interface AnyPanelBuilder<B> extends Builder<Panel> {
  title(title: string): B
  description(text: string): B
  datasource(ref: DataSourceRef): B
  span(width: number): B
  height(height: number): B
}

export function common<B extends AnyPanelBuilder<B>>(builder: B, { title, description, width, height = 8 }: PanelSpec, source: DataSourceRef = PROMETHEUS): B {
  return builder.title(title).description(description).datasource(source).span(width).height(height)
}

const REF_IDS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** `A`, `B`, …, as Grafana's editor names them. */
export function targets(queries: readonly Query[], shape: 'range' | 'instant' | 'table' | 'heatmap'): Builder<Dataquery>[] {
  return queries.map(({ expr, legend = '', exemplars = false }, index) => {
    const query = new DataqueryBuilder().refId(REF_IDS[index]!).datasource(PROMETHEUS).expr(expr).legendFormat(legend === '' ? '__auto' : legend).exemplar(exemplars)
    const format = { range: PromQueryFormat.TimeSeries, instant: PromQueryFormat.TimeSeries, table: PromQueryFormat.Table, heatmap: PromQueryFormat.Heatmap }[shape]
    return (shape === 'range' || shape === 'heatmap' ? query.range() : query.instant()).format(format)
  })
}

export function thresholds([first, ...rest]: Steps): ThresholdsConfigBuilder {
  // The lowest step begins at nothing at all, which Grafana writes null.
  const steps = [{ value: null, color: first }, ...rest.map(([value, color]) => ({ value, color }))]
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}

/** A link from a value to another dashboard, with the time and all variables but those in `set`. */
export function linkTo(dashboard: string, title: string, set: Readonly<Record<string, string>>): DashboardLinkBuilder {
  const chosen = ['prometheus_datasource', 'loki_datasource', 'cluster', 'job', 'instance', 'tenant_id', 'project_id', 'agent'].filter((name) => !(name in set))
  const parts = ['${__url_time_range}', ...chosen.map((name) => `\${${name}:queryparam}`), ...Object.entries(set).map(([name, value]) => `var-${name}=${value}`)]
  return new Link(title).url(`/d/spanbridge-${dashboard}?${parts.join('&')}`)
}
