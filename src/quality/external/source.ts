/** A place elsewhere that scores are fetched from, page by page. */

/** A score as its source tells it: not yet on our scale. */
export interface FoundScore {
  /** Its source's own: the same again is the same score. */
  readonly id: string
  /** 32 hex digits, or the same as a UUID. */
  readonly trace: string
  readonly evaluator: string
  readonly score?: number | boolean
  readonly label?: string
  readonly layer: 'external' | 'human'
}

export interface ScorePage {
  readonly scores: readonly FoundScore[]
  /** Where the next page begins; kept across restarts. */
  readonly cursor: string
  /** There is a next page now. */
  readonly more: boolean
}

export interface ScoreSource {
  readonly name: 'langsmith' | 'braintrust'
  /** `cursor` is undefined the first time. Rejects with `TryLater` when the source says when to come back. */
  page(cursor: string | undefined, nowMs: number, signal: AbortSignal): Promise<ScorePage>
}

export class TryLater extends Error {
  readonly seconds: number

  constructor(message: string, seconds: number) {
    super(message)
    this.seconds = seconds
  }
}

/**
 * Where a source was left: from when on, the newest it has told, and the page within that. Sources sort as they like, so a
 * poll begins again at the newest of the poll before it, and whatever is told twice is known by its id.
 */
export interface Place {
  readonly since: string
  readonly newest: string
  readonly page: string
}

export function readPlace(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined
  try {
    const { since, newest, page } = JSON.parse(cursor) as Partial<Record<keyof Place, unknown>>
    if (typeof since === 'string' && typeof newest === 'string' && typeof page === 'string') return { since, newest, page }
  } catch {
    // As if there were none: what is told again is known by its id.
  }
  return undefined
}
