/**
 * Feedback in LangSmith: GET /api/v1/feedback, by the time it was created. LangSmith makes the id of a trace that came as
 * OTLP the trace's id, and its SDKs that export OTLP make their trace id the trace's: the same 16 bytes, written as a UUID.
 *
 * The SDK's `listFeedback` knows no times, so that each poll would read all there ever was; its client's own `get` is used.
 */
import { retryAfterSeconds } from '../../web/retry.ts'
import { readPlace, TryLater, type FoundScore, type ScorePage, type ScoreSource } from './source.ts'

export interface LangsmithOptions {
  readonly url: string
  readonly apiKey: () => string
  /** Tracing projects ("sessions"), by id; none: all that the key sees. */
  readonly projects: readonly string[]
}

const PAGE = 100
/** What is written while it is read may be told a little later than it was created. */
const OVERLAP_MS = 300_000
const TIMEOUT_MS = 30_000

interface Feedback {
  readonly id?: unknown
  readonly created_at?: unknown
  readonly trace_id?: unknown
  readonly run_id?: unknown
  readonly key?: unknown
  readonly score?: unknown
  readonly value?: unknown
  readonly feedback_source?: { readonly type?: unknown } | null
}

export function langsmithSource({ url, apiKey, projects }: LangsmithOptions): ScoreSource {
  return {
    name: 'langsmith',
    async page(cursor, nowMs, signal) {
      const { Langsmith, APIError } = await import('langsmith')
      const { since, newest, page } = readPlace(cursor) ?? { since: new Date(nowMs).toISOString(), newest: '', page: '0' }
      // Made anew, so that a rotated key is used. Its retries are off: the poller waits as long as the answer says.
      const client = new Langsmith({ apiKey: apiKey(), baseURL: url, maxRetries: 0, timeout: TIMEOUT_MS, logLevel: 'off' })
      const from = new Date(Date.parse(since) - OVERLAP_MS).toISOString()
      let body: unknown
      try {
        body = await client.get('/api/v1/feedback', { query: { min_created_at: from, limit: PAGE, offset: Number(page), ...(projects.length > 0 && { session: projects }) }, signal })
      } catch (error) {
        const seconds = error instanceof APIError ? retryAfterSeconds((error.headers as Headers | undefined)?.get('retry-after'), nowMs) : undefined
        if (seconds !== undefined) throw new TryLater((error as Error).message, seconds)
        throw error
      }
      if (!Array.isArray(body)) throw new Error('the answer is not a list of feedback')
      return pageOf(body as Feedback[], since, newest, Number(page))
    },
  }
}

function pageOf(feedback: readonly Feedback[], since: string, newest: string, offset: number): ScorePage {
  for (const { created_at } of feedback) {
    const at = typeof created_at === 'string' ? Date.parse(created_at) : NaN
    if (!Number.isNaN(at) && (newest === '' || at > Date.parse(newest))) newest = new Date(at).toISOString()
  }
  const more = feedback.length >= PAGE
  const next = newest > since ? newest : since
  return {
    scores: feedback.flatMap(found),
    cursor: JSON.stringify(more ? { since, newest, page: String(offset + feedback.length) } : { since: next, newest: '', page: '0' }),
    more,
  }
}

function found({ id, trace_id, run_id, key, score, value, feedback_source }: Feedback): FoundScore[] {
  // A note is no score.
  if (typeof id !== 'string' || typeof key !== 'string' || (score == null && typeof value !== 'string')) return []
  const trace = typeof trace_id === 'string' ? trace_id : typeof run_id === 'string' ? run_id : ''
  return [{
    id, trace, evaluator: `langsmith/${key}`, layer: feedback_source?.type === 'app' ? 'human' : 'external',
    ...((typeof score === 'number' || typeof score === 'boolean') && { score }), ...(typeof value === 'string' && { label: value }),
  }]
}
