/** A whole dashboard around its panels, as a file that Grafana takes by hand and by provisioning alike. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import { type Dashboard, DashboardBuilder, DashboardCursorSync, DashboardLinkBuilder, DashboardLinkType, type Panel, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { annotations } from './annotations.ts'
import { variables } from './variables.ts'

/** On every dashboard; the links between them find each other by it. */
export const TAG = 'spanbridge'
/** The oldest Grafana that has all that is used here. Later ones read older schemas and bring them up to date themselves. */
export const GRAFANA = { version: '10.0.0', schema: 38 } as const

export interface DashboardSpec {
  /** `spanbridge-` and this is its uid: alerts link to it. */
  readonly name: string
  readonly title: string
  readonly description: string
  readonly rows: readonly Row[]
  readonly from?: string
}

export interface Row {
  readonly title: string
  readonly panels: readonly Builder<Panel>[]
}

export function dashboard({ name, title, description, rows, from = 'now-3h' }: DashboardSpec): object {
  const builder = new DashboardBuilder(`Spanbridge / ${title}`)
    .uid(`spanbridge-${name}`).description(`${description} For Grafana ${GRAFANA.version} and later.`).tags([TAG]).readonly()
    .time({ from, to: 'now' }).refresh('1m').timezone('browser').tooltip(DashboardCursorSync.Crosshair)
    .variables(variables()).annotations(annotations())
    .link(new DashboardLinkBuilder('Spanbridge').type(DashboardLinkType.Dashboards).tags([TAG]).tooltip('The other dashboards, with time and variables kept').includeVars(true).keepTime(true))
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title))
    for (const panel of row.panels) builder.withPanel(panel)
  }
  return importable(builder.build())
}

function importable(built: Dashboard): object {
  const panels = (built.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 }))
  const kinds = [...new Set(panels.map(({ type }) => type).filter((type) => type !== 'row'))].sort()
  return {
    // Nothing is asked at an import, since the data sources are variables.
    __inputs: [],
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: GRAFANA.version },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
      { type: 'datasource', id: 'loki', name: 'Loki', version: '1.0.0' },
      ...kinds.map((id) => ({ type: 'panel', id, name: id, version: '' })),
    ],
    ...built,
    schemaVersion: GRAFANA.schema,
    // The newest Grafana would put links and annotations into a menu: a click more.
    links: built.links?.map(shown),
    annotations: { list: built.annotations?.list?.map(shown) },
    panels,
  }
}

function shown<T extends { placement?: unknown }>({ placement: _, ...rest }: T): Omit<T, 'placement'> {
  return rest
}
