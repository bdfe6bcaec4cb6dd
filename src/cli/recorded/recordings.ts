/** Finds recordings on disk: a folder with traces-*.pb|json and logs-*.pb|json is one run. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { transcode } from '../../otlp/json.ts'
import { Recording } from './recording.ts'
import type { Signal } from './shape.ts'
import { UsageError } from '../usage.ts'

const BODY = /^(traces|logs)-.*\.(pb|json)$/
/** All recordings together are kept in memory. */
const MOST_BYTES = 1024 ** 3
const DEEPEST = 16

/** Throws an Error that names the path which is not there, is no recording, or cannot be read. */
export function loadRecordings(paths: readonly string[]): Recording[] {
  const runs = new Map<string, string[]>()
  for (const path of paths) {
    const files = find(path, 0)
    if (files.length === 0) throw new Error(`cannot find recordings in ${path}: no traces-*.pb, traces-*.json, logs-*.pb or logs-*.json`)
    for (const file of files) {
      const run = runs.get(dirname(file)) ?? []
      if (!run.includes(file)) run.push(file)
      runs.set(dirname(file), run)
    }
  }
  let total = 0
  return [...runs].map(([folder, files]) => {
    const bodies = files.map((file) => {
      const body = readBody(file)
      total += body.bytes.length
      if (total > MOST_BYTES) throw new Error(`cannot load recordings: more than ${MOST_BYTES} bytes, at ${file}`)
      return body
    })
    try {
      return new Recording(folder, bodies)
    } catch (error) {
      throw new Error(`cannot read the recording ${folder}: ${(error as Error).message}`, { cause: error })
    }
  })
}

/** One body as protobuf, whichever form the file has. A file of another name is taken for traces. */
export function readBody(file: string): { signal: Signal; bytes: Buffer } {
  const signal: Signal = basename(file).startsWith('logs') ? 'logs' : 'traces'
  try {
    const bytes = readFileSync(file)
    // The transcoder's buffer is its own: it is copied.
    return { signal, bytes: file.endsWith('.json') ? Buffer.from(transcode(signal, bytes).bytes) : bytes }
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** Files of bodies under a path, a folder's in the order of their names. */
export function find(path: string, depth = 0): string[] {
  let isFolder: boolean
  try {
    isFolder = statSync(path).isDirectory()
  } catch (error) {
    throw new Error(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or folder' : (error as Error).message}`, { cause: error })
  }
  if (!isFolder) return [path]
  if (depth > DEEPEST) throw new Error(`cannot read ${path}: folders are nested deeper than ${DEEPEST}`)
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return find(join(path, entry.name), depth + 1)
    return BODY.test(entry.name) ? [join(path, entry.name)] : []
  })
}

/** The bodies under some paths. Throws `UsageError` naming the path that is not there, or has none. */
export function bodiesIn(paths: readonly string[]): { signal: Signal; bytes: Buffer }[] {
  let bodies: { signal: Signal; bytes: Buffer }[]
  try {
    bodies = paths.flatMap((path) => find(path)).map(readBody)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  if (bodies.length === 0) throw new UsageError(`cannot find OTLP bodies in ${paths.join(', ')}: no traces-*.pb, traces-*.json, logs-*.pb or logs-*.json`)
  return bodies
}
