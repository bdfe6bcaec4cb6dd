/**
 * Log records: of an ExportLogsServiceRequest only evaluation results are of interest (`gen_ai.evaluation.result`,
 * which OTel GenAI sends as an event). They are few, so this is written plainly, with a reader object.
 *
 * From opentelemetry/proto/logs/v1/logs.proto: LogsData.resource_logs=1 · ResourceLogs.scope_logs=2 ·
 * ScopeLogs.log_records=2 · LogRecord.attributes=6 trace_id=9 event_name=12
 */
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

export interface LogScanResult {
  records: number
  rejected: number
  error: string
}

/** Reads an ExportLogsServiceRequest and calls `onScore` for each evaluation result. */
export function scanLogs(body: Uint8Array, onScore: (score: LogScore) => void): LogScanResult {
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
            const score = evaluation(record)
            result.records++
            if (score !== undefined) onScore(score)
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

function evaluation(record: Reader): LogScore | undefined {
  let event = '', evaluator = '', value = NaN, label = ''
  let trace: Int32Array | undefined
  for (const field of record.fields()) {
    if (field.number === 9 && field.bytes !== undefined && field.bytes.length > 0) {
      if (field.bytes.length !== 16) throw new Error('traceId is not 16 bytes')
      const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, 16)
      trace = Int32Array.from({ length: 4 }, (_, i) => view.getInt32(i * 4))
    } else if (field.number === 12 && field.bytes !== undefined) event = text(field.bytes)
    else if (field.number === 6 && field.bytes !== undefined) {
      const { key, string, double } = keyValue(new Reader(field.bytes))
      if (key === 'event.name') event ||= string
      else if (key === 'gen_ai.evaluation.name') evaluator = string
      else if (key === 'gen_ai.evaluation.score.value') value = double
      else if (key === 'gen_ai.evaluation.score.label') label = string
    }
  }
  return event === EVALUATION_EVENT ? { trace, evaluator, value, label } : undefined
}

function keyValue(pair: Reader): { key: string; string: string; double: number } {
  let key = '', string = '', double = NaN
  for (const field of pair.fields()) {
    if (field.number === 1 && field.bytes !== undefined) key = text(field.bytes)
    else if (field.number === 2 && field.bytes !== undefined) {
      for (const value of new Reader(field.bytes).fields()) {
        if (value.number === 1 && value.bytes !== undefined) string = text(value.bytes)
        else if (value.number === 3) double = value.value
        else if (value.number === 4) double = value.double
      }
    }
  }
  return { key, string, double }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 1024))
}
