/** Having the real programs at hand: found where they are, or built once into the cache. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build as buildComponent } from './build.ts'
import { cacheDirectory, findComponent } from './find.ts'
import { isAlive, type Lock, renamed, tryLock } from './lock.ts'
import { type Build, buildId, type Component, componentOf, components } from './table.ts'

export { findComponent } from './find.ts'
export { type Component, components } from './table.ts'

export interface EnsureOptions {
  /** Takes a line at a time: what is being built, and every half minute that it still is. */
  readonly log: (line: string) => void
  /** Ends a build under way. */
  readonly signal?: AbortSignal
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly table?: readonly Component[]
  readonly build?: Build
  readonly pollMillis?: number
}

const progressMillis = 30_000

/**
 * The path of an executable, built first where it must be, which takes minutes. `name` is a component (then the path is
 * that of its own executable) or a binary. Never rejects but for a name that does not exist: what cannot be had is
 * `missing` for a reason that a person can act on. Several processes may ask at once: one builds, the others wait.
 */
export async function ensureComponent(name: string, options: EnsureOptions): Promise<{ path: string } | { missing: string }> {
  const { env = process.env, table = components } = options
  const component = componentOf(name, table)
  const binary = component.binaries.includes(name) ? name : component.binaries[0]!
  try {
    const found = findComponent(binary, env, table)
    if (found) return { path: found }
    const lock = await lockOrBuilt(component, binary, options)
    if (typeof lock === 'string') return { path: lock }
    try {
      // Another process may have finished between the look and the lock.
      const path = findComponent(binary, env, table) ?? (await buildInto(component, binary, options))
      return { path }
    } finally {
      lock.release()
    }
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) }
  }
}

/** The right to build, or the path once the process that has that right is done. */
async function lockOrBuilt(component: Component, binary: string, options: EnsureOptions): Promise<Lock | string> {
  const { env = process.env, table = components, log, signal, pollMillis = 500 } = options
  const root = cacheDirectory(env)
  mkdirSync(root, { recursive: true })
  let told = false
  for (;;) {
    const lock = tryLock(join(root, `${buildId(component)}.lock`))
    if ('release' in lock) return lock
    if (!told) log(`waiting for process ${lock.ownerPid}, which is building ${component.name} ${component.version}`)
    told = true
    await sleep(pollMillis, undefined, signal ? { signal } : {})
    const found = findComponent(binary, env, table)
    if (found) return found
  }
}

async function buildInto(component: Component, binary: string, options: EnsureOptions): Promise<string> {
  const { env = process.env, table = components, log, signal, build = buildComponent } = options
  const root = cacheDirectory(env)
  const place = join(root, buildId(component))
  removeLeftovers(root, `${buildId(component)}.build-`)
  const scratch = `${place}.build-${process.pid}-${Math.random().toString(36).slice(2)}`
  const directory = join(scratch, 'bin')
  mkdirSync(directory, { recursive: true })

  const title = `${component.name} ${component.version}`
  const since = Date.now()
  const elapsed = () => minutesAndSeconds(Date.now() - since)
  log(`building ${title} ${component.packages ? 'from its Go module ' : ''}(about ${component.buildMinutes} min, once) …`)
  const progress = setInterval(() => log(`building ${title}: ${elapsed()} so far …`), progressMillis)
  try {
    await build(component, { directory, ...(signal ? { signal } : {}) })
    // Something is there already where a takeover of the lock raced, or where a binary was deleted: make room, once.
    if (!renamed(scratch, place)) {
      rmSync(place, { recursive: true, force: true })
      renamed(scratch, place)
    }
    log(`built ${title} in ${elapsed()}`)
  } catch (error) {
    throw new Error(`cannot build ${title}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    clearInterval(progress)
    rmSync(scratch, { recursive: true, force: true })
  }
  const path = findComponent(binary, env, table)
  if (!path) throw new Error(`cannot build ${title}: the build succeeded without writing ${binary}`)
  return path
}

/** Scratch directories of builds that were killed. */
function removeLeftovers(root: string, prefix: string): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith(prefix)) continue
    const pid = Number(name.slice(prefix.length).split('-')[0])
    if (!isAlive(pid)) rmSync(join(root, name), { recursive: true, force: true })
  }
}

function minutesAndSeconds(millis: number): string {
  const seconds = Math.round(millis / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
