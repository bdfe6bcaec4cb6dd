import { describe, expect, test } from 'vitest'
import { type Burn, detections, incidentOf, secondsOf, type Settings, type Window } from '../../src/bundle/detection.ts'
import { detectionMarkdown, detectionText, inWords } from '../../src/bundle/table.ts'

const settings: Settings = { minEvents: 10, minBadEvents: 3, trickleHours: 4, keepFiringFor: '10m' }
const PAGE = [{ short: '5m', long: '1h', factor: 14.4 }, { short: '5m', long: '1h', outage: 0.5 }, { short: '30m', long: '6h', factor: 6 }]
const TICKET = [{ short: '2h', long: '1d', factor: 3 }, { short: '6h', long: '3d', factor: 1 }]
const burn = (...targets: number[]): Burn[] => [{
  objective: 'success_rate', alert: 'AgentSuccessRateLow', trickle: 'AgentFailuresTrickle',
  levels: [{ severity: 'critical', pairs: PAGE }, { severity: 'warning', pairs: TICKET }], targets: targets.map((target) => ({ target, profile: '' })), ownTargets: true,
}]
const page = (target: number) => detections(burn(target), settings)[0]!
const ticket = (target: number) => detections(burn(target), settings)[1]!

/**
 * The same by counting: one request a step, bad ones spread evenly through the incident, and each window looked at in each step. Knows nothing of the
 * formulas. Returns the steps until the alert fires, and from the end of an incident of `length` until no pair holds.
 */
function simulated(badShare: number, windows: readonly Window[], stepSeconds: number, lengthSeconds: number): { detect: number; reset: number } {
  const steps = (seconds: number) => Math.round(seconds / stepSeconds)
  const length = steps(lengthSeconds)
  const before = steps(Math.max(...windows.map(({ longSeconds }) => longSeconds)))
  const total = before + length + before
  const badUntil = new Float64Array(total + 1)
  for (let at = 1; at <= total; at++) badUntil[at] = badUntil[at - 1]! + (at > before && at <= before + length ? badShare : 0)
  const shareAt = (at: number, seconds: number) => (badUntil[at]! - badUntil[at - steps(seconds)]!) / steps(seconds)
  const fires = (at: number) => windows.some(({ shortSeconds, longSeconds, share }) => shareAt(at, shortSeconds) > share + 1e-12 && shareAt(at, longSeconds) > share + 1e-12)
  let detect = Infinity
  for (let at = before + 1; at <= before + length && detect === Infinity; at++) if (fires(at)) detect = (at - before) * stepSeconds
  let reset = 0
  for (let at = before + length; at <= total; at++) if (fires(at)) reset = (at - before - length + 1) * stepSeconds
  return { detect, reset }
}

describe('the time to detect and to reset', () => {
  const cases = [0.999, 0.995, 0.99, 0.95, 0.85, 0.6].flatMap((target) => [page(target), ticket(target)].flatMap((one) => one.incidents.map((incident) => [`${target} ${one.severity} ${incident.badShare}`, one, incident] as const)))

  test.each(cases)('is what counting says: %s', (_, { windows }, { badShare, detectSeconds, resetSeconds }) => {
    const step = Math.min(...windows.map(({ shortSeconds }) => shortSeconds)) / 60
    const longest = Math.max(...windows.map(({ longSeconds }) => longSeconds))
    const { detect, reset } = simulated(badShare, windows, step, longest)
    if (detectSeconds === Infinity) expect(detect).toBe(Infinity)
    else {
      expect(Math.abs(detect - detectSeconds)).toBeLessThanOrEqual(step * 1.000001)
      expect(Math.abs(reset + secondsOf(settings.keepFiringFor) - resetSeconds)).toBeLessThanOrEqual(step * 1.000001)
    }
  })

  test('is that of the SRE workbook at 99.5 %', () => {
    const [all, tenth, twice] = page(0.995).incidents
    expect([inWords(all.detectSeconds), inWords(tenth.detectSeconds), twice.detectSeconds]).toEqual(['4m 19s', '43m 12s', Infinity])
    expect(all.fired[0]).toMatchObject({ name: '5m/1h', burnRate: 14.4 })
    expect(ticket(0.995).incidents[2]).toMatchObject({ detectSeconds: 1.5 * 86_400 })
  })
})

describe('what can fire', () => {
  test('at 85 % 14.4 and 6 times the budget is more than all, at 90 % it is 14.4 alone, and the outage stands in', () => {
    expect(page(0.85)).toMatchObject({ windows: [{ name: '5m/1h', share: 0.575 }, { name: '30m/6h', burnRate: 6 }], unreachable: [{ burnRate: 14.4 }] })
    expect(page(0.8)).toMatchObject({ windows: [{ name: '5m/1h', share: 0.6 }], unreachable: [{ burnRate: 14.4 }, { burnRate: 6 }] })
    expect(page(0.85).incidents[0].detectSeconds).toBeCloseTo(3600 * 0.575)
  })

  test.each([0.999, 0.9, 0.6, 0.5, 0.2, 0.01])('something always can, and never while the objective is met: %s', (target) => {
    for (const { windows } of detections(burn(target), settings)) {
      expect(windows.length).toBeGreaterThan(0)
      for (const { share } of windows) {
        expect(share).toBeLessThan(1)
        expect(share).toBeGreaterThanOrEqual(Math.round((1 - target) * 1e9) / 1e9)
      }
    }
  })
})

test('the low-traffic guard asks for ten requests in the long window, and for three bad ones before it is detected', () => {
  const window: Window = { name: '5m/1h', shortSeconds: 300, longSeconds: 3600, share: 0.5, burnRate: 10 }
  expect(incidentOf(1, [window], settings).requestsPerHour).toBe(10)
  // 72 seconds until one request in fifty is bad: three need 150 an hour.
  expect(incidentOf(1, [{ ...window, share: 0.02 }], settings).requestsPerHour).toBeCloseTo(150)
})

test('a drip is told after four hours, or when it is more than the budget of a day, and is over within a day', () => {
  const [all, tenth, twice] = detections(burn(0.95), settings)[2]!.incidents
  expect([all, tenth, twice].map(({ detectSeconds }) => inWords(detectSeconds))).toEqual(['4h', '12h', '12h'])
  expect([all, twice].map(({ resetSeconds }) => inWords(resetSeconds))).toEqual(['21h', '12h'])
})

test('the tables have a line for each alert, severity and target', () => {
  const all = detections(burn(0.995, 0.85), settings)
  expect(detectionText(all).split('\n').filter((line) => line.startsWith('Agent'))).toHaveLength(6)
  const text = detectionMarkdown(burn(0.995), settings)
  // Not documented, and some tenant's.
  expect(text).toContain('| `AgentSuccessRateLow` | critical | 85 % | 5m/1h | 14.4 | 216 % | never |')
  expect(text).toContain('| `AgentSuccessRateLow` | critical | 85 % | 34m 30s (5m/1h) |')
  expect(text).toContain('| `AgentSuccessRateLow` | critical | 99.5 % | 4m 19s (5m/1h) | 39m 6s |')
})
