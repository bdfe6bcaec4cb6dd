/** OTLP trace requests for tests, as protobuf and as JSON, from plain objects. Ids are hexadecimal, times Unix milliseconds. */
export type Value = string | number | boolean | { readonly double: number }
export type Attributes = Readonly<Record<string, Value>>

export interface SpanSpec {
  readonly trace: string
  readonly id: string
  /** '' or absent: a root. */
  readonly parent?: string
  readonly name: string
  /** OTel SpanKind as a number. */
  readonly kind?: number
  readonly startMs: number
  readonly endMs: number
  readonly attributes?: Attributes
  readonly events?: readonly { readonly name: string; readonly timeMs: number; readonly attributes?: Attributes }[]
  readonly links?: readonly { readonly trace: string; readonly id: string }[]
  readonly status?: { readonly code: number; readonly message?: string }
  readonly flags?: number
  readonly traceState?: string
  readonly dropped?: number
  readonly scope?: string
  readonly resource?: Attributes
}

/** An ExportTraceServiceRequest as protobuf: one ResourceSpans a resource, one ScopeSpans a scope, in the order given. */
export function tracesBody(spans: readonly SpanSpec[]): Uint8Array {
  return message(grouped(spans).map(({ resource, scopes }) => bytes(1, message([
    bytes(1, message(attributes(1, resource))),
    ...scopes.map(({ scope, spans: group }) => bytes(2, message([
      bytes(1, message([text(1, scope)])),
      ...group.map((span) => bytes(2, spanMessage(span))),
    ]))),
  ]))))
}

/** The same request as OTLP/JSON. */
export function tracesJson(spans: readonly SpanSpec[]): Uint8Array {
  return Buffer.from(JSON.stringify({
    resourceSpans: grouped(spans).map(({ resource, scopes }) => ({
      resource: { attributes: jsonAttributes(resource) },
      scopeSpans: scopes.map(({ scope, spans: group }) => ({ scope: { name: scope }, spans: group.map(jsonSpan) })),
    })),
  }))
}

export function spanMessage(span: SpanSpec): Uint8Array {
  return message([
    bytes(1, hex(span.trace)),
    bytes(2, hex(span.id)),
    ...(span.traceState === undefined ? [] : [text(3, span.traceState)]),
    ...(span.parent === undefined ? [] : [bytes(4, hex(span.parent))]),
    text(5, span.name),
    integer(6, span.kind ?? 1),
    fixed64(7, nanos(span.startMs)),
    fixed64(8, nanos(span.endMs)),
    ...attributes(9, span.attributes ?? {}),
    ...(span.dropped === undefined ? [] : [integer(10, span.dropped)]),
    ...(span.events ?? []).map((event) => bytes(11, message([fixed64(1, nanos(event.timeMs)), text(2, event.name), ...attributes(3, event.attributes ?? {})]))),
    ...(span.links ?? []).map((link) => bytes(13, message([bytes(1, hex(link.trace)), bytes(2, hex(link.id))]))),
    ...(span.status === undefined ? [] : [bytes(15, message([...(span.status.message === undefined ? [] : [text(2, span.status.message)]), integer(3, span.status.code)]))]),
    ...(span.flags === undefined ? [] : [fixed32(16, span.flags)]),
  ])
}

// The protobuf wire, plainly.

export function message(fields: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const field of fields) length += field.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const field of fields) {
    whole.set(field, at)
    at += field.length
  }
  return whole
}

export function varint(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && value >= 0 && value < 128) return ONE_BYTE[value]!
  const out: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  out.push(Number(rest))
  return Uint8Array.from(out)
}

const ONE_BYTE = Array.from({ length: 128 }, (_, byte) => Uint8Array.of(byte))

export function tag(field: number, wireType: number): Uint8Array {
  return varint(field * 8 + wireType)
}

export function bytes(field: number, value: Uint8Array): Uint8Array {
  return message([tag(field, 2), varint(value.length), value])
}

export function text(field: number, value: string): Uint8Array {
  return bytes(field, Buffer.from(value))
}

export function integer(field: number, value: number | bigint): Uint8Array {
  return message([tag(field, 0), varint(value)])
}

export function fixed64(field: number, value: bigint): Uint8Array {
  const word = Buffer.alloc(8)
  word.writeBigUInt64LE(value)
  return message([tag(field, 1), word])
}

export function fixed32(field: number, value: number): Uint8Array {
  const word = Buffer.alloc(4)
  word.writeUInt32LE(value)
  return message([tag(field, 5), word])
}

export function double(field: number, value: number): Uint8Array {
  const word = Buffer.alloc(8)
  word.writeDoubleLE(value)
  return message([tag(field, 1), word])
}

export function attributes(field: number, values: Attributes): Uint8Array[] {
  return Object.entries(values).map(([key, value]) => bytes(field, message([text(1, key), bytes(2, anyValue(value))])))
}

export function anyValue(value: Value): Uint8Array {
  if (typeof value === 'string') return text(1, value)
  if (typeof value === 'boolean') return integer(2, value ? 1 : 0)
  if (typeof value === 'number' && Number.isInteger(value)) return integer(3, value)
  return double(4, typeof value === 'number' ? value : value.double)
}

export function hex(id: string): Uint8Array {
  return Uint8Array.from(Buffer.from(id, 'hex'))
}

export function nanos(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n
}

function jsonSpan(span: SpanSpec): object {
  return {
    traceId: span.trace, spanId: span.id, parentSpanId: span.parent, traceState: span.traceState, name: span.name, kind: span.kind ?? 1,
    startTimeUnixNano: String(nanos(span.startMs)), endTimeUnixNano: String(nanos(span.endMs)),
    attributes: jsonAttributes(span.attributes ?? {}), droppedAttributesCount: span.dropped,
    events: span.events?.map((event) => ({ name: event.name, timeUnixNano: String(nanos(event.timeMs)), attributes: jsonAttributes(event.attributes ?? {}) })),
    links: span.links?.map((link) => ({ traceId: link.trace, spanId: link.id })),
    status: span.status, flags: span.flags,
  }
}

function jsonAttributes(values: Attributes): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value }
      : typeof value === 'boolean' ? { boolValue: value }
      : typeof value === 'number' && Number.isInteger(value) ? { intValue: String(value) }
      : { doubleValue: typeof value === 'number' ? value : value.double },
  }))
}

interface Group {
  readonly resource: Attributes
  readonly scopes: { readonly scope: string; readonly spans: SpanSpec[] }[]
}

/** Neighbours of one resource and one scope share them, so that the spans arrive in the order given. */
function grouped(spans: readonly SpanSpec[]): Group[] {
  const groups: Group[] = []
  let key = ''
  for (const span of spans) {
    const resource = span.resource ?? {}
    const scope = span.scope ?? ''
    if (groups.length === 0 || key !== JSON.stringify(resource)) groups.push({ resource, scopes: [] })
    key = JSON.stringify(resource)
    const { scopes } = groups.at(-1)!
    if (scopes.at(-1)?.scope !== scope) scopes.push({ scope, spans: [] })
    scopes.at(-1)!.spans.push(span)
  }
  return groups
}
