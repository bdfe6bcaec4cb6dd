/**
 * What was said in open requests, as far as somebody wants it: copied out of a push, kept until the request settles, then
 * forgotten. A bridge that nobody asks for content has none of this.
 */
import { anyValueText } from '../spans/anyvalue.ts'
import { Content } from '../spans/dialect.ts'
import type { LogContent } from '../spans/logs.ts'
import { Kind } from '../spans/names.ts'
import { Span } from '../spans/span.ts'
import { LoggedContent, type LoggedText } from './logged.ts'

export interface ContentOptions {
  /** Bits of what to keep of a span: 1 its input, 2 its output. Asked only for spans that tell content. */
  readonly wants: (span: Span) => number
  /** Longest text that is kept whole, in bytes; of a longer one the beginning and the end. */
  readonly textLimitBytes: number
  readonly requestLimitBytes: number
  readonly totalLimitBytes: number
}

export const CONTENT_LIMITS = { textLimitBytes: 16_384, requestLimitBytes: 262_144, totalLimitBytes: 67_108_864 } as const

/** Texts that were not kept, or not whole, by the limit that stood in the way. */
export interface ContentDrops {
  /** Kept without its middle. */
  text: number
  request: number
  total: number
  /** Told in a log record whose span had settled already, or never came. */
  late: number
}

/** Tag of AnyValue.string. */
const STRING = 10

export interface KeptText {
  readonly record: number
  readonly side: number
  readonly bytes: Uint8Array
  /** Bytes left out after this many; -1: nothing is. */
  readonly cutAt: number
  readonly left: number
}

interface Held {
  bytes: number
  readonly texts: KeptText[]
}

export class ContentStore {
  readonly dropped: ContentDrops = { text: 0, request: 0, total: 0, late: 0 }
  readonly #options: ContentOptions
  readonly #held = new Map<number, Held>()
  readonly #logged = new LoggedContent()
  readonly #asked = new Span()
  #bytes = 0

  constructor(options: ContentOptions) {
    this.#options = options
  }

  /** Bytes of all that is kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Copies what is wanted of a span. */
  keep(span: Span, row: number, record: number): void {
    if ((span.contentEnd[0]! | span.contentEnd[1]!) === 0) return
    const wanted = this.#options.wants(span)
    for (const side of [Content.input, Content.output]) if ((wanted & (1 << side)) !== 0 && span.contentEnd[side] !== 0) this.#copy(span, row, record, side)
  }

