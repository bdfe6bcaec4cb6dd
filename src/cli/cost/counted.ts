/** What has been counted, by day and model: of recorded spans to the call's own day, of Prometheus to the day in which the request settled. */
import type { Config } from '../../config/config.ts'
import { Kind } from '../../spans/names.ts'
import { picoOfUsd, type Pico } from './money.ts'
import { query, queryRange, type Series } from '../prometheus.ts'
import { bodiesIn } from '../recorded/recordings.ts'

export interface Counted {
  /** `2026-05-01`, in UTC. */
  readonly day: string
  readonly model: string
  readonly pico: Pico
}

const DAY_SECONDS = 86_400
const STEP_SECONDS = 60
const MOST_DAYS = 400

export async function countedInBodies(paths: readonly string[], config: Config): Promise<Counted[]> {
  const { runOffline } = await import('../recorded/offline.ts')
  const counted: Counted[] = []
  runOffline(bodiesIn(paths), config, {}, (settled, text) => {
    for (let i = 0; i < settled.steps; i++) {
      if ((settled.kind[i] !== Kind.model && settled.kind[i] !== Kind.embedding) || settled.costUsd[i] === 0) continue
      const startMs = settled.stepStartMs[i]!
      // A clock that says what no calendar has belongs to no day.
      if (Math.abs(startMs) > 8.64e15) continue
      counted.push({ day: new Date(startMs).toISOString().slice(0, 10), model: text(settled.name[i]!), pico: picoOfUsd(settled.costUsd[i]!) })
    }
  })
  return counted
}

/** `increase()` extrapolates and misses a series' first value, so that it is never exact: what is added up here are the samples themselves. */
export async function countedInPrometheus(url: string, days: readonly string[], matching: string): Promise<Counted[]> {
  if (days.length > MOST_DAYS) throw new Error(`cannot reconcile ${days.length} days at once: at most ${MOST_DAYS}`)
  const counted: Counted[] = []
  for (const day of days) {
    const from = Date.parse(day) / 1000
    const matchers = `step=~"model|embedding"${matching === '' ? '' : `,${matching}`}`
    // The last value of the day before is what a counter begins with; one that was not there begins with 0.
    const before = await queryRange(url, `last_over_time(agent_cost_usd_total{${matchers}}[1d])`, from, from, STEP_SECONDS)
    const nowSeconds = Date.now() / 1000
    const selector = `agent_cost_usd_total{${matchers}}`
    const all = new Map((await queryRange(url, selector, from, Math.min(from + DAY_SECONDS, nowSeconds), STEP_SECONDS)).map(({ labels, points }) => [keyOf(labels), { labels, points: [...points] }]))
    // Of a day that is not over: what has come since its last whole minute.
    for (const { labels, points } of from + DAY_SECONDS > nowSeconds ? await query(url, selector, nowSeconds) : []) {
      const series = all.get(keyOf(labels))
      if (series === undefined) all.set(keyOf(labels), { labels, points: [...points] })
      else series.points.push(...points)
    }
    const start = new Map(before.map(({ labels, points }) => [keyOf(labels), points[0]![1]]))
    for (const [key, { labels, points }] of all) counted.push({ day, model: labels['name'] ?? '', pico: picoOfUsd(increase(points, start.get(key) ?? 0)) })
  }
  return counted
}

/** A counter that falls has begun anew, at 0. */
function increase(points: Series['points'], before: number): number {
  let sum = 0
  let last = before
  for (const [, value] of points) {
    sum += value >= last ? value - last : value
    last = value
  }
  return sum
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  // A function's result has lost the metric's name.
  return JSON.stringify(Object.entries(labels).filter(([label]) => label !== '__name__').sort(([a], [b]) => (a < b ? -1 : 1)))
}
