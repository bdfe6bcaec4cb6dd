/** An incident as a person reads it: its worst page leads, and what the others add to it stands beside. */
import type { Incident, Page } from './notification.ts'
import { viewOf, WORST_FIRST, type Cause, type Level, type PageView } from './view.ts'

export interface IncidentView {
  /** The worst of the pages that fire; once all is resolved, of those that were. */
  readonly lead: PageView
  readonly level: Level
  readonly sinceMs: number
  /** null while it fires. */
  readonly endedMs: number | null
  readonly tenants: readonly string[]
  readonly projects: readonly string[]
  readonly agents: readonly string[]
  /** Distinct by their place, those that name an error first. */
  readonly causes: readonly Cause[]
  /** Those that fire first, the worst first. */
  readonly pages: readonly { readonly page: Page; readonly view: PageView }[]
  readonly examples: readonly string[]
}

export function incidentViewOf(incident: Incident): IncidentView {
  const pages = incident.pages.map((page) => ({ page, view: viewOf(page) })).sort((a, b) =>
    Number(a.page.status === 'resolved') - Number(b.page.status === 'resolved')
    || WORST_FIRST.indexOf(a.view.level) - WORST_FIRST.indexOf(b.view.level)
    || Number(!namesError(a.view)) - Number(!namesError(b.view))
    || a.view.sinceMs - b.view.sinceMs || a.page.id - b.page.id)
  const firing = pages.filter(({ page }) => page.status === 'firing')
  const views = (firing.length > 0 ? firing : pages).map(({ view }) => view)
  const lead = views[0]!
  const ends = pages.map(({ view }) => view.endedMs).filter((ms) => ms !== null)
  const all = (names: (view: PageView) => readonly string[]) => [...new Set(views.flatMap(names))]
  return {
    lead, pages, level: lead.level,
    sinceMs: Math.min(...pages.map(({ view }) => view.sinceMs)),
    endedMs: incident.status === 'firing' ? null : incident.closed?.atMs ?? Math.max(...ends),
    tenants: all(({ tenants }) => tenants), projects: all(({ projects }) => projects), agents: all(({ agents }) => agents),
    causes: causesOf(views),
    examples: [...new Set(pages.flatMap(({ page }) => page.examples))],
  }
}

/** What the pages of an incident give as its root cause; undefined where they name none. */
export function namedCause({ causes }: IncidentView): Cause | undefined {
  return causes.find(isNamed)
}

function causesOf(views: readonly PageView[]): Cause[] {
  const byPlace = new Map<string, Cause>()
  for (const cause of views.flatMap(({ causes }) => causes)) {
    const place = isNamed(cause) ? JSON.stringify([cause.step, cause.name, cause.type]) : JSON.stringify([cause.text, cause.remedy])
    if (!byPlace.has(place)) byPlace.set(place, cause)
  }
  const order = (cause: Cause) => (cause.type !== '' ? 0 : isNamed(cause) ? 1 : 2)
  return [...byPlace.values()].sort((a, b) => order(a) - order(b))
}

function isNamed({ type, step, name }: Cause): boolean {
  return type !== '' || step !== '' || name !== ''
}

function namesError({ causes }: PageView): boolean {
  return causes.some(({ type }) => type !== '')
}
