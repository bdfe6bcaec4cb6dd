import promClient from 'prom-client'
import { describe, expect, test } from 'vitest'
import { METRICS, type MetricName } from '../../src/metrics/catalogue.ts'
import { Exposition } from '../../src/metrics/expose.ts'
import type { Family } from '../../src/metrics/family.ts'
import { boundText } from '../../src/metrics/format.ts'
import { SeriesStore } from '../../src/metrics/store.ts'
import { StringTable } from '../../src/spans/strings.ts'
import { HOSTILE_VALUES } from './hostile.ts'
import { keyOf, parseExposition } from './parse.ts'

const FORMATS = ['openmetrics', 'classic'] as const
const ACCEPT = { openmetrics: 'application/openmetrics-text;version=1.0.0', classic: 'text/plain' }
const NAMES = Object.keys(METRICS) as MetricName[]

async function textOf(exposition: Exposition, format: (typeof FORMATS)[number]): Promise<string> {
  let text = ''
  for await (const piece of exposition.scrape(ACCEPT[format]).body) text += piece
  return text
}

/** Some series of every metric, each label hostile somewhere, with values, weights and exemplars. */
function filledStore(): SeriesStore {
  const strings = new StringTable()
  const store = new SeriesStore(strings, { tenantShare: 1 })
  const ids = HOSTILE_VALUES.map((value) => strings.internText(value))
  for (const family of store.families) {
    for (let i = 0; i < ids.length; i++) {
      const row = family.at(...family.definition.labels.map((_, column) => ids[(i * (column + 1)) % ids.length]!))
      if (family.definition.kind === 'counter') family.add(row, i / 7)
      else if (family.definition.kind === 'gauge') family.set(row, -(i + 1) / 3)
      else for (let k = 0; k < 20; k++) family.observe(row, (i + 1) * k ** 3 * 0.0007, 1 + (i % 2))
      for (let k = 0; k < 20; k += 3) family.exemplar(row, (i + 1) * k ** 3 * 0.0007, i, k, 3, -4, 1_700_000_000_123, 'last')
    }
  }
  return store
}

describe.each(FORMATS)('%s', (format) => {
  test('reads back as the series that are in the store', async () => {
    const store = filledStore()
    const families = parseExposition(await textOf(new Exposition(store), format), format)
    expect([...families.keys()]).toEqual(NAMES.map((name) => (format === 'openmetrics' ? name.replace(/_total$/, '') : name)))
    for (const family of store.families) {
      const parsed = families.get(format === 'openmetrics' ? family.definition.name.replace(/_total$/, '') : family.definition.name)!
      expect([parsed.type, parsed.help]).toEqual([family.definition.kind, family.definition.help])
      const read = new Map(parsed.samples.map((sample) => [keyOf(sample), sample.value]))
      expect(read.size, 'no two lines alike').toBe(parsed.samples.length)
      expect(read).toEqual(new Map(expectedSamples(store, family).map((sample) => [keyOf(sample), sample.value])))
    }
  })

  test('is what prom-client writes of the same values, byte by byte', async () => {
    const store = filledStore()
    expect(withoutUnits(await textOf(new Exposition(store), format))).toBe(await promClientText(store, format))
  })

  test('ends, empty or not, as the format wants, with the sources before the end', async () => {
    const source = { text: async (asked: string) => `# HELP up ${asked}\n# TYPE up gauge\nup 1\n` }
    const store = new SeriesStore(new StringTable())
    const families = parseExposition(await textOf(new Exposition(store, [source]), format), format)
    expect(families.get('up')?.help).toBe(format)
    expect(families.size).toBe(NAMES.length + 1)
  })
})

