/** The pager's memory, in one SQLite file or in ':memory:': notifications make pages, pages make incidents, people act on these. */
import type { DatabaseSync } from 'node:sqlite'
import { openActions } from './actions.ts'
import { openPagerDatabase } from './database.ts'
import { openIncidents, type Counts, type Query } from './incidents.ts'
import type { Deed, Incident, Notification, PagerLimits, State } from '../notification.ts'
import { openPages, type Row } from './pages.ts'
import { openRetention } from './retention.ts'
import { subjectOf } from './subject.ts'
import { severityOf } from '../view.ts'

/** What a notification did: `repeated` says nothing new; `joined` is a page opened in an incident that was there; `reopened` fires again without having been away. */
export type Change = 'opened' | 'joined' | 'changed' | 'resolved' | 'reopened' | 'repeated'

export interface Recorded {
  readonly page: number
  readonly incident: number
  readonly change: Change
}

export interface IncidentStore {
  record(notification: Notification, nowMs: number): Recorded
  /** Undefined: there is no such incident (any more). */
  get(id: number): Incident | undefined
  /** What a person does about an incident. False when there is no such one, or it has been done already. */
  act(id: number, action: { readonly deed: Deed; readonly by: string; readonly detail: string }, nowMs: number): boolean
  /** Keeps trace ids that show the cause of a page. */
  keepExamples(page: number, examples: readonly string[]): void
  /** Notes that an incident has a root cause. True the first time. */
  named(id: number, nowMs: number): boolean
  /** Newest first. */
  list(query: Query, nowMs: number): Incident[]
  counts(): Counts
  close(): void
}

export function openStore(file: string, limits: PagerLimits): IncidentStore {
  const database = openPagerDatabase(file)
  const pages = openPages(database, limits)
  const incidents = openIncidents(database)
  const actions = openActions(database)
  const retention = openRetention(database, limits)

  function incidentOf(row: Row): Incident {
    const id = Number(row['id'])
    const deeds = actions.of(id)
    const { pages: shown, count } = pages.of(id)
    return {
      id, rank: Number(row['rank']), openedMs: Number(row['opened_ms']), heardMs: Number(row['heard_ms']), pages: shown, pageCount: count, ...deeds,
      status: row['closed'] === 1 ? 'resolved' : row['status'] as State,
      resolvedMs: deeds.closed !== null ? deeds.closed.atMs : row['resolved_ms'] === null ? null : Number(row['resolved_ms']),
    }
  }

  function record(notification: Notification, nowMs: number): Recorded {
    const telling = pages.telling(notification)
    const subject = subjectOf(telling.alerts, nowMs)
    if (telling.id === undefined) {
      const there = notification.status === 'firing' ? incidents.fitting(subject) : undefined
      if (there !== undefined) worsen(there, notification, nowMs)
      const incident = there ?? incidents.begin(notification.status, nowMs)
      const page = pages.open(incident, notification, subject, nowMs)
      incidents.settle(incident, nowMs)
      return { page, incident, change: there === undefined ? 'opened' : 'joined' }
    }
    const { id, was, news } = telling
    const incident = telling.incident!
    const changed = pages.change({ ...telling, id }, notification, subject, nowMs)
    incidents.settle(incident, nowMs)
    const reopened = was === 'resolved' && notification.status === 'firing'
    if (reopened || (news && notification.status === 'firing')) {
      incidents.raise(incident)
      // A person ended it, and there is more to it than they knew.
      if (incidents.get(incident)?.['closed'] === 1) actions.add(incident, { deed: 'reopened', by: '', detail: 'new alerts', atMs: nowMs })
    }
    return { page: id, incident, change: !changed ? 'repeated' : reopened ? 'reopened' : was === 'firing' && notification.status === 'resolved' ? 'resolved' : 'changed' }
  }

  /** Another page comes to it. Who took it took what was there: if this one is worse, nobody has taken it yet. */
  function worsen(incident: number, notification: Notification, nowMs: number): void {
    incidents.raise(incident)
    const worst = Math.min(...pages.of(incident).pages.map(({ alerts }) => severityOf(alerts)))
    if (actions.of(incident).acknowledged !== null && severityOf(notification.alerts) < worst) actions.add(incident, { deed: 'unacknowledged', by: '', detail: 'a worse alert', atMs: nowMs })
  }

  return {
    get(id) {
      const row = incidents.get(id)
      return row && incidentOf(row)
    },
    act: (id, action, nowMs) => transaction(database, () => {
      const row = incidents.get(id)
      return row !== undefined && actions.fits(incidentOf(row), action.deed) && actions.add(id, { ...action, atMs: nowMs })
    }),
    keepExamples: pages.keepExamples,
    named: incidents.named,
    record: (notification, nowMs) => transaction(database, () => {
      const recorded = record(notification, nowMs)
      retention.all(nowMs)
      return recorded
    }),
    list(query, nowMs) {
      // Reading prunes too: without a new notification nothing else would.
      transaction(database, () => retention.aged(nowMs))
      return incidents.list(query).map(incidentOf)
    },
    counts: incidents.counts,
    close: () => database.close(),
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
