/** Tables: one row for each combination of labels, one column for each label and each query. */
import { TableCellDisplayMode, TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common'
import type { DashboardLinkBuilder, DynamicConfigValue, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table'
import { common, type PanelSpec, type Steps, targets, thresholds, UNIT, type Unit } from './panel.ts'

interface Column {
  readonly title: string
  readonly width?: number
  readonly link?: DashboardLinkBuilder
}

export interface LabelColumn extends Column {
  readonly label: string
}

export interface ValueColumn extends Column {
  readonly expr: string
  readonly unit: Unit
  readonly decimals?: number
  /** Colors the text, or the bar. */
  readonly steps?: Steps
  /** A bar instead of a bare number. */
  readonly gauge?: boolean
  readonly mappings?: ValueMapping[]
}

export interface TableSpec extends PanelSpec {
  readonly labels: readonly LabelColumn[]
  readonly values: readonly ValueColumn[]
  /** Title of the column, the greatest first. */
  readonly sortBy: string
  readonly ascending?: boolean
  /** Shown where there is nothing to show. */
  readonly none?: string
}

/** Its rows are what the first of its queries finds: a later one has none besides. */
export function table({ labels, values, sortBy, ascending = false, none, ...panel }: TableSpec): PanelBuilder {
  const queries = values.map(({ expr }) => ({ expr }))
  // Where one query alone has found something, Grafana does not number its values.
  const fieldsOf = (index: number) => [...(values.length === 1 ? [] : [`Value #${'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[index]!}`]), ...(index === 0 ? ['Value'] : [])]
  const fields = [...labels.map(({ label, title }) => [label, title] as const), ...values.flatMap(({ title }, index) => fieldsOf(index).map((field) => [field, title] as const))]
  const builder = common(new PanelBuilder(), panel)
    .targets(targets(queries, 'table')).unit(UNIT.count).showHeader(true).filterable(false).minWidth(60)
    .sortBy([new TableSortByFieldStateBuilder().displayName(sortBy).desc(!ascending)])
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(fields.map(([field], index) => [field, index])),
        renameByName: Object.fromEntries(fields),
      },
    })
  if (none !== undefined) builder.noValue(none)
  for (const column of labels) builder.overrideByName(column.title, [{ id: 'unit', value: UNIT.text }, ...shared(column)])
  for (const column of values) builder.overrideByName(column.title, [...valued(column), ...shared(column)])
  return builder
}

function shared({ width, link }: Column): DynamicConfigValue[] {
  return [
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(link === undefined ? [] : [{ id: 'links', value: [link.build()] }]),
  ]
}

function valued({ unit, decimals, steps, gauge = false, mappings }: ValueColumn): DynamicConfigValue[] {
  return [
    { id: 'unit', value: UNIT[unit === 'count' ? 'whole' : unit] },
    ...(decimals === undefined && unit !== 'count' ? [] : [{ id: 'decimals', value: decimals ?? 0 }]),
    ...(steps === undefined ? [] : [{ id: 'thresholds', value: thresholds(steps).build() }]),
    ...(gauge ? [{ id: 'custom.cellOptions', value: { type: TableCellDisplayMode.Gauge, mode: 'basic' } }, { id: 'min', value: 0 }, { id: 'max', value: 1 }] : []),
    ...(steps !== undefined && !gauge ? [{ id: 'custom.cellOptions', value: { type: TableCellDisplayMode.ColorText } }] : []),
    ...(mappings === undefined ? [] : [{ id: 'mappings', value: mappings }]),
  ]
}

