import type { BackWriter } from './writer.ts'

/**
 * The pieces that json.ts describes OTLP's messages with. Each piece turns one JSON value into protobuf, last field
 * first; see BackWriter. A value of the wrong type makes it return false, having told `fault` what was expected: no
 * exception, as a hostile body can hold millions of such values.
 */
export type Encode = (out: BackWriter, value: unknown) => boolean

export interface Field {
  /** In lowerCamelCase, the only spelling that OTLP/JSON allows. */
  readonly name: string
  /** Writes tag and value. */
  readonly write: Encode
}

/** How deep AnyValue may nest; the specification has no limit. What is deeper is refused with its span. */
export const MAX_DEPTH = 32

/** What was expected where the last `false` came from, and the way there, innermost first: names and indexes. */
export const fault: { expected: string; readonly trail: (string | number)[] } = { expected: '', trail: [] }

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

/** Says what should be where the walk is. */
export function expected(what: string): false {
  fault.expected = what
  fault.trail.length = 0
  return false
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A nested message with its length. Unknown keys are ignored, and null is the same as absent. */
export function message(fields: readonly Field[]): Encode {
  return (out, value) => {
    if (!isObject(value)) return expected('an object')
    const end = out.length
    for (let i = fields.length - 1; i >= 0; i--) {
      const field = fields[i]!
      const content = value[field.name]
      if (content === undefined || content === null) continue
      if (!field.write(out, content)) {
        fault.trail.push(field.name)
        return false
      }
    }
    out.varint(out.length - end)
    return true
  }
}

function tagged(name: string, number: number, wire: 0 | 1 | 2 | 5, encode: Encode): Field {
  return {
    name,
    write(out, value) {
      if (!encode(out, value)) return false
      out.tag(number, wire)
      return true
    },
  }
}

export function one(name: string, number: number, encode: Encode): Field {
  return tagged(name, number, LENGTH, encode)
}

export function many(name: string, number: number, encode: Encode): Field {
  return {
    name,
    write(out, value) {
      if (!Array.isArray(value)) return expected('an array')
      for (let i = value.length - 1; i >= 0; i--) {
        if (!encode(out, value[i])) {
          fault.trail.push(i)
          return false
        }
        out.tag(number, LENGTH)
      }
      return true
    },
  }
}

export function string(name: string, number: number): Field {
  return tagged(name, number, LENGTH, (out, value) => {
    if (typeof value !== 'string') return expected('a string')
    out.string(value)
    return true
  })
}

/** A trace or span id: hex in OTLP/JSON, unlike other bytes. Empty is absent. */
export function id(name: string, number: number, sizeBytes: 8 | 16): Field {
  const hexId = `a hex id of ${sizeBytes} bytes`
  return {
    name,
    write(out, value) {
      if (value === '') return true
      if (typeof value !== 'string' || !out.hex(value, sizeBytes)) return expected(hexId)
      out.tag(number, LENGTH)
      return true
    },
  }
}

export function fixed64(name: string, number: number): Field {
  return tagged(name, number, FIXED64, (out, value) => {
    const integer = bigintOf(value)
    if (integer === undefined || integer < 0n || integer >= 1n << 64n) return expected('an integer from 0 to 2^64 - 1')
    out.fixed64(integer)
    return true
  })
}

export function int64(name: string, number: number): Field {
  return tagged(name, number, VARINT, (out, value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
      out.varint(value)
      return true
    }
    const integer = bigintOf(value)
    if (integer === undefined || integer < -(1n << 63n) || integer >= 1n << 63n) return expected('an integer from -2^63 to 2^63 - 1')
    out.varint64(integer)
    return true
  })
}

function isUint32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff
}

export function uint32(name: string, number: number): Field {
  return tagged(name, number, VARINT, (out, value) => {
    const integer = typeof value === 'string' ? Number(bigintOf(value)) : value
    if (!isUint32(integer)) return expected('an integer from 0 to 2^32 - 1')
    out.varint(integer)
    return true
  })
}

export function fixed32(name: string, number: number): Field {
  return tagged(name, number, FIXED32, (out, value) => {
    const integer = typeof value === 'string' ? Number(bigintOf(value)) : value
    if (!isUint32(integer)) return expected('an integer from 0 to 2^32 - 1')
    out.fixed32(integer)
    return true
  })
}

/** OTLP/JSON allows only the number; some senders write the name, as JSON of other protobufs has it. */
export function enumeration(name: string, number: number, values: ReadonlyMap<string, number>): Field {
  return tagged(name, number, VARINT, (out, value) => {
    const integer = typeof value === 'string' ? values.get(value) : value
    if (!isUint32(integer) || integer > 0x7fffffff) return expected('the number or the name of an enum value')
    out.varint(integer)
    return true
  })
}

export function bool(name: string, number: number): Field {
  return tagged(name, number, VARINT, (out, value) => {
    if (typeof value !== 'boolean') return expected('true or false')
    out.varint(value ? 1 : 0)
    return true
  })
}

const DOUBLE = /^-?(?:Infinity|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$|^NaN$/

export function double(name: string, number: number): Field {
  return tagged(name, number, FIXED64, (out, value) => {
    if (typeof value !== 'number' && (typeof value !== 'string' || !DOUBLE.test(value))) return expected('a number')
    out.double(Number(value))
    return true
  })
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

export function base64(name: string, number: number): Field {
  return tagged(name, number, LENGTH, (out, value) => {
    if (typeof value !== 'string' || !BASE64.test(value)) return expected('bytes in base64')
    out.blob(Buffer.from(value, 'base64'))
    return true
  })
}

let depth = 0

/** An AnyValue: itself, or null inside an array, which some senders write for an empty one. */
export const anyValue: Encode = (out, value) => {
  if (depth === MAX_DEPTH) return expected(`nested at most ${MAX_DEPTH} deep`)
  depth++
  const written = anyContent(out, value ?? {})
  depth--
  return written
}

export const keyValue: Encode = message([string('key', 1), one('value', 2, anyValue)])

const anyContent: Encode = message([
  string('stringValue', 1),
  bool('boolValue', 2),
  int64('intValue', 3),
  double('doubleValue', 4),
  one('arrayValue', 5, message([many('values', 1, anyValue)])),
  one('kvlistValue', 6, message([many('values', 1, keyValue)])),
  base64('bytesValue', 7),
])

/** int64 and fixed64 are decimal strings in the JSON encoding of protobuf; JavaScript's exporters write numbers too. */
function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value) ? BigInt(value) : undefined
}
