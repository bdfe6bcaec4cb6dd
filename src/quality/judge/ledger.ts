/** The budget's days in a database, so that a bridge that is started again and again does not spend each time. */
import { openDatabase } from '../../database.ts'
import type { Entry, Ledger } from './budget.ts'

export interface OpenLedger extends Ledger {
  close(): void
}

export function openLedger(file: string): OpenLedger {
  // Written before each call is made: a process that dies loses nothing, and a machine that does at most its last calls.
  const database = openDatabase(file, 'the database of what judging costs', (created) => created.exec(
    'CREATE TABLE IF NOT EXISTS spent (day INTEGER, tenant TEXT, requests INTEGER NOT NULL, nanos INTEGER NOT NULL, PRIMARY KEY (day, tenant)) WITHOUT ROWID',
  ))
  const select = database.prepare('SELECT tenant, requests, nanos FROM spent WHERE day = ?')
  const upsert = database.prepare('INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET requests = excluded.requests, nanos = excluded.nanos')
  const forget = database.prepare('DELETE FROM spent WHERE day < ?')
  return {
    read: (day) => {
      forget.run(day)
      return select.all(day) as unknown as Entry[]
    },
    write: (day, { tenant, requests, nanos }) => { upsert.run(day, tenant, requests, nanos) },
    close: () => database.close(),
  }
}
