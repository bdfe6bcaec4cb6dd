/** Agents as their metrics show them: requests, errors, durations, costs, tokens and scores by the step of time, the same for the same seed. */
import { Random } from '../../bench/random.ts'
import type { Planted, Signal } from './planted.ts'

export const STEP_MINUTES = 2
const STEPS_A_DAY = 1440 / STEP_MINUTES

export const KINDS = ['flat', 'daily', 'weekly', 'noisy', 'bursty', 'growing', 'office', 'quiet'] as const
export type Kind = (typeof KINDS)[number]

/** Boundaries of agent_request_duration_seconds that the durations here come near. */
export const BOUNDS = [0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 30, 60, 120, 300] as const

/** Of one step of time, not cumulative. */
export interface Step {
  readonly succeeded: number
  readonly failed: number
  /** Requests by the place in BOUNDS of the first boundary that holds them; the last place is for all longer ones. */
  readonly durations: readonly number[]
  readonly costUsd: number
  readonly tokens: number
  readonly scores: number
  readonly scoreSum: number
}

/** What a kind is like without anomalies. Deviations are of natural logarithms. */
interface Nature {
  readonly perMinute: number
  readonly errors: number
  readonly medianSeconds: number
  readonly durationDeviation: number
  readonly costDeviation: number
  readonly quality: number
  readonly judged: number
  /** A slow noise that every signal has of its own, as systems have: queues, prompts, models change during the day. */
  readonly drift: number
}

const USUAL: Nature = { perMinute: 8, errors: 0.01, medianSeconds: 4, durationDeviation: 0.5, costDeviation: 0.6, quality: 0.9, judged: 0.3, drift: 0.08 }
const NATURES: Readonly<Record<Kind, Nature>> = {
  flat: USUAL,
  daily: { ...USUAL, perMinute: 12 },
  weekly: { ...USUAL, perMinute: 12, errors: 0.02 },
  noisy: { ...USUAL, errors: 0.04, durationDeviation: 0.8, costDeviation: 1, quality: 0.85, drift: 0.2 },
  bursty: { ...USUAL, perMinute: 6, costDeviation: 0.9 },
  growing: { ...USUAL, perMinute: 5, errors: 0 },
  office: { ...USUAL, perMinute: 15 },
  quiet: { ...USUAL, perMinute: 3, errors: 0, judged: 0.5 },
}

/** Monday is day 0. */
function level(kind: Kind, step: number, random: Random): number {
  const day = step / STEPS_A_DAY
  const hour = (day % 1) * 24
  const weekend = Math.floor(day) % 7 >= 5
  switch (kind) {
    case 'daily': return 1 - 0.7 * Math.cos((2 * Math.PI * (hour - 3)) / 24)
    // Nights are alike; of what comes by day a third comes at weekends.
    case 'weekly': return 0.4 + (0.6 - 0.6 * Math.cos((2 * Math.PI * (hour - 3)) / 24)) * (weekend ? 0.33 : 1)
    case 'growing': return 1.08 ** day
    // People come between 8 and 9 and go between 17 and 18.
    case 'office': return weekend ? 0 : Math.max(0, Math.min(1, hour - 8, 18 - hour))
    // A batch about every half hour.
    case 'bursty': return random.unit() < STEP_MINUTES / 30 ? 4 : 0.8
    default: return 1
  }
}

export function* traffic(kind: Kind, days: number, planted: readonly Planted[], random: Random): Generator<Step> {
  const nature = NATURES[kind]
  const drifts = new Map<string, number>()
  const drift = (name: string) => {
    // Half an hour until it has forgotten half.
    const next = 0.955 * (drifts.get(name) ?? 0) + nature.drift * Math.sqrt(1 - 0.955 ** 2) * normal(random)
    drifts.set(name, next)
    return Math.exp(next)
  }
  for (let step = 0; step < days * STEPS_A_DAY; step++) {
    const size = (signal: Signal) => planted.reduce((sum, each) => sum + (each.signal === signal ? each.sizeAt(step) : 0), 0)
    const requests = poisson(nature.perMinute * STEP_MINUTES * level(kind, step, random) * drift('requests') * Math.exp(size('requests')), random)
    const errorShare = Math.min(1, nature.errors * drift('errors') + size('errors'))
    const median = nature.medianSeconds * drift('latency') * Math.exp(size('latency'))
    const dear = drift('cost') * Math.exp(size('cost'))
    const wordy = drift('tokens') * Math.exp(size('tokens'))
    const quality = nature.quality * drift('quality') ** 0.2 + size('quality')
    const durations = new Array<number>(BOUNDS.length + 1).fill(0)
    let failed = 0, costUsd = 0, tokens = 0, scores = 0, scoreSum = 0
    for (let i = 0; i < requests; i++) {
      if (random.unit() < errorShare) failed++
      const seconds = median * Math.exp(nature.durationDeviation * normal(random))
      const place = BOUNDS.findIndex((bound) => seconds <= bound)
      durations[place === -1 ? BOUNDS.length : place]!++
      costUsd += 0.004 * dear * Math.exp(nature.costDeviation * normal(random))
      tokens += Math.round(2500 * wordy * Math.exp(nature.costDeviation * normal(random)))
      if (random.unit() < nature.judged) {
        scores++
        // A judge's mark of 1 to 5, as (mark - 1) / 4.
        scoreSum += Math.max(0, Math.min(4, Math.round((quality + 0.15 * normal(random)) * 4))) / 4
      }
    }
    yield { succeeded: requests - failed, failed, durations, costUsd, tokens, scores, scoreSum }
  }
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit())
}

function poisson(mean: number, random: Random): number {
  if (mean > 100) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random.unit(); product > limit; product *= random.unit()) count++
  return count
}
