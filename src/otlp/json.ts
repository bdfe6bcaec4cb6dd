import { type Encode, enumeration, expected, fault, type Field, fixed32, fixed64, id, isObject, keyValue, anyValue, many, message, one, string, uint32 } from './fields.ts'
import { jsonErrorPosition } from './jsonposition.ts'
import { Malformed } from './sink.ts'
import { BackWriter } from './writer.ts'

/** An OTLP/JSON request as protobuf. */
export interface Transcoded {
  /** Valid until the next call. */
  readonly bytes: Uint8Array
  /** Spans (or log records) in `bytes`. */
  readonly accepted: number
  /** Spans (or log records) left out because something in them, or in the resource or scope around them, is not OTLP. */
  readonly rejected: number
  /** Path and reason of the first that was left out, or ''. */
  readonly error: string
}

/** The writer's buffer is kept from one request to the next up to this size. */
const KEPT_BYTES = 4 << 20
const writer = new BackWriter(64 << 10)

/**
 * Turns an OTLP/JSON export request into the bytes of the protobuf one, so that both take one path from here on. Ids in
 * upper or lower case, 64-bit integers as strings or numbers, enums as numbers or names; unknown keys and nulls are
 * ignored. Throws `Malformed`, and nothing else, for what is not JSON or not an export request at all.
 */
export function transcode(signal: 'traces' | 'logs', body: Uint8Array): Transcoded {
  return write(signal === 'traces' ? TRACES : LOGS, parse(body))
}

interface Request {
  readonly resources: string
  readonly scopes: string
  readonly items: string
  readonly item: Encode
}

const BYTE_ORDER_MARK = 0xfeff

function parse(body: Uint8Array): unknown {
  let text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  if (text.charCodeAt(0) === BYTE_ORDER_MARK) text = text.slice(1)
  try {
    return JSON.parse(text)
  } catch {
    const at = jsonErrorPosition(text)
    throw new Malformed(`cannot read JSON: ${at === text.length ? 'it ends too early' : 'unexpected character'} at position ${at}`)
  }
}

/** The three outer levels, back to front as BackWriter wants it. A bad item is taken back alone; a bad resource or scope takes its items along. */
function write(request: Request, root: unknown): Transcoded {
  if (!isObject(root)) throw new Malformed('cannot read JSON: an export request is an object')
  const resources = root[request.resources] ?? []
  if (!Array.isArray(resources)) throw new Malformed(`cannot read ${request.resources}: not an array`)
  writer.reset(KEPT_BYTES)
  const tally: Tally = { accepted: 0, rejected: 0, path: [], trail: [], expected: '' }
  for (let i = resources.length - 1; i >= 0; i--) {
    const path = [i, request.resources]
    writePart(resources[i], RESOURCE, request.scopes, path, 1, tally, (scope, j) => {
      writePart(scope, SCOPE, request.items, [j, request.scopes, ...path], 2, tally, (item, k) => {
        const end = writer.length
        if (request.item(writer, item)) {
          writer.tag(2, 2)
          tally.accepted++
        } else {
          writer.rewind(end)
          reject(tally, [k, request.items, j, request.scopes, ...path], 1)
        }
      })
    })
  }
  return { bytes: writer.bytes(), accepted: tally.accepted, rejected: tally.rejected, error: describe(tally) }
}

/** A ResourceSpans or a ScopeSpans: what is in its array `inner`, then (so, before it) the fields that all of that shares. */
function writePart(
  part: unknown, fields: readonly Field[], inner: string, path: Trail, number: number, tally: Tally,
  writeInner: (element: unknown, index: number) => void,
): void {
  const end = writer.length
  const before = tally.accepted
  const bad = (name?: string) => {
    writer.rewind(end)
    reject(tally, name === undefined ? path : [name, ...path], Math.max(1, tally.accepted - before))
    tally.accepted = before
  }
  if (!isObject(part)) return expected('an object'), bad()
  const elements = part[inner] ?? []
  if (!Array.isArray(elements)) return expected('an array'), bad(inner)
  for (let i = elements.length - 1; i >= 0; i--) writeInner(elements[i], i)
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i]!
    const value = part[field.name]
    if (value !== undefined && value !== null && !field.write(writer, value)) return bad(field.name)
  }
  writer.close(end, number)
}

