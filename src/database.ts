/** The files that a bridge keeps, each a database of SQLite: the pages, the scores, what judging has cost. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Opens or creates a file. `prepare` makes its tables, once it has looked whether they are ours. Throws an Error that names the file, and by `called` what it is. */
export function openDatabase(file: string, called: string, prepare: (database: DatabaseSync) => void = () => {}): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
    database = new DatabaseSync(file)
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA foreign_keys = ON')
    check(database)
    prepare(database)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216')
    return database
  } catch (cause) {
    database?.close()
    throw new Error(`cannot open ${called} ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Reads every page of the file once (0.3 s for 256 MiB): better a clear stop at the start than an error in the night. */
function check(database: DatabaseSync): void {
  const result = String(Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0])
  if (result !== 'ok') throw new Error(`the file is damaged (${result.replaceAll('\n', ' ')}); move it away to start with an empty one`)
}
