/** Agreement of marks, against what others computed: the authors of LLMBar, scikit-learn and statsmodels. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agreementOf, cohensKappa, GOOD, identity, quadratic, tableOf, type Pair } from '../../src/quality/calibration/agreement.ts'
import { studentQuantile, wilson } from '../../src/quality/calibration/interval.ts'

interface VerdictSet {
  readonly set: string
  readonly model: string
  readonly labels: string
  readonly verdicts: string
  readonly swapped: string
  readonly published: { readonly correct: string; readonly kappa_False: number; readonly kappa_True: number; readonly kappa_agreement: number }
  readonly computed: { readonly kappa: number; readonly stdError: number; readonly agreementLower: number; readonly agreementUpper: number }
}

const { sets } = JSON.parse(readFileSync(join(import.meta.dirname, 'llmbar/verdicts.json'), 'utf8')) as { sets: VerdictSet[] }
const kappaOf = (a: readonly number[], b: readonly number[], weight = identity, categories = 3) => cohensKappa(tableOf(a.map((x, i) => [x, b[i]!]), categories), weight)!

describe.each(sets)('LLMBar $set, judged by $model', ({ labels, verdicts, swapped, published, computed }) => {
  const numbers = (text: string) => [...text].map(Number)
  // The authors write 1 for a verdict of 1 and 0 for any other, and leave the labels 1 and 2: theirs is the kappa of these.
  const asTheirs = (text: string) => numbers(text).map((verdict) => (verdict === 1 ? 1 : 0))

  test('kappa is as published', () => {
    expect(kappaOf(asTheirs(verdicts), numbers(labels)).value).toBeCloseTo(published.kappa_False, 12)
    expect(kappaOf(asTheirs(swapped), numbers(labels)).value).toBeCloseTo(published.kappa_True, 12)
    expect(kappaOf(asTheirs(verdicts), asTheirs(swapped)).value).toBeCloseTo(published.kappa_agreement, 12)
  })

  test('kappa, its standard error, the agreement and its interval are as computed elsewhere', () => {
    const { value, standardError, observed } = kappaOf(numbers(verdicts), numbers(labels))
    expect(value).toBeCloseTo(computed.kappa, 12)
    expect(standardError).toBeCloseTo(computed.stdError, 10)
    const [right, all] = published.correct.split(' / ').map((part) => parseInt(part)) as [number, number]
    expect(observed).toBeCloseTo(right / all, 12)
    expect(wilson(right / all, all).lower).toBeCloseTo(computed.agreementLower, 10)
    expect(wilson(right / all, all).upper).toBeCloseTo(computed.agreementUpper, 10)
  })

  test('pairs of good and bad tell the same', () => {
    const given = [...labels].map((label, i): Pair => ({ human: label === '1' ? 1 : 0, judge: verdicts[i] === '1' ? 1 : 0, fiveMarks: false }))
    const { pairs, agreement, kappa, weightedKappa, bias } = agreementOf(given)!
    expect(pairs).toBe(labels.length)
    const two = kappaOf(asTheirs(labels), asTheirs(verdicts), identity, 2)
    expect(agreement.value).toBeCloseTo(two.observed, 12)
    expect(kappa!.value).toBeCloseTo(two.value, 12)
    expect([weightedKappa, bias]).toEqual([undefined, undefined])
  })
})

/** Rows are people's marks from 1 to 5, columns a judge's. */
const FIVE = [[12, 4, 1, 0, 0], [3, 9, 6, 1, 0], [0, 5, 14, 7, 2], [1, 1, 6, 18, 8], [0, 0, 2, 9, 21]]
const fivePairs = FIVE.flatMap((row, i) => row.flatMap((count, j) => Array.from({ length: count }, (): Pair => ({ human: i / 4, judge: j / 4, fiveMarks: true }))))

describe('five marks', () => {
  test('kappa, plain and by the square of the difference, is that of scikit-learn and statsmodels', () => {
    expect(cohensKappa(FIVE, quadratic)!.value).toBeCloseTo(0.8148768637962808, 12)
    expect(cohensKappa(FIVE, quadratic)!.standardError).toBeCloseTo(0.033746760243143804, 12)
    expect(cohensKappa(FIVE, identity)!.value).toBeCloseTo(0.4515181194906953, 12)
    expect(cohensKappa(FIVE, identity)!.standardError).toBeCloseTo(0.05580644209401769, 12)
    expect(agreementOf(fivePairs)!.weightedKappa!.value).toBeCloseTo(0.8148768637962808, 12)
  })

  test('the bias is the mean of judge less person, with the interval of Student', () => {
    const { value, lower, upper } = agreementOf(fivePairs)!.bias!
    expect(value).toBeCloseTo(0.0019230769230769232, 12)
    expect(lower).toBeCloseTo(-0.0332900602584569, 6)
    expect(upper).toBeCloseTo(0.037136214104610744, 6)
  })

  test('a person who only says good or bad is left out of them', () => {
    const more = agreementOf([...fivePairs, { human: 1, judge: 0, fiveMarks: false }])!
    expect(more.bias).toEqual(agreementOf(fivePairs)!.bias)
    expect(more.pairs).toBe(fivePairs.length + 1)
    expect(more.agreement.value).toBeLessThan(agreementOf(fivePairs)!.agreement.value)
  })

  test('four of five is good, three is not', () => {
    expect(GOOD).toBe((4 - 1) / 4)
    expect(agreementOf([{ human: 0.75, judge: 1, fiveMarks: true }])!.agreement.value).toBe(1)
    expect(agreementOf([{ human: 0.5, judge: 1, fiveMarks: true }])!.agreement.value).toBe(0)
  })
})

