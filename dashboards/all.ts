/** Every dashboard, by its name. */
import { agent } from './agent.ts'
import { bridge } from './bridge.ts'
import { cost } from './cost.ts'
import { errors } from './errors.ts'
import { overview } from './overview.ts'
import { quality } from './quality.ts'
import { requests } from './requests.ts'
import { tenant } from './tenant.ts'

export const DASHBOARDS: Readonly<Record<string, object>> = { overview, requests, cost, quality, errors, tenant, agent, bridge }

/** The committed files. */
export function dashboardFiles(): { readonly path: string; readonly text: string }[] {
  return Object.entries(DASHBOARDS).map(([name, dashboard]) => ({ path: `dashboards/generated/${name}.json`, text: `${JSON.stringify(dashboard, null, 2)}\n` }))
}
