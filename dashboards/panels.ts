/** The kinds of panels, each with the settings that make it readable. */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge'
import {
  BarGaugeDisplayMode, BarGaugeNamePlacement, BarGaugeSizing, BarGaugeValueMode, BigValueColorMode, BigValueGraphMode, BigValueTextMode, GraphDrawStyle, HeatmapCellLayout, LegendDisplayMode, LegendPlacement,
  LogsSortOrder, ReduceDataOptionsBuilder, SortOrder, StackingConfigBuilder, StackingMode, TooltipDisplayMode, VisibilityMode, VizLegendOptionsBuilder, VizOrientation, VizTextDisplayOptionsBuilder, VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { type DashboardLinkBuilder, type DynamicConfigValue, FieldColorBuilder, FieldColorModeId, MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard'
import * as heatmaps from '@grafana/grafana-foundation-sdk/heatmap'
import * as logpanels from '@grafana/grafana-foundation-sdk/logs'
import { DataqueryBuilder as LokiQueryBuilder } from '@grafana/grafana-foundation-sdk/loki'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { common, type PanelSpec, type Query, type Steps, targets, thresholds, UNIT, type Unit } from './panel.ts'
import { LOKI } from './variables.ts'

export interface Override {
  /** A legend, or with slashes a regular expression over legends. */
  readonly of: string
  readonly properties: readonly DynamicConfigValue[]
}

interface Overridable<B> {
  overrideByName(name: string, properties: DynamicConfigValue[]): B
  overrideByRegexp(regexp: string, properties: DynamicConfigValue[]): B
}

function overridden<B extends Overridable<B>>(builder: B, overrides: readonly Override[]): B {
  return overrides.reduce((on, { of, properties }) => (of.startsWith('/') ? on.overrideByRegexp(of, [...properties]) : on.overrideByName(of, [...properties])), builder)
}

export interface LinesSpec extends PanelSpec {
  readonly unit: Unit
  readonly queries: readonly Query[]
  /** Areas upon each other: for parts of a whole. */
  readonly stacked?: boolean
  /** The lowest is what matters, and comes first in the legend. Without it the highest does: a fault that is over is still seen. */
  readonly low?: boolean
  /** null where values are below 0 too. */
  readonly min?: number | null
  readonly max?: number
  /** Shown where there is nothing to show. */
  readonly none?: string
  readonly overrides?: readonly Override[]
  readonly links?: readonly DashboardLinkBuilder[]
}

/** A limit in a graph: a dashed red line. */
export const LIMIT: Override = {
  of: '/^limit/',
  properties: [
    { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } },
    { id: 'color', value: { mode: 'fixed', fixedColor: 'red' } },
    { id: 'custom.fillOpacity', value: 0 },
  ],
}

export function lines({ unit, queries, stacked = false, low = false, min = 0, max, none, overrides = [], links = [], ...panel }: LinesSpec): timeseries.PanelBuilder {
  const builder = common(new timeseries.PanelBuilder(), panel)
    .targets(targets(queries, 'range')).unit(UNIT[unit])
    .drawStyle(GraphDrawStyle.Line).lineWidth(stacked ? 0 : 1).fillOpacity(stacked ? 50 : 5).showPoints(VisibilityMode.Never).dataLinks([...links])
    // A table, so that ten series with long names do not push the graph out of its panel; in a third of the screen they leave room for two numbers.
    .legend(new VizLegendOptionsBuilder().showLegend(true).displayMode(LegendDisplayMode.Table).placement(LegendPlacement.Bottom)
      .calcs([...(panel.width < 12 ? [] : ['mean']), low ? 'min' : 'max', 'lastNotNull']).sortBy(low ? 'Min' : 'Max').sortDesc(!low))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None).group('A'))
  if (min !== null) builder.min(min)
  if (max !== undefined) builder.max(max)
  if (none !== undefined) builder.noValue(none)
  return overridden(builder, overrides)
}

export interface NumberSpec extends PanelSpec {
  readonly unit: Unit
  readonly queries: readonly Query[]
  readonly decimals?: number
  readonly steps?: Steps
  /** The way to the number, small behind it; without it the query runs once, at the end of the time range. */
  readonly trend?: boolean
  /** The labels are the answer, and not the number. */
  readonly text?: boolean
  /** They are half of it. */
  readonly who?: boolean
  readonly overrides?: readonly Override[]
  readonly links?: readonly DashboardLinkBuilder[]
  /** Shown where there is nothing to show. */
  readonly none?: string
  /** Relative, in place of the time range of the dashboard. */
  readonly since?: string
}

