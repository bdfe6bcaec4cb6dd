import { type Accepted, type Sink } from '../../src/otlp/sink.ts'

/** A sink that keeps a copy of what it was given, and answers as it is told. */
export class FakeSink implements Sink {
  readonly bodies: { signal: 'traces' | 'logs'; bytes: Buffer }[] = []
  answer: Accepted | Error = { accepted: 1, rejected: 0, error: '' }
  busy = 0

  traces(body: Uint8Array): Accepted {
    return this.#take('traces', body)
  }

  logs(body: Uint8Array): Accepted {
    return this.#take('logs', body)
  }

  busySeconds(): number {
    return this.busy
  }

  #take(signal: 'traces' | 'logs', body: Uint8Array): Accepted {
    this.bodies.push({ signal, bytes: Buffer.from(body) })
    if (this.answer instanceof Error) throw this.answer
    return this.answer
  }
}

/** Any protobuf message as [field number, value] in the order of the wire: bigint for numbers, Buffer for the rest. Throws on what is not protobuf. */
export function fieldsOf(bytes: Uint8Array): [number, bigint | Buffer][] {
  const view = Buffer.from(bytes)
  const fields: [number, bigint | Buffer][] = []
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      if (at >= view.length || shift > 63n) throw new Error('bad varint')
      const byte = view[at++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const take = (size: number) => {
    if (at + size > view.length) throw new Error('truncated')
    return view.subarray(at, (at += size))
  }
  while (at < view.length) {
    const tag = Number(varint())
    const wire = tag & 7
    if (wire === 0) fields.push([tag >> 3, varint()])
    else if (wire === 1) fields.push([tag >> 3, take(8).readBigUInt64LE()])
    else if (wire === 5) fields.push([tag >> 3, BigInt(take(4).readUInt32LE())])
    else if (wire === 2) fields.push([tag >> 3, take(Number(varint()))])
    else throw new Error(`wire type ${wire}`)
  }
  return fields
}

/** The values of field `number` in a message. */
export function all(bytes: Uint8Array, number: number): (bigint | Buffer)[] {
  return fieldsOf(bytes).filter(([field]) => field === number).map(([, value]) => value)
}

/** The first value along a path of field numbers. */
export function at(bytes: Uint8Array, ...path: number[]): bigint | Buffer | undefined {
  let value: bigint | Buffer | undefined = Buffer.from(bytes)
  for (const number of path) value = Buffer.isBuffer(value) ? all(value, number)[0] : undefined
  return value
}

export function text(value: bigint | Buffer | undefined): string {
  return Buffer.isBuffer(value) ? value.toString() : String(value)
}

/** All spans (or log records) of an export request, as bytes. */
export function itemsOf(request: Uint8Array): Buffer[] {
  return [request].flatMap((bytes) => all(bytes, 1) as Buffer[]).flatMap((bytes) => all(bytes, 2) as Buffer[]).flatMap((bytes) => all(bytes, 2) as Buffer[])
}
