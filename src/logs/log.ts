/** The log of unhealthy requests with its way to Loki. */
import { readFileSync } from 'node:fs'
import type { LokiConfig } from '../config/config.ts'
import type { StringTable } from '../spans/strings.ts'
import type { Settled } from '../traces/settled.ts'
import { LogCounts } from './counts.ts'
import { push } from './push.ts'
import { LineQueue } from './queue.ts'
import { RequestLog } from './requestlog.ts'
import { Sender } from './sender.ts'

export interface Log {
  settled(settled: Settled, nowMs: number): void
  /** To be called several times a second. */
  tick(nowMs: number): void
  /** Sends what has not been sent, within the limit. */
  stop(nowMs: number, limitMs: number): Promise<void>
  readonly health: LogHealth
}

export interface LogHealth extends Readonly<Pick<LogCounts, 'lines' | 'dropped' | 'pushErrors' | 'tenantsOverflowed'>> {
  readonly queueLines: number
  readonly queueBytes: number
}

export interface LogOptions {
  readonly strings: StringTable
  /** Takes a sentence for a person when Loki stops taking lines, and when it does again. */
  readonly tell: (message: string) => void
}

/** Throws when the password cannot be read: later that would be a failure of each push. */
export function openLog({ url, tenant, user, labels, linesPerSecond, queueLimitBytes }: LokiConfig, { strings, tell }: LogOptions): Log {
  if (user !== undefined) readPassword(user.passwordFile)
  const counts = new LogCounts()
  const queue = new LineQueue(queueLimitBytes, labels, counts)
  const sender = new Sender({ queue, counts, tell, push: (body, ended) => push({ url, tenant, user }, body, ended) })
  const requests = new RequestLog({ linesPerSecond, strings, counts }, (line) => sender.add(line))
  return {
    settled: (settled, nowMs) => requests.settled(settled, nowMs),
    tick: (nowMs) => requests.tick(nowMs),
    stop: (nowMs, limitMs) => {
      requests.finish(nowMs)
      return sender.stop(limitMs)
    },
    health: {
      get lines() { return counts.lines },
      get tenantsOverflowed() { return counts.tenantsOverflowed },
      dropped: counts.dropped,
      pushErrors: counts.pushErrors,
      get queueLines() { return queue.lines },
      get queueBytes() { return queue.bytes },
    },
  }
}

/** Of a bridge that is told of no Loki. */
export const NO_LOG_HEALTH: LogHealth = { ...new LogCounts(), queueLines: 0, queueBytes: 0 }

function readPassword(file: string): void {
  try {
    readFileSync(file)
  } catch (error) {
    throw new Error(`cannot read loki.passwordFile: ${(error as Error).message}`, { cause: error })
  }
}
