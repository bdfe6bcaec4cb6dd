/** What a receiver needs from the bridge: it hands over bytes and learns what became of them. */
export interface Accepted {
  /** Spans (or log records) counted, duplicates included: the sender need not send them again. */
  readonly accepted: number
  /** Spans (or log records) that could not be read. */
  readonly rejected: number
  /** Why, naming what and where; '' when nothing was rejected. */
  readonly error: string
}

export interface Sink {
  /** `body`: a protobuf ExportTraceServiceRequest. Throws `Malformed` when not one span of it can be read, unless it is a part of a longer one. The bytes are not kept. */
  traces(body: Uint8Array, isPart?: boolean): Accepted
  /** `body`: a protobuf ExportLogsServiceRequest. */
  logs(body: Uint8Array): Accepted
  /** Seconds after which the sender should try again, 0 while the bridge has room. */
  busySeconds(): number
}

/** The sender must not send these bytes again: HTTP 400, gRPC INVALID_ARGUMENT. */
export class Malformed extends Error {
  override name = 'Malformed'
}
