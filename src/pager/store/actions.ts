/** What people do about incidents: take one, end one, say whether its root cause was right. */
import type { DatabaseSync } from 'node:sqlite'
import { ACTIONS_KEPT, ACTIONS_SHOWN, type Action, type Deed, type Incident } from '../notification.ts'

export interface Actions {
  /** Always true. */
  add(incidentId: number, action: Action): true
  of(incidentId: number): Pick<Incident, 'acknowledged' | 'closed' | 'verdict' | 'actions'>
  /** Whether there is anything left to do of that kind. */
  fits(incident: Incident, deed: Deed): boolean
}

/** The last of these decides whether an incident is in the state that the first of them begins. */
const TAKEN: readonly Deed[] = ['acknowledged', 'unacknowledged', 'reopened']
const ENDED: readonly Deed[] = ['closed', 'reopened']
const JUDGED: readonly Deed[] = ['confirmed', 'corrected']

export function openActions(database: DatabaseSync): Actions {
  const insert = database.prepare('INSERT INTO deed (incident_id, deed, by, detail, at_ms) VALUES (?, ?, ?, ?, ?)')
  const close = database.prepare('UPDATE incident SET closed = ? WHERE id = ?')
  const select = database.prepare('SELECT deed, by, detail, at_ms FROM deed WHERE incident_id = ? ORDER BY id DESC')
  // A verdict is counted as a label, so it stays.
  const prune = database.prepare(`DELETE FROM deed WHERE incident_id = ? AND deed NOT IN ('confirmed', 'corrected')
    AND id NOT IN (SELECT id FROM deed WHERE incident_id = ? ORDER BY id DESC LIMIT ${ACTIONS_KEPT})`)

  return {
    add(incidentId, { deed, by, detail, atMs }) {
      insert.run(incidentId, deed, by, detail, atMs)
      prune.run(incidentId, incidentId)
      if (ENDED.includes(deed)) close.run(deed === 'closed' ? 1 : 0, incidentId)
      return true
    },
    of(incidentId) {
      const all = select.all(incidentId).map((row): Action => ({ deed: row['deed'] as Deed, by: String(row['by']), detail: String(row['detail']), atMs: Number(row['at_ms']) }))
      const latest = (deeds: readonly Deed[]) => all.find(({ deed }) => deeds.includes(deed))
      const inState = (deeds: readonly Deed[]) => {
        const found = latest(deeds)
        return found !== undefined && found.deed === deeds[0] ? found : null
      }
      return { acknowledged: inState(TAKEN), closed: inState(ENDED), verdict: latest(JUDGED) ?? null, actions: all.slice(0, ACTIONS_SHOWN) }
    },
    fits(incident, deed) {
      switch (deed) {
        case 'acknowledged': return incident.acknowledged === null && incident.status === 'firing'
        case 'unacknowledged': return incident.acknowledged !== null && incident.status === 'firing'
        case 'closed': return incident.status === 'firing'
        case 'reopened': return incident.closed !== null
        // One answer an incident: it is counted, and a count cannot be taken back.
        case 'confirmed':
        case 'corrected': return incident.verdict === null
      }
    },
  }
}
