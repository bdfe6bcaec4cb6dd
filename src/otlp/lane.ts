/**
 * The way of nearly every push over HTTP: POST, HTTP/1.1, protobuf with a Content-Length, plain or gzip, from an exporter that keeps its
 * connection. It is read straight into the body's buffer (see intake.ts). A connection on which anything else comes is
 * handed to node:http with the bytes it began with, and stays there, so nothing here reads what an HTTP parser is needed for.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { BodyBuffers } from './body.ts'
import { type Head, headOf } from './head.ts'
import { inflate } from './inflate.ts'
import { attach, detach, type Intake, SHARED } from './intake.ts'
import type { ReceiverLimits } from './limits.ts'
import { type OnRefused, type Refusal, refusalOf, REFUSALS } from './refusal.ts'
import { exportReply, PROTOBUF, statusReply } from './reply.ts'
import type { Accepted, Sink } from './sink.ts'

/** Of an answer that nobody reads; a sender that goes on regardless is cut. */
const UNREAD_LIMIT_BYTES = 64 << 10
const SWEEP_MS = 1000

export interface LaneOptions {
  readonly sink: Sink
  readonly limits: ReceiverLimits
  readonly buffers: BodyBuffers
  readonly refused: OnRefused
  /** Paths that traces are posted to. */
  readonly paths: readonly string[]
  readonly keepAliveSeconds: number
  /** Takes over a connection whose next bytes have been put back. */
  handOver(socket: Socket): void
}

/** All connections that node:http does not have. */
export class Lanes {
  readonly options: LaneOptions
  readonly #open = new Set<Lane>()
  #second = 0
  #date = ''
  #sweep: NodeJS.Timeout | undefined
  stopping = false

  constructor(options: LaneOptions) {
    this.options = options
  }

  accept(socket: Socket): void {
    this.#open.add(new Lane(socket, this))
    this.#sweep ??= setInterval(() => this.#endOverdue(performance.now()), SWEEP_MS).unref()
  }

