/**
 * The adjusted count of a sampled span: `ot=th:T` in its tracestate is the rejection threshold of
 * OpenTelemetry's consistent probability sampling, 56 bits in hexadecimal with trailing zeros left out,
 * so a span stands for 2^56 / (2^56 − T) spans.
 * Weights are whole multiples of 2^-10, so that sums of them are exact in whatever order they are added.
 * Source: opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling
 */
const SPACE = 2 ** 56

/** The weight in the W3C tracestate `bytes[start, start+length)`; 1 when it says nothing that can be believed. */
export function samplingWeight(bytes: Uint8Array, start: number, length: number): number {
  const state = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(length, 512)).toString('latin1')
  const threshold = /(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?![0-9a-f])/.exec(state)?.[1]
  if (threshold === undefined) return 1
  const weight = SPACE / (SPACE - Number.parseInt(threshold.padEnd(14, '0'), 16))
  return weight < MAX_WEIGHT ? Math.round(weight * 1024) / 1024 : 1
}

/** A sampler keeps one in a million at the least; past that the state is damage or mischief. */
const MAX_WEIGHT = 2 ** 20
