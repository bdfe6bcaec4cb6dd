/** What judges and people said, kept in a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Calibration } from '../../src/quality/calibration/calibration.ts'
import { MARK_LIMITS, openMarks } from '../../src/quality/calibration/marks.ts'
import { openDatabase } from '../../src/database.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-marks-'))
afterAll(() => rmSync(folder, { recursive: true }))

const JUDGE = 'judge/answer@1'
const trace = (n: number) => n.toString(16).padStart(32, '0')
const open = (limits = {}) => openMarks(openDatabase(':memory:', 'scores'), { ...MARK_LIMITS, ...limits })
const person = (n: number, value: number, rest = {}) => ({ trace: trace(n), evaluator: 'ann', value, fiveMarks: true, comment: '', ...rest })

test('a judge and a person are a pair, whoever came first', () => {
  const marks = open()
  marks.judge({ trace: trace(1), evaluator: JUDGE, value: 0.75 }, 1)
  marks.person(person(1, 0.5), 2)
  marks.person(person(2, 1, { fiveMarks: false }), 3)
  marks.judge({ trace: trace(2), evaluator: JUDGE, value: 0 }, 4)
  marks.judge({ trace: trace(3), evaluator: JUDGE, value: 0 }, 5)
  expect(marks.judges(0)).toEqual([JUDGE])
  expect(marks.pairs(JUDGE)).toEqual([{ judge: 0, human: 1, fiveMarks: false }, { judge: 0.75, human: 0.5, fiveMarks: true }])
  expect(marks.pairs('judge/answer@2')).toEqual([])
})

test('who marks again means the second mark; another person has one of their own', () => {
  const marks = open()
  marks.judge({ trace: trace(1), evaluator: JUDGE, value: 1 }, 1)
  marks.person(person(1, 0.25), 2)
  marks.person(person(1, 0.5), 3)
  marks.person(person(1, 1, { evaluator: 'bob' }), 4)
  expect(marks.pairs(JUDGE).map(({ human }) => human)).toEqual([1, 0.5])
  marks.judge({ trace: trace(1), evaluator: JUDGE, value: 0.75 }, 5)
  expect(marks.pairs(JUDGE).map(({ judge }) => judge)).toEqual([0.75, 0.75])
})

test('versions of a rubric are judges of their own, the last paired first', () => {
  const marks = open({ judges: 2 })
  for (const version of [1, 2, 3]) {
    marks.judge({ trace: trace(version), evaluator: `judge/answer@${version}`, value: 1 }, 1)
    marks.person(person(version, 1), 2)
  }
  expect(marks.judges(0)).toEqual(['judge/answer@3', 'judge/answer@2'])
})

test('the oldest go', () => {
  const marks = open({ judgeMarks: 3, personMarks: 2, pairs: 10 })
  for (let n = 1; n <= 5; n++) {
    marks.judge({ trace: trace(n), evaluator: JUDGE, value: n / 5 }, n)
    marks.person(person(n, n / 5), n)
  }
  expect(marks.pairs(JUDGE).map(({ human }) => human)).toEqual([1, 0.8])
  marks.person(person(3, 0), 6)
  marks.person(person(1, 0), 7)
  // The judge's mark of the first is gone, that of the third is not.
  expect(marks.pairs(JUDGE).map(({ judge }) => judge)).toEqual([0.6])
})

test('only the newest pairs are looked at', () => {
  const marks = open({ pairs: 2 })
  for (let n = 1; n <= 4; n++) {
    marks.judge({ trace: trace(n), evaluator: JUDGE, value: 1 }, n)
    marks.person(person(n, n < 3 ? 0 : 1), n)
  }
  expect(marks.pairs(JUDGE)).toHaveLength(2)
  expect(new Calibration(marks).results(10)[0]!.agreement.value).toBe(1)
})

test('differences, the largest first, as people wrote them', () => {
  const marks = open()
  const hostile = "'; DROP TABLE labelled; -- <b>"
  for (const [n, judge, human] of [[1, 1, 0.75], [2, 1, 0], [3, 0.5, 0.5]] as const) {
    marks.judge({ trace: trace(n), evaluator: JUDGE, value: judge }, n)
    marks.person(person(n, human, { comment: hostile, evaluator: hostile }), n)
  }
  const calibration = new Calibration(marks)
  expect(calibration.differences(JUDGE, 5)).toEqual([
    { trace: trace(2), judge: JUDGE, judgeValue: 1, person: hostile, personValue: 0, comment: hostile },
    { trace: trace(1), judge: JUDGE, judgeValue: 1, person: hostile, personValue: 0.75, comment: hostile },
  ])
  expect(calibration.differences(JUDGE, 1)).toHaveLength(1)
})

test('results follow what is said', () => {
  const calibration = new Calibration(open())
  expect(calibration.results(10)).toEqual([])
  calibration.judge({ trace: trace(1), evaluator: JUDGE, value: 1 }, 1)
  calibration.person(person(1, 1), 2)
  expect(calibration.results(10)).toMatchObject([{ judge: JUDGE, pairs: 1, agreement: { value: 1 } }])
  calibration.person(person(1, 0), 3)
  expect(calibration.results(10)).toMatchObject([{ pairs: 1, agreement: { value: 0 } }])
})

test('a judge that has not marked for a week is not at work', () => {
  const calibration = new Calibration(open())
  const week = 7 * 86_400_000
  calibration.judge({ trace: trace(1), evaluator: JUDGE, value: 1 }, 1000)
  calibration.person(person(1, 1), week)
  expect(calibration.results(1000 + week)).toHaveLength(1)
  expect(calibration.results(1000 + week + 700_000)).toEqual([])
  calibration.judge({ trace: trace(1), evaluator: JUDGE, value: 0 }, 1000 + week + 700_000)
  expect(calibration.results(1000 + week + 700_000)).toMatchObject([{ agreement: { value: 0 } }])
})

test('a restart forgets nothing', () => {
  const file = join(folder, 'scores.db')
  const first = openDatabase(file, 'the database of scores')
  const marks = openMarks(first)
  marks.judge({ trace: trace(1), evaluator: JUDGE, value: 1 }, 1)
  first.close()
  const second = openDatabase(file, 'the database of scores')
  openMarks(second).person(person(1, 1), 2)
  expect(openMarks(second).pairs(JUDGE)).toHaveLength(1)
  second.close()
})

test('a file that is none is named', () => {
  const file = join(folder, 'torn.db')
  writeFileSync(file, 'not a database, and long enough to be looked at as one'.repeat(50))
  expect(() => openDatabase(file, 'the database of scores')).toThrow(`cannot open the database of scores ${file}`)
})
