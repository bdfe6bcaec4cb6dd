/**
 * What judges and people said of the same requests, in a database: a person's word may come days after a judge's, and neither is
 * lost with a restart. The newest are kept.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Pair } from './agreement.ts'

export interface JudgeMark {
  /** 32 hex digits. */
  readonly trace: string
  readonly evaluator: string
  /** From 0 to 1. */
  readonly value: number
}

export interface PersonMark extends JudgeMark {
  /** One of five marks, and not only good or bad. */
  readonly fiveMarks: boolean
  readonly comment: string
}

/** Where a judge and a person differ. */
export interface Difference {
  readonly trace: string
  readonly judge: string
  readonly judgeValue: number
  readonly person: string
  readonly personValue: number
  readonly comment: string
}

export interface Marks {
  /** The same judge's, or person's, of the same request again replaces the one before. Whether it makes a pair. */
  judge(mark: JudgeMark, nowMs: number): boolean
  person(mark: PersonMark, nowMs: number): void
  /** Judges that have pairs and have marked since then, the last paired first. */
  judges(sinceMs: number): string[]
  /** The newest pairs of a judge, by when a person marked them. */
  pairs(judge: string): Pair[]
  /** Of these the largest. */
  differences(judge: string, most: number): Difference[]
}

export interface MarkLimits {
  /** Of judges; the oldest go. */
  readonly judgeMarks: number
  /** Of people; the oldest go. */
  readonly personMarks: number
  /** Pairs looked at: more would hide what has changed lately. */
  readonly pairs: number
  readonly judges: number
}

export const MARK_LIMITS: MarkLimits = { judgeMarks: 200_000, personMarks: 20_000, pairs: 300, judges: 20 }

export function openMarks(database: DatabaseSync, limits: MarkLimits = MARK_LIMITS): Marks {
  database.exec(`
    CREATE TABLE IF NOT EXISTS judged (number INTEGER PRIMARY KEY, trace TEXT NOT NULL, evaluator TEXT NOT NULL, value REAL NOT NULL, at_ms INTEGER NOT NULL, UNIQUE (trace, evaluator)) STRICT;
    CREATE INDEX IF NOT EXISTS judged_last ON judged (evaluator, at_ms);
    CREATE TABLE IF NOT EXISTS labelled (number INTEGER PRIMARY KEY, trace TEXT NOT NULL, person TEXT NOT NULL, value REAL NOT NULL, five INTEGER NOT NULL, comment TEXT NOT NULL, at_ms INTEGER NOT NULL, UNIQUE (trace, person)) STRICT;
  `)
  // REPLACE gives a new number: what was said last is the newest.
  const judged = database.prepare('REPLACE INTO judged (trace, evaluator, value, at_ms) VALUES (?, ?, ?, ?)')
  const labelled = database.prepare('REPLACE INTO labelled (trace, person, value, five, comment, at_ms) VALUES (?, ?, ?, ?, ?, ?)')
  const forgetJudged = database.prepare('DELETE FROM judged WHERE number <= (SELECT max(number) FROM judged) - ?')
  const forgetLabelled = database.prepare('DELETE FROM labelled WHERE number <= (SELECT max(number) FROM labelled) - ?')
  const isLabelled = database.prepare('SELECT 1 FROM labelled WHERE trace = ? LIMIT 1')
  const judges = database.prepare(`SELECT evaluator FROM labelled JOIN judged USING (trace) GROUP BY evaluator
    HAVING (SELECT max(at_ms) FROM judged AS own WHERE own.evaluator = judged.evaluator) >= ? ORDER BY max(labelled.number) DESC LIMIT ?`)
  const paired = 'FROM labelled JOIN judged USING (trace) WHERE evaluator = ? ORDER BY labelled.number DESC LIMIT ?'
  const pairs = database.prepare(`SELECT judged.value AS judge, labelled.value AS human, five ${paired}`)
  const differences = database.prepare(`SELECT * FROM (SELECT trace, judged.value AS judge_value, person, labelled.value AS person_value, comment ${paired})
    WHERE judge_value <> person_value ORDER BY abs(judge_value - person_value) DESC, trace LIMIT ?`)
  return {
    judge: ({ trace, evaluator, value }, nowMs) => {
      judged.run(trace, evaluator, value, nowMs)
      forgetJudged.run(limits.judgeMarks)
      return isLabelled.get(trace) !== undefined
    },
    person: ({ trace, evaluator, value, fiveMarks, comment }, nowMs) => {
      labelled.run(trace, evaluator, value, fiveMarks ? 1 : 0, comment, nowMs)
      forgetLabelled.run(limits.personMarks)
    },
    judges: (sinceMs) => judges.all(sinceMs, limits.judges).map((row) => String(row['evaluator'])),
    pairs: (judge) => pairs.all(judge, limits.pairs).map((row) => ({ judge: Number(row['judge']), human: Number(row['human']), fiveMarks: row['five'] === 1 })),
    differences: (judge, most) => differences.all(judge, limits.pairs, most).map((row) => ({
      trace: String(row['trace']), judge, judgeValue: Number(row['judge_value']), person: String(row['person']), personValue: Number(row['person_value']), comment: String(row['comment']),
    })),
  }
}
