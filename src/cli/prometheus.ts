/** Asks a Prometheus over its HTTP API. */
import { z } from 'zod'
import { reasonOf } from '../web/reach.ts'

/** One answer holds no more than this: 20,000 series of a day by the minute would be some gigabytes. */
const MOST_BYTES = 256 * 1024 ** 2
const TIMEOUT_MS = 120_000

const labels = z.record(z.string(), z.string())
const point = z.tuple([z.number(), z.string()])
const vector = z.array(z.object({ metric: labels, value: point }))
const matrix = z.array(z.object({ metric: labels, values: z.array(point) }))

export interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Unix seconds and value. */
  readonly points: readonly (readonly [number, number])[]
}

/** The value of each series at a time. Throws an Error that says what Prometheus could not do. */
export async function query(url: string, expr: string, atSeconds: number): Promise<Series[]> {
  const result = vector.parse(await ask(url, 'query', { query: expr, time: String(atSeconds) }))
  return result.map(({ metric, value }) => ({ labels: metric, points: [[value[0], Number(value[1])]] }))
}

/** Values from `fromSeconds` to `toSeconds`, both with a sample if there is one. */
export async function queryRange(url: string, expr: string, fromSeconds: number, toSeconds: number, stepSeconds: number): Promise<Series[]> {
  const result = matrix.parse(await ask(url, 'query_range', { query: expr, start: String(fromSeconds), end: String(toSeconds), step: String(stepSeconds) }))
  return result.map(({ metric, values }) => ({ labels: metric, points: values.map(([at, value]) => [at, Number(value)] as const) }))
}

async function ask(url: string, what: string, parameters: Record<string, string>): Promise<unknown> {
  let text: string
  try {
    const response = await fetch(`${url}/api/v1/${what}`, { method: 'POST', body: new URLSearchParams(parameters), signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (Number(response.headers.get('content-length') ?? 0) > MOST_BYTES) throw new Error(`its answer is longer than ${MOST_BYTES} bytes`)
    text = await response.text()
    const answer = JSON.parse(text) as { status?: unknown; error?: unknown; data?: { result?: unknown } }
    if (answer.status !== 'success') throw new Error(typeof answer.error === 'string' ? answer.error.slice(0, 300) : `HTTP ${response.status}`)
    return answer.data?.result
  } catch (error) {
    throw new Error(`cannot ask Prometheus at ${url}: ${error instanceof SyntaxError ? 'its answer is not JSON' : reasonOf(error)}`, { cause: error })
  }
}
