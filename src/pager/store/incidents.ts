/** Incidents in the database: which one a new page belongs to, and how it stands. */
import type { DatabaseSync } from 'node:sqlite'
import type { State } from '../notification.ts'
import type { Row } from './pages.ts'
import { TOGETHER_MS, type Subject } from './subject.ts'

export interface Query {
  readonly limit: number
  /** Only incidents of a lower rank. */
  readonly before?: number
  readonly state?: State
}

export interface Counts {
  readonly firing: number
  readonly resolved: number
}

export interface Incidents {
  /** The open incident that a page about this belongs to; undefined: none. */
  fitting(subject: Subject): number | undefined
  begin(status: State, nowMs: number): number
  /** Something new fires in it. */
  raise(id: number): void
  /** Its pages have been told of: what they are, it is. */
  settle(id: number, nowMs: number): void
  /** True the first time. */
  named(id: number, nowMs: number): boolean
  get(id: number): Row | undefined
  list(query: Query): Row[]
  counts(): Counts
}

export function openIncidents(database: DatabaseSync): Incidents {
  const s = (text: string) => database.prepare(text)
  const sql = {
    fitting: s(`SELECT incident.id FROM page JOIN incident ON incident.id = page.incident_id
      WHERE page.status = 'firing' AND incident.closed = 0 AND page.cluster = $cluster AND (
        (page.tenant = $tenant AND page.agent = $agent AND page.owner = $owner AND ($tenant <> '' OR $agent <> '' OR $owner <> '') AND abs(page.began_ms - $began) <= $together)
        OR ($cause <> '' AND page.cause = $cause AND ((page.agent = $agent AND $agent <> '') OR (page.tenant = $tenant AND $tenant <> '')))
      ) ORDER BY incident.rank DESC LIMIT 1`),
    begin: s('INSERT INTO incident (rank, status, opened_ms, heard_ms, resolved_ms) VALUES ((SELECT coalesce(max(rank), 0) + 1 FROM incident), ?, ?, ?, ?)'),
    raise: s('UPDATE incident SET rank = (SELECT max(rank) + 1 FROM incident) WHERE id = ?'),
    firing: s("SELECT 1 FROM page WHERE incident_id = ? AND status = 'firing' LIMIT 1"),
    settle: s(`UPDATE incident SET heard_ms = $now, resolved_ms = CASE WHEN $status = 'firing' THEN NULL WHEN status = 'firing' THEN $now ELSE resolved_ms END, status = $status WHERE id = $id`),
    named: s('UPDATE incident SET named_ms = ? WHERE id = ? AND named_ms IS NULL'),
    get: s('SELECT * FROM incident WHERE id = ?'),
    list: s(`SELECT * FROM incident WHERE rank < ? AND (? IS NULL OR CASE closed WHEN 1 THEN 'resolved' ELSE status END = ?) ORDER BY rank DESC LIMIT ?`),
    counts: s(`SELECT count(*) FILTER (WHERE status = 'firing' AND closed = 0) AS firing, count(*) FILTER (WHERE status = 'resolved' OR closed = 1) AS resolved FROM incident`),
  }
  return {
    fitting({ cluster, tenant, agent, owner, cause, beganMs }) {
      const row = sql.fitting.get({ $cluster: cluster, $tenant: tenant, $agent: agent, $owner: owner, $cause: cause, $began: beganMs, $together: TOGETHER_MS })
      return row && Number(row['id'])
    },
    begin: (status, nowMs) => Number(sql.begin.run(status, nowMs, nowMs, status === 'resolved' ? nowMs : null).lastInsertRowid),
    raise: (id) => void sql.raise.run(id),
    settle: (id, nowMs) => void sql.settle.run({ $id: id, $now: nowMs, $status: sql.firing.get(id) === undefined ? 'resolved' : 'firing' }),
    named: (id, nowMs) => Number(sql.named.run(nowMs, id).changes) > 0,
    get: (id) => sql.get.get(id),
    list: ({ limit, before = Number.MAX_SAFE_INTEGER, state }) => sql.list.all(before, state ?? null, state ?? null, limit),
    counts() {
      const row = sql.counts.get()
      return { firing: Number(row?.['firing']), resolved: Number(row?.['resolved']) }
    },
  }
}
