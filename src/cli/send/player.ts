/** Plays recordings at a rate: what to send when, how often to try again, and what became of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exporter, Reply } from './exporter.ts'
import type { Body, Recording } from '../recorded/recording.ts'

export interface PlayOptions {
  /** Recordings a second; 0 is as fast as the endpoint takes them. */
  readonly rate: number
  /** Instead of `rate`. */
  readonly spansPerSecond: number | undefined
  /** Stop after this long; undefined is once through. */
  readonly durationSeconds: number | undefined
  readonly loop: boolean
  readonly keepIds: boolean
  readonly keepTimes: boolean
  readonly tenants: readonly { readonly name: string; readonly weight: number }[]
}

export interface Tally {
  recordings: number
  bodies: number
  spans: number
  logRecords: number
  /** Spans and log records. */
  accepted: number
  rejected: number
  retries: number
  /** Bodies that no answer said were taken, by the last status. */
  readonly failed: Map<string, number>
  /** The endpoint's own words on the first failure of each status. */
  readonly messages: Map<string, string>
}

/** Runs of one recording that are on their way at once. Past it the player waits for the endpoint. */
const MOST_IN_FLIGHT = 64
/** A player that could not keep up does not catch up with a burst larger than this. */
const MOST_BEHIND_SECONDS = 1
const MOST_TRIES = 6
const LONGEST_WAIT_SECONDS = 30

export function newTally(): Tally {
  return { recordings: 0, bodies: 0, spans: 0, logRecords: 0, accepted: 0, rejected: 0, retries: 0, failed: new Map(), messages: new Map() }
}

/** Resolves when everything is played, the time is over or `stop` is aborted, and all answers are there. */
export async function play(recordings: readonly Recording[], exporter: Exporter, options: PlayOptions, tally: Tally, stop: AbortSignal): Promise<void> {
  const inFlight = new Set<Promise<void>>()
  const tenantOf = rotation(options.tenants)
  const start = performance.now() / 1000
  let due = start
  for (let i = 0; (options.loop || options.durationSeconds !== undefined || i < recordings.length) && !stop.aborted; i++) {
    const recording = recordings[i % recordings.length]!
    const now = performance.now() / 1000
    due = Math.max(due, now - MOST_BEHIND_SECONDS)
    if (options.durationSeconds !== undefined && Math.max(due, now) - start >= options.durationSeconds) break
    if (due > now) await sleep((due - now) * 1000, undefined, { signal: stop }).catch(() => undefined)
    while (inFlight.size >= MOST_IN_FLIGHT) await Promise.race(inFlight)
    if (stop.aborted) break
    const run = sendRun(recording, exporter, options, tenantOf(), tally, stop).finally(() => inFlight.delete(run))
    inFlight.add(run)
    due += options.spansPerSecond !== undefined ? recording.spans / options.spansPerSecond : options.rate > 0 ? 1 / options.rate : 0
  }
  await Promise.all(inFlight)
}

/** The bodies of a run go one after the other, as they were recorded. */
async function sendRun(recording: Recording, exporter: Exporter, options: PlayOptions, tenant: string, tally: Tally, stop: AbortSignal): Promise<void> {
  const nowNanos = options.keepTimes ? undefined : BigInt(Date.now()) * 1_000_000n
  tally.recordings++
  for (const body of recording.play({ keepIds: options.keepIds, nowNanos, tenant })) {
    const reply = await sendBody(body, exporter, tally, stop)
    tally.bodies++
    if (body.signal === 'traces') tally.spans += body.items
    else tally.logRecords += body.items
    if (reply.ok) {
      tally.accepted += body.items - reply.rejected
      tally.rejected += reply.rejected
    } else tally.failed.set(reply.status, (tally.failed.get(reply.status) ?? 0) + 1)
    if (reply.message !== '' && !tally.messages.has(reply.status)) tally.messages.set(reply.status, reply.message)
  }
}

async function sendBody(body: Body, exporter: Exporter, tally: Tally, stop: AbortSignal): Promise<Reply> {
  for (let tries = 1; ; tries++) {
    const reply = await exporter.send(body)
    if (reply.ok || !reply.retryable || tries === MOST_TRIES || stop.aborted) return reply
    tally.retries++
    // The endpoint's wish, or doubling from 250 ms with jitter, so that many senders do not come back at once.
    const wait = reply.retryAfterSeconds ?? 0.25 * 2 ** (tries - 1) * (0.5 + Math.random())
    await sleep(Math.min(wait, LONGEST_WAIT_SECONDS) * 1000, undefined, { signal: stop }).catch(() => undefined)
    if (stop.aborted) return reply
  }
}

/** Tenants in turn, each as often as its weight, spread evenly (smooth weighted round robin). */
export function rotation(tenants: PlayOptions['tenants']): () => string {
  const total = tenants.reduce((sum, { weight }) => sum + weight, 0)
  const credit = tenants.map(() => 0)
  return () => {
    let best = -1
    tenants.forEach(({ weight }, i) => {
      credit[i]! += weight
      if (best < 0 || credit[i]! > credit[best]!) best = i
    })
    if (best < 0) return ''
    credit[best]! -= total
    return tenants[best]!.name
  }
}
