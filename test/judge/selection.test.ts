import { describe, expect, test } from 'vitest'
import { Content } from '../../src/spans/dialect.ts'
import { Kind } from '../../src/spans/names.ts'
import { bytesOf } from '../../src/quality/judge/case.ts'
import { caseOf, contentWanted } from '../../src/quality/judge/content.ts'
import { evaluatorName } from '../../src/quality/judge/judge.ts'
import { CaseQueue } from '../../src/quality/judge/queue.ts'
import { Selection, type SelectionOptions } from '../../src/quality/judge/selection.ts'
import type { SettledContent } from '../../src/traces/content.ts'
import { Outcome, Settled } from '../../src/traces/settled.ts'
import { caseWith } from './cases.ts'

/** A number's text is its own digits. */
const text = String
function settledWith(some: Partial<Pick<Settled, 'isRequest' | 'outcome' | 'version' | 'scores'>> = {}): Settled {
  return Object.assign(new Settled(), { isRequest: true, agent: 7, ...some })
}
const selection = (some: Partial<SelectionOptions>) => new Selection({ share: 0, always: [], lowUnitScore: 0.5, newVersionMs: 1000, ...some }, text)

describe('what is judged', () => {
  test('nothing but requests: no indexing, no evaluation, no latecomer', () => {
    expect(selection({ share: 1 }).why(settledWith(), 0)).toBe('sample')
    expect(selection({ share: 1 }).why(settledWith({ isRequest: false }), 0)).toBeUndefined()
  })

  test('failures, low scores of the unit layer and new versions, where it is asked for', () => {
    const failed = settledWith({ outcome: Outcome.error })
    const low = (value: number, layer: 'unit' | 'external') => settledWith({ scores: [{ evaluator: 1, value: 1, layer: 'unit' }, { evaluator: 2, value, layer }] })
    expect([selection({ always: ['error'] }).why(failed, 0), selection({ always: ['low_unit_score'] }).why(failed, 0), selection({ always: ['error'] }).why(settledWith({ outcome: Outcome.unfinished }), 0)]).toEqual(['error', undefined, undefined])
    const unit = selection({ always: ['low_unit_score'] })
    expect([unit.why(low(0.49, 'unit'), 0), unit.why(low(0.5, 'unit'), 0), unit.why(low(0, 'external'), 0)]).toEqual(['low_unit_score', undefined, undefined])
    const versions = selection({ always: ['new_version'] })
    expect([1, 1, 2, 2].map((version, i) => versions.why(settledWith({ version }), i * 600))).toEqual([undefined, undefined, 'new_version', 'new_version'])
    expect(versions.why(settledWith({ version: 2 }), 2200)).toBeUndefined()
  })

  test('as the sample, where it is in it: only that speaks for all requests', () => {
    expect(selection({ share: 1, always: ['error'] }).why(settledWith({ outcome: Outcome.error }), 0)).toBe('sample')
    const provider = { evaluator: 'judge/answer@1', prepare: () => { throw new Error('not asked') } }
    expect([evaluatorName(provider, 'sample'), evaluatorName(provider, 'error')]).toEqual(['judge/answer@1', 'judge/answer@1:error'])
  })

  test('and only of that is content kept', () => {
    const trace = Int32Array.of(1, 2, 3, 4)
    expect([contentWanted({ share: 1, always: [] })(trace), contentWanted({ share: 0, always: [] })(trace), contentWanted({ share: 0, always: ['error'] })(trace)]).toEqual([3, 0, 3])
  })
})

describe('a request for the judge', () => {
  function said(root: readonly [string | undefined, string | undefined], steps: readonly (string | undefined)[] = []): SettledContent {
    return { root: (side: number) => root[side], step: (step: number, side: number) => (side === Content.output ? steps[step] : undefined) } as SettledContent
  }

  test('has question, answer, and what tools and retrievals told, but not what models did', () => {
    const settled = settledWith()
    for (const [kind, name] of [[Kind.tool, 11], [Kind.model, 12], [Kind.retrieval, 13], [Kind.tool, 14]] as const) settled.addStep(kind, name)
    settled.trace.set([1, -1, 0, 255])
    settled.content = said(['q', 'a'], ['found', 'thought', 'read', undefined])
    expect(caseOf(settled, 'sample', text)).toMatchObject({ trace: '00000001ffffffff00000000000000ff', agent: '7', question: 'q', answer: 'a', results: [{ name: '11', text: 'found' }, { name: '13', text: 'read' }] })
  })

  test.each([[undefined, 'a'], ['q', undefined], ['q', '']])('without a question or an answer is none: %s, %s', (question, answer) => {
    const settled = settledWith()
    settled.content = said([question, answer])
    expect(caseOf(settled, 'sample', text)).toBeUndefined()
  })

  test('is as long as it may be: texts keep their beginning and end, and of many results the first and the last', () => {
    const settled = settledWith()
    for (let i = 0; i < 50; i++) settled.addStep(Kind.tool, i)
    settled.content = said([`b${'x'.repeat(100_000)}e`, 'a'], Array.from({ length: 50 }, () => 'y'.repeat(100_000)))
    const one = caseOf(settled, 'sample', text)!
    expect(one.question).toMatch(/^bx+\n\[… 88002 characters left out …\]\nx+e$/)
    expect(one.results.map(({ name }) => Number(name))).toEqual([0, 1, 2, 3, 4, 45, 46, 47, 48, 49])
    expect(bytesOf(one)).toBeLessThan(40_000)
  })
})

describe('the queue', () => {
  test('takes so many requests and bytes, and gives them in their order', () => {
    const queue = new CaseQueue(2)
    const [a, b, c] = ['a', 'b', 'c'].map((answer) => caseWith({ answer })) as [ReturnType<typeof caseWith>, ReturnType<typeof caseWith>, ReturnType<typeof caseWith>]
    expect([queue.add(a, 1), queue.add(b, 2), queue.add(c, 3)]).toEqual([true, true, false])
    expect([queue.take(), queue.take(), queue.take()]).toEqual([{ one: a, bytes: bytesOf(a), sinceMs: 1 }, { one: b, bytes: bytesOf(b), sinceMs: 2 }, undefined])
    expect([queue.length, queue.bytes]).toEqual([0, 0])
    const large = new CaseQueue(1000)
    const big = caseWith({ answer: 'x'.repeat(20_000_000) })
    expect([large.add(big, 1), large.add(big, 1), large.length]).toEqual([true, false, 1])
  })
})
