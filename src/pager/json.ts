import type { Action, Page } from './notification.ts'
import { viewOf } from './view.ts'

/** A page for programs: what a person reads, then the alerts. Times are ISO 8601 in UTC, null where unknown. */
export function pageJson(page: Page) {
  const view = viewOf(page)
  return {
    id: page.id,
    rank: page.rank,
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
    acknowledged: page.acknowledged && actionJson(page.acknowledged),
    closed: page.closed && actionJson(page.closed),
    verdict: page.verdict && actionJson(page.verdict),
    actions: page.actions.map(actionJson),
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
