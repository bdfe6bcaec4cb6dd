/** What a judge answers, and the score that becomes of it. */

export const MARKS = [1, 2, 3, 4, 5] as const

/** As both APIs take it: no minimum or maximum, which Anthropic's does not know, and the reason first, so that the mark follows from it. */
export const MARK_SCHEMA = {
  type: 'object',
  properties: {
    reason: { type: 'string', description: 'Why, in at most two sentences.' },
    score: { type: 'integer', enum: [...MARKS], description: 'The mark.' },
  },
  required: ['reason', 'score'],
  additionalProperties: false,
} as const

export interface Mark {
  /** From 0 to 1. */
  readonly value: number
  readonly reason: string
}

const LONGEST_REASON = 2000

/** 'malformed' for what is no such JSON, 'out_of_range' for a mark that there is not: never a score. */
export function readMark(text: string): Mark | 'malformed' | 'out_of_range' {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return 'malformed'
  }
  if (typeof parsed !== 'object' || parsed === null) return 'malformed'
  const { score, reason } = parsed as { score?: unknown; reason?: unknown }
  if (typeof score !== 'number' || typeof reason !== 'string') return 'malformed'
  if (!(MARKS as readonly number[]).includes(score)) return 'out_of_range'
  return { value: (score - 1) / 4, reason: reason.slice(0, LONGEST_REASON) }
}
