/** What of the planted anomalies is found, how soon, and how often something is found where nothing was planted. */
import { Random } from '../../bench/random.ts'
import { plantAll, type Planted, type Signal } from './planted.ts'
import { firings } from './promtool.ts'
import { type Kind, KINDS, traffic } from './traffic.ts'

const DAY = 1440

/** A week for the week's history to begin, and the days after it. */
export const DAYS = 9.5

const ALERTS: Readonly<Record<Signal, string>> = {
  requests: 'AgentRequestRateAnomalous',
  errors: 'AgentErrorRateAnomalous',
  latency: 'AgentLatencyAnomalous',
  cost: 'AgentCostAnomalous',
  tokens: 'AgentTokensAnomalous',
  quality: 'AgentQualityAnomalous',
}

/** An alert is the anomaly's when it begins in it, or in the window of the values after it. */
const AFTER_MINUTES = 30

export interface Alarm {
  readonly agent: string
  readonly alert: string
  readonly fromMinute: number
  readonly toMinute: number
}

export interface Measured {
  readonly planted: readonly (Planted & { readonly agent: string; readonly foundAfterMinutes?: number })[]
  /** Alerts where nothing was planted. */
  readonly falseAlarms: readonly Alarm[]
  readonly agentDays: number
}

/** One agent of each of `kinds`. */
export async function measure(promtool: string, seed: number, kinds: readonly Kind[]): Promise<Measured> {
  const agents = kinds.map((kind) => {
    const random = new Random(seed * 1000 + KINDS.indexOf(kind))
    const planted = plantAll(DAYS * DAY, (minute) => mayBe(kind, seed, minute), random)
    return { kind, planted, steps: [...traffic(kind, DAYS, planted, random)] }
  })
  const alarms = alarmsOf(await firings(promtool, new Map(agents.map(({ kind, steps }) => [kind, steps]))))
  const planted = agents.flatMap(({ kind, planted: all }) => all.map((one) => {
    const found = alarms.find((alarm) => alarm.agent === kind && alarm.alert === ALERTS[one.signal] && alarm.toMinute > one.startMinute && alarm.fromMinute < one.startMinute + one.minutes)
    return { ...one, agent: kind, ...(found === undefined ? {} : { foundAfterMinutes: Math.max(0, found.fromMinute - one.startMinute) }) }
  }))
  return {
    planted,
    falseAlarms: alarms.filter(({ agent, alert, fromMinute }) => !planted.some((one) =>
      one.agent === agent && ALERTS[one.signal] === alert && fromMinute >= one.startMinute && fromMinute < one.startMinute + one.minutes + AFTER_MINUTES)),
    agentDays: kinds.length * (DAYS - 1),
  }
}

/**
 * Every other day is clean. The first day and a quarter is the warm-up; an office's agent has a day of values after three, and is watched where it
 * works.
 */
function mayBe(kind: Kind, seed: number, minute: number): boolean {
  const day = Math.floor(minute / DAY)
  const hour = (minute % DAY) / 60
  if (day % 2 !== seed % 2) return false
  return kind === 'office' ? day >= 3 && day % 7 < 5 && hour > 9.5 && hour < 16.5 : minute > 1.25 * DAY
}

/** Moments of firing, a step apart, are one alarm. */
function alarmsOf(moments: readonly { readonly agent: string; readonly alert: string; readonly minute: number }[]): Alarm[] {
  const alarms: Alarm[] = []
  const open = new Map<string, { agent: string; alert: string; fromMinute: number; toMinute: number }>()
  for (const { agent, alert, minute } of moments.toSorted((a, b) => a.minute - b.minute)) {
    const key = `${agent} ${alert}`
    const last = open.get(key)
    if (last !== undefined && minute - last.toMinute <= 2) last.toMinute = minute
    else {
      const alarm = { agent, alert, fromMinute: minute, toMinute: minute }
      open.set(key, alarm)
      alarms.push(alarm)
    }
  }
  return alarms
}
