import type { Alert, Page, Texts } from './notification.ts'

/** Colour follows the level; the text shown stays the sender's own. */
export type Level = 'critical' | 'warning' | 'info' | 'none'

/** What alerts say of themselves, as plain text: escaping is the renderer's part. */
export interface AlertsView {
  readonly alertname: string
  readonly summary: string
  readonly description: string
  readonly severity: string
  readonly level: Level
  /** null where nobody says. */
  readonly sinceMs: number | null
  readonly value: string
  readonly limit: string
  readonly tenants: readonly string[]
  readonly projects: readonly string[]
  readonly agents: readonly string[]
  /** Distinct causes with the remedy of each, the worst alert's first. */
  readonly causes: readonly Cause[]
  readonly links: readonly Link[]
}

export interface PageView extends AlertsView {
  readonly sinceMs: number
  /** null while it fires. */
  readonly endedMs: number | null
}

export interface Cause {
  /** The rule's own words, '' when it has none. */
  readonly text: string
  /** 'tool' of tool.5xx. */
  readonly class: string
  /** 'tool', 'lookup_order', '5xx': from root_cause_step and the like, or else from the labels; '' where there is none. */
  readonly step: string
  readonly name: string
  readonly type: string
  readonly remedy: string
  /** What the bad requests have in common that the good ones lack; '' for nothing. */
  readonly common: string
}

export interface Link {
  readonly text: string
  readonly url: string
  /** Less help than the others. */
  readonly secondary?: boolean
}

const LEVELS: Readonly<Record<string, Level>> = {
  critical: 'critical', page: 'critical', emergency: 'critical', error: 'critical',
  warning: 'warning', ticket: 'warning', warn: 'warning',
  info: 'info', notice: 'info', none: 'none',
}
export const WORST_FIRST: readonly Level[] = ['critical', 'warning', 'info', 'none']

export function viewOf(page: Page): PageView {
  const view = viewOfAlerts(page.alerts)
  const ends = page.alerts.map((alert) => alert.endsAtMs).filter((ms) => ms !== null)
  return {
    ...view,
    sinceMs: view.sinceMs ?? page.openedMs,
    endedMs: page.status === 'firing' ? null : ends.length > 0 ? Math.max(...ends) : page.resolvedMs ?? page.heardMs,
  }
}

export function viewOfAlerts(all: readonly Alert[]): AlertsView {
  const alerts = [...all].sort(worstFirst)
  // The headline speaks of what fires; once all is resolved, of what it was.
  const firing = alerts.filter((alert) => alert.status === 'firing')
  const current = firing.length > 0 ? firing : alerts
  const lead = current[0]
  const labels = lead?.labels ?? {}
  const annotations = lead?.annotations ?? {}
  const starts = current.map((alert) => alert.startsAtMs).filter((ms) => ms !== null)
  const alertname = text(labels, 'alertname')
  return {
    alertname,
    summary: text(annotations, 'summary') || alertname || 'Alert without a name',
    description: text(annotations, 'description') || text(annotations, 'message'),
    severity: text(labels, 'severity'),
    level: levelOf(lead),
    sinceMs: starts.length > 0 ? Math.min(...starts) : null,
    value: text(annotations, 'value'),
    limit: text(annotations, 'limit') || text(annotations, 'threshold'),
    tenants: distinct(current, ['tenant_id', 'tenant']),
    projects: distinct(current, ['project_id', 'project']),
    agents: distinct(current, ['agent']),
    causes: causesOf(current),
    links: linksOf(lead),
  }
}

/** How bad the worst of them is: the lower the worse. */
export function severityOf(alerts: readonly Alert[]): number {
  return Math.min(WORST_FIRST.length, ...alerts.map((alert) => WORST_FIRST.indexOf(levelOf(alert))))
}

export function levelOf(alert: Alert | undefined): Level {
  const severity = text(alert?.labels ?? {}, 'severity').toLowerCase()
  return Object.hasOwn(LEVELS, severity) ? LEVELS[severity] ?? 'none' : 'none'
}

/** Only http and https, and none with a user name in it, which is there to look like another host. */
export function safeUrl(url: string): string | null {
  if (!/^https?:\/\//i.test(url)) return null
  const parsed = URL.parse(url)
  return parsed && /^https?:$/.test(parsed.protocol) && parsed.username === '' && parsed.password === '' ? parsed.href : null
}

function worstFirst(a: Alert, b: Alert): number {
  return WORST_FIRST.indexOf(levelOf(a)) - WORST_FIRST.indexOf(levelOf(b)) || (a.startsAtMs ?? 0) - (b.startsAtMs ?? 0)
}

function causesOf(alerts: readonly Alert[]): Cause[] {
  const causes = new Map<string, Cause>()
  for (const alert of alerts) {
    const part = partsOf(alert)
    const cause: Cause = {
      text: text(alert.annotations, 'root_cause'),
      class: part('class'),
      step: part('step') || part('class'),
      name: part('name'),
      type: part('type') || (part('step') ? part('class') : ''),
      remedy: text(alert.annotations, 'remedy'),
      common: text(alert.annotations, 'in_common'),
    }
    if (Object.values(cause).some((part) => part !== '')) causes.set(JSON.stringify(Object.values(cause)), cause)
  }
  return [...causes.values()]
}

/** A rule over all causes of an agent tells the worst one's parts in annotations; one for each cause has them in its labels. Never a mixture. */
function partsOf({ labels, annotations }: Alert): (name: 'class' | 'type' | 'step' | 'name') => string {
  const annotated = ['class', 'type', 'step', 'name'].some((name) => text(annotations, `root_cause_${name}`) !== '')
  return (name) => (annotated ? text(annotations, `root_cause_${name}`) : text(labels, name))
}

function linksOf(alert: Alert | undefined): Link[] {
  if (!alert) return []
  return [
    { text: 'Runbook', url: text(alert.annotations, 'runbook_url') },
    { text: 'Dashboard', url: text(alert.annotations, 'dashboard_url') },
    { text: 'Query in Prometheus', url: alert.generatorUrl, secondary: true },
  ].filter((link) => link.url !== '')
}

function distinct(alerts: readonly Alert[], keys: readonly string[]): string[] {
  return [...new Set(alerts.map(({ labels }) => keys.map((key) => text(labels, key)).find(Boolean) ?? ''))].filter(Boolean)
}

function text(texts: Texts, key: string): string {
  return Object.hasOwn(texts, key) ? (texts[key] ?? '').trim() : ''
}
