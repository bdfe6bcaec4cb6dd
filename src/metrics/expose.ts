/**
 * /metrics: the store as text, slice by slice, so that ingest goes on between slices.
 *
 * prom-client could write these lines from `get()` of a metric, and a test holds ours to its bytes. It takes about 5 µs
 * a line, for it escapes every label of every line anew: 100,000 counters are 0.45 s of an idle core, and 1.5 s beside
 * ingest that takes 10 ms a turn. With each string escaped once they are 0.15 s, and 0.4 s.
 */
import { setImmediate } from 'node:timers/promises'
import type { MetricDefinition } from './catalogue.ts'
import type { Exemplar } from './exemplars.ts'
import type { Family } from './family.ts'
import { boundText, CONTENT_TYPES, negotiate, type ExpositionSource, type Format } from './format.ts'
import type { SeriesStore } from './store.ts'

/**
 * When a slice ends: by time on a busy machine, by length otherwise. To encode it for the socket costs nearly as much
 * again. Longer ones hold ingest up; shorter ones make a scrape wait for its turn more often, 26 times for 100,000 series.
 */
const SLICE_MS = 4
const SLICE_CHARACTERS = 1 << 19
/** Rows between two looks at the clock: a histogram row is about 10 µs. */
const ROWS_PER_LOOK = 16

export interface Scrape {
  readonly contentType: string
  /** The text in pieces. Each series is written whole in one piece, as of one instant. */
  readonly body: AsyncGenerator<string, void, void>
}

export class Exposition {
  readonly #store: SeriesStore
  readonly #sources: readonly ExpositionSource[]
  /** Label values, escaped, by string number; good for one generation of the string table. */
  #escaped: (string | undefined)[] = []
  #generation = -1

  constructor(store: SeriesStore, sources: readonly ExpositionSource[] = []) {
    this.#store = store
    this.#sources = sources
  }

  /** Answers one request with this Accept header. Any number may run side by side. */
  scrape(accept?: string): Scrape {
    const format = negotiate(accept)
    return { contentType: CONTENT_TYPES[format], body: this.#write(format) }
  }

  async *#write(format: Format): AsyncGenerator<string, void, void> {
    const scrape = this.#store.beginScrape()
    let text = ''
    let started = performance.now()
    for (const family of this.#store.families) {
      const writer = writerOf(family, format)
      text += writer.header
      for (let row = 0; row < family.rows; ) {
        this.#dropStaleStrings()
        const end = Math.min(family.rows, row + ROWS_PER_LOOK)
        for (; row < end; row++) if (family.visible(row, scrape)) text += writer.row(row, this.#labels(family, row))
        if (text.length < SLICE_CHARACTERS && performance.now() - started < SLICE_MS) continue
        yield text
        text = ''
        await setImmediate()
        started = performance.now()
      }
    }
    yield text
    for (const source of this.#sources) yield await source.text(format)
    if (format === 'openmetrics') yield '# EOF\n'
  }

  /** `tenant_id="acme",agent="billing"` */
  #labels(family: Family, row: number): string {
    const names = family.definition.labels
    let text = ''
    for (let i = 0; i < names.length; i++) {
      const id = family.label(row, i)
      text += `${i === 0 ? '' : ','}${names[i]!}="${this.#escaped[id] ?? this.#escape(id)}"`
    }
    return text
  }

  #escape(id: number): string {
    return (this.#escaped[id] = escapeLabelValue(this.#store.strings.text(id)))
  }

  /** A sweep gives freed numbers to new strings. */
  #dropStaleStrings(): void {
    const { generation } = this.#store.strings
    if (generation === this.#generation) return
    this.#generation = generation
    this.#escaped = []
  }
}

interface Writer {
  readonly header: string
  row(row: number, labels: string): string
}

function writerOf(family: Family, format: Format): Writer {
  const { definition } = family
  const open = format === 'openmetrics'
  const header = headerOf(definition, open)
  const { name } = definition
  const exemplars = open && definition.exemplars === true
  if (definition.kind !== 'histogram') {
    return { header, row: (row, labels) => `${name}{${labels}} ${family.value(row)}${exemplars ? exemplarText(family.exemplarOf(row)) : ''}\n` }
  }
  const heads = [...(definition.buckets ?? []).map(boundText), '+Inf'].map((bound) => `${name}_bucket{le="${bound}",`)
  return {
    header,
    row(row, labels) {
      const tail = `${labels}} `
      let text = ''
      let count = 0
      for (let i = 0; i < heads.length; i++) {
        count += family.bucket(row, i)
        text += `${heads[i]!}${tail}${count}${exemplars ? exemplarText(family.exemplarOf(row, i)) : ''}\n`
      }
      return `${text}${name}_sum{${tail}${family.value(row)}\n${name}_count{${tail}${count}\n`
    },
  }
}

/** OpenMetrics knows a counter by its name without `_total`, and a unit only as the name's suffix. */
function headerOf({ name, kind, unit, help }: MetricDefinition, open: boolean): string {
  const family = open && kind === 'counter' ? name.replace(/_total$/, '') : name
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  const lines = `# HELP ${family} ${open ? text.replaceAll('"', '\\"') : text}\n# TYPE ${family} ${kind}\n`
  return open && unit !== '' && family.endsWith(`_${unit}`) ? `${lines}# UNIT ${family} ${unit}\n` : lines
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return ''
  return ` # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${exemplar.timestampMs / 1000}`
}

/** A backslash, a newline and a quote are all that either format escapes; any other character may stand. */
function escapeLabelValue(text: string): string {
  if (!/[\\\n"]/.test(text)) return text
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
