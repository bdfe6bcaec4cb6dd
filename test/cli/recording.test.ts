import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { rotation } from '../../src/cli/send/player.ts'
import { toJson } from '../../src/cli/recorded/protobuf.ts'
import { Recording, type Body, type Play } from '../../src/cli/recorded/recording.ts'
import { find, loadRecordings, readBody } from '../../src/cli/recorded/recordings.ts'
import { REQUESTS } from '../../src/cli/recorded/shape.ts'
import { transcode } from '../../src/otlp/json.ts'

const RECORDINGS = fileURLToPath(new URL('../recordings', import.meta.url))
const NOW = 1_900_000_000_000_000_000n
const FRESH: Play = { keepIds: false, nowNanos: NOW, tenant: '' }
const SAME: Play = { keepIds: true, nowNanos: undefined, tenant: '' }

const text = (bodies: readonly Body[]): string => JSON.stringify(bodies.map((body) => toJson(body.bytes, REQUESTS[body.signal])))
const all = (json: string, key: string): string[] => [...json.matchAll(new RegExp(`"${key}":"([^"]*)"`, 'g'))].map((match) => match[1]!)
/** Ids and times replaced by when they were first met: two runs of one recording read alike. */
function normal(json: string): string {
  const met = new Map<string, number>()
  const times = ['startTimeUnixNano', 'endTimeUnixNano', 'timeUnixNano', 'observedTimeUnixNano']
  const newest = times.flatMap((key) => all(json, key)).reduce((most, time) => (BigInt(time) > most ? BigInt(time) : most), 0n)
  return json
    .replace(/"(traceId|spanId|parentSpanId)":"([0-9a-f]+)"/g, (_, key: string, id: string) => {
      if (!met.has(id)) met.set(id, met.size)
      return `"${key}":"#${met.get(id)}"`
    })
    .replace(/"(\w*[tT]imeUnixNano)":"(\d+)"/g, (_, key: string, time: string) => `"${key}":"${newest - BigInt(time)}"`)
}

const NAMES = ['openai-otel-v2/ok', 'vercel-ai-v6/ok', 'langchain-openinference/rate_limit', 'openai-traceloop/ok', 'crewai-openinference/ok', 'autogen-native/ok', 'phoenix-evals/eval']
const FOLDERS = NAMES.map((name) => join(RECORDINGS, name))
const recordings = loadRecordings(FOLDERS)
const shared = (a: Iterable<string>, b: Iterable<string>): number => [...new Set(a)].filter((item) => new Set(b).has(item)).length

describe('JSON of a recorded body', () => {
  it.each(FOLDERS.flatMap((folder) => find(folder)))('%s says what the bytes say', (file) => {
    const { signal, bytes } = readBody(file)
    const json = toJson(bytes, REQUESTS[signal])
    const again = transcode(signal, Buffer.from(JSON.stringify(json)))
    expect(again.rejected).toBe(0)
    expect(toJson(Buffer.from(again.bytes), REQUESTS[signal])).toEqual(json)
  })
})

