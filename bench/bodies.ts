/** Where a sender's batches come from. No two of them have an id in common, or the receiver would measure duplicates. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Payload } from './payload.ts'

const deflate = promisify(gzip)
/** zlib runs on the thread pool: as many at a time as the machine has cores here. */
const COMPRESSED_AT_ONCE = 2

export interface Body {
  readonly bytes: Buffer
  readonly spans: number
  readonly requests: number
}

export interface Bodies {
  /** A batch for connection number `connection`, to be used until it asks for another; undefined when there are no more. */
  next(connection: number): Body | undefined
  /** Starts over with ids that were used already: for a receiver that is a new process. */
  rewind(): void
}

/** Renewed in place right before they are sent, at 0.1 µs a span: there is no end of them. */
export function plainBodies(requests: number, seed: number, roots = true): Bodies {
  const payloads: Payload[] = []
  return {
    next(connection) {
      const payload = (payloads[connection] ??= new Payload({ requests, seed: seed + connection, roots }))
      payload.renew(Date.now())
      return payload
    },
    rewind() {},
  }
}

/**
 * Compressed beforehand, as SDKs do it (level 6): compressing costs many times what receiving does, on the same cores.
 * About 60 bytes a span are kept. When all have been sent the sender stops early rather than repeat one.
 */
export async function gzipBodies(requests: number, seed: number, spans: number): Promise<Bodies> {
  const pool: Body[] = []
  let pending = 0
  const compress = async (lane: number): Promise<void> => {
    const payload = new Payload({ requests, seed: seed + lane })
    while (pending * payload.spans < spans) {
      pending++
      payload.renew(Date.now())
      pool.push({ bytes: await deflate(payload.bytes), spans: payload.spans, requests })
    }
  }
  await Promise.all(Array.from({ length: COMPRESSED_AT_ONCE }, (_, lane) => compress(lane)))
  let used = 0
  return { next: () => pool[used++], rewind: () => { used = 0 } }
}
