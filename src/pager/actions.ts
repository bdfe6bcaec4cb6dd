/** What people do about pages: take one, end one, say whether its root cause was right. */
import type { DatabaseSync } from 'node:sqlite'
import { ACTIONS_KEPT, ACTIONS_SHOWN, type Action, type Deed, type Page } from './notification.ts'

export interface Actions {
  /** Always true. */
  add(pageId: number, action: Action): true
  of(pageId: number): Pick<Page, 'acknowledged' | 'closed' | 'verdict' | 'actions'>
  /** Whether there is anything left to do of that kind. */
  fits(page: Page, deed: Deed): boolean
}

/** The last of these decides whether a page is in the state that the first of them begins. */
const TAKEN: readonly Deed[] = ['acknowledged', 'unacknowledged', 'reopened']
const ENDED: readonly Deed[] = ['closed', 'reopened']
const JUDGED: readonly Deed[] = ['confirmed', 'corrected']

export function openActions(database: DatabaseSync): Actions {
  const insert = database.prepare('INSERT INTO action (page_id, deed, by, detail, at_ms) VALUES (?, ?, ?, ?, ?)')
  const close = database.prepare('UPDATE page SET closed = ? WHERE id = ?')
  const select = database.prepare('SELECT deed, by, detail, at_ms FROM action WHERE page_id = ? ORDER BY id DESC')
  // A verdict is counted as a label, so it stays.
  const prune = database.prepare(`DELETE FROM action WHERE page_id = ? AND deed NOT IN ('confirmed', 'corrected')
    AND id NOT IN (SELECT id FROM action WHERE page_id = ? ORDER BY id DESC LIMIT ${ACTIONS_KEPT})`)

  return {
    add(pageId, { deed, by, detail, atMs }) {
      insert.run(pageId, deed, by, detail, atMs)
      prune.run(pageId, pageId)
      if (ENDED.includes(deed)) close.run(deed === 'closed' ? 1 : 0, pageId)
      return true
    },
    of(pageId) {
      const all = select.all(pageId).map((row): Action => ({ deed: row['deed'] as Deed, by: String(row['by']), detail: String(row['detail']), atMs: Number(row['at_ms']) }))
      const latest = (deeds: readonly Deed[]) => all.find(({ deed }) => deeds.includes(deed))
      const inState = (deeds: readonly Deed[]) => {
        const found = latest(deeds)
        return found !== undefined && found.deed === deeds[0] ? found : null
      }
      return { acknowledged: inState(TAKEN), closed: inState(ENDED), verdict: latest(JUDGED) ?? null, actions: all.slice(0, ACTIONS_SHOWN) }
    },
    fits(page, deed) {
      switch (deed) {
        case 'acknowledged': return page.acknowledged === null && page.status === 'firing'
        case 'unacknowledged': return page.acknowledged !== null && page.status === 'firing'
        case 'closed': return page.status === 'firing'
        case 'reopened': return page.closed !== null
        // One answer a page: it is counted, and a count cannot be taken back.
        case 'confirmed':
        case 'corrected': return page.verdict === null
      }
    },
  }
}
