/**
 * An attribute's value as text: a string as it is, whatever else as JSON.
 *
 * From opentelemetry/proto/common/v1/common.proto: AnyValue.string=1 bool=2 int=3 double=4 array=5 kvlist=6 bytes=7 ·
 * ArrayValue.values=1 · KeyValueList.values=1 · KeyValue.key=1 value=2
 */
import { Reader } from './reader.ts'

const decoder = new TextDecoder()
/** Deeper values are `null`: a stranger's nesting must not exhaust the stack. */
const DEEPEST = 32

/** Throws where the bytes are not protobuf 3. */
export function anyValueText(bytes: Uint8Array): string {
  const value = read(bytes, 0)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function read(bytes: Uint8Array, depth: number): unknown {
  let value: unknown = null
  for (const field of new Reader(bytes).fields()) {
    if (field.number === 1 && field.bytes !== undefined) value = decoder.decode(field.bytes)
    else if (field.number === 2) value = field.value === 1
    else if (field.number === 3) value = field.value
    else if (field.number === 4) value = field.double
    else if (field.number === 5 && field.bytes !== undefined) value = depth < DEEPEST ? list(field.bytes, depth + 1) : null
    else if (field.number === 6 && field.bytes !== undefined) value = depth < DEEPEST ? object(field.bytes, depth + 1) : null
    else if (field.number === 7 && field.bytes !== undefined) value = Buffer.from(field.bytes).toString('base64')
  }
  return value
}

function list(bytes: Uint8Array, depth: number): unknown[] {
  const items: unknown[] = []
  for (const field of new Reader(bytes).fields()) if (field.number === 1 && field.bytes !== undefined) items.push(read(field.bytes, depth))
  return items
}

function object(bytes: Uint8Array, depth: number): Record<string, unknown> {
  const pairs: [string, unknown][] = []
  for (const pair of new Reader(bytes).messages(1)) {
    let key = ''
    let value: unknown = null
    for (const field of pair.fields()) {
      if (field.number === 1 && field.bytes !== undefined) key = decoder.decode(field.bytes)
      else if (field.number === 2 && field.bytes !== undefined) value = read(field.bytes, depth)
    }
    pairs.push([key, value])
  }
  return Object.fromEntries(pairs)
}
