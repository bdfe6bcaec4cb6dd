import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createOtlpGrpc, type OtlpGrpc } from '../../src/otlp/grpc.ts'
import { createOtlpHttp, type OtlpHttp } from '../../src/otlp/http.ts'
import { at, FakeSink, fieldsOf, itemsOf, text } from './fakes.ts'

let sink: FakeSink
let http: OtlpHttp
let grpc: OtlpGrpc
let httpUrl = ''
let grpcUrl = ''
const exporters: SpanExporter[] = []

beforeEach(async () => {
  sink = new FakeSink()
  http = createOtlpHttp(sink)
  grpc = createOtlpGrpc(sink)
  httpUrl = `http://127.0.0.1:${(await http.listen({ host: '127.0.0.1', port: 0 })).port}/v1/traces`
  grpcUrl = `http://127.0.0.1:${await grpc.listen({ host: '127.0.0.1', port: 0 })}`
})

afterEach(async () => {
  await Promise.all(exporters.splice(0).map((exporter) => exporter.shutdown()))
  await Promise.all([http.close(), grpc.close()])
})

/** Spans with every kind of value that the SDK can put on one. */
function recorded(): ReadableSpan[] {
  const memory = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ resource: resourceFromAttributes({ 'service.name': 'shop-assistant', n: 3 }), spanProcessors: [new SimpleSpanProcessor(memory)] })
  const tracer = provider.getTracer('agents', '1.2.3')
  const root = tracer.startSpan('invoke_agent', { kind: SpanKind.SERVER, startTime: [1_700_000_000, 123_456_789] })
  const child = tracer.startSpan('chat gpt', {
    kind: SpanKind.CLIENT,
    links: [{ context: root.spanContext(), attributes: { why: 'retry' } }],
    attributes: {
      'gen_ai.request.model': 'gpt', 'gen_ai.usage.input_tokens': 4096, big: 2 ** 53, negative: -7, 'gen_ai.request.temperature': 0.25, stream: true, empty: '', reasons: ['stop', 'längs'], counts: [1, 2.5], flags: [true, false],
    },
  }, trace.setSpan(context.active(), root))
  child.addEvent('gen_ai.choice', { finish_reason: 'stop' })
  child.recordException(new RangeError('context too long'))
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'context too long' })
  child.end()
  root.end([1_700_000_001, 5])
  return memory.getFinishedSpans()
}

async function send(exporter: SpanExporter, spans: ReadableSpan[]): Promise<Buffer> {
  exporters.push(exporter)
  const before = sink.bodies.length
  const { code, error } = await new Promise<{ code: number; error?: Error }>((resolve) => exporter.export(spans, resolve))
  expect([code, error]).toEqual([0, undefined])
  expect(sink.bodies.length).toBe(before + 1)
  return sink.bodies[before]!.bytes
}

const gzip = { compression: 'gzip' } as never

it.each<[string, () => SpanExporter]>([
  ['http/protobuf', () => new ProtobufExporter({ url: httpUrl })],
  ['http/protobuf, gzip', () => new ProtobufExporter({ url: httpUrl, ...(gzip as object) })],
  ['http/json', () => new JsonExporter({ url: httpUrl })],
  ['http/json, gzip', () => new JsonExporter({ url: httpUrl, ...(gzip as object) })],
  ['grpc', () => new GrpcExporter({ url: grpcUrl })],
  ['grpc, gzip', () => new GrpcExporter({ url: grpcUrl, ...(gzip as object) })],
])('spans of the OpenTelemetry SDK arrive over %s', async (_name, create) => {
  const spans = recorded()
  const bytes = await send(create(), spans)
  expect(itemsOf(bytes).map((item) => [text(at(item, 5)), (at(item, 2) as Buffer).toString('hex')])).toEqual(spans.map((span) => [span.name, span.spanContext().spanId]))
})

it('JSON becomes what the SDK writes as protobuf', async () => {
  const spans = recorded()
  const reference = await send(new ProtobufExporter({ url: httpUrl }), spans)
  const transcoded = await send(new JsonExporter({ url: httpUrl }), spans)
  expect(canonical(transcoded, REQUEST)).toEqual(canonical(reference, REQUEST))
  expect(transcoded.length).toBeGreaterThan(500)
})

/** Which fields of a message are messages. A number of a field whose value is zero may be left out or not. */
interface Shape { readonly [field: number]: Shape }
const ANY: Shape = { get 5(): Shape { return { 1: ANY } }, get 6(): Shape { return { 1: KEY_VALUE } } }
const KEY_VALUE: Shape = { 2: ANY }
const SPAN: Shape = { 9: KEY_VALUE, 11: { 3: KEY_VALUE }, 13: { 4: KEY_VALUE }, 15: {} }
const REQUEST: Shape = { 1: { 1: { 1: KEY_VALUE }, 2: { 1: { 3: KEY_VALUE }, 2: SPAN } } }

/** A message with its fields in the order of their numbers. */
function canonical(bytes: Buffer, shape: Shape): unknown[] {
  return fieldsOf(bytes)
    .filter(([, value]) => shape === ANY || (value !== 0n && value.toString() !== ''))
    .map(([number, value]): [number, unknown] => [number, Buffer.isBuffer(value) ? (shape[number] ? canonical(value, shape[number]) : value.toString('hex')) : value])
    .sort(([a], [b]) => a - b)
}
