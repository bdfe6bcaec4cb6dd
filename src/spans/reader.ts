/** Reads protobuf fields one after the other, checking each length where it is read. For the paths that are not hot. */
export interface Field {
  readonly number: number
  /** Of a length-delimited field. */
  readonly bytes: Uint8Array | undefined
  /** Of a varint: an int64 as protobuf writes it. */
  readonly value: number
  /** Of a fixed64, read as a double. */
  readonly double: number
}

export class Reader {
  readonly #bytes: Uint8Array
  #pos = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Every message under field `number`. */
  *messages(number: number): Generator<Reader> {
    for (const field of this.fields()) if (field.number === number && field.bytes !== undefined) yield new Reader(field.bytes)
  }

  /** Throws where the bytes are not protobuf 3. */
  *fields(): Generator<Field> {
    const bytes = this.#bytes
    while (this.#pos < bytes.length) {
      const tag = this.#varint()
      const number = Math.floor(tag / 8)
      if (number === 0) throw new Error('field number 0')
      switch (tag % 8) {
        case 0:
          yield { number, bytes: undefined, value: this.#varint(true), double: NaN }
          break
        case 1: {
          const at = this.#take(8, number)
          yield { number, bytes: undefined, value: NaN, double: new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true) }
          break
        }
        case 2: {
          const length = this.#varint()
          const at = this.#take(length, number)
          yield { number, bytes: bytes.subarray(at, at + length), value: NaN, double: NaN }
          break
        }
        case 5:
          this.#take(4, number)
          break
        default:
          throw new Error(`wire type ${tag % 8} of field ${number} is not protobuf 3`)
      }
    }
  }

  #take(length: number, number: number): number {
    const at = this.#pos
    if (at + length > this.#bytes.length) throw new Error(`field ${number} says ${length} bytes, ${this.#bytes.length - at} are left`)
    this.#pos = at + length
    return at
  }

  #varint(signed = false): number {
    let value = 0, complement = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#pos++]
      if (byte === undefined) break
      value += (byte & 127) * scale
      // Less than nothing is written as 2^64 less it, which a double does not hold to the last digit; the complement it does.
      if (i < 9) complement += (~byte & 127) * scale
      if (byte < 128) return signed && i === 9 ? -complement - 1 : value
      scale *= 128
    }
    throw new Error('a number is cut off or longer than ten bytes')
  }
}
