import { incidentViewOf } from './incidentview.ts'
import type { Action, Incident, Page } from './notification.ts'
import { viewOf } from './view.ts'

/** An incident for programs: what a person reads, then its pages with their alerts. Times are ISO 8601 in UTC, null where unknown. */
export function incidentJson(incident: Incident) {
  const view = incidentViewOf(incident)
  return {
    id: incident.id,
    rank: incident.rank,
    status: incident.status,
    summary: view.lead.summary,
    severity: view.lead.severity,
    since: iso(view.sinceMs),
    ended: iso(view.endedMs),
    tenants: view.tenants,
    projects: view.projects,
    agents: view.agents,
    causes: view.causes,
    opened: iso(incident.openedMs),
    lastHeard: iso(incident.heardMs),
    acknowledged: incident.acknowledged && actionJson(incident.acknowledged),
    closed: incident.closed && actionJson(incident.closed),
    verdict: incident.verdict && actionJson(incident.verdict),
    actions: incident.actions.map(actionJson),
    examples: view.examples,
    pages: view.pages.map(({ page }) => pageJson(page)),
    pagesOmitted: incident.pageCount - incident.pages.length,
  }
}

function pageJson(page: Page) {
  const view = viewOf(page)
  return {
    id: page.id,
    groupKey: page.groupKey,
    status: page.status,
    alertname: view.alertname,
    summary: view.summary,
    description: view.description,
    severity: view.severity,
    since: iso(view.sinceMs),
    ended: iso(view.endedMs),
    value: view.value,
    limit: view.limit,
    tenants: view.tenants,
    projects: view.projects,
    agents: view.agents,
    causes: view.causes,
    links: view.links,
    receiver: page.receiver,
    externalURL: page.externalUrl,
    opened: iso(page.openedMs),
    lastHeard: iso(page.heardMs),
    told: page.told,
    omittedAlerts: page.omittedAlerts,
    examples: page.examples,
    notifications: page.history.map((entry) => ({
      status: entry.status, reason: entry.reason, firing: entry.firing, resolved: entry.resolved,
      first: iso(entry.firstMs), last: iso(entry.lastMs), times: entry.times,
    })),
    alerts: page.alerts.map((alert) => ({
      fingerprint: alert.fingerprint, status: alert.status, labels: alert.labels, annotations: alert.annotations,
      startsAt: iso(alert.startsAtMs), endsAt: iso(alert.endsAtMs), generatorURL: alert.generatorUrl,
    })),
  }
}

function actionJson({ deed, by, detail, atMs }: Action) {
  return { deed, by, detail, at: iso(atMs) }
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
