import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { openDatabase } from './database.ts'
import { openActions } from './actions.ts'
import { HISTORY_SHOWN, type Alert, type Deed, type HistoryEntry, type Notification, type Page, type PagerLimits, type State } from './notification.ts'

/** What a notification did: `repeated` says nothing new; `reopened` is a page that fires again without having been away. */
export type Change = 'opened' | 'changed' | 'resolved' | 'reopened' | 'repeated'

export interface Counts {
  readonly firing: number
  readonly resolved: number
}

export interface PageStore {
  record(notification: Notification, nowMs: number): { readonly id: number; readonly change: Change }
  /** Undefined: there is no such page (any more). */
  get(id: number): Page | undefined
  /** What a person does about a page. False when there is no such page, or it has been done already. */
  act(id: number, action: { readonly deed: Deed; readonly by: string; readonly detail: string }, nowMs: number): boolean
  /** Keeps trace ids that show the cause of a page. */
  keepExamples(id: number, examples: readonly string[]): void
  /** Newest first. `before`: only pages of a lower rank. `state`: only those. */
  list(query: { readonly limit: number; readonly before?: number; readonly state?: State }, nowMs: number): Page[]
  counts(): Counts
  close(): void
}

type Row = Record<string, SQLOutputValue>
/** The part of a page that is only ever read whole. */
interface Body {
  readonly receiver: string
  readonly externalUrl: string
  readonly alerts: readonly Alert[]
  readonly omittedAlerts: number
  readonly examples?: readonly string[]
}

