/** Keeps a program running until it is no longer wanted. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Program {
  readonly url: string
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

export interface Watcher {
  ready(program: Program): void
  /** It is not there, for the reason given. */
  trouble(reason: string): void
}

const MOST_STARTS = 5
const PAUSE_MS = 1000

/** Resolves once it runs or cannot be had, with which of the two; `gone` resolves when it has ended for good. Neither rejects. */
export function supervise(start: () => Promise<Program>, watcher: Watcher, stop: AbortSignal, pauseMs = PAUSE_MS): { readonly up: Promise<boolean>; readonly gone: Promise<void> } {
  const up = Promise.withResolvers<boolean>()
  return { up: up.promise, gone: run(start, watcher, stop, pauseMs, up.resolve).finally(() => up.resolve(false)) }
}

async function run(start: () => Promise<Program>, watcher: Watcher, stop: AbortSignal, pauseMs: number, up: (there: boolean) => void): Promise<void> {
  for (let starts = 1; !stop.aborted; starts++) {
    let program: Program
    try {
      program = await start()
    } catch (error) {
      if (!stop.aborted) watcher.trouble((error as Error).message)
      return
    }
    if (!stop.aborted) watcher.ready(program)
    up(true)
    const how = await Promise.race([program.ended, aborted(stop)])
    if (how === undefined) return program.stop()
    // Ctrl-C ends the whole group of processes at once: a moment to hear of it too.
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined)
    if (stop.aborted) return
    watcher.trouble(`ended with ${how}; ${starts < MOST_STARTS ? 'starting it again' : 'not starting it a sixth time'}`)
    if (starts === MOST_STARTS) return
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
