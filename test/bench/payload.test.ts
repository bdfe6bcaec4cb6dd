import { describe, expect, it } from 'vitest'
import { BATCH_REQUESTS, Payload } from '../../bench/payload.ts'
import { PROJECTS, SPANS_PER_REQUEST, TENANTS } from '../../bench/request.ts'
import { toJson } from '../../src/cli/recorded/protobuf.ts'
import { REQUESTS } from '../../src/cli/recorded/shape.ts'

interface Attribute { key: string; value: Record<string, string | number> }
interface DecodedSpan {
  traceId: string; spanId: string; parentSpanId?: string; name: string
  startTimeUnixNano: string; endTimeUnixNano: string; attributes: Attribute[]; status: { code?: number }
}

const NOW = 1_800_000_000_123
const MINUTE_NANOS = 60_000_000_000n

describe('a benchmark payload', () => {
  it('is a batch of whole requests of 37 spans, each with its own trace and one root', () => {
    const spans = decode(new Payload({ requests: 14 }))
    expect(spans).toHaveLength(518)
    const traces = Map.groupBy(spans, (span) => span.traceId)
    expect(traces.size).toBe(14)
    for (const trace of traces.values()) {
      expect(trace).toHaveLength(SPANS_PER_REQUEST)
      const root = trace.at(-1)!
      expect(root.parentSpanId).toBeUndefined()
      expect(trace.slice(0, -1).every((span) => span.parentSpanId === root.spanId)).toBe(true)
      expect(counts(trace)).toEqual({ chat: 20, retrieval: 10, execute_tool: 5, update_memory: 1, invoke_agent: 1 })
    }
  })

  it('has the sizes that the issue of comparison is about', () => {
    const small = new Payload({ requests: BATCH_REQUESTS.small })
    const large = new Payload({ requests: BATCH_REQUESTS.large })
    expect([small.spans, large.spans]).toEqual([518, 8140])
    for (const { bytes, spans } of [small, large]) {
      expect(bytes.length / spans).toBeGreaterThan(380)
      expect(bytes.length / spans).toBeLessThan(480)
    }
    const decoded = decode(large)
    const attributes = decoded.reduce((n, span) => n + span.attributes.length, 0) / decoded.length
    expect(attributes).toBeGreaterThan(8.5)
    expect(attributes).toBeLessThan(11)
  })

  it('tells a service name, and tenants and projects in all combinations', () => {
    const payload = new Payload({ requests: 220 })
    expect(attribute(resource(payload), 'service.name')).toBe('agent-platform')
    const roots = decode(payload).filter((span) => span.parentSpanId === undefined)
    expect(new Set(roots.map((root) => `${attribute(root.attributes, 'tenant_id')} ${attribute(root.attributes, 'project_id')}`)).size).toBe(TENANTS * PROJECTS)
  })

  it('fails one model call in every tenth request', () => {
    const failed = decode(new Payload({ requests: 220 })).filter((span) => span.status.code === 2)
    expect(failed).toHaveLength(22)
    expect(new Set(failed.map((span) => span.traceId)).size).toBe(22)
    expect(failed.every((span) => span.name.startsWith('chat ') && attribute(span.attributes, 'error.type') === 'RateLimitError')).toBe(true)
  })

  it('has fresh trace, span and response ids after each renewal, and nothing else changed but the times', () => {
    const payload = new Payload({ requests: 5 })
    const traces = new Set<string>(), ids = new Set<string>(), responses = new Set<string>()
    payload.renew(NOW - 1)
    const before = decode(payload)
    for (let batch = 0; batch < 20; batch++) {
      payload.renew(NOW + batch)
      const spans = decode(payload)
      for (const span of spans) {
        traces.add(span.traceId)
        ids.add(span.spanId)
        const response = attribute(span.attributes, 'gen_ai.response.id')
        if (response !== undefined) responses.add(response as string)
      }
      expect(spans.map(constant)).toEqual(before.map(constant))
      for (const trace of Map.groupBy(spans, (span) => span.traceId).values()) {
        expect(trace).toHaveLength(SPANS_PER_REQUEST)
        expect(new Set(trace.map((span) => span.parentSpanId ?? trace.at(-1)!.spanId))).toEqual(new Set([trace.at(-1)!.spanId]))
      }
    }
    expect(traces.size).toBe(20 * 5)
    expect(ids.size).toBe(20 * payload.spans)
    expect(responses.size).toBe(20 * 5 * 20)
  })

  it('puts the end of every request at the given time, to the microsecond, and its children inside of it', () => {
    const payload = new Payload({ requests: 3 })
    payload.renew(NOW)
    for (const trace of Map.groupBy(decode(payload), (span) => span.traceId).values()) {
      const root = trace.at(-1)!
      expect(root.endTimeUnixNano).toBe(`${NOW}000000`)
      const [start, end] = times(root)
      expect(end - start).toBeGreaterThan(1_000_000_000n)
      expect(end - start).toBeLessThan(2n * MINUTE_NANOS)
      for (const span of trace) {
        const [from, to] = times(span)
        expect(from >= start && from <= to && to <= end, span.name).toBe(true)
      }
    }
  })

  it('leaves the roots out where requests are to stay open', () => {
    const spans = decode(new Payload({ requests: 3, roots: false }))
    expect(spans).toHaveLength(3 * 36)
    expect(spans.every((span) => /^[0-9a-f]{16}$/.test(span.parentSpanId ?? ''))).toBe(true)
    for (const trace of Map.groupBy(spans, (span) => span.traceId).values()) expect(new Set(trace.map((span) => span.parentSpanId)).size).toBe(1)
  })

  it('gives two senders different ids, and one sender the same ones again', () => {
    const ids = (seed: number) => decode(new Payload({ requests: 1, seed })).map((span) => span.spanId)
    expect(ids(1)).toEqual(ids(1))
    expect(new Set([...ids(1), ...ids(2)]).size).toBe(2 * SPANS_PER_REQUEST)
  })
})

function message(payload: Payload) {
  return toJson(payload.bytes, REQUESTS.traces) as unknown as { resourceSpans: [{ resource: { attributes: Attribute[] }; scopeSpans: [{ scope: { name: string }; spans: DecodedSpan[] }] }] }
}

function decode(payload: Payload): DecodedSpan[] {
  const decoded = message(payload)
  expect(decoded.resourceSpans).toHaveLength(1)
  expect(decoded.resourceSpans[0].scopeSpans).toHaveLength(1)
  return decoded.resourceSpans[0].scopeSpans[0].spans
}

function resource(payload: Payload): Attribute[] {
  return message(payload).resourceSpans[0].resource.attributes
}

function attribute(attributes: Attribute[], key: string): string | number | undefined {
  const value = attributes.find((one) => one.key === key)?.value
  return value === undefined ? undefined : Object.values(value)[0]
}

function counts(spans: DecodedSpan[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const span of spans) found[span.name.split(' ')[0]!] = (found[span.name.split(' ')[0]!] ?? 0) + 1
  return found
}

function times(span: DecodedSpan): [bigint, bigint] {
  return [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)]
}

/** What is the same in every batch. */
function constant(span: DecodedSpan): unknown {
  const [start, end] = times(span)
  return [span.name, span.status, (end - start) / 1000n, span.attributes.filter((one) => one.key !== 'gen_ai.response.id')]
}
