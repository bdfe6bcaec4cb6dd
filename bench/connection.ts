import { partialSuccess } from '../src/cli/send/exporter.ts'

/** What a receiver said of one batch. */
export interface Answer {
  readonly ok: boolean
  /** Spans of a batch that was taken that the receiver could not read. */
  readonly rejected: number
  /** '' when ok. */
  readonly error: string
}

/** One TCP connection that stays open. One batch at a time; never rejects. */
export interface Connection {
  /** `body` is not read any more once this resolves. */
  send(body: Buffer): Promise<Answer>
  close(): void
}

export type Connect = (port: number, gzip: boolean) => Connection

/** `response`: an ExportTraceServiceResponse. */
export function taken(response: Buffer): Answer {
  const { rejected, message } = response.length === 0 ? { rejected: 0, message: '' } : partialSuccess(response)
  return { ok: true, rejected, error: message }
}
