/** One call through an SDK: within a time, its errors by their kind. */
import { randomBytes } from 'node:crypto'
import { retryAfterSeconds } from '../../web/retry.ts'
import { CallFailed, untraced, type CallFailure, type Reply } from './provider.ts'

export interface CallOptions {
  /** The SDKs' own retries are off: each of them may cost, and would be neither reserved nor counted. */
  readonly maxRetries: 0
  readonly signal: AbortSignal
  readonly headers: Readonly<Record<string, string>>
}

/** Runs `make`, and gives it up after `timeoutMs` or when `ended`, whatever the SDK waits for: some do not look at the signal once the headers have come. */
export async function call(make: (options: CallOptions) => Promise<Reply>, timeoutMs: number, ended: AbortSignal): Promise<Reply> {
  const stop = new AbortController()
  const given = Promise.withResolvers<never>()
  const giveUp = (failure: CallFailure) => {
    stop.abort()
    given.reject(new CallFailed(failure))
  }
  const timer = setTimeout(() => giveUp(failed('timeout', `no answer within ${timeoutMs / 1000} s`)), timeoutMs)
  const end = () => giveUp({ ...failed('network', 'stopped'), retryable: false })
  ended.addEventListener('abort', end, { once: true })
  if (ended.aborted) end()
  try {
    const made = make({ maxRetries: 0, signal: stop.signal, headers: untraced(() => randomBytes(16).toString('hex')) })
    made.catch(() => {})
    return await Promise.race([made, given.promise])
  } catch (error) {
    if (error instanceof CallFailed) throw error
    // A body that is no JSON came with a status of success: the model has done its work.
    if (error instanceof SyntaxError) return { usage: undefined, mark: 'malformed' }
    throw new CallFailed(failureOf(error))
  } finally {
    clearTimeout(timer)
    ended.removeEventListener('abort', end)
  }
}

/** By what both SDKs put on their errors: the status, the headers, and for what never got a status nothing. */
function failureOf(error: unknown): CallFailure {
  const { status, headers } = error as { status?: number; headers?: Headers }
  if (status === undefined) {
    const code = codeOf(error)
    return { ...failed('network', `no answer${code === '' ? '' : `: ${code}`}`), charged: !NOT_REACHED.has(code) }
  }
  const retryable = status === 408 || status === 409 || status === 429 || status >= 500
  return { error: status === 429 ? '429' : status >= 500 ? '5xx' : '4xx', retryable, charged: false, retryAfterMs: retryAfterMs(headers, Date.now()), message: `HTTP ${status}` }
}

/** Of the headers `retry-after-ms`, which OpenAI has more to say in, and `Retry-After`. */
export function retryAfterMs(headers: { get(name: string): string | null } | undefined, nowMs: number): number | undefined {
  const ms = headers?.get('retry-after-ms')?.trim() ?? ''
  if (/^\d{1,9}(\.\d{1,9})?$/.test(ms)) return Number(ms)
  const seconds = retryAfterSeconds(headers?.get('retry-after'), nowMs)
  return seconds === undefined ? undefined : seconds * 1000
}

/** What Node says of a connection that was never there, or of a file with the key. */
const NOT_REACHED: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

/** Under the SDK's error is that of fetch, and under that the system's. */
function codeOf(error: unknown): string {
  for (let at = error as { code?: unknown; cause?: unknown } | undefined, depth = 0; at != null && depth < 5; at = at.cause as typeof at, depth++) {
    if (typeof at.code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(at.code)) return at.code
  }
  return ''
}

function failed(error: CallFailure['error'], message: string): CallFailure {
  return { error, retryable: true, charged: true, retryAfterMs: undefined, message }
}
