/** Every dashboard, by its name. */
import { bridge } from './bridge.ts'
import { overview } from './overview.ts'
import { requests } from './requests.ts'

export const DASHBOARDS: Readonly<Record<string, object>> = { overview, requests, bridge }

/** The committed files. */
export function dashboardFiles(): { readonly path: string; readonly text: string }[] {
  return Object.entries(DASHBOARDS).map(([name, dashboard]) => ({ path: `dashboards/generated/${name}.json`, text: `${JSON.stringify(dashboard, null, 2)}\n` }))
}
