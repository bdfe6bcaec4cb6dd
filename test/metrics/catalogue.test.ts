import { describe, expect, test } from 'vitest'
import { METRICS } from '../../src/metrics/catalogue.ts'
import { boundText } from '../../src/metrics/format.ts'
import { HEALTH_METRICS } from '../../src/metrics/health.ts'

/** The rules of `promtool check metrics`, and those of OpenMetrics that a name has to keep. */
describe.each(Object.values(METRICS))('$name', ({ name, kind, help, labels, buckets, overflow }) => {
  test('is named as its kind is', () => {
    expect(name).toMatch(/^agent_[a-z0-9_]+$/)
    expect(name.endsWith('_total')).toBe(kind === 'counter')
    expect(name).not.toMatch(/_(bucket|sum|count|info|created)$/)
  })

  test('has a help in one plain line', () => {
    expect(help).toMatch(/^[^\n\\"]+$/)
  })

  test('has labels that no format keeps for itself, and gives up one of them', () => {
    for (const label of labels) expect(label).toMatch(/^(?!__|le$|quantile$|job$|instance$)[a-z_]+$/)
    expect(new Set(labels).size).toBe(labels.length)
    expect(labels).toContain(overflow)
  })

  test('has ascending bounds that read the same in JavaScript and in Go', () => {
    expect(buckets !== undefined).toBe(kind === 'histogram')
    for (const [i, bound] of (buckets ?? []).entries()) {
      expect(bound).toBeGreaterThan(buckets![i - 1] ?? -1)
      expect(boundText(bound)).toMatch(/^\d+\.\d+$/) // no exponent, which the two write differently
      expect(bound === 0 || bound >= 1e-4).toBe(true)
    }
  })
})

test.each(Object.entries(HEALTH_METRICS))('%s is named as its kind is', (name, { kind, help }) => {
  expect(name).toMatch(/^spanbridge_[a-z0-9_]+$/)
  expect(name.endsWith('_total')).toBe(kind === 'counter')
  expect(help).toMatch(/^[^\n\\"]+$/)
})
