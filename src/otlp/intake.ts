/**
 * Reads a connection into buffers of ours. node gives every read a new buffer of 64 KiB and node:http copies it once more; that
 * alone is 0.2 to 0.3 µs a span, as much as scanning it. A client's socket can be told where to read to (`onread` of
 * net.connect); a server's cannot, so what that option sets is set here. In a node where it is not found, reads come as 'data'.
 */
import type { Socket } from 'node:net'

export interface Intake {
  /** Where the next read goes to. */
  target(): Buffer
  /** `length` bytes have come, to the start of `bytes`: what `target` returned last, or a chunk of its own. Good until it returns. */
  read(bytes: Buffer, length: number): void
}

/** What all connections read to while they have no buffer of their own: a read is worked on before the next one begins. */
export const SHARED = Buffer.allocUnsafeSlow(256 << 10)

interface Handle { useUserBuffer?(buffer: Buffer): void }

export function attach(socket: Socket, intake: Intake): void {
  const { kBuffer, kBufferGen, kBufferCb } = symbolsOf(socket)
  const handle = (socket as unknown as { _handle?: Handle })._handle
  if (kBuffer === undefined || kBufferGen === undefined || kBufferCb === undefined || handle?.useUserBuffer === undefined) {
    socket.on('data', (chunk: Buffer) => intake.read(chunk, chunk.length))
    return
  }
  const first = intake.target()
  Object.assign(socket, {
    [kBuffer]: first,
    [kBufferGen]: () => intake.target(),
    [kBufferCb]: (length: number, bytes: Buffer) => (intake.read(bytes, length), true),
  })
  handle.useUserBuffer(first)
}

/** For whoever reads the connection next in node's own way. */
export function detach(socket: Socket): void {
  socket.removeAllListeners('data')
  for (const symbol of Object.values(symbolsOf(socket))) Object.assign(socket, { [symbol]: null })
}

function symbolsOf(socket: Socket): Partial<Record<'kBuffer' | 'kBufferGen' | 'kBufferCb', symbol>> {
  return Object.fromEntries(Object.getOwnPropertySymbols(socket).filter(({ description }) => /^kBuffer(Gen|Cb)?$/.test(description ?? '')).map((symbol) => [symbol.description, symbol]))
}
