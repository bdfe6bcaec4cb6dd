/** Runs a program that builds something: politely, for a limited time, ended with all that it starts. */
import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'

export interface ProgramOptions {
  readonly directory: string
  readonly env: NodeJS.ProcessEnv
  readonly signal?: AbortSignal | undefined
  /** Lines that say nothing about why it failed. */
  readonly noise?: RegExp
}

// The slowest build takes 5 minutes on two cores with nothing cached.
const timeLimitMillis = 30 * 60_000
const outputTailLength = 8192

/** Rejects with the last lines of what it printed. */
export function runProgram(name: string, args: readonly string[], { directory, env, signal, noise }: ProgramOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that what it starts can be ended with it.
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
      else reject(new Error(`${name} ${args[0]} ended with ${killedBy ?? code}: ${lastLines(tail, noise)}`))
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

/** A build of minutes must not slow down the person at the keyboard, nor the bridge that is already up. */
function yieldToOthers(pid: number | undefined): void {
  try {
    if (pid) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Not allowed here: then it builds at normal priority.
  }
}

function lastLines(output: string, noise: RegExp = /^$/): string {
  const lines = output.split('\n').filter((line) => line.trim() && !noise.test(line))
  return lines.slice(-5).join('\n') || 'it printed nothing'
}