/** Innermost first: names and indexes. */
type Trail = readonly (string | number)[]

/** The request is walked back to front, so the last rejection noted is the first in the request. */
interface Tally {
  accepted: number
  rejected: number
  /** The way to what was rejected, and from there to what is wrong in it. */
  path: Trail
  trail: (string | number)[]
  expected: string
}

function reject(tally: Tally, path: Trail, count: number): void {
  tally.rejected += count
  tally.path = path
  tally.trail = fault.trail.slice()
  tally.expected = fault.expected
}

/** Such as `resourceSpans[0].scopeSpans[0].spans[3].traceId: not a hex id of 16 bytes`. Holds only names of OTLP, nothing of the sender's. */
function describe(tally: Tally): string {
  if (tally.rejected === 0) return ''
  const path = [...tally.trail, ...tally.path].reverse()
  return `${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('').slice(1)}: not ${tally.expected}`
}

const attributes = (number: number) => many('attributes', number, keyValue)

const RESOURCE = [one('resource', 1, message([attributes(1), uint32('droppedAttributesCount', 2)])), string('schemaUrl', 3)]

const SCOPE = [
  one('scope', 1, message([string('name', 1), string('version', 2), attributes(3), uint32('droppedAttributesCount', 4)])),
  string('schemaUrl', 3),
]

const SPAN_KIND = new Map(['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((name, value) => [`SPAN_KIND_${name}`, value]))

const STATUS_CODE = new Map(['UNSET', 'OK', 'ERROR'].map((name, value) => [`STATUS_CODE_${name}`, value]))

/** TRACE is 1, TRACE2 2 and so on to FATAL4, 24. */
const SEVERITY = new Map([
  ['SEVERITY_NUMBER_UNSPECIFIED', 0] as const,
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name, group) =>
    [1, 2, 3, 4].map((step) => [`SEVERITY_NUMBER_${name}${step === 1 ? '' : step}`, group * 4 + step] as const)),
])

const EVENT = message([fixed64('timeUnixNano', 1), string('name', 2), attributes(3), uint32('droppedAttributesCount', 4)])

const LINK = message([
  id('traceId', 1, 16), id('spanId', 2, 8), string('traceState', 3), attributes(4), uint32('droppedAttributesCount', 5), fixed32('flags', 6),
])

const SPAN = message([
  id('traceId', 1, 16),
  id('spanId', 2, 8),
  string('traceState', 3),
  id('parentSpanId', 4, 8),
  string('name', 5),
  enumeration('kind', 6, SPAN_KIND),
  fixed64('startTimeUnixNano', 7),
  fixed64('endTimeUnixNano', 8),
  attributes(9),
  uint32('droppedAttributesCount', 10),
  many('events', 11, EVENT),
  uint32('droppedEventsCount', 12),
  many('links', 13, LINK),
  uint32('droppedLinksCount', 14),
  one('status', 15, message([string('message', 2), enumeration('code', 3, STATUS_CODE)])),
  fixed32('flags', 16),
])

const LOG_RECORD = message([
  fixed64('timeUnixNano', 1),
  enumeration('severityNumber', 2, SEVERITY),
  string('severityText', 3),
  one('body', 5, anyValue),
  attributes(6),
  uint32('droppedAttributesCount', 7),
  fixed32('flags', 8),
  id('traceId', 9, 16),
  id('spanId', 10, 8),
  fixed64('observedTimeUnixNano', 11),
  string('eventName', 12),
])

const TRACES: Request = { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans', item: SPAN }
const LOGS: Request = { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords', item: LOG_RECORD }
