/**
 * The pure middle of the bridge: bytes and a time go in, series come out. No socket, no timer, no clock.
 * The way of a span: scan → classify → assemble → (settled) → price → check → explain → count.
 */
import type { Expectations } from './config/expectations.ts'
import { CostAttribution } from './cost/attribute.ts'
import type { PriceBook } from './cost/prices.ts'
import { Savings, type SavingsOptions } from './cost/savings.ts'
import { Recorder } from './metrics/recorder.ts'
import { SeriesStore, type SeriesStoreOptions } from './metrics/store.ts'
import { Malformed, type Accepted } from './otlp/sink.ts'
import type { ObjectiveRow } from './config/objectives.ts'
import { Problems } from './problems/problems.ts'
import { Checks } from './quality/checks/checks.ts'
import { Classifier } from './spans/classify.ts'
import { DeclaredErrors, type DeclaredError } from './spans/declared.ts'
import type { Dialect } from './spans/dialect.ts'
import { scanLogs, type LogScore } from './spans/logs.ts'
import type { Layer } from './spans/names.ts'
import { Scales } from './spans/scale.ts'
import { Scanner } from './spans/scan.ts'
import { StringTable, type StringTableOptions } from './spans/strings.ts'
import { DialectTables } from './spans/tables.ts'
import { Assembler, type AssemblerOptions } from './traces/assembler.ts'
import { CONTENT_LIMITS, type ContentOptions } from './traces/content.ts'
import type { Settled } from './traces/settled.ts'

export interface EngineOptions extends AssemblerOptions {
  readonly dialects: readonly Dialect[]
  readonly prices: PriceBook
  /** Of a cost that is known for a whole request alone; default by duration. */
  readonly costSharing?: 'duration' | 'tokens' | 'equal'
  /** Undefined: nothing is told as avoidable. */
  readonly savings?: SavingsOptions
  /** How scores of others are read. */
  readonly scales?: Scales
  /** Errors that the user knows, tried before those that are known anyway. */
  readonly declaredErrors?: readonly DeclaredError[]
  /** How old may be what is found, where nobody says. */
  readonly staleAfterSeconds?: number | undefined
  /** Every limit in force: what is slow, expensive or badly answered. Without it nothing is. */
  readonly objectives?: readonly ObjectiveRow[]
  /** What results and answers are held against. */
  readonly expectations?: Expectations | undefined
  readonly series?: SeriesStoreOptions
  readonly strings?: StringTableOptions
  /** Called for each settled request, once it is priced and counted. The record is filled again for the next one. */
  readonly onSettled?: (settled: Settled, nowMs: number) => void
}

/** A sweep that found little to free is not done again for every batch: not before this much has come, or this long. */
const SWEEP_PART = 16
const SWEEP_EVERY_MS = 10_000

export class Engine {
  readonly strings: StringTable
  readonly tables: DialectTables
  readonly store: SeriesStore
  readonly scales: Scales
  readonly assembler: Assembler
  readonly expectations: Expectations | undefined
  spansAccepted = 0
  spansRejected = 0
  logRecordsAccepted = 0
  logRecordsRejected = 0
  readonly #scanner: Scanner
  #nowMs = 0
  #sweptMs = -Infinity
  #sweptSize = 0

  constructor(options: EngineOptions) {
    const strings = this.strings = new StringTable(options.strings)
    this.expectations = options.expectations
    const checks = options.expectations && new Checks(options.expectations, strings)
    const content = contentOptions(options, checks)
    this.tables = new DialectTables(options.dialects, strings, content !== undefined, options.savings?.reasons.includes('duplicate_call'))
    this.store = new SeriesStore(strings, options.series)
    this.scales = options.scales ?? new Scales()
    const cost = new CostAttribution(options.prices, strings, options.costSharing)
    const savings = options.savings && new Savings(cost, options.prices, strings, options.savings)
    const problems = new Problems(options.objectives ?? [], strings)
    const recorder = new Recorder(this.store, strings, options.savings?.reasons)
    const classifier = new Classifier(this.tables, strings, new DeclaredErrors(options.declaredErrors ?? []), options.staleAfterSeconds, this.scales)
    this.assembler = new Assembler({ ...options, ...(content && { content }) }, (id) => strings.text(id), (settled) => {
      cost.attribute(settled)
      savings?.find(settled)
      checks?.check(settled)
      problems.explain(settled)
      recorder.record(settled, cost.unpriced, this.#nowMs)
      options.onSettled?.(settled, this.#nowMs)
    })
    this.#scanner = new Scanner(this.tables, strings, (span) => {
      classifier.classify(span)
      this.assembler.add(span)
    })
  }

