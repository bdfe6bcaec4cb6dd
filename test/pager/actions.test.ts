import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ExampleQuery } from '../../src/pager/routes.ts'
import type { PersonMark } from '../../src/pager/page/marks.ts'
import type { Verdict } from '../../src/pager/actionroutes.ts'
import { alert, HOSTILE, other, payload, resolved } from './fixtures.ts'
import { startPager, type PagerServer } from './server.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
let server: PagerServer
let verdicts: Verdict[]
let named: number[]
let asked: ExampleQuery[]
let marks: PersonMark[]

beforeEach(async () => {
  verdicts = []
  named = []
  asked = []
  marks = []
  server = await startPager({}, '2026-11-23T18:00:00Z', ':memory:', {
    errorTypes: ['5xx', 'timeout', 'rate_limit'],
    verdict: (verdict) => { verdicts.push(verdict) },
    causeNamed: (seconds) => { named.push(seconds) },
    examples: (query) => { asked.push(query); return [TRACE] },
    mark: (mark) => { marks.push(mark); return mark.mark !== 3 },
    links: { trace: 'https://traces.example/{trace_id}?x=1', logs: 'https://logs.example/?q={tenant_id}%20{agent}' },
  })
})
afterEach(() => server.stop())

interface IncidentJson {
  status: string
  acknowledged: { by: string } | null
  closed: { by: string; detail: string } | null
  verdict: { deed: string; detail: string } | null
  actions: { deed: string; by: string; at: string }[]
  examples: string[]
}

const act = (body: unknown, headers: Record<string, string> = {}, id: number | string = 1) =>
  fetch(`${server.url}/pager/api/incidents/${id}/actions`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })
const did = async (body: unknown) => {
  const answer = await act(body)
  expect(answer.status, await answer.clone().text()).toBe(200)
  return await answer.json() as IncidentJson
}
const shown = async () => (await fetch(`${server.url}/pager`)).text()
const only = async () => ((await (await fetch(`${server.url}/pager/api/incidents`)).json()) as { incidents: IncidentJson[] }).incidents[0]!

