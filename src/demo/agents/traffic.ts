/** The demo's agents at work: who calls them how often at what hour, and what is going wrong. Time is passed in. */
import { Conversations } from './conversations.ts'
import type { Fault } from './faults.ts'
import { healthyRun, type Profile } from './profiles.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'

export interface Strike {
  readonly fault: Fault
  /** Absent: every tenant, every agent. */
  readonly tenant?: string
  readonly agent?: string
  /** Of the runs that it could hit. */
  readonly share: number
  readonly untilMs: number
}

export interface TrafficOptions {
  readonly profiles: readonly Profile[]
  readonly random: Random
  /** Takes each run when it has ended. */
  readonly write: (run: Run, endMs: number) => void
  /** Times as many runs as the profiles say. */
  readonly rate?: number
  /** Hours from the clock to the agents' day: 0 is the day of this machine's clock in UTC. */
  readonly hourOffset?: number
}

/** However long nobody asked: a machine that slept does not wake up to a flood. */
const LONGEST_GAP_MS = 2000
const MOST_STRIKES = 100

export class Traffic {
  runs = 0
  readonly #options: TrafficOptions
  readonly #conversations: Conversations
  #strikes: Strike[] = []
  #lastMs: number | undefined

  constructor(options: TrafficOptions) {
    this.#options = options
    this.#conversations = new Conversations(options.random)
  }

  get strikes(): readonly Strike[] {
    return this.#strikes
  }

  /** Lets something go wrong. The same fault in the same place is there once: a later word replaces the earlier one. */
  strike(strike: Strike): void {
    this.heal(strike.fault.id, strike)
    if (this.#strikes.length >= MOST_STRIKES) throw new Error(`cannot strike: ${MOST_STRIKES} faults are on already`)
    this.#strikes.push(strike)
  }

  /** Ends a fault, everywhere or in one place. How many there were. */
  heal(faultId: string, where: { readonly tenant?: string; readonly agent?: string } = {}): number {
    const before = this.#strikes.length
    this.#strikes = this.#strikes.filter(({ fault, tenant, agent }) => fault.id !== faultId || (where.tenant !== undefined && tenant !== where.tenant) || (where.agent !== undefined && agent !== where.agent))
    return before - this.#strikes.length
  }

  /** Writes the runs that have come since the last call. To be called several times a second. */
  tick(nowMs: number): void {
    const { profiles, random, rate = 1, hourOffset = 0 } = this.#options
    const seconds = this.#lastMs === undefined ? 0 : Math.min(LONGEST_GAP_MS, Math.max(0, nowMs - this.#lastMs)) / 1000
    this.#lastMs = nowMs
    this.#strikes = this.#strikes.filter(({ untilMs }) => untilMs > nowMs)
    const hour = (nowMs / 3_600_000 + hourOffset) % 24
    for (const profile of profiles) {
      const perCaller = (profile.perSecond * rate * shareAt(hour, profile.nightShare) * seconds) / profile.callers.length
      for (const caller of profile.callers) for (let left = random.arrivals(perCaller); left > 0; left--) this.#run(profile, caller, nowMs)
    }
  }

  #run(profile: Profile, caller: readonly [string, string], nowMs: number): void {
    const { random, write } = this.#options
    let run: Run | undefined = healthyRun(profile, caller, random, this.#conversations)
    for (const { fault, tenant, agent, share } of this.#strikes) {
      if (run === undefined || (tenant ?? run.tenant) !== run.tenant || (agent ?? run.agent) !== run.agent || !random.chance(share)) continue
      run = fault.strike(run, random)
    }
    if (run === undefined) return
    this.runs++
    write(run, nowMs)
  }
}

const QUIETEST_HOUR = 4

/** Share of the busiest hour's traffic: 1 in the afternoon, `night` at four in the morning. */
export function shareAt(hour: number, night: number): number {
  return night + (1 - night) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (hour - QUIETEST_HOUR)) / 24))
}
