/** Runs the command line: bin/spanbridge as a user's shell does, or within this process. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/cli/program.ts'

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

/** The same without a process of its own, which takes a third of a second: for what a command does and says. One at a time. */
export async function commandLine(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const { stdout, stderr, env: outer, exitCode } = process
  const writers = [stdout, stderr].map((stream) => ({ stream, write: stream.write }))
  const said = ['', '']
  for (const [i, { stream }] of writers.entries()) stream.write = (text: string | Uint8Array) => ((said[i] += String(text)), true)
  process.env = { PATH: outer['PATH'], ...env }
  process.exitCode = undefined
  try {
    const code = await run(args)
    return { code: code || Number(process.exitCode ?? 0), stdout: said[0]!, stderr: said[1]! }
  } finally {
    for (const { stream, write } of writers) stream.write = write
    process.env = outer
    process.exitCode = exitCode
  }
}
