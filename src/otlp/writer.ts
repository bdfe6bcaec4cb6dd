const MAX_VARINT_32 = 0x7fffffff

/**
 * Writes protobuf back to front, so that the length of a nested message is known when it is due, and a message that
 * turns out to be bad is taken back by moving one number. Fields are therefore written last field first.
 * The buffer is kept and grows; `bytes()` is valid until the next `reset()`.
 */
export class BackWriter {
  #buffer: Buffer
  #at: number

  constructor(sizeBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(sizeBytes)
    this.#at = sizeBytes
  }

  /** Starts anew, and lets go of a buffer that one large request has made larger than `keepBytes`. */
  reset(keepBytes: number): void {
    if (this.#buffer.length > keepBytes) this.#buffer = Buffer.allocUnsafeSlow(keepBytes)
    this.#at = this.#buffer.length
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(this.#at)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#buffer.length - this.#at
  }

  /** Takes back all that was written after `length` was this. */
  rewind(length: number): void {
    this.#at = this.#buffer.length - length
  }

  tag(field: number, wire: 0 | 1 | 2 | 5): void {
    this.varint((field << 3) | wire)
  }

  /** `value`: an integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (value > MAX_VARINT_32) return this.varint64(BigInt(value))
    let size = 1
    for (let rest = value >>> 7; rest !== 0; rest >>>= 7) size++
    let at = this.#back(size)
    const buffer = this.#buffer
    for (; value > 127; value >>>= 7) buffer[at++] = (value & 127) | 128
    buffer[at] = value
  }

  /** `value`: from -2^63 to 2^64 - 1; a negative one as two's complement, as int64 is. */
  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value)
    const bytes: number[] = []
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
    bytes.push(Number(rest))
    const at = this.#back(bytes.length)
    this.#buffer.set(bytes, at)
  }

  fixed32(value: number): void {
    const at = this.#back(4)
    this.#buffer.writeUInt32LE(value, at)
  }

  fixed64(value: bigint): void {
    const at = this.#back(8)
    this.#buffer.writeBigUInt64LE(value, at)
  }

  double(value: number): void {
    const at = this.#back(8)
    this.#buffer.writeDoubleLE(value, at)
  }

  /** With its length. A lone surrogate becomes U+FFFD. */
  string(value: string): void {
    const size = Buffer.byteLength(value)
    const at = this.#back(size)
    this.#buffer.write(value, at, size, 'utf8')
    this.varint(size)
  }

  /** With its length. */
  blob(value: Uint8Array): void {
    const at = this.#back(value.length)
    this.#buffer.set(value, at)
    this.varint(value.length)
  }

  /** With its length. False, and nothing written, unless `value` is `size` bytes in hex. */
  hex(value: string, size: number): boolean {
    if (value.length !== size * 2) return false
    const at = this.#back(size)
    if (this.#buffer.write(value, at, size, 'hex') !== size) {
      this.#at += size
      return false
    }
    this.varint(size)
    return true
  }

  /** Makes what was written since `length` was `end` one length-delimited field. */
  close(end: number, field: number): void {
    this.varint(this.length - end)
    this.tag(field, 2)
  }

  #back(size: number): number {
    if (this.#at < size) this.#grow(size)
    return (this.#at -= size)
  }

  #grow(size: number): void {
    const written = this.length
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, written + size))
    this.#buffer.copy(larger, larger.length - written, this.#at)
    this.#buffer = larger
    this.#at = larger.length - written
  }
}
