/** LogQL expressions, broken in one place: a limit judged on its other side, a range of another length, an exception forgotten. */
import { parser } from '@grafana/lezer-logql'

const OTHER_SIDE: Readonly<Record<string, string>> = { '>': '>=', '>=': '>', '<': '<=', '<=': '<' }
const COMPARISONS = new Set(['Gtr', 'Gte', 'Lss', 'Lte'])
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export interface LogMutant {
  readonly what: string
  readonly expr: string
}

export function logMutantsOf(expr: string): LogMutant[] {
  const mutants: LogMutant[] = []
  let comparisons = 0
  let ranges = 0
  const put = (what: string, from: number, to: number, other: string) => {
    mutants.push({ what: `${what} is ${other === '' ? 'gone' : `${other} instead of ${expr.slice(from, to)}`}`, expr: expr.slice(0, from) + other + expr.slice(to) })
  }
  parser.parse(expr).iterate({
    enter({ name, from, to }) {
      const other = OTHER_SIDE[expr.slice(from, to)]
      if (COMPARISONS.has(name) && other !== undefined) put(`comparison ${++comparisons}`, from, to, other)
      if (name !== 'Range') return
      ranges++
      const [, number, unit] = /^\[(\d+)([smhd])\]$/.exec(expr.slice(from, to))!
      const seconds = Number(number) * SECONDS[unit!]!
      for (const wrong of [seconds * 2, seconds / 2]) put(`range ${ranges}`, from, to, `[${wrong}s]`)
    },
  })
  const exception = /\n\s*unless\b[\s\S]*?(?=\n\)|$)/.exec(expr)
  if (exception !== null) put('the exception', exception.index, exception.index + exception[0].length, '')
  return mutants
}