describe('an incident', () => {
  test('is acknowledged by a person, which all see, and undone', async () => {
    await server.post(payload())
    expect(await shown()).toContain('data-deed="acknowledged"')
    server.clock.ms += 60_000
    expect((await did({ deed: 'acknowledged', by: ' Ada ' })).acknowledged).toMatchObject({ by: 'Ada', at: '2026-11-23T18:01:00.000Z' })
    const text = await shown()
    expect(text).toContain('<span class="acknowledged">Acknowledged</span>')
    expect(text).toMatch(/Acknowledged by <bdi>Ada<\/bdi>/)
    expect(text).not.toContain('data-deed="acknowledged"')
    expect((await act({ deed: 'acknowledged' })).status).toBe(409)
    expect((await did({ deed: 'unacknowledged' })).acknowledged).toBeNull()
    expect((await only()).actions.map(({ deed }) => deed)).toEqual(['unacknowledged', 'acknowledged'])
  })

  test('is resolved by hand, and opens again by itself when more fires', async () => {
    await server.post(payload())
    expect(await did({ deed: 'closed', by: 'Ada', note: 'rolled back' })).toMatchObject({ status: 'resolved', closed: { by: 'Ada', detail: 'rolled back' } })
    expect(await shown()).toContain('No incident is open')
    // The same alerts told again are what she ended.
    await server.post(payload())
    expect((await only()).status).toBe('resolved')
    server.clock.ms += 60_000
    await server.post(payload({}, [alert(), alert({ fingerprint: 'b', labels: { tenant_id: 'globex' } })]))
    expect(await only()).toMatchObject({ status: 'firing', closed: null, actions: [{ deed: 'reopened', by: '' }, { deed: 'closed' }] })
    expect(await shown()).toContain('1 incident is open')
  })

  test('that is resolved by hand can be opened again by hand; one that Alertmanager resolved cannot be acted on', async () => {
    await server.post(payload())
    await did({ deed: 'closed' })
    expect(await did({ deed: 'reopened' })).toMatchObject({ status: 'firing', closed: null })
    await server.post(payload({}, [resolved('2026-11-23T18:01:00Z')]))
    for (const deed of ['acknowledged', 'closed', 'reopened']) expect((await act({ deed })).status, deed).toBe(409)
  })

  test('tells what people did in its timeline, the newest first', async () => {
    await server.post(payload())
    server.clock.ms += 60_000
    await did({ deed: 'acknowledged', by: 'Ada' })
    server.clock.ms += 60_000
    await did({ deed: 'corrected', actual: 'timeout', by: 'Bo' })
    const timeline = /<h3>Timeline<\/h3>\s*<ol class="history">(.*?)<\/ol>/s.exec(await shown())![1]!
    expect([...timeline.matchAll(/<strong>(.*?)<\/strong>/g)].map(([, word]) => word)).toEqual(['root cause corrected', 'acknowledged', 'firing'])
    expect(timeline).toContain('by <bdi>Bo</bdi>: <bdi>timeout</bdi>')
  })

  test('shows requests that failed so, and leads to their traces and logs', async () => {
    await server.post(payload({}, [alert({ labels: { agent: 'a b&c' } })]))
    expect(asked).toEqual([{ tenant_id: 'acme', agent: 'a b&c', class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order' }])
    expect((await only()).examples).toEqual([TRACE])
    const text = await shown()
    expect(text).toContain(`href="https://traces.example/${TRACE}?x=1"`)
    expect(text).toContain('href="https://logs.example/?q=acme%20a%20b%26c"')
  })
})

describe('the root cause', () => {
  test('is confirmed once: the verdict is counted as a label', async () => {
    await server.post(payload())
    expect(await shown()).toContain('Was this the cause?')
    server.clock.ms += 60_000
    expect((await did({ deed: 'confirmed', by: 'Ada' })).verdict).toMatchObject({ deed: 'confirmed' })
    // The incident began at 17:54:12.345.
    expect(verdicts).toEqual([{ predicted: '5xx', actual: '5xx', seconds: expect.closeTo(407.655, 2) as number }])
    expect((await act({ deed: 'corrected', actual: 'timeout' })).status).toBe(409)
    expect(verdicts).toHaveLength(1)
    expect(await shown()).not.toContain('Was this the cause?')
  })

  test('is corrected to another type of the taxonomy, and to no other', async () => {
    await server.post(payload())
    const wrong = await act({ deed: 'corrected', actual: 'gremlins' })
    expect([wrong.status, await wrong.json()]).toEqual([400, { error: expect.stringMatching(/^cannot act: actual: .*"unclassified"\|"5xx"/) as string }])
    await did({ deed: 'corrected', actual: 'timeout' })
    expect(verdicts).toMatchObject([{ predicted: '5xx', actual: 'timeout' }])
    expect(await shown()).toMatch(/It was <bdi>timeout<\/bdi> instead/)
  })

  test('of an incident that names none is not asked for', async () => {
    await server.post(payload({}, [alert({ labels: { class: '', type: '', step: '', name: '' } })]))
    expect(await shown()).not.toContain('Was this the cause?')
    expect((await act({ deed: 'confirmed' })).status).toBe(409)
    expect(verdicts).toEqual([])
    expect(named).toEqual([])
  })

  test('is timed from the start of the incident to the page that named it, once an incident', async () => {
    await server.post(payload())
    await server.post(payload({}, [alert(), alert({ fingerprint: 'b' })]))
    expect(named).toEqual([expect.closeTo(347.655, 2)])
  })
})

describe('a request to act', () => {
  test.each([
    ['of an incident that is not there', { deed: 'acknowledged' }, {}, 404, 2],
    ['of what is no number', { deed: 'acknowledged' }, {}, 404, 'x'],
    ['that nobody knows', { deed: 'exploded' }, {}, 400, 1],
    ['with more than there is', { deed: 'acknowledged', admin: true }, {}, 400, 1],
    ['with a name that is too long', { deed: 'acknowledged', by: 'x'.repeat(81) }, {}, 400, 1],
    ['that is no JSON', '{', {}, 400, 1],
    ['disguised as text', { deed: 'acknowledged' }, { 'Content-Type': 'text/plain' }, 415, 1],
    ['from another site', { deed: 'acknowledged' }, { Origin: 'https://evil.example' }, 403, 1],
    ['that a browser says comes from another site', { deed: 'acknowledged' }, { 'Sec-Fetch-Site': 'cross-site' }, 403, 1],
  ])('%s is refused', async (_what, body, headers, status, id) => {
    await server.post(payload())
    expect((await act(body, headers, id)).status).toBe(status)
    expect((await only()).actions).toEqual([])
  })

  test('with a name made to break the page is shown as text', async () => {
    for (const [n, hostile] of HOSTILE.entries()) {
      await server.post(other(`g${n}`))
      expect((await act({ deed: 'acknowledged', by: hostile.slice(0, 80) }, {}, n + 1)).status).toBe(200)
    }
    const text = await shown()
    expect(text).not.toMatch(/<img src=x|\son\w+\s*=\s*['"]/)
    expect(text.match(/<script/g)).toHaveLength(3)
  })
})

describe('the answer of an example', () => {
  const mark = (body: unknown, headers: Record<string, string> = {}) => fetch(`${server.url}/pager/api/marks`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) })

  test('is marked by a person', async () => {
    await server.post(payload())
    expect(await shown()).toContain(`<select class="mark" data-trace="${TRACE}"`)
    expect(await shown()).toContain('src="pager/marks.js"')
    expect((await fetch(`${server.url}/pager/marks.js`)).headers.get('content-type')).toContain('text/javascript')
    expect((await mark({ trace: TRACE, mark: 2, by: ' ann ' })).status).toBe(200)
    expect((await mark({ trace: TRACE, mark: 3 })).status).toBe(409)
    expect(marks).toEqual([{ trace: TRACE, mark: 2, by: 'ann' }, { trace: TRACE, mark: 3, by: '' }])
  })

  test('is marked with a mark, and from this page', async () => {
    for (const body of [{ trace: 'x', mark: 1 }, { trace: TRACE, mark: 6 }, { trace: TRACE, mark: 1.5 }, { trace: TRACE }, { trace: TRACE, mark: 1, by: 'x'.repeat(81) }, []]) expect((await mark(body)).status).toBe(400)
    expect((await mark({ trace: TRACE, mark: 1 }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    expect((await mark({ trace: TRACE, mark: 1 }, { 'Content-Type': 'text/plain' })).status).toBe(415)
    expect(marks).toEqual([])
  })

  test('is not marked where nobody takes marks', async () => {
    await server.stop()
    server = await startPager({}, '2026-11-23T18:00:00Z', ':memory:', { examples: () => [TRACE] })
    await server.post(payload())
    expect(await shown()).toContain(TRACE)
    expect(await shown()).not.toContain('class="mark"')
    expect((await mark({ trace: TRACE, mark: 1 })).status).toBe(404)
  })
})
