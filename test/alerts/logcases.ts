/**
 * Requests of the last days, and which rule of Loki's they make fire. The stage that writes the bridge's lines writes theirs, with those times as its clock.
 */
import { LogCounts } from '../../src/logs/counts.ts'
import { LineQueue } from '../../src/logs/queue.ts'
import { RequestLog } from '../../src/logs/requestlog.ts'
import { testEngine } from '../conformance/recordings.ts'
import { run, type Run } from '../logs/runs.ts'
import { tracesBody } from '../otlpbuilder.ts'

const SECOND = 1
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const FAILURES = {
  '5xx': { failure: '503 Service Unavailable' },
  overflow: { failure: 'context_length_exceeded: maximum context length is 128000 tokens', at: 'model' },
  deadlock: { failure: 'Recursion limit of 25 reached without hitting a stop condition', at: 'agent' },
} as const satisfies Record<string, Partial<Run>>

/** So many requests, so many seconds ago; without a failure they succeed. */
export interface Requests {
  readonly ago: number
  readonly times: number
  readonly failure?: keyof typeof FAILURES
}

export type Kind = 'at the limit' | 'just below it' | 'before the window' | 'of another kind' | 'as usual'

export interface Case {
  readonly alert: string
  readonly kind: Kind
  readonly requests: readonly Requests[]
  readonly fires: boolean
}

const fires = (alert: string, kind: Kind, ...requests: Requests[]): Case => ({ alert, kind, requests, fires: true })
const silent = (alert: string, kind: Kind, ...requests: Requests[]): Case => ({ alert, kind, requests, fires: false })

/** Each has a tenant and an agent of its own. With room for the seconds that the test takes. */
export const CASES: readonly Case[] = [
  fires('AgentErrorFingerprintNew', 'at the limit', { ago: 9 * MINUTE, times: 3, failure: '5xx' }),
  silent('AgentErrorFingerprintNew', 'just below it', { ago: 9 * MINUTE, times: 2, failure: '5xx' }),
  silent('AgentErrorFingerprintNew', 'as usual', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 9 * MINUTE, times: 3, failure: '5xx' }),
  fires('AgentErrorFingerprintNew', 'as usual', { ago: 25 * HOUR, times: 1, failure: '5xx' }, { ago: 9 * MINUTE, times: 3, failure: '5xx' }),
  fires('AgentErrorFingerprintNew', 'of another kind', { ago: 23 * HOUR, times: 1, failure: 'overflow' }, { ago: 9 * MINUTE, times: 3, failure: '5xx' }),
  silent('AgentErrorFingerprintNew', 'before the window', { ago: 11 * MINUTE, times: 3, failure: '5xx' }),

  fires('AgentRootCauseBurst', 'at the limit', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 4 * MINUTE, times: 20, failure: '5xx' }),
  silent('AgentRootCauseBurst', 'just below it', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 1 * MINUTE, times: 19, failure: '5xx' }),
  silent('AgentRootCauseBurst', 'before the window', { ago: 6 * MINUTE, times: 20, failure: '5xx' }),
  // 49 in the hour before are 4.1 in five minutes, of which 20 are less than five times as many; 48 are four.
  silent('AgentRootCauseBurst', 'as usual', { ago: 50 * MINUTE, times: 49, failure: '5xx' }, { ago: 4 * MINUTE, times: 20, failure: '5xx' }),
  silent('AgentRootCauseBurst', 'as usual', { ago: 7 * MINUTE, times: 49, failure: '5xx' }, { ago: 4 * MINUTE, times: 20, failure: '5xx' }),
  fires('AgentRootCauseBurst', 'as usual', { ago: 50 * MINUTE, times: 48, failure: '5xx' }, { ago: 4 * MINUTE, times: 20, failure: '5xx' }),
  fires('AgentRootCauseBurst', 'as usual', { ago: 90 * MINUTE, times: 99, failure: '5xx' }, { ago: 4 * MINUTE, times: 20, failure: '5xx' }),
  silent('AgentRootCauseBurst', 'of another kind', { ago: 23 * HOUR, times: 1, failure: 'deadlock' }, { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 1 * MINUTE, times: 19, failure: '5xx' }, { ago: 1 * MINUTE, times: 20, failure: 'deadlock' }),

  fires('AgentContextOverflowBurst', 'at the limit', { ago: 23 * HOUR, times: 1, failure: 'overflow' }, { ago: 9 * MINUTE, times: 5, failure: 'overflow' }),
  silent('AgentContextOverflowBurst', 'just below it', { ago: 23 * HOUR, times: 1, failure: 'overflow' }, { ago: 9 * MINUTE, times: 4, failure: 'overflow' }),
  silent('AgentContextOverflowBurst', 'before the window', { ago: 11 * MINUTE, times: 5, failure: 'overflow' }),
  silent('AgentContextOverflowBurst', 'of another kind', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 9 * MINUTE, times: 5, failure: '5xx' }),

  fires('AgentDeadlockSeen', 'at the limit', { ago: 9 * MINUTE, times: 1, failure: 'deadlock' }),
  silent('AgentDeadlockSeen', 'just below it', { ago: 9 * MINUTE, times: 1 }),
  silent('AgentDeadlockSeen', 'before the window', { ago: 11 * MINUTE, times: 1, failure: 'deadlock' }),
  silent('AgentDeadlockSeen', 'of another kind', { ago: 9 * MINUTE, times: 1, failure: '5xx' }),

  fires('TenantWithoutSuccess', 'at the limit', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 21 * MINUTE, times: 9 }, { ago: 12 * MINUTE, times: 5, failure: '5xx' }),
  silent('TenantWithoutSuccess', 'just below it', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 12 * MINUTE, times: 4, failure: '5xx' }),
  silent('TenantWithoutSuccess', 'before the window', { ago: 17 * MINUTE, times: 5, failure: '5xx' }),
  silent('TenantWithoutSuccess', 'as usual', { ago: 23 * HOUR, times: 1, failure: '5xx' }, { ago: 12 * MINUTE, times: 5, failure: '5xx' }, { ago: 11 * MINUTE, times: 1 }),
]