  /** Keeps what a log record tells of a model call, which may come before its span: until the trace settles, or `deadlineMs`. */
  keepLogged({ trace, spanHi, spanLo, side, value }: LogContent, deadlineMs: number): void {
    this.#asked.kind = Kind.model
    this.#asked.trace.set(trace)
    if ((this.#options.wants(this.#asked) & (1 << side)) === 0) return
    const { textLimitBytes, requestLimitBytes, totalLimitBytes } = this.#options
    const key = trace.join()
    const cut = cutOf(utf8Of(value), textLimitBytes)
    const size = cut.bytes.length
    if (this.#logged.bytesOf(key) + size > requestLimitBytes) { this.dropped.request++; return }
    if (this.#bytes + size > totalLimitBytes) { this.dropped.total++; return }
    if (cut.cutAt >= 0) this.dropped.text++
    this.#bytes += size - this.#logged.put(key, { ...cut, side, spanHi, spanLo }, deadlineMs)
    this.dropped.late += this.#forgotten(this.#logged.crowded())
  }

  /** What log records told of a trace; `find` gives the record of a span, -1 where there is none. */
  takeLogged(trace: Int32Array, find: (hi: number, lo: number) => number): KeptText[] {
    if (this.#logged.size === 0) return []
    const texts = this.#logged.take(trace.join())
    this.#forgotten(texts)
    const kept = texts.map(({ spanHi, spanLo, ...text }) => ({ ...text, record: find(spanHi, spanLo) })).filter(({ record }) => record >= 0)
    this.dropped.late += texts.length - kept.length
    return kept
  }

  tooLate(): void {
    this.dropped.late++
  }

  /** To be called now and then: what has waited in vain is forgotten. */
  expire(nowMs: number): void {
    this.dropped.late += this.#forgotten(this.#logged.expired(nowMs))
  }

  #forgotten(texts: readonly LoggedText[]): number {
    for (const { bytes } of texts) this.#bytes -= bytes.length
    return texts.length
  }

  /** What a request has said, and forgets it. */
  take(row: number): readonly KeptText[] {
    const held = this.#held.get(row)
    if (held === undefined) return []
    this.#held.delete(row)
    this.#bytes -= held.bytes
    return held.texts
  }

  /** Two requests have become one. */
  merge(from: number, to: number): void {
    const held = this.#held.get(from)
    if (held === undefined) return
    this.#held.delete(from)
    const into = this.#held.get(to)
    if (into === undefined) this.#held.set(to, held)
    else {
      into.bytes += held.bytes
      into.texts.push(...held.texts)
    }
  }

  #copy(span: Span, row: number, record: number, side: number): void {
    const { textLimitBytes, requestLimitBytes, totalLimitBytes } = this.#options
    const said = utf8Of(span.body.subarray(span.contentStart[side]!, span.contentEnd[side]!))
    const size = Math.min(said.length, textLimitBytes)
    const held = this.#held.get(row)
    if ((held?.bytes ?? 0) + size > requestLimitBytes) { this.dropped.request++; return }
    if (this.#bytes + size > totalLimitBytes) { this.dropped.total++; return }
    const kept: KeptText = { record, side, ...cutOf(said, textLimitBytes) }
    if (kept.cutAt >= 0) this.dropped.text++
    if (held === undefined) this.#held.set(row, { bytes: size, texts: [kept] })
    else {
      held.bytes += size
      held.texts.push(kept)
    }
    this.#bytes += size
  }
}

/** What was said in a settled request. Texts are decoded when they are asked for; they are strangers' data. */
export class SettledContent {
  readonly #byStep: readonly (readonly [KeptText | undefined, KeptText | undefined])[]
  readonly #byRoot: readonly [KeptText | undefined, KeptText | undefined]
  readonly #speakers: readonly (readonly number[])[]

  /**
   * `records`: of each step its own account first, then those around it. `root`: the record of the root, -1 without one.
   * `speakers`: the steps that speak for the agent where its root does not, in order of time: one list after the other is asked.
   */
  constructor(texts: readonly KeptText[], records: readonly (readonly number[])[], root: number, speakers: readonly (readonly number[])[]) {
    this.#speakers = speakers
    const byRecord = new Map(texts.map((kept) => [kept.record * 2 + kept.side, kept]))
    const of = (record: number, side: number) => byRecord.get(record * 2 + side)
    const first = (candidates: readonly number[], side: number) => candidates.map((record) => of(record, side)).find((kept) => kept !== undefined)
    this.#byStep = records.map((candidates) => [first(candidates, Content.input), first(candidates, Content.output)])
    this.#byRoot = [of(root, Content.input), of(root, Content.output)]
  }

  /** What went into a step or came out of it; undefined where it was not told or not kept. */
  step(step: number, side: number): string | undefined {
    return text(this.#byStep[step]?.[side])
  }

  /** Whether a step's text is all of it: past the limit its middle is left out. */
  whole(step: number, side: number): boolean {
    return (this.#byStep[step]?.[side]?.cutAt ?? 0) < 0
  }

  /** What the agent was asked and what it answered; where the root does not tell, its agent's own span does, else its first model call was given that and the last one gave this. */
  root(side: number): string | undefined {
    return text(this.#ofRoot(side))
  }

  rootIsWhole(side: number): boolean {
    return (this.#ofRoot(side)?.cutAt ?? 0) < 0
  }

  #ofRoot(side: number): KeptText | undefined {
    if (this.#byRoot[side] !== undefined) return this.#byRoot[side]
    for (const steps of this.#speakers) {
      const told = steps.filter((step) => this.#byStep[step]![side] !== undefined)
      const step = side === Content.input ? told[0] : told.at(-1)
      if (step !== undefined) return this.#byStep[step]![side]
    }
    return undefined
  }
}

/** A copy of a text, of one that is too long without its middle. */
function cutOf(said: Uint8Array, limit: number): Pick<KeptText, 'bytes' | 'cutAt' | 'left'> {
  const { length } = said
  const size = Math.min(length, limit)
  const bytes = new Uint8Array(size)
  const head = length > size ? size >> 1 : size
  bytes.set(said.subarray(0, head))
  if (head < size) bytes.set(said.subarray(length - (size - head)), head)
  return { bytes, cutAt: head < size ? head : -1, left: length - size }
}

/** The bytes of an AnyValue's text: of a string its own, which is nearly all there is. */
function utf8Of(value: Uint8Array): Uint8Array {
  if (value[0] === STRING) {
    let at = 1
    while (value[at]! > 127) at++
    return value.subarray(at + 1)
  }
  try {
    return new TextEncoder().encode(anyValueText(value))
  } catch {
    return new Uint8Array(0)
  }
}

function text(kept: KeptText | undefined): string | undefined {
  if (kept === undefined) return undefined
  const decoder = new TextDecoder()
  if (kept.cutAt < 0) return decoder.decode(kept.bytes)
  // A character that was cut in two is left out.
  let tail = kept.cutAt
  while ((kept.bytes[tail]! & 0xc0) === 0x80) tail++
  return `${decoder.decode(kept.bytes.subarray(0, kept.cutAt), { stream: true })} … ${kept.left} bytes left out … ${new TextDecoder().decode(kept.bytes.subarray(tail))}`
}