/** Pages in one SQLite file, or in ':memory:'. One page a group and incident; a repeat only counts up. */
export function openStore(file: string, limits: PagerLimits): PageStore {
  const database = openDatabase(file)
  const sql = prepare(database)
  const actions = openActions(database)

  function record(notification: Notification, nowMs: number): { id: number; change: Change } {
    const last = sql.lastOfGroup.get(notification.groupKey)
    const previous = last && bodyOf(last).alerts
    const seen = new Set(previous?.map(identity))
    const news = notification.alerts.some((alert) => alert.status === 'firing' && !seen.has(identity(alert)))
    // A group that resolved and has new alerts is a new incident. The same alerts again (the network to Alertmanager
    // was cut and it took them for resolved) are the old one.
    const fresh = !last || (last['status'] === 'resolved' && notification.status === 'firing' && news)
    const alerts = fresh ? notification.alerts : merge(previous ?? [], notification, limits)
    const body = JSON.stringify({
      receiver: notification.receiver, externalUrl: notification.externalUrl, alerts, omittedAlerts: notification.omittedAlerts,
      ...(fresh ? {} : { examples: bodyOf(last).examples ?? [] }),
    } satisfies Body)
    const resolvedMs = notification.status === 'resolved' ? nowMs : null
    if (fresh) {
      const id = Number(sql.insertPage.run(notification.groupKey, notification.status, nowMs, nowMs, resolvedMs, body, Buffer.byteLength(body)).lastInsertRowid)
      addHistory(id, notification, nowMs)
      return { id, change: 'opened' }
    }
    const id = Number(last['id'])
    const was = last['status'] as State
    const repeated = addHistory(id, notification, nowMs) === 'repeated'
    sql.updatePage.run(notification.status, nowMs, was === 'resolved' && resolvedMs ? last['resolved_ms'] ?? null : resolvedMs, body, Buffer.byteLength(body), id)
    const reopened = was === 'resolved' && notification.status === 'firing'
    const risen = reopened || (news && notification.status === 'firing')
    if (risen) sql.raiseRank.run(id)
    // A person ended it, and there is more to it than they knew.
    if (risen && last['closed'] === 1) actions.add(id, { deed: 'reopened', by: '', detail: 'new alerts', atMs: nowMs })
    return { id, change: repeated ? 'repeated' : reopened ? 'reopened' : was === 'firing' && notification.status === 'resolved' ? 'resolved' : 'changed' }
  }

  function addHistory(id: number, notification: Notification, nowMs: number): 'added' | 'repeated' {
    const digest = digestOf(notification)
    const last = sql.lastNotification.get(id)
    if (last?.['digest'] === digest) {
      sql.repeatNotification.run(nowMs, last['id'] ?? null)
      return 'repeated'
    }
    const firing = notification.alerts.filter((alert) => alert.status === 'firing').length
    sql.insertNotification.run(id, digest, notification.status, notification.reason, firing, notification.alerts.length - firing, nowMs, nowMs)
    return 'added'
  }

  function pruneAged(nowMs: number): void {
    const { changes } = sql.deleteAged.run(nowMs - limits.keptDays * 86_400_000)
    if (Number(changes) > 0) sql.deleteBare.run()
  }

  function prune(nowMs: number): void {
    pruneAged(nowMs)
    const over = Number(sql.countNotifications.get()?.['n']) - limits.keptNotifications
    if (over > 0) {
      sql.deleteOldest.run(over)
      sql.deleteBare.run()
    }
    if (Number(sql.sumBytes.get()?.['n']) > limits.keptBytes) sql.deletePastBytes.run(limits.keptBytes)
  }

  const pageOf = (row: Row): Page => readPage(row, sql.history.all(row['id'] ?? null, HISTORY_SHOWN), actions.of(Number(row['id'])))

  return {
    get(id) {
      const row = sql.page.get(id)
      return row && pageOf(row)
    },
    act: (id, action, nowMs) => transaction(database, () => {
      const row = sql.page.get(id)
      return row !== undefined && actions.fits(pageOf(row), action.deed) && actions.add(id, { ...action, atMs: nowMs })
    }),
    keepExamples(id, examples) {
      const row = sql.page.get(id)
      if (row === undefined) return
      const body = JSON.stringify({ ...bodyOf(row), examples } satisfies Body)
      sql.setBody.run(body, Buffer.byteLength(body), id)
    },
    record: (notification, nowMs) => transaction(database, () => {
      const result = record(notification, nowMs)
      prune(nowMs)
      return result
    }),
    list({ limit, before = Number.MAX_SAFE_INTEGER, state }, nowMs) {
      // Reading prunes too: without a new notification nothing else would.
      transaction(database, () => pruneAged(nowMs))
      return sql.list.all(before, state ?? null, state ?? null, limit).map(pageOf)
    },
    counts() {
      const row = sql.counts.get()
      return { firing: Number(row?.['firing']), resolved: Number(row?.['resolved']) }
    },
    close: () => database.close(),
  }
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

function readPage(row: Row, history: Row[], deeds: Pick<Page, 'acknowledged' | 'closed' | 'verdict' | 'actions'>): Page {
  const { examples = [], ...body } = bodyOf(row)
  return {
    id: Number(row['id']), rank: Number(row['rank']), groupKey: String(row['group_key']),
    status: row['closed'] === 1 ? 'resolved' : row['status'] as State,
    openedMs: Number(row['opened_ms']), heardMs: Number(row['heard_ms']),
    resolvedMs: deeds.closed !== null ? deeds.closed.atMs : row['resolved_ms'] === null ? null : Number(row['resolved_ms']),
    told: Number(row['told']), ...body, ...deeds, examples,
    history: history.map((entry): HistoryEntry => ({
      status: entry['status'] as State, reason: String(entry['reason']), firing: Number(entry['firing']), resolved: Number(entry['resolved']),
      firstMs: Number(entry['first_ms']), lastMs: Number(entry['last_ms']), times: Number(entry['times']),
    })),
  }
}

function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function prepare(database: DatabaseSync) {
  const s = (text: string) => database.prepare(text)
  return {
    lastOfGroup: s('SELECT * FROM page WHERE group_key = ? ORDER BY id DESC LIMIT 1'),
    page: s('SELECT * FROM page WHERE id = ?'),
    setBody: s('UPDATE page SET body = ?, bytes = ? WHERE id = ?'),
    insertPage: s(`INSERT INTO page (rank, group_key, status, opened_ms, heard_ms, resolved_ms, told, body, bytes)
      VALUES ((SELECT coalesce(max(rank), 0) + 1 FROM page), ?, ?, ?, ?, ?, 1, ?, ?)`),
    updatePage: s('UPDATE page SET status = ?, heard_ms = ?, resolved_ms = ?, told = told + 1, body = ?, bytes = ? WHERE id = ?'),
    raiseRank: s('UPDATE page SET rank = (SELECT max(rank) + 1 FROM page) WHERE id = ?'),
    lastNotification: s('SELECT id, digest FROM notification WHERE page_id = ? ORDER BY id DESC LIMIT 1'),
    repeatNotification: s('UPDATE notification SET times = times + 1, last_ms = ? WHERE id = ?'),
    insertNotification: s(`INSERT INTO notification (page_id, digest, status, reason, firing, resolved, first_ms, last_ms, times)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)`),
    list: s(`SELECT * FROM page WHERE rank < ? AND (? IS NULL OR CASE closed WHEN 1 THEN 'resolved' ELSE status END = ?) ORDER BY rank DESC LIMIT ?`),
    history: s('SELECT * FROM notification WHERE page_id = ? ORDER BY id DESC LIMIT ?'),
    counts: s(`SELECT count(*) FILTER (WHERE status = 'firing' AND closed = 0) AS firing, count(*) FILTER (WHERE status = 'resolved' OR closed = 1) AS resolved FROM page`),
    deleteAged: s('DELETE FROM notification WHERE last_ms < ?'),
    countNotifications: s('SELECT count(*) AS n FROM notification'),
    deleteOldest: s('DELETE FROM notification WHERE id IN (SELECT id FROM notification ORDER BY last_ms, id LIMIT ?)'),
    deleteBare: s('DELETE FROM page WHERE NOT EXISTS (SELECT 1 FROM notification WHERE page_id = page.id)'),
    sumBytes: s('SELECT coalesce(sum(bytes), 0) AS n FROM page'),
    deletePastBytes: s(`DELETE FROM page WHERE id IN (
      SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY heard_ms DESC, id DESC) AS total FROM page) WHERE total > ?)`),
  }
}
