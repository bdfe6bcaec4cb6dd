import zlib from 'node:zlib'
import { Refusal } from './refusal.ts'

/**
 * Inflating in the event loop up to this many bytes of output, on a thread past it. Measured on Node 24 with OTLP
 * batches: one zlib state and one output buffer kept for all 1.7 GB per CPU-second, `gunzipSync` told its output size 0.8 GB (it
 * makes both anew), `gunzip` on a thread told the same less, `gunzip` as it is (16 KiB steps, a thread switch each; also what a
 * stream does) 0.2 to 0.3 GB. 8 MiB is at most about 20 ms even for text that compresses badly (400 MB/s).
 */
const SYNC_LIMIT_BYTES = 8 << 20

/** Deflate cannot do better than 1032:1, so a short body that claims a long output is not believed. */
const MAX_RATIO = 1032

/** The step in which output grows where its size is not told beforehand. */
const STEP_BYTES = 256 << 10
/** A body that claims less than it holds must not make it grow in tiny steps. */
const SMALLEST_STEP_BYTES = 16 << 10

export type Encoding = 'identity' | 'gzip' | 'deflate' | 'zstd'

const ENCODINGS = new Map<string, Encoding>([
  ['', 'identity'], ['identity', 'identity'], ['gzip', 'gzip'], ['x-gzip', 'gzip'], ['deflate', 'deflate'], ['zstd', 'zstd'],
])

/** A zstd frame names the memory its decoder needs, up to 128 MiB as zstd comes. 8 MiB is what RFC 8878 asks every decoder to support. */
const ZSTD_WINDOW_LOG = 23

/** Throws `Refusal` for an encoding that is not known, or a list of several. */
export function encodingOf(header: string | undefined): Encoding {
  if (header === undefined) return 'identity'
  const encoding = ENCODINGS.get(header) ?? ENCODINGS.get(header.trim().toLowerCase())
  if (encoding === undefined) {
    throw new Refusal('unsupported_encoding', 'cannot read body: Content-Encoding must be gzip, deflate, zstd or identity')
  }
  return encoding
}

/**
 * The bytes that `body` was compressed from; at most `limitBytes`, or it throws `Refusal` too_large having held no more
 * than that, whatever the body would become. Damaged, truncated or concatenated input is refused as malformed.
 * The result of gzip is ready at once unless it is long (see SYNC_LIMIT_BYTES), and is then good until the next call.
 */
export function inflate(body: Uint8Array, encoding: Encoding, limitBytes: number): Uint8Array | Promise<Uint8Array> {
  if (encoding === 'identity') return body
  if (encoding === 'gzip') return gunzip(body, limitBytes)
  // Rare in the field, so kept simple: always on a thread, in steps.
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const options = { maxOutputLength: limitBytes, chunkSize: STEP_BYTES }
  const done = (error: Error | null, content: Uint8Array) => (error ? reject(refusal(error, encoding, limitBytes)) : resolve(content))
  if (encoding === 'deflate') zlib.inflate(body, options, done)
  else zlib.zstdDecompress(body, { ...options, params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }, done)
  return promise
}

/** The last four bytes of a gzip member are the length of its content, modulo 2^32 (RFC 1952); 0 when there are no such bytes. */
export function gzipContentBytes(body: Uint8Array): number {
  const end = body.length
  if (end < 18) return 0
  return (body[end - 4]! | (body[end - 3]! << 8) | (body[end - 2]! << 16) | (body[end - 1]! << 24)) >>> 0
}

export function isGzip(body: Uint8Array): boolean {
  return body.length > 2 && body[0] === 0x1f && body[1] === 0x8b
}

function gunzip(body: Uint8Array, limitBytes: number): Uint8Array | Promise<Uint8Array> {
  const claimed = gzipContentBytes(body)
  const possible = Math.min(claimed, body.length * MAX_RATIO)
  // One that admits to be too long is refused unread. One that lies meets maxOutputLength.
  if (possible === claimed && claimed > limitBytes && isGzip(body)) throw tooLarge(limitBytes)
  // One byte more than needed spares zlib a last round with a second buffer.
  const room = Math.max(SMALLEST_STEP_BYTES, Math.min(possible + 1, limitBytes))
  const options = { maxOutputLength: limitBytes, chunkSize: room }
  if (possible > SYNC_LIMIT_BYTES) {
    return new Promise((resolve, reject) => {
      zlib.gunzip(body, options, (error, content) => {
        if (error) return reject(refusal(error, 'gzip', limitBytes))
        try {
          resolve(single(content, claimed))
        } catch (several) {
          reject(several)
        }
      })
    })
  }
  try {
    return KEPT.gunzip(body, claimed, room) ?? single(zlib.gunzipSync(body, options), claimed)
  } catch (error) {
    throw refusal(error, 'gzip', limitBytes)
  }
}

interface ZlibHandle {
  onerror: () => void
  reset(): void
  writeSync(flush: number, input: Uint8Array, inputAt: number, inputBytes: number, output: Uint8Array, outputAt: number, outputBytes: number): void
}

/**
 * zlib's state and the buffer it writes to, kept from one body to the next. node has no interface for that, so this uses what its own
 * `gunzipSync` uses; a node without it, and a body that is not exactly one member of the length it claims, go through `gunzipSync` itself.
 */
class KeptGunzip {
  readonly #handle: ZlibHandle | undefined
  /** Bytes of room and of input that the last write left over. */
  readonly #left: Uint32Array | undefined
  #output = Buffer.alloc(0)
  #failed = false

  constructor() {
    const { _handle, _writeState } = zlib.createGunzip() as unknown as { _handle?: ZlibHandle; _writeState?: Uint32Array }
    this.#handle = _handle
    this.#left = _writeState
    if (_handle !== undefined) _handle.onerror = () => { this.#failed = true }
  }

  /** The content, good until the next call; undefined: look again with more care. */
  gunzip(body: Uint8Array, claimed: number, room: number): Uint8Array | undefined {
    const handle = this.#handle
    const left = this.#left
    if (handle?.writeSync === undefined || left === undefined || claimed >= room) return undefined
    if (this.#output.length < room) this.#output = Buffer.allocUnsafeSlow(room)
    this.#failed = false
    handle.reset()
    handle.writeSync(zlib.constants.Z_FINISH, body, 0, body.length, this.#output, 0, room)
    return !this.#failed && left[1] === 0 && room - left[0]! === claimed ? this.#output.subarray(0, claimed) : undefined
  }
}
const KEPT = new KeptGunzip()

/** zlib reads on through concatenated members and padding; exporters send exactly one, and more of it is a sign of a broken sender. */
function single(content: Uint8Array, claimed: number): Uint8Array {
  if (content.length !== claimed) throw new Refusal('malformed', 'cannot inflate body: not exactly one gzip member')
  return content
}

function refusal(error: unknown, encoding: Encoding, limitBytes: number): unknown {
  if (error instanceof Refusal || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(limitBytes)
  if (/^(Z_|ZSTD_|ERR_)/.test(code)) return new Refusal('malformed', `cannot inflate body: not valid ${encoding}: ${error.message}`)
  return error
}

function tooLarge(limitBytes: number): Refusal {
  return new Refusal('too_large', `cannot inflate body: more than ${limitBytes} bytes when inflated`)
}
