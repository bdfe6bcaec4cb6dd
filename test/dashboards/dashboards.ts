/** The generated dashboards, as the tests read them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../alerts/rulefile.ts'

export interface DataSource {
  readonly type?: string
  readonly uid?: string
}

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly datasource?: DataSource
  readonly legendFormat?: string
  readonly exemplar?: boolean
  readonly format?: string
  readonly instant?: boolean
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title?: string
  readonly description?: string
  readonly datasource?: DataSource
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Target[]
  readonly timeFrom?: string
  readonly options?: { readonly legend?: { readonly showLegend?: boolean } }
  readonly transformations?: readonly { readonly options: { readonly renameByName?: Readonly<Record<string, string>> } }[]
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string; readonly links?: readonly Link[] }
    readonly overrides: readonly { readonly matcher: { readonly options: unknown }; readonly properties: readonly { readonly id: string; readonly value: unknown }[] }[]
  }
  readonly panels?: readonly Panel[]
}

export interface Link {
  readonly title: string
  readonly type?: string
  readonly url?: string
  readonly tags?: readonly string[]
  readonly includeVars?: boolean
  readonly keepTime?: boolean
}

export interface Variable {
  readonly name: string
  readonly label: string
  readonly type: string
  readonly query: string | { readonly query: string }
  readonly datasource?: DataSource
  readonly multi: boolean
  readonly includeAll: boolean
  readonly allValue?: string
  readonly refresh?: number
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly editable: boolean
  readonly schemaVersion: number
  readonly __requires: readonly { readonly type: string; readonly id: string; readonly version: string }[]
  readonly links: readonly Link[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly datasource?: DataSource; readonly expr?: string }[] }
  readonly panels: readonly Panel[]
}

export const DIRECTORY = 'dashboards/generated'
export const files: readonly string[] = readdirSync(join(ROOT, DIRECTORY)).filter((file) => file.endsWith('.json'))
export const dashboards: readonly Dashboard[] = files.map((file) => JSON.parse(readFileSync(join(ROOT, DIRECTORY, file), 'utf8')) as Dashboard)

/** Without the rows, which are headings. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return dashboard.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]))
}

export const allPanels = dashboards.flatMap((dashboard) => panelsOf(dashboard).map((panel) => ({ dashboard, panel, name: `${dashboard.uid}: ${panel.title}` })))
export const allTargets = allPanels.flatMap(({ dashboard, panel, name }) => (panel.targets ?? []).map((target) => ({ dashboard, panel, target, name: `${name} ${target.refId}` })))
export const isLoki = ({ datasource }: Target) => datasource?.type === 'loki'

/** A query as Grafana sends it, with `$name` and `${name}` filled in. A variable without a value stays, and no grammar takes it. */
export function interpolated(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replaceAll(/\$(\w+)|\$\{(\w+)(?::\w+)?\}/g, (whole, bare: string | undefined, braced: string | undefined) => values[(bare ?? braced)!] ?? whole)
}

/** What Grafana fills in with everything chosen. */
export function everything(dashboard: Dashboard): Record<string, string> {
  return Object.fromEntries(dashboard.templating.list.map(({ name, allValue }) => [name, allValue ?? name]))
}
