/** One gRPC call: puts its message together, hands it to the sink, and answers. */
import type { BodyBuffers } from './body.ts'
import type { Answerable, Exchange } from './http2/exchange.ts'
import { field, STATUS_200 } from './http2/frame.ts'
import { inflate } from './inflate.ts'
import type { ReceiverLimits } from './limits.ts'
import { Parts } from './parts.ts'
import { Code, type OnRefused, Refusal, refusalOf, REFUSALS } from './refusal.ts'
import { exportReply, retryDetails, type Signal } from './reply.ts'
import { type Accepted, Malformed, type Sink } from './sink.ts'

const METHODS = new Map<string | undefined, Signal>([
  ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'traces'],
  ['/opentelemetry.proto.collector.logs.v1.LogsService/Export', 'logs'],
  ['/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', 'metrics'],
])
/** Whether it is compressed, and four bytes of length. */
const PREFIX_BYTES = 5
/** Of a message that is handed on while it comes. It stays in the processor's cache from the socket to the spans. */
const PART_BYTES = 256 << 10
/** The status is in header fields, and senders limit what those may hold. */
const DETAILS_LIMIT_CHARACTERS = 300

const HEAD = Buffer.concat([STATUS_200, field('content-type', 'application/grpc')])
const OK = field('grpc-status', '0')
const NOTHING: Accepted = { accepted: 0, rejected: 0, error: '' }

export interface CallContext {
  readonly sink: Sink
  readonly limits: ReceiverLimits
  readonly buffers: BodyBuffers
  readonly refused: OnRefused
  /** Why no call is taken now. */
  admit(): Refusal | undefined
  begun(call: Call): void
  ended(call: Call): void
}

export class Call implements Exchange {
  readonly #stream: Answerable
  readonly #context: CallContext
  /** The longest message that this connection has sent: one as long gets its room at once, any other has to come first. */
  readonly #proven: { bytes: number }
  readonly #signal: Signal | undefined
  readonly #encoding: string
  readonly #prefix = Buffer.alloc(PREFIX_BYTES)
  #prefixed = 0
  /** Of the message, without what has been handed on. */
  #length = 0
  #parts: Parts | undefined
  /** What became of the parts that have been handed on. */
  #taken: Accepted | undefined
  #body: Buffer | undefined
  #filled = 0
  /** Its answer has been given, or nobody waits for one. */
  #over = false
  /** zlib reads the body on another thread. */
  #inflating = false
  readonly #deadlineMs: number

  constructor(fields: ReadonlyMap<string, string>, stream: Answerable, context: CallContext, proven: { bytes: number }) {
    this.#stream = stream
    this.#context = context
    this.#proven = proven
    this.#signal = METHODS.get(fields.get(':path'))
    this.#encoding = fields.get('grpc-encoding') ?? 'identity'
    this.#deadlineMs = performance.now() + context.limits.requestSeconds * 1000
    const refusal = context.admit()
    if (fields.get(':method') !== 'POST' || fields.get('content-type')?.startsWith('application/grpc') !== true) {
      this.#over = true
      stream.answer(undefined, undefined, field(':status', '415'))
    } else if (this.#signal === undefined) {
      this.#over = true
      stream.answer(undefined, undefined, statusOf(Code.UNIMPLEMENTED, `cannot find method ${fields.get(':path')?.slice(0, 200)}`))
    } else if (refusal !== undefined) this.#refuse(refusal)
    else context.begun(this)
  }

