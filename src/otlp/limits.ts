/** What a receiver takes at most. Past a limit the sender gets an answer and the refusal is counted; the process keeps its memory. */
export interface ReceiverLimits {
  /** Bytes of one request on the wire, compressed or not. */
  readonly bodyLimitBytes: number
  /** Bytes of one request after inflating. */
  readonly inflatedLimitBytes: number
  /**
   * Bytes of one JSON request after inflating. Lower than the others, because JSON becomes a tree before it becomes
   * protobuf: `[{},{},…` costs 50 times its length as a tree, and 0.15 s a MiB.
   */
  readonly jsonLimitBytes: number
  /** Bytes held for all requests that are received but not processed yet, of HTTP and of gRPC each. */
  readonly maxInFlightBytes: number
  /** gRPC calls under way at a time. */
  readonly maxCalls: number
  readonly maxConnections: number
  /** From the first byte of a request to its last. */
  readonly requestSeconds: number
  readonly headersSeconds: number
  /** How long `close()` waits for requests under way before it cuts their connections. */
  readonly closeSeconds: number
}

const MIB = 1 << 20

export const DEFAULT_LIMITS: ReceiverLimits = {
  bodyLimitBytes: 16 * MIB,
  inflatedLimitBytes: 64 * MIB,
  jsonLimitBytes: 8 * MIB,
  maxInFlightBytes: 256 * MIB,
  maxCalls: 64,
  maxConnections: 1024,
  requestSeconds: 30,
  headersSeconds: 10,
  closeSeconds: 5,
}
