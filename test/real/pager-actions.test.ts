/** What a person does on the pager page, in Chromium: with the mouse, with keys, on a phone, in the dark. */
import { createServer, type Server } from 'node:http'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe as suite, expect, test, vi } from 'vitest'
import { readObjectives } from '../../src/config/objectives.ts'
import { readRemedies } from '../../src/config/remedies.ts'
import { type Agents, startAgents } from '../../src/demo/agents/service.ts'
import type { Verdict } from '../../src/pager/actionroutes.ts'
import type { PersonMark } from '../../src/pager/page/marks.ts'
import { alert, HOSTILE, other, payload, resolved } from '../pager/fixtures.ts'
import { startPager, type PagerServer } from '../pager/server.ts'
import { hasChromium, openChromium, openPager } from './chromium.ts'

if (!hasChromium && process.env['CI'] === 'true') {
  test('the pager page in Chromium', () => { throw new Error('cannot test the pager page: no Chromium; apt-get install chromium') })
}
const describe = hasChromium ? suite : suite.skip
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe(`acting on the pager page in Chromium${hasChromium ? '' : ' (skipped, missing: chromium)'}`, () => {
  let browser: Browser
  let server: PagerServer
  let prometheus: Server
  let agents: Agents
  let page: Page
  let troubles: string[]
  let verdicts: Verdict[]
  let marks: PersonMark[]

  beforeAll(async () => {
    browser = await openChromium()
    prometheus = createServer((request, response) => {
      const name = new URL(request.url!, 'http://x').searchParams.get('query')!.split(':')[2]!
      const of = (objective: string, value: number, tenant_id = 'acme', agent = 'order-desk') => ({ metric: { objective, tenant_id, agent }, value: [1, String(value)] })
      const rows: Record<string, unknown[]> = {
        value: [of('success_rate', 0.724), of('latency_p95', 0.31), of('latency_p99', 0.8, HOSTILE[0]), of('cost_per_request', 0.0042), of('quality_score', 0.91), of('context_messages', 18), of('cost_optimisation', 0.23, 'globex')],
        limit: [of('success_rate', 0.995), of('latency_p95', 0.5), of('latency_p99', 1, HOSTILE[0]), of('cost_per_request', 0.01), of('quality_score', 0.85), of('context_messages', 50), of('cost_optimisation', 0.1, 'globex')],
        error_budget_remaining: [of('success_rate', -1.31), of('latency_p95', 0.62)],
      }
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result: rows[name] ?? [] } }))
    })
    await new Promise<void>((resolve) => prometheus.listen(0, '127.0.0.1', resolve))
    // Nobody takes their spans: only what can be done to them is looked at.
    agents = await startAgents({ endpoint: 'http://127.0.0.1:9', control: { host: '127.0.0.1', port: 0 }, rate: 0, seed: 1 })
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await agents.stop()
    prometheus.closeAllConnections()
    prometheus.close()
  })
  beforeEach(async () => {
    verdicts = []
    marks = []
    server = await startPager({}, '2026-11-23T18:00:00Z', ':memory:', {
      errorTypes: Object.keys(readRemedies().errors), objectives: readObjectives(), prometheusUrl: `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`,
      demoUrl: agents.controlUrl, verdict: (verdict) => { verdicts.push(verdict) }, examples: () => ['0af7651916cd43dd8448eb211c80319c'],
      mark: (mark) => { marks.push(mark); return true },
      links: { trace: 'http://127.0.0.1:3000/explore?traceId={trace_id}', logs: 'http://127.0.0.1:3000/explore?tenant={tenant_id}' },
    })
  })
  afterEach(async () => {
    expect(troubles).toEqual([])
    await page.context().close()
    await server.stop()
  })

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    ({ page, troubles } = await openPager(browser, server.url, options))
    await page.waitForSelector('#scoreboard')
    await page.waitForSelector('#demo')
  }

  test('a page arrives while one looks, is acknowledged, judged, and resolves', async () => {
    await open()
    await page.fill('#me', 'Ada')
    await page.locator('#me').blur()
    await server.post(payload())
    await page.waitForSelector('article.firing.arrived')
    await page.getByRole('button', { name: 'Acknowledge' }).click()
    await page.waitForSelector('article .acknowledged')
    expect(await page.locator('article .taken').innerText()).toMatch(/^Acknowledged by Ada just now/)
    await page.getByLabel('No, it was another error type').selectOption('timeout')
    await page.waitForSelector('article .verdict:has-text("It was timeout instead by Ada")')
    expect(verdicts).toMatchObject([{ predicted: '5xx', actual: 'timeout' }])
    await page.getByLabel('How good was the answer of this request?').selectOption('2')
    await vi.waitFor(async () => expect(await page.locator('#announce').textContent()).toBe('Marked 2 of 5'), { timeout: 10_000, interval: 100 })
    expect(marks).toEqual([{ trace: '0af7651916cd43dd8448eb211c80319c', mark: 2, by: 'Ada' }])
    server.clock.ms += 60_000
    await server.post(payload({}, [resolved('2026-11-23T18:00:40Z')]))
    await page.waitForSelector('article.resolved')
    expect(await page.locator('article button[data-deed]').count()).toBe(0)
    // A name is asked for once.
    await page.reload()
    expect(await page.inputValue('#me')).toBe('Ada')
  })

  test('everything is done by keys alone', async () => {
    for (let n = 0; n < 3; n++) await server.post(other(`g${n}`))
    await open()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement.id')).toBe('incident-2')
    await page.keyboard.press('a')
    await page.waitForSelector('#incident-2 .acknowledged')
    expect(await page.evaluate('document.activeElement.id')).toBe('incident-2')
    await page.keyboard.press('y')
    await page.waitForSelector('#incident-2 .verdict:has-text("Root cause confirmed")')
    await page.keyboard.press('e')
    expect(await page.evaluate('document.querySelector("#incident-2 details").open')).toBe(true)
    await page.keyboard.press('k')
    expect(await page.evaluate('document.activeElement.id')).toBe('incident-3')
    await page.keyboard.press('r')
    await page.waitForSelector('#incident-3.resolved')
    await page.keyboard.press('?')
    expect(await page.evaluate('document.querySelector("#help").open')).toBe(true)
    await page.keyboard.press('Escape')
    // Typing a name is typing a name.
    await page.locator('#me').focus()
    await page.keyboard.type('ray')
    expect(await page.inputValue('#me')).toBe('ray')
    expect(await page.locator('article .acknowledged').count()).toBe(1)
  })

  test('what may not be done is said where it was tried', async () => {
    await open()
    await server.post(payload())
    await page.waitForSelector('article.firing')
    // Somebody else was quicker, and the news is not here yet.
    await page.route('**/pager/list**', (route) => route.abort())
    await page.evaluate(`fetch('pager/api/incidents/1/actions', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"deed":"acknowledged"}' })`)
    await page.getByRole('button', { name: 'Acknowledge' }).click()
    await expect.poll(() => page.locator('article .trouble').innerText()).toBe('cannot act: the incident is not to be acknowledged now')
    troubles.splice(0, troubles.length, ...troubles.filter((text) => !/409|ERR_FAILED/.test(text)))
  })

  test('a fault is struck and healed from the panel, and the scoreboard shows what is missed', async () => {
    await open()
    await page.locator('#strike select[name=fault]').selectOption('5xx')
    await page.locator('#strike select[name=tenant]').selectOption('acme')
    await page.getByRole('button', { name: 'Strike for 5 minutes' }).click()
    await page.waitForSelector('.strike:has-text("5xx")')
    expect(agents.traffic.strikes).toMatchObject([{ fault: { id: '5xx' }, tenant: 'acme' }])
    await page.getByRole('button', { name: 'Heal' }).click()
    await page.waitForSelector('.strike', { state: 'detached' })
    expect(agents.traffic.strikes).toEqual([])

    const missed = await page.locator('#scoreboard tr.missed th').allInnerTexts()
    expect(missed.map((text) => text.replace(/\s+/g, ' ').trim())).toEqual(['✕ missed Request success rate', '✕ missed Cost optimisation space'])
    expect(await page.locator('#scoreboard tr.missed').first().innerText()).toMatch(/72\.4\s%\s+order-desk, acme\s+above 99\.5\s%\s+-131\s%/)
    expect(await page.evaluate('String(window.__pwned)')).toBe('undefined')
  })

  test.each([
    ['light, wide', { viewport: { width: 1440, height: 1000 } }],
    ['dark, wide', { viewport: { width: 1440, height: 1000 }, colorScheme: 'dark' }],
    ['a phone', { viewport: { width: 360, height: 740 } }],
    ['a phone in the dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
  ] as const)('axe finds nothing: %s', async (name, options) => {
    await server.post(payload())
    await server.post(payload({ groupKey: 'hostile' }, [alert({ fingerprint: 'h', labels: { tenant_id: HOSTILE[1], agent: HOSTILE[7].slice(0, 300), severity: 'warning' } })]))
    await server.post(other('gone', [resolved('2026-11-23T17:59:00Z')]))
    // One agent is slow and failing at once: three pages, one incident.
    for (const [alertname, value, limit] of [['AgentLatencyP95High', '2.31 s', '500 ms'], ['AgentLatencyP99High', '4.9 s', '1 s']] as const) {
      await server.post(payload({ groupKey: alertname }, [alert({ startsAt: '2026-11-23T17:56:00Z', labels: { alertname, type: '' }, annotations: { summary: `${alertname.slice(12, 15)} of order-desk is above its objective`, value, limit, root_cause: 'tool lookup_order: slowest step, 75% of the time' } })]))
    }
    await open(options)
    await page.getByRole('button', { name: 'Acknowledge' }).first().click()
    await page.waitForSelector('article .acknowledged')
    await page.evaluate('document.querySelector("details").open = true')
    const folder = process.env['SPANBRIDGE_SCREENSHOTS']
    if (folder !== undefined) await page.screenshot({ path: join(folder, `pager ${name}.png`), fullPage: true })
    await page.evaluate(AXE)
    // What arrives fades in, and half faded it has no contrast.
    const { violations } = await page.evaluate(`(async () => {
      document.querySelectorAll('.arrived').forEach((one) => one.classList.remove('arrived'))
      const { violations } = await axe.run(document)
      return { violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, any }) => html.slice(0, 120) + ' ' + any.map(({ message }) => message).join(' ')).join(' | ')) }
    })()`) as { violations: string[] }
    expect(violations).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
  })
})
