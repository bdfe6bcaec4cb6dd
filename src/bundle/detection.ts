/**
 * How long an alert takes to fire and to be over, worked out from its windows. Traffic is taken to be steady, the time before the incident to be
 * without a bad request, and every evaluation to be at once: to what is said here come a scrape and an evaluation.
 *
 * In an incident with the share p of bad requests, a window of length w that asks for more than the share T has p·t/w of them after the time t, so
 * it is over its limit after w·T/p, and never where p ≤ T. A pair waits for its long window, and an alert for the first of its pairs. When the
 * incident is over, p·(1 − t/w) are left, so a window is within its limit again after w·(1 − T/p). A pair needs its short window only to be quiet,
 * an alert all of its pairs that fired; then it is kept for a while. That is after a long incident, which filled every window; after a
 * shorter one it is over earlier.
 */
export interface Pair {
  readonly short: string
  readonly long: string
  /** Of these two one is there. */
  readonly factor?: number
  readonly outage?: number
}

export interface Burn {
  readonly objective: string
  readonly alert: string
  /** The alert for what drips, where there is one. */
  readonly trickle: string | null
  readonly levels: readonly { readonly severity: string; readonly pairs: readonly Pair[] }[]
  /** What is documented; a profile is for one kind of agent. */
  readonly targets: readonly { readonly target: number; readonly profile: string }[]
  /** Whether a tenant or an agent may have one of its own. */
  readonly ownTargets: boolean
}

export interface Settings {
  readonly minEvents: number
  readonly minBadEvents: number
  readonly trickleHours: number
  readonly keepFiringFor: string
}

export interface Window {
  readonly name: string
  readonly shortSeconds: number
  readonly longSeconds: number
  /** The share of bad requests that it asks for, and the burn rate which that is. */
  readonly share: number
  readonly burnRate: number
}

export interface Incident {
  /** Of all requests, from 0 to 1. */
  readonly badShare: number
  /** Infinity: never. */
  readonly detectSeconds: number
  /** From its last bad request on. NaN where nothing fired. */
  readonly resetSeconds: number
  /** The pairs that fire, the first one first. */
  readonly fired: readonly Window[]
  /** With fewer requests an hour than this the low-traffic guard makes it later, or keeps it quiet. */
  readonly requestsPerHour: number
}

export interface Detection {
  readonly alert: string
  readonly severity: string
  readonly target: number
  readonly profile: string
  readonly windows: readonly Window[]
  /** Pairs that no share of bad requests can reach at this target. */
  readonly unreachable: readonly Window[]
  /** All requests bad, one in ten, and twice as many as the budget allows. */
  readonly incidents: readonly [Incident, Incident, Incident]
}

const DAY = 86_400

/** One for each alert, severity and documented target, in the order of the objectives. */
export function detections(burn: readonly Burn[], settings: Settings): Detection[] {
  return burn.flatMap((one) => one.targets.flatMap(({ target, profile }) => {
    const budget = Math.round((1 - target) * 1e9) / 1e9
    const shares = [1, 0.1, Math.min(1, 2 * budget)] as const
    const burning = one.levels.map(({ severity, pairs }): Detection => {
      const windows = pairs.map((pair) => windowOf(pair, budget))
      const reachable = windows.filter(({ share }) => share < 1)
      const told = (share: number) => incidentOf(share, reachable, settings)
      return { alert: one.alert, severity, target, profile, windows: reachable, unreachable: windows.filter(({ share }) => share >= 1), incidents: [told(shares[0]), told(shares[1]), told(shares[2])] }
    })
    if (one.trickle === null) return burning
    const told = (share: number) => trickleOf(share, budget, settings)
    return [...burning, { alert: one.trickle, severity: 'warning', target, profile, windows: [dayOf(budget)], unreachable: [], incidents: [told(shares[0]), told(shares[1]), told(shares[2])] }]
  }))
}

function windowOf({ short, long, factor, outage }: Pair, budget: number): Window {
  const share = factor === undefined ? outage! + (1 - outage!) * budget : factor * budget
  return { name: `${short}/${long}`, shortSeconds: secondsOf(short), longSeconds: secondsOf(long), share, burnRate: Math.round((share / budget) * 1e6) / 1e6 }
}

export function incidentOf(badShare: number, windows: readonly Window[], { minEvents, minBadEvents, keepFiringFor }: Settings): Incident {
  const after = ({ longSeconds, share }: Window) => (longSeconds * share) / badShare
  const fired = windows.filter(({ share }) => badShare > share).sort((a, b) => after(a) - after(b))
  const [first] = fired
  if (first === undefined) return { badShare, detectSeconds: Infinity, resetSeconds: NaN, fired, requestsPerHour: NaN }
  const detectSeconds = after(first)
  return {
    badShare,
    detectSeconds,
    resetSeconds: Math.max(...fired.map(({ shortSeconds, share }) => shortSeconds * (1 - share / badShare))) + secondsOf(keepFiringFor),
    fired,
    // Of the long window's requests those of the incident alone are bad.
    requestsPerHour: 3600 * Math.max(minEvents / first.longSeconds, minBadEvents / (badShare * detectSeconds)),
  }
}

/** A drip has one window, the day, and besides asks for bad requests in so many of its hours, each of which is told when it is over. */
function trickleOf(badShare: number, budget: number, { trickleHours }: Settings): Incident {
  const day = dayOf(budget)
  if (badShare <= budget) return { badShare, detectSeconds: Infinity, resetSeconds: NaN, fired: [], requestsPerHour: NaN }
  return {
    badShare,
    detectSeconds: Math.max((DAY * budget) / badShare, trickleHours * 3600),
    resetSeconds: Math.min(DAY * (1 - budget / badShare), DAY - (trickleHours - 1) * 3600),
    fired: [day],
    requestsPerHour: 1 / badShare,
  }
}

function dayOf(budget: number): Window {
  return { name: '1d', shortSeconds: DAY, longSeconds: DAY, share: budget, burnRate: 1 }
}

export function secondsOf(duration: string): number {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(duration)!
  return Number(number) * { s: 1, m: 60, h: 3600, d: DAY }[unit as 's' | 'm' | 'h' | 'd']
}
