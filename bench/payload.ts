/** OTLP trace batches for the benchmarks: built once, then given fresh ids and current times in place before each use. */
import { BackWriter } from '../src/otlp/writer.ts'
import { Random } from './random.ts'
import { draftRequest, type SpanDraft } from './request.ts'

/** Batches of about 512 spans, an SDK's batch processor at its default, and of about 8,192, a Collector's. */
export const BATCH_REQUESTS = { small: 14, large: 220 } as const
export type BatchSize = keyof typeof BATCH_REQUESTS

export interface PayloadOptions {
  readonly requests: number
  /** Distinguishes the ids of senders that run side by side. */
  readonly seed?: number
  /** False leaves the root spans out: requests that stay open. */
  readonly roots?: boolean
  /** What a request consists of; default: the 37 spans of request.ts. */
  readonly draft?: (index: number, random: Random) => readonly SpanDraft[]
}

const SERVICE = 'agent-platform'
const SCOPE = 'opentelemetry.instrumentation.openai_v2'
const RESPONSE_PREFIX = 'chatcmpl-'
const NONE = -1

/** A protobuf ExportTraceServiceRequest. `bytes` stays the same buffer; `renew` makes another batch of it. */
export class Payload {
  readonly bytes: Buffer
  readonly requests: number
  readonly spans: number
  readonly #view: DataView
  readonly #random: Random
  /** Per span, where in `bytes` its fixed-width fields are. */
  readonly #traceAt: Int32Array
  readonly #idAt: Int32Array
  readonly #parentAt: Int32Array
  readonly #startAt: Int32Array
  readonly #endAt: Int32Array
  readonly #responseAt: Int32Array
  /** Per span, before the end of its request. */
  readonly #startMicros: Float64Array
  readonly #endMicros: Float64Array
  /** Per request, the index of the first span after it. */
  readonly #requestEnds: Int32Array

  constructor({ requests, seed = 1, roots = true, draft = draftRequest }: PayloadOptions) {
    this.#random = new Random(seed)
    const shape = new Random(20_250_901)
    const drafts = Array.from({ length: requests }, (_, i) => draft(i, shape))
    const kept = drafts.map((spans) => (roots ? spans : spans.slice(0, -1)))
    this.requests = requests
    this.spans = kept.reduce((n, spans) => n + spans.length, 0)
    this.#requestEnds = new Int32Array(requests)
    const fields = [...Array(6)].map(() => new Int32Array(this.spans).fill(NONE))
    ;[this.#traceAt, this.#idAt, this.#parentAt, this.#startAt, this.#endAt, this.#responseAt] = fields as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]
    this.#startMicros = new Float64Array(this.spans)
    this.#endMicros = new Float64Array(this.spans)

    const writer = new BackWriter(this.spans * 450 + 4096)
    // Written last field first, so positions are counted from the end until the whole is known.
    let span = this.spans
    for (let r = requests - 1; r >= 0; r--) {
      this.#requestEnds[r] = span
      const root = drafts[r]!.at(-1)!
      for (let i = kept[r]!.length - 1; i >= 0; i--) {
        const one = kept[r]![i]!
        this.#write(writer, --span, one, one === root)
        this.#startMicros[span] = root.durationMicros - one.startMicros
        this.#endMicros[span] = root.durationMicros - one.startMicros - one.durationMicros
      }
    }
    const scope = writer.length
    writeText(writer, 2, '2.1.0')
    writeText(writer, 1, SCOPE)
    writer.close(scope, 1)
    writer.close(0, 2)
    const resource = writer.length
    for (const [key, value] of [['deployment.environment.name', 'production'], ['service.version', '4.7.1'], ['service.name', SERVICE], ['telemetry.sdk.language', 'python']] as const) writeAttribute(writer, 1, key, value)
    writer.close(resource, 1)
    writer.close(0, 1)
    const written = writer.bytes()
    for (const positions of fields) for (let i = 0; i < this.spans; i++) if (positions[i] !== NONE) positions[i] = written.length - positions[i]!
    this.bytes = Buffer.from(written)
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
    this.renew(0)
  }

  /** Makes another batch of the bytes: new trace, span and response ids; the requests ended at `nowMs`. 0.1 µs a span. */
  renew(nowMs: number): void {
    const view = this.#view
    const random = this.#random
    const nowMicros = Math.floor(nowMs * 1000)
    let span = 0
    for (let r = 0; r < this.requests; r++) {
      const a = random.word(), b = random.word(), c = random.word(), d = random.word() | 1
      const rootHi = random.word(), rootLo = random.word() | 1
      for (const end = this.#requestEnds[r]!; span < end; span++) {
        const trace = this.#traceAt[span]!, id = this.#idAt[span]!, parent = this.#parentAt[span]!, response = this.#responseAt[span]!
        view.setUint32(trace, a)
        view.setUint32(trace + 4, b)
        view.setUint32(trace + 8, c)
        view.setUint32(trace + 12, d)
        if (parent === NONE) {
          view.setUint32(id, rootHi)
          view.setUint32(id + 4, rootLo)
        } else {
          view.setUint32(id, random.word())
          view.setUint32(id + 4, random.word() | 1)
          view.setUint32(parent, rootHi)
          view.setUint32(parent + 4, rootLo)
        }
        this.#setTime(this.#startAt[span]!, nowMicros - this.#startMicros[span]!)
        this.#setTime(this.#endAt[span]!, nowMicros - this.#endMicros[span]!)
        if (response !== NONE) {
          const hi = random.word(), lo = random.word()
          view.setUint32(response, letters(hi))
          view.setUint32(response + 4, letters(hi >>> 16))
          view.setUint32(response + 8, letters(lo))
          view.setUint32(response + 12, letters(lo >>> 16))
        }
      }
    }
  }

  /** Nanoseconds as the two halves of a fixed64: they do not fit a double. */
  #setTime(at: number, micros: number): void {
    const past = micros > 0 ? micros : 0
    const low = (past % 4294967296) * 1000
    this.#view.setUint32(at, low % 4294967296, true)
    this.#view.setUint32(at + 4, Math.floor(past / 4294967296) * 1000 + Math.floor(low / 4294967296), true)
  }

