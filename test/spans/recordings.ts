/**
 * Reads recordings the way the bridge will: bytes, through the scanner and the dialect tables, into plain
 * objects that a test can hold on to. What the classifier adds to a span is only the name rule, so that
 * the tables can be judged on their own.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transcode } from '../../src/otlp/json.ts'
import { Evidence, Num, Text, type EvidenceField, type NumField, type TextField } from '../../src/spans/dialect.ts'
import { DIALECTS } from '../../src/spans/dialects/index.ts'
import { Kind } from '../../src/spans/names.ts'
import { Scanner } from '../../src/spans/scan.ts'
import type { Span } from '../../src/spans/span.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { DialectTables, TRAITS, traitBit } from '../../src/spans/tables.ts'

export const RECORDINGS = join(import.meta.dirname, '..', 'recordings')
const decoder = new TextDecoder()

export interface Read {
  readonly trace: string
  readonly id: string
  readonly parent: string
  readonly spanName: string
  readonly scope: string
  readonly traits: readonly string[]
  readonly kind: keyof typeof Kind
  /** What a name rule captured. */
  readonly captured: string | undefined
  readonly seconds: number
  readonly dropped: number
  readonly failed: boolean
  readonly text: Partial<Record<TextField, string>>
  readonly num: Partial<Record<NumField, number>>
  readonly evidence: Partial<Record<EvidenceField, string>>
  readonly response: string
  readonly firstTokenSeconds: number | undefined
  readonly messages: number
  readonly scores: readonly { readonly evaluator: string; readonly value: number }[]
}

const KIND_NAMES = Object.fromEntries(Object.entries(Kind).map(([name, kind]) => [kind, name as keyof typeof Kind]))

/** All spans of one recorded export, in order of arrival. */
export function readRecording(folder: string): Read[] {
  const files = readdirSync(folder).filter((name) => name.startsWith('traces-')).sort()
  return readBodies(files.map((file) => {
    const body = readFileSync(join(folder, file))
    // What the transcoder returns is only valid until the next call.
    return file.endsWith('.json') ? new Uint8Array(transcode('traces', body).bytes) : body
  }), folder)
}

/** The spans of one OTLP/JSON request. */
export function readJson(request: unknown): Read[] {
  return readBodies([transcode('traces', Buffer.from(JSON.stringify(request))).bytes], 'request')
}

function readBodies(bodies: readonly Uint8Array[], what: string): Read[] {
  const strings = new StringTable({ capacity: 1 << 13 })
  const tables = new DialectTables(DIALECTS, strings)
  const spans: Read[] = []
  const scanner = new Scanner(tables, strings, (span) => spans.push(plain(span, strings, tables)))
  for (const body of bodies) {
    const result = scanner.scan(body)
    if (result.rejected > 0) throw new Error(`cannot read ${what}: ${result.error}`)
  }
  return spans
}

function plain(span: Span, strings: StringTable, tables: DialectTables): Read {
  const spanName = decoder.decode(span.body.subarray(span.nameStart, span.nameStart + span.nameLength))
  const scope = strings.text(span.scope)
  const named = tables.nameRule(scope, spanName)
  const overruled = named !== undefined && (named.rule.overrules === true || span.kind === Kind.unknown)
  const traits = TRAITS.filter((trait) => (span.traits & traitBit(trait)) !== 0)
  const failed = span.status === 2 || span.saysFailed || (span.hasException && traits.includes('exceptionIsFailure'))
  let kind: number = overruled ? named.rule.kind : span.kind
  if (kind === Kind.model && traits.includes('streamTwins') && !failed && span.numberOf('input') < 0 && span.numberOf('durationSeconds') < 0) kind = Kind.chain
  if (kind === Kind.tool && traits.includes('toolsAreWrappers')) kind = Kind.chain
  const evidence: Partial<Record<EvidenceField, string>> = {}
  for (const [field, at] of Object.entries(Evidence) as [EvidenceField, number][]) {
    const length = span.evidence[at * 2 + 1]!
    if (length > 0) evidence[field] = decoder.decode(span.body.subarray(span.evidence[at * 2], span.evidence[at * 2]! + length))
  }
  return {
    trace: [...span.trace].map((word) => hex(word)).join(''),
    id: hex(span.idHi) + hex(span.idLo),
    parent: span.parentHi === 0 && span.parentLo === 0 ? '' : hex(span.parentHi) + hex(span.parentLo),
    spanName,
    scope,
    traits,
    kind: KIND_NAMES[kind]!,
    captured: overruled ? named.captured : undefined,
    seconds: span.seconds,
    dropped: span.dropped,
    failed,
    text: fieldsOf(Text, (field) => strings.text(span.textOf(field)) || undefined),
    num: fieldsOf(Num, (field) => (span.numberOf(field) < 0 ? undefined : span.numberOf(field))),
    evidence,
    response: span.responseHi === 0 ? '' : hex(span.responseHi) + hex(span.responseLo),
    firstTokenSeconds: span.firstTokenMs > 0 ? (span.firstTokenMs - span.startMs) / 1000 : undefined,
    messages: Math.max(span.messageIndex + 1, countMessages(span)),
    scores: span.toldScores.map(({ evaluator, value, label }) => ({ evaluator: strings.text(evaluator), value, ...(label !== 0 && { label: strings.text(label) }) })),
  }
}

/** Objects in the list that the scanner pointed at; what follows the list is not part of it. */
function countMessages(span: Span): number {
  const text = decoder.decode(span.body.subarray(span.messagesStart, span.messagesStart + span.messagesLength))
  if (!text.startsWith('[')) return 0
  for (let end = text.lastIndexOf(']'); end > 0; end = text.lastIndexOf(']', end - 1)) {
    try {
      return (JSON.parse(text.slice(0, end + 1)) as unknown[]).filter((item) => typeof item === 'object').length
    } catch {
      continue
    }
  }
  return 0
}

function fieldsOf<F extends string, V>(names: Readonly<Record<F, number>>, get: (field: F) => V | undefined): Partial<Record<F, V>> {
  const found: Partial<Record<F, V>> = {}
  for (const field of Object.keys(names) as F[]) {
    const value = get(field)
    if (value !== undefined) found[field] = value
  }
  return found
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
