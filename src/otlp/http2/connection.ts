/**
 * A server's side of one HTTP/2 connection, for requests with a body and a short answer: what gRPC's unary calls are. The body
 * is handed on piece by piece where it was read, so nothing is joined, queued or allocated for a frame.
 *
 * Whoever breaks the protocol, or costs more than it sends, gets a GOAWAY and the connection ends; a call that is refused
 * ends alone.
 */
import type { Socket } from 'node:net'
import { attach, type Intake, SHARED } from '../intake.ts'
import type { Answerable, Exchange } from './exchange.ts'
import { Code, Flag, Frame, frame, FRAME_HEAD_BYTES, PREFACE, Setting, settings, words } from './frame.ts'
import { BadFields, FieldDecoder } from './hpack.ts'

/** A frame of a body is handed on as it comes, so it may be long; any other is kept until it is whole. */
const DATA_LIMIT_BYTES = 1 << 20
const CONTROL_LIMIT_BYTES = 20 << 10
/** What a sender may have under way. What comes is copied or dropped at once, so this holds no memory but the kernel's. */
const STREAM_WINDOW_BYTES = 4 << 20
const CONNECTION_WINDOW_BYTES = 16 << 20
const FIRST_WINDOW_BYTES = 65_535
const MOST_WINDOW_BYTES = 2 ** 31 - 1
/** Frames in a second that carry no body. Exporters and their pings stay far below; floods of resets, settings or pings do not. */
const CONTROL_FRAMES_A_SECOND = 2_000
/** Of answers that the peer does not read. */
const UNREAD_LIMIT_BYTES = 256 << 10
/** Answers that wait for a window: a peer that never widens it has no more use for them. */
const WAITING_LIMIT = 256
const PING_AFTER_MS = 60_000
const DEAD_AFTER_MS = 80_000
const IDLE_MS = 600_000

export interface ConnectionOptions {
  readonly concurrentStreams: number
  open(fields: ReadonlyMap<string, string>, stream: Answerable): Exchange
  closed(connection: Connection): void
}

class Stream implements Answerable {
  readonly id: number
  readonly #connection: Connection
  exchange!: Exchange
  /** The peer has not ended the body. */
  sending = true
  /** Bytes of body since the window was last widened. */
  received = 0
  /** Bytes that may be sent beyond the peer's initial window. */
  credit = 0

  constructor(id: number, connection: Connection) {
    this.id = id
    this.#connection = connection
  }

  answer(fields: Buffer | undefined, body: Buffer | undefined, last: Buffer): void {
    this.#connection.answer(this, fields, body, last)
  }
}