  #write(writer: BackWriter, index: number, span: SpanDraft, isRoot: boolean): void {
    const end = writer.length
    writer.fixed32(0x101)
    writer.tag(16, 5)
    const status = writer.length
    if (span.error !== undefined) {
      writer.varint(2)
      writer.tag(3, 0)
      writeText(writer, 2, span.error)
    }
    writer.close(status, 15)
    if (span.responseId !== undefined) {
      const attribute = writer.length
      writeText(writer, 1, RESPONSE_PREFIX + span.responseId)
      // After the tag and the length, a byte each, and the prefix.
      this.#responseAt[index] = writer.length - 2 - RESPONSE_PREFIX.length
      writer.close(attribute, 2)
      writeText(writer, 1, 'gen_ai.response.id')
      writer.close(attribute, 9)
    }
    for (let i = span.attributes.length - 1; i >= 0; i--) writeAttribute(writer, 9, ...span.attributes[i]!)
    // Placeholders of the right width, all found again by `renew`.
    writer.fixed64(0n)
    this.#endAt[index] = writer.length
    writer.tag(8, 1)
    writer.fixed64(0n)
    this.#startAt[index] = writer.length
    writer.tag(7, 1)
    writer.varint(span.kind)
    writer.tag(6, 0)
    writeText(writer, 5, span.name)
    if (!isRoot) {
      writer.fixed64(0n)
      this.#parentAt[index] = writer.length
      writer.varint(8)
      writer.tag(4, 2)
    }
    writer.fixed64(0n)
    this.#idAt[index] = writer.length
    writer.varint(8)
    writer.tag(2, 2)
    writer.fixed64(0n)
    writer.fixed64(0n)
    this.#traceAt[index] = writer.length
    writer.varint(16)
    writer.tag(1, 2)
    writer.close(end, 2)
  }
}

function writeText(writer: BackWriter, field: number, text: string): void {
  writer.string(text)
  writer.tag(field, 2)
}

function writeAttribute(writer: BackWriter, field: number, key: string, value: string | number): void {
  const end = writer.length
  if (typeof value === 'string') writeText(writer, 1, value)
  else if (Number.isInteger(value)) {
    writer.varint(value)
    writer.tag(3, 0)
  } else {
    writer.double(value)
    writer.tag(4, 1)
  }
  writer.close(end, 2)
  writeText(writer, 1, key)
  writer.close(end, field)
}

/** 16 bits as four letters from a to p. */
function letters(bits: number): number {
  return 0x61616161 + ((bits & 0xf) | ((bits & 0xf0) << 4) | ((bits & 0xf00) << 8) | ((bits & 0xf000) << 12))
}
