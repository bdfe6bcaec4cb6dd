import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inSample } from '../../src/quality/judge/sampling.ts'
import { Versions } from '../../src/quality/judge/versions.ts'

const trace = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 4, maxLength: 4 }).map((words) => Int32Array.from(words))

describe('the sample', () => {
  test('is a matter of the id alone, and a larger share has the smaller one in it', () => {
    fc.assert(fc.property(trace, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (id, a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)]
      expect(inSample(id, less)).toBe(inSample(id.slice(), less))
      if (inSample(id, less)) expect(inSample(id, more)).toBe(true)
      expect([inSample(id, 0), inSample(id, 1)]).toEqual([false, true])
    }), { numRuns: 300 })
  })

  // Of 200,000 ids 2,000 are expected; five standard deviations are 222. The ids are counted up, not drawn: what a hash gets out of the poorest of ids.
  test.each([
    ['counted up in the last word', (i: number) => [0, 0, 0, i]],
    ['counted up in the first word, the rest alike, as of a tracer that begins with the time', (i: number) => [0x67000000 + i, 7, 7, 7]],
    ['of which a sampler of OpenTelemetry lets one in a hundred through, by their last 56 bits', (i: number) => [i, i * 2654435761, 0x00fffff0 | 0, i * 40503]],
    ['counted up in the third word', (i: number) => [1, 2, i, 3]],
  ])('has its share of ids that are %s', (_, words) => {
    let taken = 0
    for (let i = 0; i < 200_000; i++) if (inSample(Int32Array.from(words(i)), 0.01)) taken++
    expect(Math.abs(taken - 2000)).toBeLessThan(222)
  })

  test('the same ids are taken by every bridge of every version: these', () => {
    const taken = Array.from({ length: 400 }, (_, i) => i).filter((i) => inSample(Int32Array.of(i, i ^ 0x5a5a, i << 8, -i), 0.01))
    expect(taken).toMatchInlineSnapshot(`
      [
        144,
        183,
        219,
      ]
    `)
  })
})

describe('a version', () => {
  test('is new for a while when it comes after another one of the same agent', () => {
    const versions = new Versions(1000)
    expect(versions.isNew('a', '1', 0)).toBe(false)
    expect(versions.isNew('a', '2', 5000)).toBe(true)
    expect(versions.isNew('a', '2', 5999)).toBe(true)
    expect(versions.isNew('a', '2', 6000)).toBe(false)
    expect(versions.isNew('a', '1', 5500)).toBe(false)
    expect(versions.isNew('b', '2', 5500)).toBe(false)
    expect(versions.isNew('a', '', 5500)).toBe(false)
  })

  test('an agent that makes up versions is forgotten bit by bit, and takes no more room', () => {
    const versions = new Versions(1000)
    for (let i = 0; i < 1000; i++) versions.isNew('a', `v${i}`, i)
    expect(versions.isNew('a', 'v999', 1000)).toBe(true)
  })
})
