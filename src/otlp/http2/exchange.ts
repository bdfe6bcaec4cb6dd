/** A request, and what became of it: one of the three methods of `Exchange` is its end. */
export interface Exchange {
  /** A piece of the body, `[at, end)` of `bytes`, good until it returns. */
  data(bytes: Buffer, at: number, end: number): void
  /** The body is whole. */
  end(): void
  /** The peer has gone, or does not want the answer any more. */
  cancelled(): void
}

/** Where the answer to a request goes: once. */
export interface Answerable {
  /** Header fields, a body, and fields after it; all but the last may be missing. */
  answer(fields: Buffer | undefined, body: Buffer | undefined, last: Buffer): void
}
