/** Pages in the database: one a group of Alertmanager's and outbreak; a repeat only counts up. */
import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { HISTORY_SHOWN, PAGES_SHOWN, type Alert, type HistoryEntry, type Notification, type Page, type PagerLimits, type State } from '../notification.ts'
import type { Subject } from './subject.ts'

export type Row = Record<string, SQLOutputValue>

/** The part of a page that is only ever read whole. */
interface Body {
  readonly receiver: string
  readonly externalUrl: string
  readonly alerts: readonly Alert[]
  readonly omittedAlerts: number
  readonly examples?: readonly string[]
}

/** What a notification makes of the pages of its group. */
export interface Telling {
  /** The page that it is about; undefined: a new one. */
  readonly id: number | undefined
  readonly incident: number | undefined
  readonly was: State | undefined
  readonly alerts: readonly Alert[]
  /** An alert fires that did not before. */
  readonly news: boolean
}

export interface Pages {
  telling(notification: Notification): Telling
  open(incident: number, notification: Notification, subject: Subject, nowMs: number): number
  /** False: it was told just so before. */
  change(telling: Telling & { readonly id: number }, notification: Notification, subject: Subject, nowMs: number): boolean
  /** Of one incident, in the order of their coming. */
  of(incident: number): { readonly pages: Page[]; readonly count: number }
  keepExamples(id: number, examples: readonly string[]): void
}

export function openPages(database: DatabaseSync, limits: PagerLimits): Pages {
  const sql = prepare(database)
  const pageOf = (row: Row): Page => readPage(row, sql.history.all(row['id'] ?? null, HISTORY_SHOWN))

  function addHistory(id: number, notification: Notification, nowMs: number): boolean {
    const digest = digestOf(notification)
    const last = sql.lastNotification.get(id)
    if (last?.['digest'] === digest) {
      sql.repeatNotification.run(nowMs, last['id'] ?? null)
      return false
    }
    const firing = notification.alerts.filter((alert) => alert.status === 'firing').length
    sql.insertNotification.run(id, digest, notification.status, notification.reason, firing, notification.alerts.length - firing, nowMs, nowMs)
    return true
  }

  return {
    telling(notification) {
      const last = sql.lastOfGroup.get(notification.groupKey)
      const previous = last && bodyOf(last).alerts
      const seen = new Set(previous?.map(identity))
      const news = notification.alerts.some((alert) => alert.status === 'firing' && !seen.has(identity(alert)))
      // A group that resolved and has new alerts is a new page. The same alerts again (the network to Alertmanager
      // was cut and it took them for resolved) are the old one.
      if (!last || (last['status'] === 'resolved' && notification.status === 'firing' && news)) return { id: undefined, incident: undefined, was: undefined, alerts: notification.alerts, news }
      return { id: Number(last['id']), incident: Number(last['incident_id']), was: last['status'] as State, alerts: merge(previous ?? [], notification, limits), news }
    },
    open(incident, notification, { cluster, tenant, agent, owner, cause, beganMs }, nowMs) {
      const body = write(notification, notification.alerts, [])
      const resolvedMs = notification.status === 'resolved' ? nowMs : null
      const id = Number(sql.insertPage.run(incident, notification.groupKey, notification.status, nowMs, nowMs, resolvedMs, body, Buffer.byteLength(body), cluster, tenant, agent, owner, cause, beganMs).lastInsertRowid)
      addHistory(id, notification, nowMs)
      return id
    },
    change({ id, was, alerts }, notification, { cause }, nowMs) {
      const row = sql.page.get(id)!
      const body = write(notification, alerts, bodyOf(row).examples ?? [])
      const resolvedMs = notification.status === 'firing' ? null : was === 'resolved' ? row['resolved_ms'] ?? null : nowMs
      sql.updatePage.run(notification.status, nowMs, resolvedMs, body, Buffer.byteLength(body), cause, id)
      return addHistory(id, notification, nowMs)
    },
    of(incident) {
      const rows = sql.ofIncident.all(incident, PAGES_SHOWN)
      return { pages: rows.map(pageOf).reverse(), count: Number(sql.count.get(incident)?.['n']) }
    },
    keepExamples(id, examples) {
      const row = sql.page.get(id)
      if (row === undefined) return
      const body = JSON.stringify({ ...bodyOf(row), examples } satisfies Body)
      sql.setBody.run(body, Buffer.byteLength(body), id)
    },
  }
}

