import type { DatabaseSync } from 'node:sqlite'
import { openDatabase } from '../../database.ts'

/** Step n brings a file of schema version n to n + 1. A step that has shipped is never edited. */
const MIGRATIONS = [
  `CREATE TABLE page (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     rank INTEGER NOT NULL,
     group_key TEXT NOT NULL,
     status TEXT NOT NULL,
     opened_ms INTEGER NOT NULL,
     heard_ms INTEGER NOT NULL,
     resolved_ms INTEGER,
     told INTEGER NOT NULL,
     body TEXT NOT NULL,
     bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX page_rank ON page (rank);
   CREATE INDEX page_group ON page (group_key, id);
   -- Sums and counts must not walk through the bodies: 16 ms a notification at 5,000 pages without these two.
   CREATE INDEX page_bytes ON page (heard_ms, bytes);
   CREATE INDEX page_status ON page (status);
   CREATE TABLE notification (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     page_id INTEGER NOT NULL REFERENCES page (id) ON DELETE CASCADE,
     digest TEXT NOT NULL,
     status TEXT NOT NULL,
     reason TEXT NOT NULL,
     firing INTEGER NOT NULL,
     resolved INTEGER NOT NULL,
     first_ms INTEGER NOT NULL,
     last_ms INTEGER NOT NULL,
     times INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX notification_page ON notification (page_id, id);
   CREATE INDEX notification_age ON notification (last_ms, id);`,
  `ALTER TABLE page ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
   DROP INDEX page_status;
   CREATE INDEX page_status ON page (status, closed);
   CREATE TABLE action (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     page_id INTEGER NOT NULL REFERENCES page (id) ON DELETE CASCADE,
     deed TEXT NOT NULL,
     by TEXT NOT NULL,
     detail TEXT NOT NULL,
     at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX action_page ON action (page_id, id);`,
  // Until here every page was an incident of its own; it stays one, under its number.
  `CREATE TABLE incident (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     rank INTEGER NOT NULL,
     status TEXT NOT NULL,
     closed INTEGER NOT NULL DEFAULT 0,
     opened_ms INTEGER NOT NULL,
     heard_ms INTEGER NOT NULL,
     resolved_ms INTEGER,
     named_ms INTEGER
   ) STRICT;
   INSERT INTO incident (id, rank, status, closed, opened_ms, heard_ms, resolved_ms, named_ms)
     SELECT id, rank, status, closed, opened_ms, heard_ms, resolved_ms, opened_ms FROM page;
   CREATE INDEX incident_rank ON incident (rank);
   CREATE INDEX incident_status ON incident (status, closed);
   DROP INDEX page_rank;
   DROP INDEX page_status;
   ALTER TABLE page DROP COLUMN rank;
   ALTER TABLE page DROP COLUMN closed;
   ALTER TABLE page ADD COLUMN incident_id INTEGER REFERENCES incident (id) ON DELETE CASCADE;
   UPDATE page SET incident_id = id;
   ALTER TABLE page ADD COLUMN cluster TEXT NOT NULL DEFAULT '';
   ALTER TABLE page ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
   ALTER TABLE page ADD COLUMN agent TEXT NOT NULL DEFAULT '';
   ALTER TABLE page ADD COLUMN owner TEXT NOT NULL DEFAULT '';
   ALTER TABLE page ADD COLUMN cause TEXT NOT NULL DEFAULT '';
   ALTER TABLE page ADD COLUMN began_ms INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX page_incident ON page (incident_id, id);
   CREATE INDEX page_status ON page (status);
   CREATE TABLE deed (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     incident_id INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
     deed TEXT NOT NULL,
     by TEXT NOT NULL,
     detail TEXT NOT NULL,
     at_ms INTEGER NOT NULL
   ) STRICT;
   INSERT INTO deed SELECT id, page_id, deed, by, detail, at_ms FROM action;
   CREATE INDEX deed_incident ON deed (incident_id, id);
   DROP TABLE action;`,
] as const

/** Opens or creates the pager's file and brings its schema up to date. Throws an Error that names the file. */
export function openPagerDatabase(file: string): DatabaseSync {
  return openDatabase(file, 'pager database', (database) => migrate(database, schemaVersion(database)))
}

/** Version of a file that is ours; 0 for an empty one. */
function schemaVersion(database: DatabaseSync): number {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > MIGRATIONS.length) throw new Error(`its schema is version ${version}, this Spanbridge knows ${MIGRATIONS.length}`)
  if (version === 0 && database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get()) throw new Error('the file belongs to another program')
  return version
}

function migrate(database: DatabaseSync, version: number): void {
  for (const [at, step] of MIGRATIONS.entries()) {
    if (at >= version) database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${at + 1}; COMMIT`)
  }
}