export const tenantOf = (at: number) => `tenant-${at}`
export const agentOf = (at: number) => `agent-${at}`

/** Mutants that no case can notice, by rule, each with the reason. */
export const SURVIVORS: Readonly<Record<string, readonly string[]>> = {
  AgentErrorFingerprintNew: [
    // What is before the range is in the memory, so it is known already.
    'range 1 is [1200s] instead of [10m]',
    // One Loki has one history. That without any nothing is new is tested with the bridge.
    'range 3 is [172800s] instead of [1d]', 'range 3 is [43200s] instead of [1d]',
  ],
}

/** The lines of all cases, in the order of their times, as bodies of pushes. */
export function pushesOf(nowMs: number): string[] {
  const counts = new LogCounts()
  const queue = new LineQueue(1 << 26, {}, counts)
  let log: RequestLog | undefined
  const engine = testEngine({ onSettled: (settled, atMs) => log!.settled(settled, atMs), maxOpenRequests: 100, strings: { capacity: 1 << 14 } })
  log = new RequestLog({ linesPerSecond: 10_000, strings: engine.strings, counts }, (line) => queue.add(line))
  const all = CASES.flatMap(({ requests }, at) => requests.map((one) => ({ ...one, at }))).sort((a, b) => b.ago - a.ago)
  // That a bridge was there the day before yesterday.
  log.tick(nowMs - 30 * HOUR * 1000)
  for (const [place, { ago, times, failure, at }] of all.entries()) {
    const atMs = nowMs - ago * 1000
    for (let i = 0; i < times; i++) {
      engine.traces(tracesBody(run({ tenant: tenantOf(at), agent: agentOf(at), ...(failure && FAILURES[failure]) })), atMs)
      engine.finish(atMs)
    }
    // Until all of it has been told, or something else happens.
    const untilMs = Math.min(atMs + 6 * MINUTE * 1000, nowMs - (all[place + 1]?.ago ?? 0) * 1000)
    for (let tickMs = atMs + 10_000; tickMs <= untilMs; tickMs += 10_000) log.tick(tickMs)
  }
  log.finish(nowMs)
  if (counts.dropped.queue_full + counts.dropped.rate_limit > 0) throw new Error('cannot make the cases: lines were dropped')
  const bodies: string[] = []
  for (let batch = queue.take(1 << 20); batch !== undefined; batch = queue.take(1 << 20)) bodies.push(batch.body)
  return bodies
}