test('each format has its own content type', () => {
  const exposition = new Exposition(new SeriesStore(new StringTable()))
  expect(exposition.scrape(ACCEPT.openmetrics).contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(exposition.scrape(undefined).contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
})

test('a unit is told where it is the suffix of the family', async () => {
  const families = parseExposition(await textOf(new Exposition(new SeriesStore(new StringTable())), 'openmetrics'), 'openmetrics')
  const units = Object.fromEntries([...families].filter(([, { unit }]) => unit !== '').map(([name, { unit }]) => [name, unit]))
  expect(units).toMatchObject({ agent_tokens: 'tokens', agent_cost_usd: 'usd', agent_request_cost_usd: 'usd', agent_request_duration_seconds: 'seconds' })
  expect(units).not.toHaveProperty('agent_quality_score')
  expect(await textOf(new Exposition(new SeriesStore(new StringTable())), 'classic')).not.toContain('# UNIT')
})

test('exemplars stand on the bucket they fell into, in OpenMetrics only', async () => {
  const strings = new StringTable()
  const store = new SeriesStore(strings)
  const family = store.family('agent_request_duration_seconds')
  const row = family.at(strings.internText('acme'))
  family.observe(row, 0.45)
  family.exemplar(row, 0.45, 0x0af76519, 0x16cd43dd, 0x8448eb21, 0x1c80319c, 1_700_000_000_250, 'error')
  const exposition = new Exposition(store)
  const { samples } = parseExposition(await textOf(exposition, 'openmetrics'), 'openmetrics').get('agent_request_duration_seconds')!
  const withExemplar = samples.filter(({ exemplar }) => exemplar !== undefined)
  expect(withExemplar.map(({ labels, exemplar }) => [labels['le'], exemplar])).toEqual([
    ['0.5', { labels: { trace_id: '0af7651916cd43dd8448eb211c80319c' }, value: 0.45, timestampSeconds: 1_700_000_000.25 }],
  ])
  expect(await textOf(exposition, 'classic')).not.toContain('trace_id')
})

test('strings that took the number of swept ones are shown as they are', async () => {
  const strings = new StringTable()
  const store = new SeriesStore(strings, { expireAfterSeconds: 10 })
  const family = store.family('agent_unpriced_calls_total')
  const exposition = new Exposition(store)
  const old = strings.internText('old"')
  family.add(family.at(old), 1)
  expect(await textOf(exposition, 'classic')).toContain('name="old\\""')
  store.expire(10)
  strings.sweep((live) => store.markLive(live))
  const renewed = strings.internText('new')
  expect(renewed).toBe(old)
  family.add(family.at(renewed), 1)
  const text = await textOf(exposition, 'classic')
  expect([text.includes('name="new"'), text.includes('old')]).toEqual([true, false])
})

test('a series stays whole, and appears once, while the store changes under the scrape', async () => {
  const strings = new StringTable()
  const store = new SeriesStore(strings, { tenantShare: 1, expireAfterSeconds: 10 })
  const family = store.family('agent_request_duration_seconds')
  const ids = Array.from({ length: 6000 }, (_, i) => strings.internText(`agent-${i}`))
  for (const id of ids) family.observe(family.at(2, 0, id), 0.2)
  let text = ''
  let pieces = 0
  for await (const piece of new Exposition(store).scrape().body) {
    text += piece
    pieces++
    if (pieces === 1) {
      // Half of the series expire and come back at once, in rows of each other; all are observed again.
      store.tick(10)
      for (const id of ids.slice(3000)) family.at(2, 0, id)
      while (store.expire(10) > 0);
    }
    store.tick(10)
    for (const id of ids) family.observe(family.at(2, 0, id), 700)
  }
  expect(pieces).toBeGreaterThan(2)
  const { samples } = parseExposition(text, 'classic').get('agent_request_duration_seconds')!
  expect(new Set(samples.map(keyOf)).size).toBe(samples.length)
  const counts = new Map<string, number>()
  for (const { name, labels, value } of samples) {
    if (name.endsWith('_count')) expect(value, labels['agent']).toBe(counts.get(labels['agent']!))
    else if (labels['le'] === '+Inf') counts.set(labels['agent']!, value)
  }
})

test('scrapes side by side each see everything', async () => {
  const exposition = new Exposition(filledStore())
  const alone = await Promise.all([textOf(exposition, 'openmetrics'), textOf(exposition, 'classic')])
  expect(await Promise.all([textOf(exposition, 'openmetrics'), textOf(exposition, 'classic')])).toEqual(alone)
})

interface Expected { name: string; labels: Record<string, string>; value: number }

/** What a scrape should say of a family, said once more in the plainest way. */
function expectedSamples(store: SeriesStore, family: Family): Expected[] {
  const { name, kind, labels: names, buckets = [] } = family.definition
  return Array.from({ length: family.rows }, (_, row) => {
    const labels = Object.fromEntries(names.map((label, i) => [label, store.strings.text(family.label(row, i))]))
    if (kind !== 'histogram') return [{ name, labels, value: family.value(row) }]
    const bounds = [...buckets.map(boundText), '+Inf']
    return [
      ...bounds.map((le, i) => ({ name: `${name}_bucket`, labels: { le, ...labels }, value: sum(bounds.slice(0, i + 1).map((_, k) => family.bucket(row, k))) })),
      { name: `${name}_sum`, labels, value: family.value(row) },
      { name: `${name}_count`, labels, value: family.count(row) },
    ]
  }).flat()
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

/** The same store through prom-client's own renderer. */
async function promClientText(store: SeriesStore, format: 'openmetrics' | 'classic'): Promise<string> {
  const open = format === 'openmetrics'
  const registry = new promClient.Registry()
  registry.setContentType((open ? promClient.Registry.OPENMETRICS_CONTENT_TYPE : promClient.Registry.PROMETHEUS_CONTENT_TYPE) as never)
  for (const family of store.families) {
    const { kind, help, buckets = [] } = family.definition
    const name = open ? family.definition.name.replace(/_total$/, '') : family.definition.name
    const bounds = [...buckets.map(boundText), '+Inf']
    const values = expectedSamples(store, family).map((sample, i) => {
      const lines = kind === 'histogram' ? bounds.length + 2 : 1
      const exemplar = family.exemplarOf(Math.floor(i / lines), i % lines)
      return {
        ...(kind === 'histogram' && { metricName: sample.name }),
        labels: sample.labels,
        value: sample.value,
        ...(exemplar && i % lines < Math.max(1, lines - 2) && { exemplar: { labelSet: { trace_id: exemplar.traceId }, value: exemplar.value, timestamp: exemplar.timestampMs / 1000 } }),
      }
    })
    registry.registerMetric({ name, get: () => ({ name, help, type: kind, values }) } as never)
  }
  const text = await registry.metrics()
  return open ? text : text.replace(/\n\n(?=# HELP)/g, '\n')
}

function withoutUnits(text: string): string {
  return text.replace(/^# UNIT .*\n/gm, '')
}
