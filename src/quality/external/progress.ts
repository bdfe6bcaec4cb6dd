/** How far each source has been read, and the ids of the scores that were counted, in a database: a restart neither misses a score nor counts one twice. */
import type { DatabaseSync } from 'node:sqlite'

export interface Progress {
  cursor(source: string): string | undefined
  seen(source: string, id: string): boolean
  remember(source: string, id: string): void
  /** Remembers both or neither. */
  commit(source: string, cursor: string, ids: readonly string[]): void
}

/** Ids remembered; the oldest go. */
const MAX_IDS = 200_000

export function openProgress(database: DatabaseSync, maxIds = MAX_IDS): Progress {
  database.exec(`
    CREATE TABLE IF NOT EXISTS source (name TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counted (number INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (source, id)) STRICT;
  `)
  const select = database.prepare('SELECT cursor FROM source WHERE name = ?')
  const upsert = database.prepare('INSERT INTO source VALUES (?, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor')
  const find = database.prepare('SELECT 1 FROM counted WHERE source = ? AND id = ?')
  const insert = database.prepare('INSERT OR IGNORE INTO counted (source, id) VALUES (?, ?)')
  const forget = database.prepare('DELETE FROM counted WHERE number <= (SELECT max(number) FROM counted) - ?')
  return {
    cursor: (source) => select.get(source)?.['cursor'] as string | undefined,
    seen: (source, id) => find.get(source, id) !== undefined,
    remember: (source, id) => {
      insert.run(source, id)
      forget.run(maxIds)
    },
    commit: (source, cursor, ids) => {
      database.exec('BEGIN IMMEDIATE')
      try {
        for (const id of ids) insert.run(source, id)
        if (ids.length > 0) forget.run(maxIds)
        upsert.run(source, cursor)
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
  }
}
