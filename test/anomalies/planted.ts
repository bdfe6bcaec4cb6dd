/** Anomalies to be found: their shapes and the sizes that the bands are documented for. */
import type { Random } from '../../bench/random.ts'
import { STEP_MINUTES } from './traffic.ts'

export type Signal = 'requests' | 'errors' | 'latency' | 'cost' | 'tokens' | 'quality'

export interface Shape {
  readonly what: string
  readonly signal: Signal
  /** At its height: natural logarithm of a factor, of errors and quality what is added to the share. */
  readonly size: number
  readonly minutes: number
  /** How long it takes to get there. */
  readonly rampMinutes: number
}

/** The documented sizes, for 40 minutes or more: four times the requests or a quarter; three times the latency, cost or tokens; 25 points of errors; 0.25 of quality. */
export const SHAPES: readonly Shape[] = [
  { what: 'spike of requests', signal: 'requests', size: Math.log(4), minutes: 40, rampMinutes: 0 },
  { what: 'drop of requests', signal: 'requests', size: -Math.log(4), minutes: 60, rampMinutes: 0 },
  { what: 'level shift of requests', signal: 'requests', size: Math.log(4), minutes: 240, rampMinutes: 0 },
  { what: 'slow ramp of requests', signal: 'requests', size: Math.log(4), minutes: 240, rampMinutes: 120 },
  { what: 'error burst', signal: 'errors', size: 0.25, minutes: 40, rampMinutes: 0 },
  { what: 'level shift of errors', signal: 'errors', size: 0.25, minutes: 180, rampMinutes: 0 },
  { what: 'latency x3', signal: 'latency', size: Math.log(3), minutes: 40, rampMinutes: 0 },
  { what: 'slow ramp of latency', signal: 'latency', size: Math.log(3), minutes: 240, rampMinutes: 120 },
  { what: 'cost blow-up', signal: 'cost', size: Math.log(3), minutes: 40, rampMinutes: 0 },
  { what: 'token blow-up', signal: 'tokens', size: Math.log(3), minutes: 40, rampMinutes: 0 },
  { what: 'quality drop', signal: 'quality', size: -0.25, minutes: 90, rampMinutes: 0 },
]

export interface Planted extends Shape {
  readonly startMinute: number
  /** At a step of time; 0 outside. */
  sizeAt(step: number): number
}

export function plant(shape: Shape, startMinute: number): Planted {
  return {
    ...shape,
    startMinute,
    sizeAt: (step) => {
      const at = step * STEP_MINUTES - startMinute
      if (at < 0 || at >= shape.minutes) return 0
      return shape.rampMinutes === 0 ? shape.size : shape.size * Math.min(1, at / shape.rampMinutes)
    },
  }
}

/** In an agent's first week the last hours are one of two histories, and they follow what rises slowly. */
const RAMPS_FROM_MINUTE = 7.5 * 1440

/** Between two anomalies of one agent, so that each is judged by itself. */
const PAUSE_MINUTES = 180

/** Anomalies one after the other, each of a shape drawn anew, wherever all of it lies in minutes that `mayBe` allows. */
export function plantAll(minutes: number, mayBe: (minute: number) => boolean, random: Random): Planted[] {
  const all: Planted[] = []
  let minute = 0
  while (minute < minutes) {
    const shape = SHAPES[random.integer(0, SHAPES.length - 1)]!
    const end = minute + shape.minutes
    if ((shape.rampMinutes === 0 || minute > RAMPS_FROM_MINUTE) && mayBe(minute) && mayBe(end) && end < minutes) {
      all.push(plant(shape, minute))
      minute = end
    }
    minute += PAUSE_MINUTES + random.integer(0, PAUSE_MINUTES)
  }
  return all
}