describe.each(recordings.map((recording) => [recording.name.slice(RECORDINGS.length + 1), recording] as const))('%s', (_, recording) => {
  it('played as it was is what was recorded', () => {
    expect(recording.play(SAME).map(({ bytes }) => bytes)).toEqual(recording.bodies.map(({ bytes }) => bytes))
  })

  it('has new ids every time, the same across bodies, links and parents, and keeps everything else', () => {
    const before = text(recording.bodies)
    const [first, second] = [text(recording.play(FRESH)), text(recording.play(FRESH))]
    for (const key of ['traceId', 'spanId']) {
      const [old, one, two] = [before, first, second].map((json) => new Set(all(json, key).filter((id) => id !== '')))
      expect(one!.size).toBe(old!.size)
      expect(shared(one!, old!) + shared(one!, two!)).toBe(0)
    }
    const structure = (json: string): string => normal(json).replace(/(chatcmpl-|resp_|msg_|gen-|run--)[\w-]+/g, '$1').replace(/[0-9a-f]{16,}/g, '#')
    expect(structure(first)).toBe(structure(before))
    expect(structure(second)).toBe(structure(before))
  })

  it('ends now', () => {
    const played = text(recording.play(FRESH))
    const ends = [...all(played, 'endTimeUnixNano'), ...[...played.matchAll(/"logRecords":\[\{"timeUnixNano":"(\d+)"/g)].map((match) => match[1]!)].map(BigInt)
    expect(ends.reduce((most, end) => (end > most ? end : most), 0n)).toBe(NOW)
  })

  it('gets a tenant on every resource, once', () => {
    for (const tenant of ['acme', 'a', 'Łódź ☂']) {
      const played = recording.play({ ...FRESH, tenant })
      for (const body of played) {
        const json = toJson(body.bytes, REQUESTS[body.signal])
        const resources = (json['resourceSpans'] ?? json['resourceLogs']) as { resource: { attributes: { key: string; value: unknown }[] } }[]
        for (const { resource } of resources) expect(resource.attributes.filter(({ key }) => key === 'tenant_id')).toEqual([{ key: 'tenant_id', value: { stringValue: tenant } }])
      }
      const without = JSON.stringify(recording.play({ ...SAME, tenant }).map((body) => toJson(body.bytes, REQUESTS[body.signal]))).replaceAll(`{"key":"tenant_id","value":{"stringValue":"${tenant}"}}`, '')
      expect(without.replaceAll(',]', ']')).toBe(text(recording.bodies).replaceAll(',]', ']'))
    }
  })
})

it("gives answers new names too, so that a second play is not the first one's duplicate", () => {
  const recording = recordings.find(({ name }) => name.endsWith('openai-otel-v2/ok'))!
  const ids = (bodies: readonly Body[]): string[] => [...text(bodies).matchAll(/"gen_ai\.response\.id","value":\{"stringValue":"([^"]+)"/g)].map((match) => match[1]!)
  const [old, one, two] = [ids(recording.bodies), ids(recording.play(FRESH)), ids(recording.play(FRESH))]
  expect(old).toHaveLength(3)
  expect(new Set([...old, ...one, ...two]).size).toBe(9)
  expect(one.every((id) => id.startsWith('chatcmpl-'))).toBe(true)
})

it('remaps the ids of log records with those of the spans they belong to', () => {
  const recording = recordings.find(({ name }) => name.endsWith('openai-otel-v2/ok'))!
  const [logs, traces] = ['logs', 'traces'].map((signal) => text(recording.play(FRESH).filter((body) => body.signal === signal)))
  // Two plays have nothing in common; one play's logs name its spans.
  expect(shared(all(logs!, 'spanId'), all(traces!, 'spanId'))).toBe(0)
  const played = recording.play(FRESH)
  const spans = new Set(all(text(played.filter((body) => body.signal === 'traces')), 'spanId'))
  const named = all(text(played.filter((body) => body.signal === 'logs')), 'spanId')
  expect(named.length).toBeGreaterThan(0)
  expect(named.every((id) => spans.has(id))).toBe(true)
})

it('replaces the tenant that a recording has', () => {
  const attribute = (value: string): object => ({ key: 'tenant_id', value: { stringValue: value } })
  const request = { resourceSpans: [{ resource: { attributes: [attribute('old')] }, scopeSpans: [{ spans: [{ traceId: '01'.repeat(16), spanId: '02'.repeat(8), name: 'a' }] }] }, { scopeSpans: [] }] }
  const bytes = Buffer.from(transcode('traces', Buffer.from(JSON.stringify(request))).bytes)
  const [body] = new Recording('own', [{ signal: 'traces', bytes }]).play({ ...SAME, tenant: 'new' })
  expect((toJson(body!.bytes, REQUESTS.traces)['resourceSpans'] as { resource: unknown }[]).map(({ resource }) => resource)).toEqual([{ attributes: [attribute('new')] }, { attributes: [attribute('new')] }])
})

it.each([[Buffer.from([0x0a, 0xff])], [Buffer.from('not protobuf at all')], [Buffer.from([0x0a, 0x80])]])('refuses bytes that are no export request (%#)', (bytes) => {
  expect(() => new Recording('x', [{ signal: 'traces', bytes }])).toThrow()
})

it('shares runs out by weight', () => {
  const next = rotation([{ name: 'a', weight: 3 }, { name: 'b', weight: 1 }])
  expect(Array.from({ length: 8 }, next).join('')).toBe('aabaaaba')
  expect(rotation([])()).toBe('')
})