function write({ receiver, externalUrl, omittedAlerts }: Notification, alerts: readonly Alert[], examples: readonly string[]): string {
  return JSON.stringify({ receiver, externalUrl, alerts, omittedAlerts, examples } satisfies Body)
}

/** The new alerts, and of the old ones those that resolved earlier, which Alertmanager tells once only. */
function merge(previous: readonly Alert[], notification: Notification, limits: PagerLimits): Alert[] {
  const told = new Set(notification.alerts.map((alert) => alert.fingerprint))
  const gone = previous.filter((alert) => !told.has(alert.fingerprint))
  const earlier = gone.filter((alert) => alert.status === 'resolved' || notification.omittedAlerts > 0 || notification.status === 'resolved')
    .map((alert) => (notification.status === 'resolved' ? { ...alert, status: 'resolved' as const } : alert))
  return [...notification.alerts, ...earlier].slice(0, limits.alertsPerPage)
}

/** An alert that resolved and fires anew has another start. */
function identity(alert: Alert): string {
  return `${alert.startsAtMs} ${alert.fingerprint}`
}

/** Which alerts in which state, not their annotations: a value that moved on does not make a repeat something new. */
function digestOf(notification: Notification): string {
  const alerts = notification.alerts.map((alert) => `${alert.status} ${identity(alert)}`).sort()
  return createHash('sha256').update(JSON.stringify([notification.status, notification.omittedAlerts, alerts])).digest('hex')
}

function bodyOf(row: Row): Body {
  return JSON.parse(String(row['body'])) as Body
}

function readPage(row: Row, history: Row[]): Page {
  const { examples = [], ...body } = bodyOf(row)
  return {
    id: Number(row['id']), groupKey: String(row['group_key']), status: row['status'] as State,
    openedMs: Number(row['opened_ms']), heardMs: Number(row['heard_ms']), resolvedMs: row['resolved_ms'] === null ? null : Number(row['resolved_ms']),
    told: Number(row['told']), ...body, examples,
    history: history.map((entry): HistoryEntry => ({
      status: entry['status'] as State, reason: String(entry['reason']), firing: Number(entry['firing']), resolved: Number(entry['resolved']),
      firstMs: Number(entry['first_ms']), lastMs: Number(entry['last_ms']), times: Number(entry['times']),
    })),
  }
}

function prepare(database: DatabaseSync) {
  const s = (text: string) => database.prepare(text)
  return {
    lastOfGroup: s('SELECT * FROM page WHERE group_key = ? ORDER BY id DESC LIMIT 1'),
    page: s('SELECT * FROM page WHERE id = ?'),
    ofIncident: s('SELECT * FROM page WHERE incident_id = ? ORDER BY id DESC LIMIT ?'),
    count: s('SELECT count(*) AS n FROM page WHERE incident_id = ?'),
    setBody: s('UPDATE page SET body = ?, bytes = ? WHERE id = ?'),
    insertPage: s(`INSERT INTO page (incident_id, group_key, status, opened_ms, heard_ms, resolved_ms, told, body, bytes, cluster, tenant, agent, owner, cause, began_ms)
      VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)`),
    updatePage: s('UPDATE page SET status = ?, heard_ms = ?, resolved_ms = ?, told = told + 1, body = ?, bytes = ?, cause = ? WHERE id = ?'),
    lastNotification: s('SELECT id, digest FROM notification WHERE page_id = ? ORDER BY id DESC LIMIT 1'),
    repeatNotification: s('UPDATE notification SET times = times + 1, last_ms = ? WHERE id = ?'),
    insertNotification: s(`INSERT INTO notification (page_id, digest, status, reason, firing, resolved, first_ms, last_ms, times)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)`),
    history: s('SELECT * FROM notification WHERE page_id = ? ORDER BY id DESC LIMIT ?'),
  }
}
