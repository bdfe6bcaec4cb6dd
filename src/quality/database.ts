/** The file of what is remembered about scores: how far sources have been read, what judges and people said. */
import { DatabaseSync } from 'node:sqlite'

/** Opens or creates it. Throws an Error that names the file. */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file)
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216')
    const result = String(Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0])
    if (result !== 'ok') throw new Error(`the file is damaged (${result.replaceAll('\n', ' ')}); move it away to start with an empty one`)
    return database
  } catch (cause) {
    database?.close()
    throw new Error(`cannot open the database of scores ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
