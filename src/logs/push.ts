/**
 * One exchange with Loki's push API: POST /loki/api/v1/push, JSON, gzip.
 *
 *     {"streams": [{"stream": {"label": "value"}, "values": [["<unix nanoseconds>", "<line>", {"metadata": "value"}]]}]}
 */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { reasonOf } from '../web/reach.ts'
import { retryAfterSeconds } from '../web/retry.ts'
import type { PushError } from './counts.ts'

export interface LokiEndpoint {
  /** As in http://loki:3100; a path of its own goes before the API's. */
  readonly url: string
  /** X-Scope-OrgID; undefined where Loki serves one tenant. */
  readonly tenant: string | undefined
  /** Basic authentication. The file is read for every push, so that a new password is taken up. */
  readonly user: { readonly name: string; readonly passwordFile: string } | undefined
}

/** undefined when Loki took the lines. */
export interface PushFailure {
  readonly error: PushError
  /** Whether the same lines may be taken later. */
  readonly retryable: boolean
  readonly retryAfterSeconds: number | undefined
  /** For a person: Loki's own words, or the system's. */
  readonly message: string
}

const TIMEOUT_MS = 10_000
/** Loki answers so while it is told to take nothing: lines are not stored, though the status is one of success. */
const BLOCKED = 260
const MOST_MESSAGE_CHARACTERS = 300

const compress = promisify(gzip)

export function pushUrl(base: string): string {
  return `${base.replace(/\/+$/, '')}/loki/api/v1/push`
}

export async function push(endpoint: LokiEndpoint, body: string, ended: AbortSignal): Promise<PushFailure | undefined> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await fetch(pushUrl(endpoint.url), {
      method: 'POST', body: await compress(body), headers: await headersOf(endpoint), signal: AbortSignal.any([timeout, ended]),
      // Who answers with another address is not who the password is for.
      redirect: 'manual',
    })
    const message = (await response.text()).slice(0, MOST_MESSAGE_CHARACTERS).trim()
    if (response.ok && response.status !== BLOCKED) return undefined
    return { ...kindOf(response.status), retryAfterSeconds: retryAfterSeconds(response.headers.get('retry-after'), Date.now()), message: `${response.status} ${message}`.trim() }
  } catch (error) {
    return { error: timeout.aborted ? 'timeout' : 'network', retryable: true, retryAfterSeconds: undefined, message: reasonOf(error) }
  }
}

async function headersOf({ tenant, user }: LokiEndpoint): Promise<Record<string, string>> {
  const password = user && (await readFile(user.passwordFile, 'utf8')).trim()
  return {
    'Content-Type': 'application/json',
    'Content-Encoding': 'gzip',
    ...(tenant !== undefined && { 'X-Scope-OrgID': tenant }),
    ...(user && { Authorization: `Basic ${Buffer.from(`${user.name}:${password}`).toString('base64')}` }),
  }
}

function kindOf(status: number): Pick<PushFailure, 'error' | 'retryable'> {
  if (status === BLOCKED) return { error: 'blocked', retryable: true }
  if (status === 429) return { error: '429', retryable: true }
  if (status >= 500) return { error: '5xx', retryable: true }
  return { error: '4xx', retryable: false }
}
