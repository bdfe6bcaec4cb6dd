/**
 * Whether a trace is in the sample: a matter of its id alone, so that every bridge decides alike, before a span is kept
 * and after the request has settled. All 128 bits are mixed: OpenTelemetry's own samplers decide by the last 56, so these
 * bits by themselves would sample all or nothing of what such a sampler lets through, and other tracers begin an id with the time.
 */
export function inSample(trace: Int32Array, share: number): boolean {
  return hash(trace) < share * 2 ** 32
}

/** murmur3 over the four words of an id, from 0 up to 2^32. */
function hash(trace: Int32Array): number {
  let h = 0x53504252
  for (let i = 0; i < 4; i++) {
    let word = Math.imul(trace[i]!, 0xcc9e2d51)
    word = (word << 15) | (word >>> 17)
    h ^= Math.imul(word, 0x1b873593)
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64
  }
  h ^= 16
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
