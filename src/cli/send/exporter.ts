/** What handing one body to an OTLP endpoint is, whatever carries it, and what became of it. */
import type { Body } from '../recorded/recording.ts'
import { eachField, readVarint } from '../recorded/protobuf.ts'

export const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export interface Reply {
  /** `200`, `RESOURCE_EXHAUSTED`, `ECONNREFUSED` */
  readonly status: string
  readonly ok: boolean
  /** Items that the endpoint could not read, of a body that it took. */
  readonly rejected: number
  /** What the endpoint said, '' when it had nothing to say. */
  readonly message: string
  readonly retryable: boolean
  /** How long the endpoint asked to wait, undefined when it did not. */
  readonly retryAfterSeconds?: number | undefined
}

export interface Exporter {
  send(body: Body): Promise<Reply>
  close(): void
}

export interface ExporterOptions {
  readonly protocol: Protocol
  readonly endpoint: URL
  readonly gzip: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
}

/** Reads an Export…ServiceResponse. What is not one is an answer without a partial success. */
export function partialSuccess(response: Buffer): { rejected: number; message: string } {
  let rejected = 0
  let message = ''
  try {
    eachField(response, 0, response.length, (field, start, end) => {
      if (field !== 1) return
      eachField(response, start, end, (part, from, to) => {
        if (part === 1) rejected = Number(BigInt.asIntN(64, readVarint(response, from, to).value))
        if (part === 2) message = response.toString('utf8', from, to)
      })
    })
  } catch {
    return { rejected: 0, message: '' }
  }
  return { rejected, message }
}
