/**
 * A lock between processes: a directory that names its owner. It only spares work, it does not guard the result: builds happen
 * in directories of their own and are renamed into place, so two owners (a takeover that raced, a cache shared by
 * containers that do not see each other's processes) cost minutes and nothing else.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Lock {
  release(): void
}

// Longer than any build may take: a lock this old was left behind, and its owner's pid now belongs to another program.
const staleAfterMillis = 60 * 60_000

/** The lock, or the pid of the living process that has it. A dead owner's lock is taken over. */
export function tryLock(path: string): Lock | { readonly ownerPid: number } {
  // Made complete, then renamed: nobody ever sees a lock without its owner. Renaming onto a directory that is not empty fails.
  const mine = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`
  mkdirSync(mine, { recursive: true })
  writeFileSync(join(mine, 'pid'), String(process.pid))
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      if (renamed(mine, path)) return { release: () => release(path) }
      const ownerPid = ownerOf(path)
      if (ownerPid !== undefined && isAlive(ownerPid)) return { ownerPid }
      rmSync(path, { recursive: true, force: true })
    }
    throw new Error(`cannot take lock ${path}: it changes hands too fast`)
  } finally {
    rmSync(mine, { recursive: true, force: true })
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and is someone else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function release(path: string): void {
  if (ownerOf(path) === process.pid) rmSync(path, { recursive: true, force: true })
}

function ownerOf(path: string): number | undefined {
  try {
    const file = join(path, 'pid')
    if (Date.now() - statSync(file).mtimeMs > staleAfterMillis) return undefined
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

/** Whether `from` now is at `to`; false when something is there already. */
export function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
    throw error
  }
}
