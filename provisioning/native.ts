/** A real program as a supervised child: started, waited for until it is ready, stopped in bounded time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTaken } from '../src/web/port.ts'

export interface NativeOptions {
  /** As the errors call it. */
  readonly name: string
  /** Absolute path of the executable. */
  readonly binary: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Takes all that it prints; emptied at the start. */
  readonly logFile: string
  /** It is ready once this answers 2xx, or, for tcp://host:port, once something listens there. */
  readonly ready: { readonly url: string; readonly limitSeconds?: number }
  /** How long it may take to end after SIGTERM, before SIGKILL. */
  readonly stopLimitSeconds?: number
}

export interface Native {
  readonly name: string
  /** `http://host:port` of the ready URL, or that URL itself where it is no http. */
  readonly url: string
  readonly pid: number
  /** Resolves when it has ended, whoever ended it, with how: `code 1`, `SIGKILL`. Never rejects. */
  readonly ended: Promise<string>
  /** Ends it; resolves when it has ended. May be called again. */
  stop(): Promise<void>
}

const pollMillis = 50
const pollTimeoutMillis = 1000
const logTailBytes = 4096
const logTailLines = 10

/** Resolves when the program is ready. Rejects, with the end of its log, when it ends before that or takes too long. */
export async function startNative(options: NativeOptions): Promise<Native> {
  const { name, logFile, ready, stopLimitSeconds = 10 } = options
  const url = new URL(ready.url)
  // Whoever has the port already would answer in its place, and look like a start that went well.
  if (await isTaken({ host: url.hostname, port: Number(url.port || 80) })) throw new Error(`cannot start ${name}: ${url.host} is in use`)

  const { child, ended } = await spawned(options)
  const stop = () => stopped(child, ended, stopLimitSeconds)
  try {
    await untilReady(ready.url, ready.limitSeconds ?? 60, ended)
  } catch (error) {
    await stop()
    throw new Error(`cannot start ${name}: ${(error as Error).message}; its log ${logFile} ends with\n${tailOf(logFile)}`)
  }
  return { name, url: url.protocol === 'tcp:' ? url.href : url.origin, pid: child.pid!, ended, stop }
}

/** Children that must not outlive this process, however it ends short of SIGKILL. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})

async function spawned(options: NativeOptions): Promise<{ child: ChildProcess; ended: Promise<string> }> {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const log = openSync(options.logFile, 'w')
  try {
    const child = spawn(options.binary, options.args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      // Straight into the file: nothing of it passes through this process, and a log survives it.
      stdio: ['ignore', log, log],
    })
    running.add(child)
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(child)
        resolve(signal ?? `code ${code}`)
      })
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => {
        running.delete(child)
        reject(new Error(`cannot start ${options.name}: ${error.message}`, { cause: error }))
      })
    })
    return { child, ended }
  } finally {
    closeSync(log)
  }
}

async function untilReady(url: string, limitSeconds: number, ended: Promise<string>): Promise<void> {
  const deadline = Date.now() + limitSeconds * 1000
  let end: string | undefined
  void ended.then((how) => {
    end = how
  })
  let last = 'no answer'
  while (Date.now() < deadline) {
    last = await answer(url)
    if (end !== undefined) throw new Error(`it ended with ${end}`)
    if (last === 'ready') return
    await Promise.race([sleep(pollMillis), ended])
  }
  throw new Error(`not ready after ${limitSeconds} s (${url}: ${last})`)
}

async function answer(url: string): Promise<string> {
  const { protocol, hostname, port } = new URL(url)
  if (protocol === 'tcp:') return (await isTaken({ host: hostname, port: Number(port) })) ? 'ready' : 'nobody listens'
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(pollTimeoutMillis) })
    await response.body?.cancel()
    return response.ok ? 'ready' : `status ${response.status}`
  } catch (error) {
    const { cause, message } = error as Error
    return cause instanceof Error ? cause.message : message
  }
}

async function stopped(child: ChildProcess, ended: Promise<string>, limitSeconds: number): Promise<void> {
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), limitSeconds * 1000)
  await ended
  clearTimeout(kill)
}

function tailOf(logFile: string): string {
  const file = openSync(logFile, 'r')
  try {
    const { size } = fstatSync(file)
    const start = Math.max(0, size - logTailBytes)
    const bytes = Buffer.alloc(size - start)
    readSync(file, bytes, 0, bytes.length, start)
    return bytes.toString().trimEnd().split('\n').slice(-logTailLines).join('\n') || '(nothing)'
  } finally {
    closeSync(file)
  }
}
