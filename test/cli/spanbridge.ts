/** Runs bin/spanbridge as a user's shell does. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const BIN = `${ROOT}bin/spanbridge`

/** What one run compiles the next one reads: half the time of a run that only says what is wrong. */
const COMPILED = `${ROOT}node_modules/.cache/compiled`

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly bin?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export function spanbridge(args: readonly string[], { bin = BIN, cwd = ROOT, env = {} }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(bin, args, { cwd, env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
