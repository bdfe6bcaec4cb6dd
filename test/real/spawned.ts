/** bin/spanbridge as a child that goes on: its lines can be awaited, and its end. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { BIN, ROOT } from '../cli/spanbridge.ts'

export interface Spawned {
  readonly pid: number
  /** What it has printed so far. */
  text(): string
  /** The first match in what it prints. Rejects when it ends without, or after `seconds`. */
  printed(pattern: RegExp, seconds?: number): Promise<RegExpExecArray>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  kill(signal: NodeJS.Signals): void
  /** The processes that it started and that run now. */
  children(): number[]
}

export function spawned(args: readonly string[]): Spawned {
  const child = spawn(BIN, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const looking = new Set<() => void>()
  const add = (part: Buffer): void => {
    text += part.toString()
    for (const look of looking) look()
  }
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('error', reject)
  })
  return {
    pid: child.pid!,
    text: () => text,
    ended,
    kill: (signal) => void child.kill(signal),
    printed: (pattern, seconds = 20) => new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(limit)
        looking.delete(look)
      }
      const look = (): void => {
        const match = pattern.exec(text)
        if (match === null) return
        leave()
        resolve(match)
      }
      const fail = (why: string): void => {
        leave()
        reject(new Error(`${pattern} not printed ${why}; printed:\n${text}`))
      }
      const limit = setTimeout(() => fail(`within ${seconds} s`), seconds * 1000)
      looking.add(look)
      void ended.then(({ code }) => fail(`before the end with code ${code}`))
      look()
    }),
    children: () => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  }
}

/** Whether a process of that id is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
