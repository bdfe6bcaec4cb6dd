/**
 * OTLP's trace and log messages as tables: field number → JSON name and what is in it
 * (opentelemetry/proto/{collector/trace,collector/logs,trace,logs,common,resource}/v1). What `send` needs to find ids and
 * times in a recorded body and to write it as JSON; the receiver has a scanner of its own, made for speed.
 */
export type Kind = 'string' | 'bytes' | 'bool' | 'int' | 'long' | 'double' | 'fixed32' | 'time' | 'id' | Shape

export interface FieldShape {
  readonly name: string
  readonly kind: Kind
  readonly many: boolean
}

export interface Shape {
  readonly [field: number]: FieldShape
}

const one = (name: string, kind: Kind): FieldShape => ({ name, kind, many: false })
const many = (name: string, kind: Kind): FieldShape => ({ name, kind, many: true })

const ANY_VALUE: Record<number, FieldShape> = {
  1: one('stringValue', 'string'), 2: one('boolValue', 'bool'), 3: one('intValue', 'long'), 4: one('doubleValue', 'double'), 7: one('bytesValue', 'bytes'),
}
export const KEY_VALUE: Shape = { 1: one('key', 'string'), 2: one('value', ANY_VALUE) }
ANY_VALUE[5] = one('arrayValue', { 1: many('values', ANY_VALUE) })
ANY_VALUE[6] = one('kvlistValue', { 1: many('values', KEY_VALUE) })

const RESOURCE: Shape = { 1: many('attributes', KEY_VALUE), 2: one('droppedAttributesCount', 'int') }
const SCOPE: Shape = { 1: one('name', 'string'), 2: one('version', 'string'), 3: many('attributes', KEY_VALUE), 4: one('droppedAttributesCount', 'int') }
const EVENT: Shape = { 1: one('timeUnixNano', 'time'), 2: one('name', 'string'), 3: many('attributes', KEY_VALUE), 4: one('droppedAttributesCount', 'int') }
const LINK: Shape = {
  1: one('traceId', 'id'), 2: one('spanId', 'id'), 3: one('traceState', 'string'), 4: many('attributes', KEY_VALUE),
  5: one('droppedAttributesCount', 'int'), 6: one('flags', 'fixed32'),
}
export const SPAN: Shape = {
  1: one('traceId', 'id'), 2: one('spanId', 'id'), 3: one('traceState', 'string'), 4: one('parentSpanId', 'id'), 16: one('flags', 'fixed32'),
  5: one('name', 'string'), 6: one('kind', 'int'), 7: one('startTimeUnixNano', 'time'), 8: one('endTimeUnixNano', 'time'),
  9: many('attributes', KEY_VALUE), 10: one('droppedAttributesCount', 'int'), 11: many('events', EVENT), 12: one('droppedEventsCount', 'int'),
  13: many('links', LINK), 14: one('droppedLinksCount', 'int'), 15: one('status', { 2: one('message', 'string'), 3: one('code', 'int') }),
}
export const LOG_RECORD: Shape = {
  1: one('timeUnixNano', 'time'), 11: one('observedTimeUnixNano', 'time'), 2: one('severityNumber', 'int'), 3: one('severityText', 'string'),
  5: one('body', ANY_VALUE), 6: many('attributes', KEY_VALUE), 7: one('droppedAttributesCount', 'int'), 8: one('flags', 'fixed32'),
  9: one('traceId', 'id'), 10: one('spanId', 'id'), 12: one('eventName', 'string'),
}

export type Signal = 'traces' | 'logs'

export const REQUESTS: Readonly<Record<Signal, Shape>> = {
  traces: { 1: many('resourceSpans', { 1: one('resource', RESOURCE), 2: many('scopeSpans', { 1: one('scope', SCOPE), 2: many('spans', SPAN), 3: one('schemaUrl', 'string') }), 3: one('schemaUrl', 'string') }) },
  logs: { 1: many('resourceLogs', { 1: one('resource', RESOURCE), 2: many('scopeLogs', { 1: one('scope', SCOPE), 2: many('logRecords', LOG_RECORD), 3: one('schemaUrl', 'string') }), 3: one('schemaUrl', 'string') }) },
}

/** `partial_success` of an Export…ServiceResponse. */
export const RESPONSE: Shape = { 1: one('partialSuccess', { 1: one('rejected', 'long'), 2: one('errorMessage', 'string') }) }