export function number({ unit, queries, decimals, steps, trend = false, text = false, who = false, overrides = [], links = [], none, since, ...panel }: NumberSpec): stat.PanelBuilder {
  const builder = common(new stat.PanelBuilder(), { height: trend ? 5 : 4, ...panel })
    .targets(targets(queries, trend ? 'range' : 'instant')).unit(UNIT[unit]).dataLinks([...links])
    .graphMode(trend ? BigValueGraphMode.Area : BigValueGraphMode.None).colorMode(steps === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .textMode(text ? BigValueTextMode.Name : who || queries.length > 1 ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .orientation(VizOrientation.Auto)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .thresholds(thresholds(steps ?? ['text']))
  // Of its own accord Grafana makes each as large as fits, a row of numbers is then of all sizes, and a number lies over its trend.
  builder.text(new VizTextDisplayOptionsBuilder().titleSize(13).valueSize(queries.length > 1 ? 16 : text ? 20 : trend || who ? 26 : 34))
  if (decimals !== undefined) builder.decimals(decimals)
  if (none !== undefined) builder.noValue(none)
  if (since !== undefined) builder.timeFrom(since).hideTimeOverride(true)
  return overridden(builder, overrides)
}

export interface BarsSpec extends PanelSpec {
  readonly unit: Unit
  readonly queries: readonly Query[]
  readonly color?: string
  readonly max?: number
  readonly decimals?: number
  readonly steps?: Steps
  readonly links?: readonly DashboardLinkBuilder[]
  /** Shown where there is nothing to show. */
  readonly none?: string
}

/** A bar for each series, as they come: sorted by the query. */
export function bars({ unit, queries, color = 'blue', max, decimals, steps, links = [], none, ...panel }: BarsSpec): bargauge.PanelBuilder {
  const builder = common(new bargauge.PanelBuilder(), panel)
    .targets(targets(queries, 'instant')).unit(UNIT[unit]).min(0).dataLinks([...links])
    // Asked for, since a bar that is alone would have no name.
    .displayName('${__series.name}')
    .displayMode(BarGaugeDisplayMode.Basic).valueMode(BarGaugeValueMode.Text).namePlacement(BarGaugeNamePlacement.Left).orientation(VizOrientation.Horizontal).showUnfilled(false)
    .sizing(BarGaugeSizing.Manual).minVizHeight(16).maxVizHeight(32).text(new VizTextDisplayOptionsBuilder().titleSize(13).valueSize(15))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .thresholds(thresholds(steps ?? [color]))
    .colorScheme(steps === undefined ? new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(color) : new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
  if (max !== undefined) builder.max(max)
  if (decimals !== undefined) builder.decimals(decimals)
  if (none !== undefined) builder.noValue(none)
  return builder
}

export interface HeatmapSpec extends PanelSpec {
  /** Of the buckets. */
  readonly unit: Unit
  /** Of what is counted in them. */
  readonly cells?: Unit
  /** By `le`. */
  readonly query: Query
}

/** High enough for the names of its buckets. */
export function heatmap({ unit, cells = 'perSecond', query, ...panel }: HeatmapSpec): heatmaps.PanelBuilder {
  return common(new heatmaps.PanelBuilder(), { height: 10, ...panel })
    .targets(targets([{ legend: '{{le}}', ...query }], 'heatmap'))
    .calculate(false).rowsFrame(new heatmaps.RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .unit(UNIT[unit]).yAxis(new heatmaps.YAxisConfigBuilder().unit(UNIT[unit])).cellValues(new heatmaps.CellValuesBuilder().unit(UNIT[cells]))
    .color(new heatmaps.HeatmapColorOptionsBuilder().mode(heatmaps.HeatmapColorMode.Scheme).scheme('Oranges').steps(64).exponent(0.5).reverse(false).fill('dark-orange'))
    .tooltip(new heatmaps.HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true))
    .exemplarsColor('rgba(31, 120, 193, 0.8)').showLegend().cellGap(1).showValue(VisibilityMode.Never)
    .filterValues(new heatmaps.FilterValueRangeBuilder().le(1e-9))
}

export interface StatesSpec extends PanelSpec {
  readonly query: Query
  /** What the values mean. */
  readonly states: Readonly<Record<string, { readonly text: string; readonly color: string }>>
}

/** Which of a few states each thing was in, over time. */
export function states({ query, states: meanings, ...panel }: StatesSpec): statetimeline.PanelBuilder {
  return common(new statetimeline.PanelBuilder(), panel)
    .targets(targets([query], 'range')).unit(UNIT.count).mappings(mapped(meanings))
    .mergeValues(true).rowHeight(0.8).fillOpacity(75).lineWidth(0).showValue(VisibilityMode.Never)
    // With thresholds the legend would tell their numbers, and not the meanings.
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor('text'))
    .legend(new VizLegendOptionsBuilder().showLegend(true).displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).calcs([]))
}

export function mapped(meanings: Readonly<Record<string, { readonly text: string; readonly color: string }>>): ValueMapping[] {
  const options = Object.fromEntries(Object.entries(meanings).map(([value, { text, color }], index) => [value, { text, color, index }]))
  return [{ type: MappingType.ValueToText, options }]
}

export interface LogsSpec extends PanelSpec {
  readonly expr: string
}

export function logs({ expr, ...panel }: LogsSpec): logpanels.PanelBuilder {
  return common(new logpanels.PanelBuilder(), panel, LOKI)
    .targets([new LokiQueryBuilder().refId('A').datasource(LOKI).expr(expr).queryType('range').maxLines(200)])
    .showTime(true).wrapLogMessage(true).enableLogDetails(true).sortOrder(LogsSortOrder.Descending)
}
