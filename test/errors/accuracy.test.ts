import { describe, expect, test } from 'vitest'
import { ERROR_TYPES } from '../../src/spans/names.ts'
import { agreement, confusion, told, wilson } from './agreement.ts'
import { isHeldOut, LATER, PUBLISHED, RECORDED } from './labelled.ts'

const heldOut = PUBLISHED.filter(isHeldOut)
const all = [...PUBLISHED, ...LATER, ...RECORDED]

describe('the labelled set', () => {
  test('is large, and every text has a label of the taxonomy and a source', () => {
    const known = new Set(ERROR_TYPES.slice(1).map((error) => (error.class === error.type ? error.class : `${error.class}.${error.type}`)))
    expect(PUBLISHED.length).toBeGreaterThanOrEqual(300)
    expect(all.filter((row) => !known.has(row.expected)).map((row) => row.id)).toEqual([])
    expect([...PUBLISHED, ...LATER].filter((row) => !/^https:\/\/\S+$/.test(row.source)).map((row) => row.id)).toEqual([])
    expect(all.filter((row) => !row.statusMessage && !row.errorType && !row.errorMessage && !row.exceptionType && !row.exceptionMessage && !row.httpStatus).map((row) => row.id)).toEqual([])
  })

  test('names and tells each once', () => {
    expect(new Set(all.map((row) => row.id)).size).toBe(all.length)
    const words = [...PUBLISHED, ...LATER].map(({ id: _, source: __, expected: ___, ...row }) => JSON.stringify(row))
    expect(words.filter((text, i) => words.indexOf(text) !== i)).toEqual([])
  })

  test('is halved by a hash of the name', () => {
    expect(heldOut.length / PUBLISHED.length).toBeGreaterThan(0.4)
    expect(heldOut.length / PUBLISHED.length).toBeLessThan(0.6)
  })
})

test('the interval is Wilson’s', () => {
  // By hand: Newcombe 1998, table I, 81 of 263.
  const [least, most] = wilson(81, 263)
  expect(least).toBeCloseTo(0.2553, 4)
  expect(most).toBeCloseTo(0.3662, 4)
})

test('more than 95 % of the texts that no rule was improved on are classified right', () => {
  const measured = agreement(heldOut)
  console.log(`error classifier, published errors held out: ${told(measured)}\nerror classifier, recorded failures: ${told(agreement(RECORDED))}\n${confusion(heldOut)}`)
  expect(measured.accuracy).toBeGreaterThan(0.95)
  expect(agreement(RECORDED.filter(isHeldOut)).accuracy).toBeGreaterThan(0.95)
})