  leave(lane: Lane): void {
    this.#open.delete(lane)
    if (this.#open.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  /** Pushes whose head has come and whose answer has not been given. */
  underWay(): number {
    let count = 0
    for (const lane of this.#open) if (lane.busy) count++
    return count
  }

  /** Ends connections with nothing under way; the others end with their answer. */
  stop(): void {
    this.stopping = true
    for (const lane of this.#open) if (!lane.busy) lane.end()
  }

  cut(): void {
    for (const lane of this.#open) lane.cut()
  }

  /** For the Date header, as RFC 9110 asks, made once a second. */
  date(): string {
    const second = Math.floor(Date.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#date = new Date(second * 1000).toUTCString()
    }
    return this.#date
  }

  #endOverdue(now: number): void {
    for (const lane of this.#open) lane.endIfOverdue(now)
  }
}

class Lane implements Intake {
  readonly #socket: Socket
  readonly #lanes: Lanes
  /** Of the push under way, undefined between two. */
  #head: Head | undefined
  /** What has come of its body, as far as it is not in the bytes in hand. */
  #body: Buffer | undefined
  #filled = 0
  /** Whether the next read goes to the body. */
  #direct = false
  /** The answer was given before the end of the body, whose rest is read and forgotten. */
  #dropping = false
  /** What came while a body is inflated on another thread. */
  #waiting: Buffer | undefined
  /** A body as long as one that this connection has sent before gets its room at once; any other has to come first. */
  #provenBytes = 0
  #deadlineMs: number

  constructor(socket: Socket, lanes: Lanes) {
    this.#socket = socket
    this.#lanes = lanes
    this.#deadlineMs = performance.now() + lanes.options.limits.headersSeconds * 1000
    socket.on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onClose)
    attach(socket, this)
  }

  get busy(): boolean {
    return this.#head !== undefined
  }

  target(): Buffer {
    const body = this.#dropping ? undefined : this.#body
    this.#direct = body !== undefined
    return body === undefined ? SHARED : body.subarray(this.#filled, this.#head!.length)
  }

  read(bytes: Buffer, length: number): void {
    if (!this.#direct) return this.#take(bytes.subarray(0, length))
    this.#filled += length
    if (this.#filled === this.#head!.length) this.#whole()
    else if (this.#filled === this.#body!.length) this.#makeRoom(this.#filled + 1)
  }

  end(): void {
    this.#socket.destroySoon()
  }

  cut(): void {
    this.#socket.destroy()
  }

  endIfOverdue(nowMs: number): void {
    if (nowMs < this.#deadlineMs || this.#waiting !== undefined) return
    if (this.busy && !this.#dropping) this.#socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    this.end()
  }

  /** Works through bytes that were not read into a body. */
  #take(bytes: Buffer): void {
    while (bytes.length > 0) {
      if (this.#waiting !== undefined) {
        this.#waiting = Buffer.concat([this.#waiting, bytes])
        return
      }
      if (this.#head === undefined) {
        const head = this.#begin(bytes)
        if (head === undefined) return
        bytes = bytes.subarray(head.bytes)
        if (bytes.length >= head.length && !head.gzip) {
          // All there: read where it is. Inflating may go on after this read, and needs a buffer of its own.
          this.#deliver(bytes.subarray(0, head.length), false)
          bytes = bytes.subarray(head.length)
          continue
        }
      }
      const n = Math.min(bytes.length, this.#head!.length - this.#filled)
      if (n > 0 && !this.#dropping && this.#makeRoom(this.#filled + n)) bytes.copy(this.#body!, this.#filled, 0, n)
      this.#filled += n
      bytes = bytes.subarray(n)
      if (this.#filled === this.#head!.length) this.#whole()
    }
  }

  /** Undefined: the connection is not ours any more. */
  #begin(bytes: Buffer): Head | undefined {
    const { limits, buffers, sink, paths } = this.#lanes.options
    const head = headOf(bytes, paths)
    // Refusing before the body is read is done in one place.
    if (head === undefined || head.length > limits.bodyLimitBytes || this.#lanes.stopping || buffers.full || sink.busySeconds() > 0) {
      this.#handOver(bytes)
      return undefined
    }
    this.#head = head
    this.#deadlineMs = performance.now() + limits.requestSeconds * 1000
    return head
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket
    this.#lanes.leave(this)
    socket.off('error', this.#onError).off('end', this.#onEnd).off('close', this.#onClose)
    detach(socket)
    socket.unshift(Buffer.from(bytes))
    this.#lanes.options.handOver(socket)
  }

  /** A buffer for the first `bytes` of the body. False: there is none, and the sender has been told. */
  #makeRoom(bytes: number): boolean {
    const body = this.#body
    if (body !== undefined && body.length >= bytes) return true
    const { buffers } = this.#lanes.options
    try {
      const larger = this.#body = buffers.takeFor(bytes, this.#head!.length, this.#provenBytes)
      if (body !== undefined) {
        body.copy(larger, 0, 0, this.#filled)
        buffers.give(body)
      }
      return true
    } catch (error) {
      this.#dropping = true
      this.#refuse(refusalOf(error))
      return false
    }
  }

  #whole(): void {
    if (this.#dropping) this.#next()
    else this.#deliver(this.#body!.subarray(0, this.#head!.length), this.#head!.gzip)
  }

  #deliver(bytes: Buffer, gzip: boolean): void {
    const { sink, limits } = this.#lanes.options
    try {
      const content = gzip ? inflate(bytes, 'gzip', limits.inflatedLimitBytes) : bytes
      if (content instanceof Promise) return void this.#deliverLater(content)
      this.#answer(sink.traces(content))
    } catch (error) {
      this.#refuse(refusalOf(error))
    }
    this.#next()
  }

  async #deliverLater(content: Promise<Uint8Array>): Promise<void> {
    const { sink, limits, buffers } = this.#lanes.options
    this.#waiting = Buffer.alloc(0)
    this.#socket.pause()
    let held = 0
    try {
      content.catch(() => {})
      buffers.hold(limits.inflatedLimitBytes)
      held = limits.inflatedLimitBytes
      this.#answer(sink.traces(await content))
    } catch (error) {
      // Inflating reads the body's buffer, which goes back now.
      await content.catch(() => {})
      this.#refuse(refusalOf(error))
    }
    if (held > 0) buffers.unhold(held)
    const came = this.#waiting
    this.#waiting = undefined
    this.#next()
    this.#socket.resume()
    this.#take(came)
  }

  /** The push is done with, and the connection ready for another. */
  #next(): void {
    this.#provenBytes = Math.max(this.#provenBytes, this.#head!.length)
    this.#release()
    this.#deadlineMs = performance.now() + this.#lanes.options.keepAliveSeconds * 1000
    if (this.#lanes.stopping || this.#socket.writableLength > UNREAD_LIMIT_BYTES) this.end()
  }

  #release(): void {
    if (this.#body !== undefined) this.#lanes.options.buffers.give(this.#body)
    this.#body = this.#head = undefined
    this.#filled = 0
    this.#dropping = false
  }

  #answer(result: Accepted): void {
    this.#write(200, exportReply('traces', result, false), this.#lanes.stopping)
  }

  #refuse(refusal: Refusal): void {
    this.#lanes.options.refused(refusal.reason, refusal.cause)
    this.#write(REFUSALS[refusal.reason].http, statusReply(refusal, false), this.#lanes.stopping, refusal.retrySeconds)
  }

  #write(status: number, body: Buffer, last: boolean, retrySeconds = 0): void {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return
    const retry = retrySeconds > 0 ? `Retry-After: ${retrySeconds}\r\n` : ''
    const connection = last ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${this.#lanes.options.keepAliveSeconds}`
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${body.length}\r\n${retry}Date: ${this.#lanes.date()}\r\nConnection: ${connection}\r\n\r\n`
    if (body.length === 0) socket.write(head, 'latin1')
    else socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]))
  }

  readonly #onError = (): void => {}
  readonly #onEnd = (): void => {
    // A sender that has half of a push left to send is gone, one that waits for an answer is not.
    if (this.#waiting === undefined) this.end()
  }
  readonly #onClose = (): void => {
    this.#lanes.leave(this)
    if (this.#waiting === undefined) this.#release()
  }
}