export class Connection implements Intake {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #fields = new FieldDecoder()
  readonly #streams = new Map<number, Stream>()
  /** Answers that wait for the peer to widen a window. */
  #waiting: { readonly stream: Stream; readonly fields: Buffer | undefined; readonly body: Buffer; readonly last: Buffer }[] = []
  /** The beginning of what is not whole yet: the preface, or a frame. */
  #begun = Buffer.alloc(0)
  #greeted = false
  /** Of the DATA frame in hand: bytes left of the body and of padding, whose it is, and whether it is the last. */
  #left = 0
  #padding = 0
  #stream: Stream | undefined
  #isLast = false
  /** A header block that goes on in the next frame. */
  #block: { readonly stream: number; readonly endStream: boolean; bytes: Buffer } | undefined
  #lastStream = 0
  #received = 0
  #sendWindow = FIRST_WINDOW_BYTES
  #initialWindow = FIRST_WINDOW_BYTES
  #controlFrames = 0
  #ending = false
  #readMs = performance.now()
  #busyMs = this.#readMs
  #pinged = false
  #out: Buffer[] = []
  #reading = false

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('error', () => {}).on('end', () => socket.destroySoon()).on('close', () => this.#closed())
    this.#write(settings([
      [Setting.concurrentStreams, options.concurrentStreams], [Setting.initialWindow, STREAM_WINDOW_BYTES],
      [Setting.maxFrame, DATA_LIMIT_BYTES], [Setting.fieldListBytes, CONTROL_LIMIT_BYTES],
    ]))
    this.#write(frame(Frame.window, 0, 0, words(CONNECTION_WINDOW_BYTES - FIRST_WINDOW_BYTES)))
    attach(socket, this)
  }

  target(): Buffer {
    return SHARED
  }

  read(bytes: Buffer, length: number): void {
    this.#readMs = performance.now()
    this.#pinged = false
    this.#reading = true
    const all = this.#begun.length === 0 ? bytes.subarray(0, length) : Buffer.concat([this.#begun, bytes.subarray(0, length)])
    const at = this.#frames(all)
    this.#begun = at < all.length && !this.#ended ? Buffer.from(all.subarray(at)) : NOTHING
    this.#reading = false
    this.#flush()
  }

  /** Takes no new requests, and ends with the answer to the last. */
  stop(): void {
    if (this.#ending) return
    this.#ending = true
    this.#write(frame(Frame.goAway, 0, 0, words(this.#lastStream, Code.none)))
    this.#endIfDone()
  }

  cut(): void {
    this.#socket.destroy()
  }

  /** To be called once a second. */
  sweep(nowMs: number): void {
    this.#controlFrames = 0
    const silentMs = nowMs - this.#readMs
    if (this.#streams.size > 0) this.#busyMs = nowMs
    if (silentMs > DEAD_AFTER_MS) this.cut()
    else if (nowMs - this.#busyMs > IDLE_MS) this.stop()
    else if (silentMs > PING_AFTER_MS && !this.#pinged) {
      this.#pinged = true
      this.#write(frame(Frame.ping, 0, 0, words(0, 0)))
    }
  }

  answer(stream: Stream, fields: Buffer | undefined, body: Buffer | undefined, last: Buffer): void {
    if (this.#streams.get(stream.id) !== stream) return
    const bytes = body?.length ?? 0
    if (bytes > Math.min(this.#sendWindow, this.#initialWindow + stream.credit)) {
      this.#waiting.push({ stream, fields, body: body!, last })
      if (this.#waiting.length > WAITING_LIMIT) this.#goAway(Code.calm)
      return
    }
    this.#sendWindow -= bytes
    const out = []
    if (fields !== undefined) out.push(frame(Frame.headers, Flag.endHeaders, stream.id, fields))
    if (body !== undefined) out.push(frame(Frame.data, 0, stream.id, body))
    out.push(frame(Frame.headers, Flag.endHeaders | Flag.endStream, stream.id, last))
    // The answer is complete; what the peer still has to send is of no use.
    if (stream.sending) out.push(frame(Frame.reset, 0, stream.id, words(Code.none)))
    this.#forget(stream)
    this.#write(Buffer.concat(out))
    this.#endIfDone()
  }

  /** Works through whole frames, and pieces of bodies. Returns where the rest begins. */
  #frames(bytes: Buffer): number {
    let at = 0
    if (!this.#greeted) {
      const n = Math.min(bytes.length, PREFACE.length)
      if (!bytes.subarray(0, n).equals(PREFACE.subarray(0, n))) return this.#goAway(Code.protocol)
      if (n < PREFACE.length) return 0
      this.#greeted = true
      at = n
    }
    while (!this.#ended) {
      if (this.#left > 0) {
        const n = Math.min(this.#left, bytes.length - at)
        if (n === 0) return at
        this.#left -= n
        this.#stream?.exchange.data(bytes, at, at + n)
        at += n
        if (this.#left > 0) return at
      }
      if (this.#padding > 0) {
        const n = Math.min(this.#padding, bytes.length - at)
        this.#padding -= n
        at += n
        if (this.#padding > 0) return at
      }
      if (this.#isLast) this.#endBody()
      if (bytes.length - at < FRAME_HEAD_BYTES) return at
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
      const type = bytes[at + 3]!
      const flags = bytes[at + 4]!
      const id = ((bytes[at + 5]! & 127) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!
      const payload = at + FRAME_HEAD_BYTES
      if (length > (type === Frame.data ? DATA_LIMIT_BYTES : CONTROL_LIMIT_BYTES)) return this.#goAway(Code.frameSize)
      if (this.#block !== undefined && (type !== Frame.continuation || id !== this.#block.stream)) return this.#goAway(Code.protocol)
      if (type === Frame.data) {
        const padded = (flags & Flag.padded) !== 0
        if (padded && payload >= bytes.length) return at
        const padding = padded ? bytes[payload]! : 0
        if (padding + (padded ? 1 : 0) > length) return this.#goAway(Code.protocol)
        this.#beginData(id, length, (flags & Flag.endStream) !== 0)
        this.#padding = padding
        this.#left = length - padding - (padded ? 1 : 0)
        at = payload + (padded ? 1 : 0)
        continue
      }
      if (payload + length > bytes.length) return at
      if (++this.#controlFrames > CONTROL_FRAMES_A_SECOND) return this.#goAway(Code.calm)
      this.#control(type, flags, id, bytes.subarray(payload, payload + length))
      at = payload + length
    }
    return at
  }

  #beginData(id: number, length: number, isLast: boolean): void {
    // Also of a call that has been answered: what it sends counts against the connection's window.
    this.#received += length
    if (this.#received >= CONNECTION_WINDOW_BYTES / 2) {
      this.#write(frame(Frame.window, 0, 0, words(this.#received)))
      this.#received = 0
    }
    if (id === 0 || id > this.#lastStream) {
      this.#goAway(Code.protocol)
      return
    }
    if (length === 0 && ++this.#controlFrames > CONTROL_FRAMES_A_SECOND) this.#goAway(Code.calm)
    const stream = this.#streams.get(id)
    if (stream !== undefined && !stream.sending) {
      this.#goAway(Code.streamClosed)
      return
    }
    this.#stream = stream
    this.#isLast = isLast
    if (stream === undefined || isLast) return
    stream.received += length
    if (stream.received < STREAM_WINDOW_BYTES / 2) return
    this.#write(frame(Frame.window, 0, id, words(stream.received)))
    stream.received = 0
  }

  #endBody(): void {
    this.#isLast = false
    const stream = this.#stream
    this.#stream = undefined
    if (stream === undefined || this.#streams.get(stream.id) !== stream) return
    stream.sending = false
    stream.exchange.end()
  }

  #control(type: number, flags: number, id: number, payload: Buffer): void {
    switch (type) {
      case Frame.headers: return this.#headers(flags, id, payload)
      case Frame.continuation: return this.#continuation(flags, payload)
      case Frame.settings: return this.#settings(flags, id, payload)
      case Frame.window: return this.#widen(id, payload)
      case Frame.ping:
        if (id !== 0 || payload.length !== 8) this.#goAway(payload.length === 8 ? Code.protocol : Code.frameSize)
        else if ((flags & Flag.ack) === 0) this.#write(frame(Frame.ping, Flag.ack, 0, payload))
        return
      case Frame.reset: {
        if (id === 0 || id > this.#lastStream || payload.length !== 4) return void this.#goAway(payload.length === 4 ? Code.protocol : Code.frameSize)
        const stream = this.#streams.get(id)
        if (stream === undefined) return
        this.#forget(stream)
        stream.exchange.cancelled()
        return this.#endIfDone()
      }
      case Frame.goAway: return this.stop()
      case Frame.push: return void this.#goAway(Code.protocol)
      // Priorities mean nothing here, and what is not known is to be ignored.
    }
  }

  #headers(flags: number, id: number, payload: Buffer): void {
    if ((id & 1) === 0) return void this.#goAway(Code.protocol)
    const padding = (flags & Flag.padded) === 0 ? 0 : payload[0] ?? 256
    const start = ((flags & Flag.padded) === 0 ? 0 : 1) + ((flags & Flag.priority) === 0 ? 0 : 5)
    if (start + padding > payload.length) return void this.#goAway(Code.protocol)
    const bytes = payload.subarray(start, payload.length - padding)
    const endStream = (flags & Flag.endStream) !== 0
    if ((flags & Flag.endHeaders) === 0) this.#block = { stream: id, endStream, bytes: Buffer.from(bytes) }
    else this.#request(id, bytes, endStream)
  }

  #continuation(flags: number, payload: Buffer): void {
    const block = this.#block
    if (block === undefined) return void this.#goAway(Code.protocol)
    if (block.bytes.length + payload.length > CONTROL_LIMIT_BYTES) return void this.#goAway(Code.calm)
    block.bytes = Buffer.concat([block.bytes, payload])
    if ((flags & Flag.endHeaders) === 0) return
    this.#block = undefined
    this.#request(block.stream, block.bytes, block.endStream)
  }

  #request(id: number, block: Buffer, endStream: boolean): void {
    const fields = new Map<string, string>()
    try {
      // Read even where nobody wants them: the table has to stay the peer's.
      this.#fields.decode(block, (name, value) => fields.set(name, value))
    } catch (error) {
      if (error instanceof BadFields) return void this.#goAway(Code.compression)
      throw error
    }
    if (id <= this.#lastStream) { // fields after the body
      const stream = this.#streams.get(id)
      if (!endStream || stream?.sending === false) return void this.#goAway(Code.protocol)
      this.#stream = stream
      return this.#endBody()
    }
    this.#lastStream = id
    if (this.#ending) {
      this.#write(frame(Frame.reset, 0, id, words(Code.refused)))
      return
    }
    const stream = new Stream(id, this)
    this.#streams.set(id, stream)
    stream.exchange = this.#options.open(fields, stream)
    if (!endStream) return
    this.#stream = stream
    this.#endBody()
  }

  #settings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) return void this.#goAway(Code.protocol)
    if ((flags & Flag.ack) !== 0) return
    if (payload.length % 6 !== 0) return void this.#goAway(Code.frameSize)
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== Setting.initialWindow) continue
      this.#initialWindow = payload.readUInt32BE(at + 2)
      if (this.#initialWindow > MOST_WINDOW_BYTES) return void this.#goAway(Code.flowControl)
    }
    this.#write(frame(Frame.settings, Flag.ack, 0, NOTHING))
    this.#answerWaiting()
  }

  #widen(id: number, payload: Buffer): void {
    if (payload.length !== 4) return void this.#goAway(Code.frameSize)
    const by = payload.readUInt32BE(0) & MOST_WINDOW_BYTES
    const stream = this.#streams.get(id)
    if (id === 0) this.#sendWindow += by
    else if (stream !== undefined) stream.credit += by
    if (by === 0 || this.#sendWindow > MOST_WINDOW_BYTES || (stream !== undefined && stream.credit > MOST_WINDOW_BYTES)) return void this.#goAway(Code.flowControl)
    this.#answerWaiting()
  }

  #answerWaiting(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const { stream, fields, body, last } of waiting) this.answer(stream, fields, body, last)
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream.id)
    if (this.#stream === stream) this.#stream = undefined
  }

  get #ended(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded
  }

  #endIfDone(): void {
    if (!this.#ending || this.#streams.size > 0) return
    this.#flush()
    this.#socket.destroySoon()
  }

  /** Ends the connection for what the peer did. Returns nowhere to read on from. */
  #goAway(code: number): number {
    this.#write(frame(Frame.goAway, 0, 0, words(this.#lastStream, code)))
    this.#flush()
    this.#socket.destroySoon()
    return Infinity
  }

  #closed(): void {
    for (const stream of [...this.#streams.values()]) {
      this.#forget(stream)
      stream.exchange.cancelled()
    }
    this.#options.closed(this)
  }

  /** What one read has for answers goes out in one piece. */
  #write(bytes: Buffer): void {
    this.#out.push(bytes)
    if (!this.#reading) this.#flush()
  }

  #flush(): void {
    const out = this.#out
    if (out.length === 0) return
    this.#out = []
    if (this.#ended) return
    this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out))
    if (this.#socket.writableLength > UNREAD_LIMIT_BYTES) this.cut()
  }
}

const NOTHING = Buffer.alloc(0)
