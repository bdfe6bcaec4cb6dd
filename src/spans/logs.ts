/**
 * Log records: of an ExportLogsServiceRequest only two kinds of OTel GenAI's events are of interest, evaluation results (`gen_ai.evaluation.result`)
 * and, where somebody wants content, what went into a model call and came out of it. This is written plainly, with a reader object.
 *
 * From opentelemetry/proto/logs/v1/logs.proto: LogsData.resource_logs=1 · ResourceLogs.scope_logs=2 ·
 * ScopeLogs.log_records=2 · LogRecord.body=5 attributes=6 trace_id=9 span_id=10 event_name=12
 */
import { Content } from './dialect.ts'
import { Reader } from './reader.ts'

export const EVALUATION_EVENT = 'gen_ai.evaluation.result'

export interface LogScore {
  /** Four 32-bit words; undefined where the record tells of none. */
  readonly trace: Int32Array | undefined
  readonly evaluator: string
  /** On the evaluator's own scale; NaN where there is only a label, or neither. */
  readonly value: number
  /** '' where there is none. */
  readonly label: string
}

/** What a span was given or gave, told beside it. */
export interface LogContent {
  readonly trace: Int32Array
  readonly spanHi: number
  readonly spanLo: number
  /** One of `Content`. */
  readonly side: number
  /** An AnyValue, good until the push has been scanned. */
  readonly value: Uint8Array
}

/** Events whose body is one side of a call. The instructions and what was said before are not what it was asked. */
const SIDES: Readonly<Record<string, number>> = { 'gen_ai.user.message': Content.input, 'gen_ai.choice': Content.output }
/** One event with both sides, as attributes. */
const DETAILS_EVENT = 'gen_ai.client.inference.operation.details'
const DETAILS: Readonly<Record<string, number>> = { 'gen_ai.input.messages': Content.input, 'gen_ai.output.messages': Content.output }

export interface LogScanResult {
  records: number
  rejected: number
  error: string
}

/** Reads an ExportLogsServiceRequest and calls `onScore` for each evaluation result, and `onContent` for each text of a span. */
export function scanLogs(body: Uint8Array, onScore: (score: LogScore) => void, onContent?: (said: LogContent) => void): LogScanResult {
  const result: LogScanResult = { records: 0, rejected: 0, error: '' }
  const where = { resource: -1, scope: -1, record: -1 }
  const path = () => `resourceLogs[${where.resource}].scopeLogs[${where.scope}].logRecords[${where.record}]`
  try {
    for (const resource of new Reader(body).messages(1)) {
      where.resource++
      where.scope = -1
      for (const scope of resource.messages(2)) {
        where.scope++
        where.record = -1
        for (const record of scope.messages(2)) {
          where.record++
          try {
            const { score, said } = read(record, onContent !== undefined)
            result.records++
            if (score !== undefined) onScore(score)
            for (const one of said) onContent!(one)
          } catch (error) {
            reject(result, path(), error)
          }
        }
      }
    }
  } catch (error) {
    reject(result, path(), error)
  }
  return result
}

function reject(result: LogScanResult, path: string, error: unknown): void {
  result.rejected++
  if (result.error === '') result.error = `${path}: ${(error as Error).message}`
}

function read(record: Reader, withContent: boolean): { readonly score: LogScore | undefined; readonly said: readonly LogContent[] } {
  let event = '', evaluator = '', value = NaN, label = ''
  let trace: Int32Array | undefined, span: DataView | undefined, body: Uint8Array | undefined
  const details: [number, Uint8Array][] = []
  for (const field of record.fields()) {
    if (field.number === 9 && field.bytes !== undefined && field.bytes.length > 0) {
      if (field.bytes.length !== 16) throw new Error('traceId is not 16 bytes')
      const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, 16)
      trace = Int32Array.from({ length: 4 }, (_, i) => view.getInt32(i * 4))
    } else if (field.number === 10 && field.bytes?.length === 8) span = new DataView(field.bytes.buffer, field.bytes.byteOffset, 8)
    else if (field.number === 5) body = field.bytes
    else if (field.number === 12 && field.bytes !== undefined) event = text(field.bytes)
    else if (field.number === 6 && field.bytes !== undefined) {
      const { key, string, double, bytes } = keyValue(new Reader(field.bytes))
      if (key === 'event.name') event ||= string
      else if (key === 'gen_ai.evaluation.name') evaluator = string
      else if (key === 'gen_ai.evaluation.score.value') value = double
      else if (key === 'gen_ai.evaluation.score.label') label = string
      else if (withContent && bytes !== undefined && key in DETAILS) details.push([DETAILS[key]!, bytes])
    }
  }
  const score = event === EVALUATION_EVENT ? { trace, evaluator, value, label } : undefined
  if (!withContent || trace === undefined || span === undefined) return { score, said: [] }
  const sides = event === DETAILS_EVENT ? details : event in SIDES && body !== undefined ? [[SIDES[event]!, body] as const] : []
  const [spanHi, spanLo] = [span.getInt32(0), span.getInt32(4)]
  return { score, said: sides.map(([side, value]) => ({ trace, spanHi, spanLo, side, value })) }
}

function keyValue(pair: Reader): { key: string; string: string; double: number; bytes: Uint8Array | undefined } {
  let key = '', string = '', double = NaN
  let bytes: Uint8Array | undefined
  for (const field of pair.fields()) {
    if (field.number === 1 && field.bytes !== undefined) key = text(field.bytes)
    else if (field.number === 2 && field.bytes !== undefined) {
      bytes = field.bytes
      for (const value of new Reader(field.bytes).fields()) {
        if (value.number === 1 && value.bytes !== undefined) string = text(value.bytes)
        else if (value.number === 3) double = value.value
        else if (value.number === 4) double = value.double
      }
    }
  }
  return { key, string, double, bytes }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 1024))
}
