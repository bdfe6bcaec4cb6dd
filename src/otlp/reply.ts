import { type Refusal, REFUSALS } from './refusal.ts'
import type { Accepted } from './sink.ts'
import { BackWriter } from './writer.ts'

export type Signal = 'traces' | 'logs' | 'metrics'

/** JSON name of ExportPartialSuccess.rejected_* of each signal. */
const REJECTED = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' } as const

/** Messages name paths in the sender's data; this is ample for one path and one reason. */
const MESSAGE_LIMIT_CHARACTERS = 1000

export const PROTOBUF = 'application/x-protobuf'
export const EMPTY_PROTOBUF = Buffer.alloc(0)
export const EMPTY_JSON = Buffer.from('{}')

/**
 * An Export{Trace,Logs,Metrics}ServiceResponse: empty when all was accepted, otherwise
 * `partial_success = 1 { int64 rejected_* = 1; string error_message = 2 }`.
 */
export function exportReply(signal: Signal, result: Accepted, json: boolean): Buffer {
  if (result.rejected === 0 && result.error === '') return json ? EMPTY_JSON : EMPTY_PROTOBUF
  const message = shorten(result.error)
  if (json) {
    // An int64 is a string in the JSON encoding of protobuf.
    return Buffer.from(JSON.stringify({ partialSuccess: { [REJECTED[signal]]: String(result.rejected), errorMessage: message } }))
  }
  const out = new BackWriter(64 + message.length)
  if (message !== '') {
    out.string(message)
    out.tag(2, 2)
  }
  if (result.rejected !== 0) {
    out.varint(result.rejected)
    out.tag(1, 0)
  }
  out.close(0, 1)
  return Buffer.from(out.bytes())
}

/** The body of an HTTP answer that is not 200: `google.rpc.Status { int32 code = 1; string message = 2 }`. */
export function statusReply(refusal: Refusal, json: boolean): Buffer {
  const code = REFUSALS[refusal.reason].code
  const message = shorten(refusal.message)
  if (json) return Buffer.from(JSON.stringify({ code, message }))
  const out = new BackWriter(64 + message.length)
  writeStatus(out, code, message)
  return Buffer.from(out.bytes())
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'

/**
 * The value of the `grpc-status-details-bin` trailer: a Status whose `repeated Any details = 3` holds
 * `RetryInfo { Duration retry_delay = 1 { int64 seconds = 1 } }`. Without it a sender takes RESOURCE_EXHAUSTED as final.
 */
export function retryDetails(refusal: Refusal): Buffer {
  const out = new BackWriter(256)
  out.varint(refusal.retrySeconds)
  out.tag(1, 0)
  out.close(0, 1)
  out.close(0, 2)
  out.string(RETRY_INFO)
  out.tag(1, 2)
  out.close(0, 3)
  writeStatus(out, REFUSALS[refusal.reason].code, shorten(refusal.message))
  return Buffer.from(out.bytes())
}

function writeStatus(out: BackWriter, code: number, message: string): void {
  out.string(message)
  out.tag(2, 2)
  out.varint(code)
  out.tag(1, 0)
}

function shorten(message: string): string {
  const short = message.length <= MESSAGE_LIMIT_CHARACTERS ? message : `${message.slice(0, MESSAGE_LIMIT_CHARACTERS)}…`
  return short.toWellFormed()
}
