/** Just enough protobuf for `send`: fields in order, and a message as OTLP/JSON. Bounds are checked where a length is read. */
import type { FieldShape, Shape } from './shape.ts'

/** For a length-delimited field `start`..`end` are its content, otherwise its value. `tag` is where the field begins. */
export type Visit = (field: number, start: number, end: number, tag: number, wire: number) => void

/** Throws an Error when the bytes are not a message. */
export function eachField(bytes: Uint8Array, start: number, end: number, visit: Visit): void {
  let at = start
  while (at < end) {
    const tag = at
    const key = readVarint(bytes, at, end)
    at = key.next
    const wire = Number(key.value & 7n)
    let length = 0
    if (wire === 0) length = readVarint(bytes, at, end).next - at
    else if (wire === 1) length = 8
    else if (wire === 5) length = 4
    else if (wire === 2) {
      const size = readVarint(bytes, at, end)
      at = size.next
      length = Number(size.value)
    } else throw new Error(`unknown wire type ${wire} at byte ${tag}`)
    if (length > end - at) throw new Error(`a field at byte ${tag} is longer than what holds it`)
    visit(Number(key.value >> 3n), at, at + length, tag, wire)
    at += length
  }
}

export function readVarint(bytes: Uint8Array, at: number, end: number): { value: bigint; next: number } {
  let value = 0n
  for (let i = 0; i < 10; i++) {
    if (at + i >= end) break
    const byte = bytes[at + i]!
    value |= BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at + i + 1 }
  }
  throw new Error(`a number at byte ${at} does not end`)
}

export function writeVarint(value: number): Buffer {
  const bytes: number[] = []
  while (value > 0x7f) {
    bytes.push((value & 0x7f) | 0x80)
    value = Math.floor(value / 128)
  }
  return Buffer.from([...bytes, value])
}

/** A length-delimited field. */
export function delimited(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([writeVarint(field * 8 + 2), writeVarint(content.length), content])
}

/** The contents of a length-delimited field, each time it occurs. */
export function messages(bytes: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = []
  eachField(bytes, 0, bytes.length, (field, from, to, _tag, wire) => {
    if (field === wanted && wire === 2) found.push(bytes.subarray(from, to))
  })
  return found
}

/** OTLP/JSON: ids in hex, 64-bit numbers as strings. */
export function toJson(bytes: Buffer, shape: Shape, start = 0, end = bytes.length): Record<string, unknown> {
  const message: Record<string, unknown> = {}
  eachField(bytes, start, end, (field, from, to) => {
    const known = shape[field]
    if (known === undefined) return
    const value = jsonValue(bytes, known, from, to)
    if (!known.many) message[known.name] = value
    else ((message[known.name] ??= []) as unknown[]).push(value)
  })
  return message
}

function jsonValue(bytes: Buffer, { kind }: FieldShape, from: number, to: number): unknown {
  switch (kind) {
    case 'string': return bytes.toString('utf8', from, to)
    case 'id': return bytes.toString('hex', from, to)
    case 'bytes': return bytes.toString('base64', from, to)
    case 'bool': return readVarint(bytes, from, to).value !== 0n
    case 'int': return Number(BigInt.asIntN(32, readVarint(bytes, from, to).value))
    case 'long': return BigInt.asIntN(64, readVarint(bytes, from, to).value).toString()
    case 'double': return jsonDouble(bytes.readDoubleLE(from))
    case 'fixed32': return bytes.readUInt32LE(from)
    case 'time': return bytes.readBigUInt64LE(from).toString()
    default: return toJson(bytes, kind, from, to)
  }
}

function jsonDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}