test('the example of the documentation of scikit-learn', () => {
  const words = ['negative', 'neutral', 'positive']
  const of = (text: string) => text.split(' ').map((word) => words.indexOf(word))
  expect(kappaOf(of('negative positive negative neutral positive'), of('negative positive negative neutral negative')).value).toBeCloseTo(0.6875, 12)
})

test.each([[1, 12.706204736], [2, 4.302652730], [4, 2.776445105], [5, 2.570581836], [8, 2.306004135], [30, 2.042272456], [100, 1.983971519]])('Student with %i degrees of freedom', (degrees, quantile) => {
  expect(studentQuantile(degrees)).toBeCloseTo(quantile, 2)
})

describe('what tells little is not made to tell much', () => {
  test('of none and of all, however many, the share itself is a bound of its interval', () => {
    for (let n = 1; n <= 1000; n++) expect([wilson(0, n).lower, wilson(1, n).upper], String(n)).toEqual([0, 1])
  })

  test('no pairs, no agreement', () => {
    expect(agreementOf([])).toBeUndefined()
  })

  test('where either always says the same there is no kappa', () => {
    const of = (human: (i: number) => number, judge: (i: number) => number) => agreementOf(Array.from({ length: 50 }, (_, i) => ({ human: human(i), judge: judge(i), fiveMarks: true })))!
    const sometimes = (i: number) => (i < 5 ? 0 : 1)
    for (const { kappa, weightedKappa } of [of(() => 1, () => 1), of(sometimes, () => 1), of(() => 1, sometimes)]) expect([kappa, weightedKappa]).toEqual([undefined, undefined])
    expect(of(sometimes, () => 1).agreement.value).toBe(0.9)
    expect(of(sometimes, sometimes).kappa!.value).toBe(1)
  })

  test('no difference in twenty pairs leaves room for one', () => {
    const pairs = Array.from({ length: 20 }, (_, i): Pair => ({ human: i % 2, judge: i % 2, fiveMarks: true }))
    const { agreement, kappa } = agreementOf(pairs)!
    expect(kappa!.value).toBe(1)
    expect(kappa!.upper).toBe(1)
    // Wilson's lower bound of 20 of 20 is 0.839, and half of it is chance.
    expect(agreement.lower).toBeCloseTo(0.8389, 4)
    expect(kappa!.lower).toBeCloseTo(2 * agreement.lower - 1, 12)
  })

  test('intervals hold their estimate, and lie within what can be', () => {
    fc.assert(fc.property(fc.array(fc.record({ human: fc.integer({ min: 0, max: 4 }), judge: fc.double({ min: 0, max: 1, noNaN: true }), fiveMarks: fc.boolean() }), { minLength: 1, maxLength: 40 }), (raw) => {
      const result = agreementOf(raw.map(({ human, ...rest }) => ({ human: human / 4, ...rest })))!
      for (const one of [result.agreement, result.kappa, result.weightedKappa, result.bias]) {
        if (one === undefined) continue
        expect(one.lower).toBeLessThanOrEqual(one.value)
        expect(one.upper).toBeGreaterThanOrEqual(one.value)
      }
      for (const one of [result.kappa, result.weightedKappa]) if (one !== undefined) expect(Math.max(Math.abs(one.lower), Math.abs(one.upper))).toBeLessThanOrEqual(1)
      expect(result.agreement.lower).toBeGreaterThanOrEqual(0)
      expect(result.agreement.upper).toBeLessThanOrEqual(1)
    }), { numRuns: 200 })
  })

  test('of many samples of one judge, 95 in 100 intervals hold the truth', () => {
    // People say good 7 times in 10; the judge agrees in 85 of 100, whatever they say: expected agreement 0.578, kappa 0.6445.
    const good = 0.7, right = 0.85
    const judgeGood = good * right + (1 - good) * (1 - right)
    const chance = good * judgeGood + (1 - good) * (1 - judgeGood)
    const truth = (right - chance) / (1 - chance)
    let seed = 42
    const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32
    let held = 0
    for (let sample = 0; sample < 1000; sample++) {
      const { kappa } = agreementOf(Array.from({ length: 60 }, (): Pair => {
        const human = random() < good ? 1 : 0
        return { human, judge: random() < right ? human : 1 - human, fiveMarks: false }
      }))!
      if (kappa!.lower <= truth && truth <= kappa!.upper) held++
    }
    expect(held).toBeGreaterThanOrEqual(940)
    expect(held).toBeLessThanOrEqual(985)
  })
})
