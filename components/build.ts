/** Builds a component with the machine's Go toolchain. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import type { Component } from './table.ts'
import { isAtLeast } from './find.ts'

export interface BuildOptions {
  /** Existing directory that the executables are written to. */
  readonly directory: string
  readonly signal?: AbortSignal
}

/** Writes `component.binaries` into a directory; rejects with a reason that a person can act on. */
export type Build = (component: Component, options: BuildOptions) => Promise<void>

// The slowest build takes 5 minutes on two cores with nothing cached.
const timeLimitMillis = 30 * 60_000
const outputTailLength = 8192

export const goBuild: Build = async (component, { directory, signal }) => {
  const unfit = unfitGo(component)
  if (unfit) throw new Error(unfit)
  // A go that is ended leaves its work directory of some hundred MB behind: it is in a place that is removed.
  const scratch = join(directory, 'work')
  mkdirSync(scratch)
  try {
    for (const [index, binary] of component.binaries.entries()) {
      await go(component, ['build', ...flags(component), '-o', join(directory, binary), component.packages[index] ?? '.'], scratch, signal)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Why the machine's Go cannot build this, or undefined when it can. */
function unfitGo(component: Component): string | undefined {
  const needed = /^go (\S+)$/m.exec(readFileSync(join(component.folder, 'go.mod'), 'utf8'))?.[1] ?? '0'
  const { stdout, error } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env: goEnvironment() })
  if (error) return `Go ${needed} or newer is needed, and there is no go on the PATH`
  const version = /^go(\d+(?:\.\d+)*)/.exec(stdout)?.[1] ?? '0'
  return isAtLeast(version, needed) ? undefined : `Go ${needed} or newer is needed, and go on the PATH is ${stdout.trim()}`
}

function flags(component: Component): string[] {
  const variable = component.versionVariable
  return [
    // The committed go.sum decides what is built, or the build fails.
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    // Two compilers at once: linking Prometheus takes more than 1 GB as it is.
    '-p=2',
    ...(component.tags ? [`-tags=${component.tags}`] : []),
    `-ldflags=-s -w${variable ? ` -X ${variable}=${component.version}` : ''}`,
  ]
}

function go(component: Component, args: readonly string[], scratch: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd: component.folder,
      env: { ...goEnvironment(), GOTMPDIR: scratch },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that the compilers that go starts can be ended with it.
      detached: true,
    })
    const end = () => endGroup(child.pid)
    const limit = setTimeout(end, timeLimitMillis)
    signal?.addEventListener('abort', end)
    process.once('exit', end)
    let tail = ''
    const keep = (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-outputTailLength)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('spawn', () => {
      yieldToOthers(child.pid)
      if (signal?.aborted) end()
    })
    child.on('error', reject)
    child.on('close', (code, killedBy) => {
      clearTimeout(limit)
      signal?.removeEventListener('abort', end)
      process.off('exit', end)
      if (code === 0) resolve()
      else reject(new Error(`go build ended with ${killedBy ?? code}: ${lastLines(tail)}`))
    })
  })
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid) process.kill(-pid, 'SIGTERM')
  } catch {
    // It has just ended by itself.
  }
}

function goEnvironment(): NodeJS.ProcessEnv {
  // CGO off: no C compiler needed. Toolchain local: a Go that is too old is told to the user, not replaced by a download.
  return { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' }
}

/** A build of minutes must not slow down the person at the keyboard, nor the bridge that is already up. */
function yieldToOthers(pid: number | undefined): void {
  try {
    if (pid) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Not allowed here: then it builds at normal priority.
  }
}

function lastLines(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() && !line.startsWith('go: downloading '))
  return lines.slice(-5).join('\n') || 'it printed nothing'
}
