/**
 * How far a judge marks as people do. Values are marks from 0 to 1, of the same request by both.
 *
 * Cohen's kappa is agreement beyond chance; its standard error is the large-sample one of Fleiss, Cohen and Everitt
 * (1969), which is 0 where all agree. So each bound is also taken from Wilson's interval of the agreement at the same
 * chance agreement, and the wider of both holds: thirty pairs without a difference are no proof that there is none.
 */
import { studentQuantile, wilson, Z } from './interval.ts'

/** A mark of a judge and a person's of the same request. */
export interface Pair {
  readonly judge: number
  readonly human: number
  /** The person chose from five marks, and not between good and bad. */
  readonly fiveMarks: boolean
}

/** An estimate and its 95 % interval. */
export interface Estimate {
  readonly value: number
  readonly lower: number
  readonly upper: number
}

export interface Agreement {
  readonly pairs: number
  /** Share of pairs in which both say good, or both bad. */
  readonly agreement: Estimate
  /** Of good and bad; undefined where either always says the same, which tells nothing. */
  readonly kappa: Estimate | undefined
  /** Of the five marks, a difference weighing by its square; of pairs where the person gave one. */
  readonly weightedKappa: Estimate | undefined
  /** Mean of judge less person: above 0 the judge is milder. Of the same pairs. */
  readonly bias: Estimate | undefined
}

/** Four and five of five marks, (s − 1) / 4, are good. */
export const GOOD = 0.75
const MARKS = 5

/** Undefined without pairs. */
export function agreementOf(pairs: readonly Pair[]): Agreement | undefined {
  if (pairs.length === 0) return undefined
  const good = (value: number) => (value >= GOOD ? 1 : 0)
  const binary = tableOf(pairs.map(({ judge, human }) => [good(judge), good(human)]), 2)
  const same = binary[0]![0]! + binary[1]![1]!
  const marked = pairs.filter(({ fiveMarks }) => fiveMarks)
  return {
    pairs: pairs.length,
    agreement: { value: same / pairs.length, ...wilson(same / pairs.length, pairs.length) },
    kappa: estimate(binary, identity),
    weightedKappa: estimate(tableOf(marked.map(({ judge, human }) => [markOf(judge), markOf(human)]), MARKS), quadratic),
    bias: meanOf(marked.map(({ judge, human }) => judge - human)),
  }
}

/** How much the two categories agree, from 0 to 1. */
type Weight = (i: number, j: number, categories: number) => number

export const identity: Weight = (i, j) => (i === j ? 1 : 0)
export const quadratic: Weight = (i, j, categories) => 1 - ((i - j) / (categories - 1)) ** 2

/** Counts of (category of one, category of the other), for both the same categories. */
export function tableOf(pairs: readonly (readonly [number, number])[], categories: number): number[][] {
  const table = Array.from({ length: categories }, () => new Array<number>(categories).fill(0))
  for (const [a, b] of pairs) table[a]![b]!++
  return table
}

export interface Kappa {
  readonly value: number
  readonly standardError: number
  /** Agreement, weighted, and what of it chance alone would give. */
  readonly observed: number
  readonly expected: number
}

/** Undefined where chance alone would make them agree always. */
export function cohensKappa(table: readonly (readonly number[])[], weight: Weight): Kappa | undefined {
  const k = table.length
  const n = totalOf(table)
  if (n === 0) return undefined
  const rows = table.map((row) => row.reduce((sum, count) => sum + count, 0) / n)
  const columns = table.map((_, j) => table.reduce((sum, row) => sum + row[j]!, 0) / n)
  let observed = 0, expected = 0
  const ofRow = new Array<number>(k).fill(0), ofColumn = new Array<number>(k).fill(0)
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) {
      const w = weight(i, j, k)
      observed += (w * table[i]![j]!) / n
      expected += w * rows[i]! * columns[j]!
      ofRow[i]! += w * columns[j]!
      ofColumn[j]! += w * rows[i]!
    }
  }
  const left = 1 - expected
  if (left < 1e-12) return undefined
  let variance = -((observed * expected - 2 * expected + observed) ** 2)
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) variance += (table[i]![j]! / n) * (weight(i, j, k) * left - (ofRow[i]! + ofColumn[j]!) * (1 - observed)) ** 2
  }
  return { value: (observed - expected) / left, standardError: Math.sqrt(Math.max(0, variance) / n) / left ** 2, observed, expected }
}

function estimate(table: readonly (readonly number[])[], weight: Weight): Estimate | undefined {
  const kappa = cohensKappa(table, weight)
  const varied = table.filter((row) => row.some((count) => count > 0)).length > 1 && table.filter((_, j) => table.some((row) => row[j]! > 0)).length > 1
  if (kappa === undefined || !varied) return undefined
  const { value, standardError, observed, expected } = kappa
  const share = wilson(Math.min(1, observed), totalOf(table))
  return {
    value,
    lower: Math.max(-1, Math.min(value - Z * standardError, (share.lower - expected) / (1 - expected))),
    upper: Math.min(1, Math.max(value + Z * standardError, (share.upper - expected) / (1 - expected))),
  }
}

function totalOf(table: readonly (readonly number[])[]): number {
  return table.flat().reduce((sum, count) => sum + count, 0)
}

function meanOf(values: readonly number[]): Estimate | undefined {
  if (values.length < 2) return undefined
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const margin = studentQuantile(n - 1) * Math.sqrt(variance / n)
  return { value: mean, lower: mean - margin, upper: mean + margin }
}

function markOf(value: number): number {
  return Math.round(value * (MARKS - 1))
}
