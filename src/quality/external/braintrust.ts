/**
 * Scores in Braintrust's project logs: POST /btql, by the transaction that wrote a row, since a score often comes long after its
 * span and writes the row again. The root span's id is the trace's: as OTLP it is 32 hex digits, by Braintrust's SDKs also a UUID.
 *
 * Not by the package `braintrust`: it reads rows by an option that it calls internal, asks a second server for the address of
 * the first, and takes 75 MB with a native program. The endpoint is documented and is one POST.
 */
import { retryAfterSeconds } from '../../web/retry.ts'
import { readPlace, TryLater, type FoundScore, type ScorePage, type ScoreSource } from './source.ts'

export interface BraintrustOptions {
  readonly url: string
  readonly apiKey: () => string
  /** By its UUID. */
  readonly project: string
  /** Rows older than this are not asked for. */
  readonly rememberMs: number
}

const PAGE = 500
const TIMEOUT_MS = 60_000
/** Rows of 500 spans without their texts. */
const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024

interface Row {
  readonly id?: unknown
  readonly root_span_id?: unknown
  readonly _xact_id?: unknown
  readonly scores?: unknown
}

export function braintrustSource({ url, apiKey, project, rememberMs }: BraintrustOptions): ScoreSource {
  return {
    name: 'braintrust',
    async page(cursor, nowMs, signal) {
      // The first time from now on; transactions are not known yet.
      const { since, newest, page } = readPlace(cursor) ?? { since: `from ${new Date(nowMs).toISOString()}`, newest: '', page: '' }
      const created = since.startsWith('from ') ? since.slice(5) : new Date(nowMs - rememberMs).toISOString()
      const query = [
        'select: id, root_span_id, scores, _xact_id',
        `from: project_logs('${project}') spans`,
        `filter: created >= '${created}' and scores is not null${since.startsWith('from ') ? '' : ` and _xact_id >= '${since}'`}`,
        `limit: ${PAGE}`,
        ...(page === '' ? [] : [`cursor: '${page}'`]),
      ].join(' | ')
      const response = await fetch(`${url}/btql`, {
        method: 'POST', headers: { 'Authorization': `Bearer ${apiKey()}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ query, fmt: 'json' }), signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]), redirect: 'error',
      })
      const text = await limited(response)
      if (!response.ok) {
        const seconds = retryAfterSeconds(response.headers.get('retry-after'), nowMs)
        const message = `HTTP ${response.status}`
        throw seconds === undefined ? new Error(message) : new TryLater(message, seconds)
      }
      const { data, cursor: next } = JSON.parse(text) as { data?: unknown; cursor?: unknown }
      if (!Array.isArray(data)) throw new Error('the answer has no list of data')
      return pageOf(data as Row[], since, newest, next ?? response.headers.get('x-bt-cursor'))
    },
  }
}

function pageOf(rows: readonly Row[], since: string, newest: string, next: unknown): ScorePage {
  for (const { _xact_id } of rows) {
    // Numbers of up to 64 bits as text; longer is larger.
    if (typeof _xact_id === 'string' && /^\d{1,20}$/.test(_xact_id) && (_xact_id.length > newest.length || (_xact_id.length === newest.length && _xact_id > newest))) newest = _xact_id
  }
  const page = typeof next === 'string' && /^[\w+/=.:-]{1,1000}$/.test(next) ? next : ''
  const more = page !== '' && rows.length > 0
  return {
    scores: rows.flatMap(found),
    cursor: JSON.stringify(more ? { since, newest, page } : { since: newest === '' ? since : newest, newest: '', page: '' }),
    more,
  }
}

function found({ id, root_span_id, scores }: Row): FoundScore[] {
  if (typeof id !== 'string' || typeof root_span_id !== 'string' || typeof scores !== 'object' || scores === null) return []
  // A scorer that had nothing to say gives null.
  return Object.entries(scores).flatMap(([scorer, score]: [string, unknown]) => (typeof score === 'number' || typeof score === 'boolean' ? [{ id: `${id}/${scorer}`, trace: root_span_id, evaluator: `braintrust/${scorer}`, score, layer: 'external' as const }] : []))
}

async function limited(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += (part as Uint8Array).length
    if (bytes > ANSWER_LIMIT_BYTES) throw new Error(`the answer is longer than ${ANSWER_LIMIT_BYTES} bytes`)
    parts.push(part as Uint8Array)
  }
  return Buffer.concat(parts).toString('utf8')
}