  /** Counts the spans of a protobuf ExportTraceServiceRequest. Throws `Malformed` when none of it can be read and it is not a part of a longer one. */
  traces(body: Uint8Array, nowMs: number, isPart = false): Accepted {
    this.#advance(nowMs)
    const { spans, rejected, error } = this.#scanner.scan(body)
    this.assembler.endPush()
    if (spans === 0 && rejected > 0 && !isPart) throw new Malformed(`cannot read trace data: ${error}`)
    this.spansAccepted += spans
    this.spansRejected += rejected
    return { accepted: spans, rejected, error: error === '' ? '' : `cannot read ${rejected} of ${spans + rejected} spans: ${error}` }
  }

  /** Takes the evaluation results, and content that is wanted, out of a protobuf ExportLogsServiceRequest. */
  logs(body: Uint8Array, nowMs: number): Accepted {
    this.#advance(nowMs)
    const { records, rejected, error } = scanLogs(body, (score) => this.#logScore(score, nowMs), this.assembler.content && ((said) => this.assembler.addContent(said, nowMs)))
    if (records === 0 && rejected > 0) throw new Malformed(`cannot read log data: ${error}`)
    this.logRecordsAccepted += records
    this.logRecordsRejected += rejected
    return { accepted: records, rejected, error: error === '' ? '' : `cannot read ${rejected} of ${records + rejected} log records: ${error}` }
  }

  /** A mark from 0 to 1 for a request, by its trace id as 32 hexadecimal digits: before, while or after the request is in hand. False: that is no trace id, or no such mark. */
  score(trace: string, { evaluator, value, layer }: { readonly evaluator: string; readonly value: number; readonly layer: Layer }, nowMs: number): boolean {
    if (!/^[0-9a-f]{32}$/i.test(trace) || !(value >= 0 && value <= 1)) return false
    this.#advance(nowMs)
    this.#score(Int32Array.from({ length: 4 }, (_, i) => parseInt(trace.slice(i * 8, i * 8 + 8), 16)), evaluator, value, layer, nowMs)
    return true
  }

  #logScore({ trace, evaluator, value, label }: LogScore, nowMs: number): void {
    if (trace === undefined) this.scales.rejected.no_trace++
    else {
      const scaled = this.scales.counted(evaluator, value, label)
      if (!Number.isNaN(scaled)) this.#score(trace, evaluator, scaled, 'external', nowMs)
    }
  }

  #score(trace: Int32Array, evaluator: string, value: number, layer: Layer, nowMs: number): void {
    this.assembler.addScore(trace, { evaluator: this.strings.internText(evaluator), value, layer }, nowMs)
  }

  /** Settles what is due and keeps the tables within their limits. To be called several times a second. */
  tick(nowMs: number): void {
    this.#advance(nowMs)
    this.assembler.tick(nowMs)
    this.store.expire(nowMs / 1000)
  }

  /** Settles everything, at shutdown. */
  finish(nowMs: number): void {
    this.#advance(nowMs)
    this.assembler.tick(nowMs)
    this.assembler.settleAll(nowMs)
  }

  #advance(nowMs: number): void {
    this.#nowMs = this.assembler.nowMs = nowMs
    this.store.tick(Math.floor(nowMs / 1000))
    const { strings } = this
    if (strings.crowded && (strings.size - this.#sweptSize > strings.capacity / SWEEP_PART || Math.abs(nowMs - this.#sweptMs) > SWEEP_EVERY_MS)) {
      strings.sweep((live) => {
        this.assembler.markLive(live)
        this.store.markLive(live)
      })
      this.#sweptMs = nowMs
      this.#sweptSize = strings.size
    }
  }
}

/** What the checks and whoever else want to be kept. */
function contentOptions({ content }: EngineOptions, checks: Checks | undefined): ContentOptions | undefined {
  if (checks === undefined) return content
  return { ...CONTENT_LIMITS, ...content, wants: (span) => checks.wants(span) | (content?.wants(span) ?? 0) }
}