  data(bytes: Buffer, at: number, end: number): void {
    if (this.#over) return
    if (this.#prefixed < PREFIX_BYTES) {
      const n = Math.min(end - at, PREFIX_BYTES - this.#prefixed)
      bytes.copy(this.#prefix, this.#prefixed, at, at + n)
      this.#prefixed += n
      at += n
      if (this.#prefixed < PREFIX_BYTES) return
      this.#length = this.#prefix.readUInt32BE(1)
      const { bodyLimitBytes } = this.#context.limits
      if (this.#length > bodyLimitBytes) return this.#refuse(new Refusal('too_large', `cannot read message: more than ${bodyLimitBytes} bytes`))
      if (this.#signal === 'traces' && this.#prefix[0] === 0 && this.#length > PART_BYTES) this.#parts = new Parts(this.#length)
    }
    if (at === end) return
    const filled = this.#filled + end - at
    if (filled > this.#length) return this.#refuse(new Refusal('malformed', 'cannot read message: more bytes than its length says'))
    while (this.#parts !== undefined && this.#filled + end - at > PART_BYTES) {
      if (!this.#makeRoom(PART_BYTES)) return
      at += bytes.copy(this.#body!, this.#filled, at, at + PART_BYTES - this.#filled)
      this.#filled = PART_BYTES
      this.#handOn(this.#body!, this.#parts)
      if (this.#over) return
    }
    if (!this.#makeRoom(this.#filled + end - at)) return
    this.#filled += bytes.copy(this.#body!, this.#filled, at, end)
  }

  #handOn(body: Buffer, parts: Parts): void {
    const cut = parts.cut(body, this.#filled)
    if (cut === 0) {
      this.#parts = undefined
      return
    }
    try {
      this.#take(this.#context.sink.traces(body.subarray(0, cut), true))
    } catch (error) {
      return this.#refuse(refusalOf(error))
    }
    const kept = parts.keep(body, this.#filled)
    this.#length -= this.#filled - kept
    this.#filled = kept
  }

  #take({ accepted, rejected, error }: Accepted): Accepted {
    const taken = this.#taken ?? NOTHING
    const before = taken.accepted + taken.rejected
    const told = error === '' || before === 0 ? error : `${error} (counted after the first ${before})`
    return (this.#taken = { accepted: taken.accepted + accepted, rejected: taken.rejected + rejected, error: taken.error || told })
  }

  end(): void {
    if (this.#over) return
    if (this.#prefixed < PREFIX_BYTES || this.#filled < this.#length) return this.#refuse(new Refusal('malformed', 'cannot read message: cut off'))
    if (this.#length > this.#proven.bytes) this.#proven.bytes = this.#length
    try {
      const message = this.#inflated(this.#body?.subarray(0, this.#length) ?? Buffer.alloc(0))
      if (message instanceof Promise) void this.#deliverLater(message)
      else this.#deliver(message)
    } catch (error) {
      this.#refuse(refusalOf(error))
    }
  }

  cancelled(): void {
    this.#finish()
  }

  endIfOverdue(nowMs: number): void {
    if (nowMs < this.#deadlineMs || this.#inflating) return
    this.#refuse(new Refusal('too_slow', `cannot read message: not whole after ${this.#context.limits.requestSeconds} s`))
  }

  #inflated(message: Buffer): Uint8Array | Promise<Uint8Array> {
    const compressed = this.#prefix[0]!
    if (compressed === 0) return message
    if (compressed !== 1) throw new Refusal('malformed', 'cannot read message: its first byte is neither 0 nor 1')
    const encoding = this.#encoding
    if (encoding !== 'gzip' && encoding !== 'deflate') throw new Refusal('unsupported_encoding', 'cannot read message: grpc-encoding must be gzip, deflate or identity')
    return inflate(message, encoding, this.#context.limits.inflatedLimitBytes)
  }

  #deliver(message: Uint8Array): void {
    const signal = this.#signal!
    const { sink } = this.#context
    const result = this.#taken !== undefined ? this.#take(sink.traces(message, true)) : signal === 'metrics' ? NOTHING : sink[signal](message)
    if (this.#taken !== undefined && result.accepted === 0 && result.rejected > 0) throw new Malformed(result.error)
    const reply = exportReply(signal, result, false)
    const body = Buffer.alloc(PREFIX_BYTES + reply.length)
    body.writeUInt32BE(reply.length, 1)
    reply.copy(body, PREFIX_BYTES)
    if (!this.#over) this.#stream.answer(HEAD, body, OK)
    this.#finish()
  }

  async #deliverLater(message: Promise<Uint8Array>): Promise<void> {
    const { buffers, limits } = this.#context
    this.#inflating = true
    let held = 0
    try {
      buffers.hold(limits.inflatedLimitBytes)
      held = limits.inflatedLimitBytes
      const inflated = await message
      this.#inflating = false
      this.#deliver(inflated)
    } catch (error) {
      await message.catch(() => {})
      this.#inflating = false
      this.#refuse(refusalOf(error))
    }
    this.#release()
    buffers.unhold(held)
  }

  /** False: there is no room, and the sender has been told. */
  #makeRoom(bytes: number): boolean {
    const body = this.#body
    if (body !== undefined && body.length >= bytes) return true
    const { buffers } = this.#context
    try {
      const larger = this.#body = this.#parts === undefined ? buffers.takeFor(bytes, this.#length, this.#proven.bytes) : buffers.take(PART_BYTES)
      if (body !== undefined) {
        body.copy(larger, 0, 0, this.#filled)
        buffers.give(body)
      }
      return true
    } catch (error) {
      this.#refuse(refusalOf(error))
      return false
    }
  }

  #refuse(refusal: Refusal): void {
    if (this.#over) return
    this.#context.refused(refusal.reason, refusal.cause)
    const details = refusal.retrySeconds > 0 ? retryDetails(refusal) : undefined
    this.#finish()
    this.#stream.answer(undefined, undefined, statusOf(REFUSALS[refusal.reason].code, refusal.message, details))
  }

  #finish(): void {
    this.#over = true
    this.#context.ended(this)
    this.#release()
  }

  #release(): void {
    if (this.#inflating || this.#body === undefined) return
    this.#context.buffers.give(this.#body)
    this.#body = undefined
  }
}

/** An answer without a message. */
function statusOf(code: number, message: string, details?: Buffer): Buffer {
  const text = message.slice(0, DETAILS_LIMIT_CHARACTERS).toWellFormed()
  const fields = [HEAD, field('grpc-status', String(code)), field('grpc-message', encodeURI(text))]
  if (details !== undefined) fields.push(field('grpc-status-details-bin', details.toString('base64').replace(/=+$/, '')))
  return Buffer.concat(fields)
}
