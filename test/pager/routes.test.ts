import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alert, annotatedCause, HOSTILE, other, payload, resolved } from './fixtures.ts'
import { startPager, type PagerServer } from './server.ts'

let server: PagerServer
beforeEach(async () => { server = await startPager() })
afterEach(() => server.stop())

const get = (path: string) => fetch(server.url + path)

describe('POST /pager/webhook', () => {
  test('keeps a page and counts what was received', async () => {
    const answer = await server.post(payload())
    expect([answer.status, await answer.json()]).toEqual([200, { page: 1, incident: 1, change: 'opened' }])
    await server.post(payload())
    expect(server.pager.received()).toBe(2)
    const { incidents: [incident], firing, next } = await (await get('/pager/api/incidents')).json() as { incidents: { pages: Record<string, unknown>[] }[]; firing: number; next: number | null }
    expect({ firing, next, count: incident?.pages.length }).toEqual({ firing: 1, next: null, count: 1 })
    expect(incident).toMatchObject({ status: 'firing', tenants: ['acme'], agents: ['order-desk'], causes: [{ type: '5xx' }], acknowledged: null })
    expect(incident?.pages[0]).toMatchObject({
      status: 'firing', alertname: 'AgentSuccessRateLow', since: '2026-11-23T17:54:12.345Z', ended: null, value: '72.4 %', limit: '99.5 %', told: 2,
      tenants: ['acme'], projects: ['support'], agents: ['order-desk'],
      causes: [{ step: 'tool', name: 'lookup_order', type: '5xx', text: expect.stringContaining('41 of 43'), remedy: expect.stringContaining('cached response') }],
    })
  })

  test.each([
    ['a key that is wrong', { body: payload({ status: 'burning' }) }, 400, 'cannot read notification: status: '],
    ['no JSON', { body: '{"version":' }, 400, 'cannot read request: '],
    ['a form of another site', { body: 'version=4', type: 'application/x-www-form-urlencoded' }, 415, 'Content-Type must be application/json'],
    ['JSON disguised as text', { body: payload(), type: 'text/plain' }, 415, 'Content-Type must be application/json'],
    ['more than 1 MiB', { body: payload({ receiver: 'r'.repeat(1024 * 1024) }) }, 413, 'too large'],
  ])('refuses %s', async (_what, { body, type = 'application/json' }: { body: unknown; type?: string }, status, message) => {
    const answer = await server.post(body, { 'Content-Type': type })
    expect(answer.status).toBe(status)
    expect((await answer.json() as { error: string }).error).toContain(message)
    expect(server.pager.received()).toBe(0)
  })

  test('refuses a compressed body instead of inflating it', async () => {
    const answer = await server.post(payload(), { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
    expect(answer.status).toBe(415)
  })
})

describe('GET /pager', () => {
  test('empty, it tells how to send a test page, and that command works', async () => {
    const text = await (await get('/pager')).text()
    expect(text).toContain('No page has arrived yet')
    const command = unescape(/<code id="example">([^]*?)<\/code>/.exec(text)?.[1] ?? '')
    expect(command).toContain(`${server.url}/pager/webhook`)
    const answer = await server.post(/-d '([^]*)'$/.exec(command)?.[1] ?? '')
    expect(answer.status).toBe(200)
    expect(await (await get('/pager/list')).text()).toContain('This is a test page')
  })

  test('tells what broke, since when, how bad, who is affected, why and what to do first', async () => {
    await server.post(payload())
    const text = await (await get('/pager')).text()
    for (const part of [
      'Success rate of order-desk is below its objective', 'AgentSuccessRateLow', 'critical', '72.4 %', '99.5 %', 'acme', 'support', 'order-desk',
      '<time datetime="2026-11-23T17:54:12.345Z" title="2026-11-23 17:54:12 UTC">5 min ago</time>',
      'tool', '<code><bdi>lookup_order</bdi></code>', '5xx', '41 of 43', 'Serve the cached response',
      'href="https://runbooks.example.com/AgentSuccessRateLow"', '>Query in Prometheus</a>', 'href="https://grafana.example.com/d/agents?var-agent=order-desk"',
      '1 incident is open', 'href="metrics"',
    ]) expect(text).toContain(part)
    server.clock.ms += 60_000
    await server.post(payload({}, [resolved('2026-11-23T18:00:30Z')]))
    const after = await (await get('/pager/list')).text()
    expect(after).toContain('No incident is open')
    expect(after).toContain('after 6 min')
    expect(after.match(/<article/g)).toHaveLength(1)
  })

  test('tells the parts of a cause once, from the annotations where they are there', async () => {
    const place = (text: string) => /<p class="place">([^]*?)<\/dd>/.exec(text)?.[1]?.replace(/<[^>]*>/g, '').replace(/ +/g, ' ')
    const told = async (root_cause: string, parts: Parameters<typeof annotatedCause>[0]) => {
      await server.post(other(root_cause, [alert({ annotations: { root_cause, ...annotatedCause(parts) } })]))
      return place(await (await get('/pager/list')).text())
    }
    const tool = { class: 'tool', type: 'timeout', step: 'tool', name: 'search' }
    expect(await told('tool search: timeout, 92% of the failures', tool)).toBe('tool search · timeout92% of the failures')
    expect(await told('model m-1: slowest step, 75% of the time', { class: '', type: '', step: 'model', name: 'm-1' })).toBe('model m-1slowest step, 75% of the time')
    expect(await told('coordination: deadlock, 100% of the failures', { class: 'coordination', type: 'deadlock', step: '', name: '' })).toBe('coordination · deadlock100% of the failures')
    // Words that do not begin with the place, or are nothing but it, stay whole.
    expect(await told('tool searching: it is slow', tool)).toBe('tool search · timeouttool searching: it is slow')
    expect(await told('tool search: timeout', tool)).toBe('tool search · timeouttimeout')
  })

  test('hostile values are text in every place', async () => {
    for (const [n, hostile] of HOSTILE.entries()) {
      const everywhere = Object.fromEntries(Object.keys(alert().labels).map((key) => [key, hostile]))
      const annotations = Object.fromEntries(Object.keys(alert().annotations).map((key) => [key, hostile]))
      await server.post(payload({ groupKey: `${n} ${hostile}`, receiver: hostile, externalURL: hostile, notification_reason: hostile },
        [
          alert({ labels: { ...everywhere, [hostile]: hostile }, annotations, generatorURL: hostile, fingerprint: hostile }),
          // Not the worse of the two: the headline is the hostile one's.
          alert({ labels: { severity: 'none' }, annotations: annotatedCause({ class: hostile, type: hostile, step: hostile, name: `and ${hostile}` }) }),
        ]))
    }
    const text = await (await get('/pager')).text()
    expect(text.match(/<article/g)).toHaveLength(HOSTILE.length)
    expect(text.match(/<p class="place">/g)).toHaveLength(2 * HOSTILE.length)
    // Apart from the page's own two scripts nothing of the strangers' became a tag, an attribute or a link.
    expect(text.match(/<script/g)).toHaveLength(2)
    expect(text).not.toMatch(/<img src=x|<h1>|\son\w+\s*=\s*['"]|href="javascript/i)
    expect(text.match(/<h1/g)).toHaveLength(1)
    expect(text).not.toContain('\u202E')
    expect(text).toContain('invoice[U+202E]fdp.exe')
    expect(text).toContain('&amp;lt;b&amp;gt;')
    expect(text).not.toContain('x'.repeat(2_001))
    for (const [, href] of text.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^(https?:\/\/|pager|metrics$|#incidents$)/)
  })

  test.each([
    ['javascript:alert(1)', false], [' javascript:alert(1)', false], ['data:text/html,x', false], ['//evil.example/x', false], ['/relative', false],
    ['https://login@evil.example/', false], ['https://', false], ['https://runbooks.example.com/a b', true], ['HTTP://runbooks.example.com', true],
  ])('an address %s is a link: %s', async (url, linked) => {
    await server.post(payload({}, [alert({ annotations: { runbook_url: url } })]))
    expect((await (await get('/pager')).text()).includes('>Runbook</a>')).toBe(linked)
  })

  test('a host that is no host does not get into the command', async () => {
    const { request } = await import('node:http')
    const text = await new Promise<string>((done, fail) => {
      const call = request(`${server.url}/pager`, { headers: { host: "evil';rm -rf ~;'" } }, (answer) => {
        let all = ''
        answer.setEncoding('utf8').on('data', (part: string) => { all += part }).on('end', () => done(all))
      })
      call.on('error', fail).end()
    })
    expect(text).not.toContain('rm -rf')
    expect(text).toContain('127.0.0.1:9464')
  })

  test('goes through older pages 25 at a time without losing one', async () => {
    for (let n = 0; n < 60; n++) await server.post(other(`g${n}`))
    const seen: string[] = []
    let path: string | undefined = 'pager'
    while (path) {
      const text: string = await (await get(`/${path}`)).text()
      seen.push(...[...text.matchAll(/id="(incident-\d+)"/g)].map(([, id]) => id ?? ''))
      path = /href="(pager\?before=\d+)">Older/.exec(text)?.[1]
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => `incident-${60 - n}`))
  })

  test('filters by state', async () => {
    await server.post(other('a'))
    await server.post(other('b', [resolved('2026-11-23T17:59:00Z')]))
    const firing = await (await get('/pager?state=firing')).text()
    expect([...firing.matchAll(/<article id="(incident-\d+)"/g)].map(([, id]) => id)).toEqual(['incident-1'])
    expect(firing).toContain('href="pager?state=firing" aria-current="page"')
  })
})

describe('GET /pager/api/incidents', () => {
  test('pages by limit and before, and takes nonsense for nothing', async () => {
    for (let n = 0; n < 5; n++) await server.post(other(`g${n}`))
    const read = async (query: string) => await (await get(`/pager/api/incidents?${query}`)).json() as { incidents: { agents: string[] }[]; next: number | null }
    const first = await read('limit=2')
    expect(first.incidents.map(({ agents }) => agents[0])).toEqual(['g4', 'g3'])
    const second = await read(`limit=3&before=${first.next}`)
    expect(second.incidents.map(({ agents }) => agents[0])).toEqual(['g2', 'g1', 'g0'])
    expect(second.next).toBeNull()
    expect((await read("limit=abc&before='; DROP TABLE page")).incidents).toHaveLength(5)
  })
})

describe('headers', () => {
  test.each(['/pager', '/pager/list', '/pager/api/incidents', '/pager/style.css', '/pager/live.js', '/pager/nothing'])('%s is locked down', async (path) => {
    const { headers } = await get(path)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  })

  test('no style or script is inline and no asset comes from elsewhere', async () => {
    await server.post(payload())
    const text = await (await get('/pager')).text()
    expect(text).not.toMatch(/<style|\sstyle=|<script(?![^>]*\ssrc=)/)
    for (const [, path] of text.matchAll(/(?:src|stylesheet" href)="([^"]*)"/g)) expect((await get(`/${path}`)).status).toBe(200)
  })
})

test('with a slash at the end the address leads to the page, also below a path', async () => {
  const answer = await fetch(`${server.url}/pager/`, { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([308, '../pager'])
})

function unescape(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
