/** What goes when there is too much: lines of history by age and number, then pages without any, pages by bytes, incidents without pages. */
import type { DatabaseSync } from 'node:sqlite'
import type { PagerLimits } from '../notification.ts'

export interface Retention {
  /** By age alone: cheap enough for every reading. */
  aged(nowMs: number): void
  all(nowMs: number): void
}

export function openRetention(database: DatabaseSync, limits: PagerLimits): Retention {
  const s = (text: string) => database.prepare(text)
  const sql = {
    deleteAged: s('DELETE FROM notification WHERE last_ms < ?'),
    countNotifications: s('SELECT count(*) AS n FROM notification'),
    deleteOldest: s('DELETE FROM notification WHERE id IN (SELECT id FROM notification ORDER BY last_ms, id LIMIT ?)'),
    deleteBare: s('DELETE FROM page WHERE NOT EXISTS (SELECT 1 FROM notification WHERE page_id = page.id)'),
    sumBytes: s('SELECT coalesce(sum(bytes), 0) AS n FROM page'),
    deletePastBytes: s(`DELETE FROM page WHERE id IN (
      SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY heard_ms DESC, id DESC) AS total FROM page) WHERE total > ?)`),
    deleteEmpty: s('DELETE FROM incident WHERE NOT EXISTS (SELECT 1 FROM page WHERE incident_id = incident.id)'),
    // What fired in it is gone, and what is left has resolved.
    end: s(`UPDATE incident SET status = 'resolved', resolved_ms = heard_ms WHERE status = 'firing' AND NOT EXISTS (SELECT 1 FROM page WHERE incident_id = incident.id AND page.status = 'firing')`),
  }
  const gone = (pages: number | bigint) => {
    if (Number(pages) === 0) return
    sql.deleteEmpty.run()
    sql.end.run()
  }
  const aged = (nowMs: number) => {
    if (Number(sql.deleteAged.run(nowMs - limits.keptDays * 86_400_000).changes) > 0) gone(sql.deleteBare.run().changes)
  }
  return {
    aged,
    all(nowMs) {
      aged(nowMs)
      const over = Number(sql.countNotifications.get()?.['n']) - limits.keptNotifications
      if (over > 0) {
        sql.deleteOldest.run(over)
        gone(sql.deleteBare.run().changes)
      }
      if (Number(sql.sumBytes.get()?.['n']) > limits.keptBytes) gone(sql.deletePastBytes.run(limits.keptBytes).changes)
    },
  }
}
