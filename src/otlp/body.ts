import type { IncomingMessage } from 'node:http'
import { overloaded, Refusal } from './refusal.ts'

/** Buffers come in these sizes, each four times the last, and the limit itself. */
const SMALLEST_BYTES = 64 << 10
const STEP = 4
/** Buffers kept for the next request; what a peak needed beyond this goes back to the system. */
const KEPT_BYTES = 16 << 20

/** A request's body. Call `release` once nothing reads `bytes` any more: the buffer serves the next request. */
export interface Body {
  readonly bytes: Uint8Array
  release(): void
}

/**
 * The buffers of all bodies under way. A buffer grows with the bytes that came, not with the Content-Length that was
 * promised, so that a connection that only promises holds nothing; what all of them hold together has a limit.
 */
export class BodyBuffers {
  readonly #limitBytes: number
  readonly #bodyLimitBytes: number
  readonly #idle = new Map<number, Buffer[]>()
  #idleBytes = 0
  #heldBytes = 0

  constructor(limitBytes: number, bodyLimitBytes: number) {
    this.#limitBytes = limitBytes
    this.#bodyLimitBytes = bodyLimitBytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get full(): boolean {
    return this.#heldBytes >= this.#limitBytes
  }

  /** Counts bytes that live outside these buffers, such as an inflated body. Throws `Refusal` when there is no room. */
  hold(bytes: number): void {
    if (this.#heldBytes + bytes > this.#limitBytes) throw overloaded(1)
    this.#heldBytes += bytes
  }

  unhold(bytes: number): void {
    this.#heldBytes -= bytes
  }

  /** A buffer of at least `bytes`. Throws `Refusal` when there is no room for it. */
  take(bytes: number): Buffer {
    let size = SMALLEST_BYTES
    while (size < bytes) size *= STEP
    if (bytes <= this.#bodyLimitBytes) size = Math.min(size, this.#bodyLimitBytes)
    this.hold(size)
    const kept = this.#idle.get(size)?.pop()
    if (kept === undefined) return Buffer.allocUnsafeSlow(size)
    this.#idleBytes -= size
    return kept
  }

  /** A buffer for the first `bytes` of a body of `promised`: larger by a step than what has come, or `proven` where that is more. */
  takeFor(bytes: number, promised: number, proven: number = 0): Buffer {
    return this.take(Math.min(promised, Math.max(bytes, (bytes - 1) * STEP, proven)))
  }

  give(buffer: Buffer): void {
    const size = buffer.length
    this.#heldBytes -= size
    if (this.#idleBytes + size > KEPT_BYTES) return
    this.#idleBytes += size
    const same = this.#idle.get(size)
    if (same === undefined) this.#idle.set(size, [buffer])
    else same.push(buffer)
  }
}

/** The sender went away before the body was whole: there is nobody to answer. */
export class Gone extends Error {
  override name = 'Gone'
}

/** Throws `Refusal` when the request says that it is too long. -1: it does not say. */
export function contentLength(request: IncomingMessage, limitBytes: number): number {
  const header = request.headers['content-length']
  if (header === undefined) return -1
  // node's parser has refused what is not a decimal number.
  const length = Number(header)
  if (length > limitBytes) throw bodyTooLarge(limitBytes)
  return length
}

/**
 * Reads the body of `request`. Rejects with `Refusal` past `limitBytes` or when `buffers` have no room, with `Gone` when
 * the sender went away. A body that came in one piece is passed on as it is, any other is copied once, into one buffer
 * (twice for its first quarter at most).
 */
export function readBody(request: IncomingMessage, buffers: BodyBuffers, limitBytes: number): Promise<Body> {
  return new Promise((resolve, reject) => {
    const promised = contentLength(request, limitBytes)
    let buffer: Buffer | undefined
    let length = 0
    let whole: Buffer | undefined

    const release = () => {
      if (buffer !== undefined) buffers.give(buffer)
      buffer = undefined
    }
    const stop = () => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
    }
    const fail = (error: unknown) => {
      stop()
      release()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      const total = length + chunk.length
      if (total > limitBytes) return fail(bodyTooLarge(limitBytes))
      if (chunk.length === promised) {
        whole = chunk
        return
      }
      if (buffer === undefined || buffer.length < total) {
        try {
          const larger = promised < 0 ? buffers.take(total) : buffers.takeFor(total, promised)
          if (buffer !== undefined) {
            buffer.copy(larger, 0, 0, length)
            buffers.give(buffer)
          }
          buffer = larger
        } catch (error) {
          return fail(error)
        }
      }
      chunk.copy(buffer, length)
      length = total
    }
    const onEnd = () => {
      stop()
      resolve({ bytes: whole ?? (buffer === undefined ? Buffer.alloc(0) : buffer.subarray(0, length)), release })
    }
    const onGone = () => fail(new Gone('the sender closed the connection before the end of the body'))
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  })
}

/**
 * Reads the rest of a body and forgets it, so that the connection can be used again, or that the sender, still writing,
 * gets to see the answer instead of a reset connection. Resolves to false when the body goes on past `limitBytes` or the
 * sender went away: the connection is of no more use.
 */
export function dropBody(request: IncomingMessage, limitBytes: number, timeoutSeconds: number): Promise<boolean> {
  if (request.readableEnded) return Promise.resolve(true)
  if (request.destroyed) return Promise.resolve(false)
  return new Promise((resolve) => {
    let length = 0
    const stop = (whole: boolean) => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      resolve(whole)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > limitBytes) stop(false)
    }
    const onEnd = () => stop(true)
    const onGone = () => stop(false)
    const timer = setTimeout(onGone, timeoutSeconds * 1000)
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
    request.resume()
  })
}

function bodyTooLarge(limitBytes: number): Refusal {
  return new Refusal('too_large', `cannot read body: more than ${limitBytes} bytes`)
}
