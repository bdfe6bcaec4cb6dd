import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe as suite, expect, test } from 'vitest'
import { alert, annotatedCause, HOSTILE, other, payload, resolved } from '../pager/fixtures.ts'
import { startPager, type PagerServer } from '../pager/server.ts'
import { hasChromium, openChromium, openPager } from './chromium.ts'

if (!hasChromium && process.env['CI'] === 'true') {
  test('the pager page in Chromium', () => { throw new Error('cannot test the pager page: no Chromium; apt-get install chromium') })
}
const describe = hasChromium ? suite : suite.skip

describe(`the pager page in Chromium${hasChromium ? '' : ' (skipped, missing: chromium)'}`, () => {
  let browser: Browser
  let server: PagerServer
  let page: Page
  let troubles: string[]

  beforeAll(async () => { browser = await openChromium() }, 60_000)
  afterAll(() => browser.close())
  beforeEach(async () => { server = await startPager() })
  afterEach(async () => {
    // Before the port closes: what the page says after that is not its fault.
    expect(troubles).toEqual([])
    await page.context().close()
    await server.stop()
  })

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    ({ page, troubles } = await openPager(browser, server.url, options))
  }

  test('a page arrives and resolves without a reload', async () => {
    await open()
    await page.evaluate(() => { (globalThis as { same?: boolean }).same = true })
    expect(await page.locator('h1').innerText()).toBe('No page has arrived yet')
    await server.post(payload())
    await page.waitForSelector('article.firing.arrived')
    const text = await page.locator('article').innerText()
    for (const part of ['Firing', 'critical', 'Success rate of order-desk', 'lookup_order', '5xx', '72.4 %', 'limit 99.5 %', 'acme', 'Serve the cached response']) expect(text).toContain(part)
    expect(await page.locator('h1').innerText()).toBe('1 incident is open')
    expect(await page.locator('#announce').innerText()).toBe('Firing: Success rate of order-desk is below its objective')
    expect(await page.title()).toBe('(1) Pager · Spanbridge')

    server.clock.ms += 60_000
    await server.post(payload({}, [resolved('2026-11-23T18:00:40Z')]))
    await page.waitForSelector('article.resolved')
    expect(await page.locator('article').count()).toBe(1)
    expect(await page.locator('article .state').innerText()).toContain('Resolved')
    expect(await page.locator('h1').innerText()).toBe('No incident is open')
    expect(await page.evaluate(() => (globalThis as { same?: boolean }).same)).toBe(true)
  })

  test('hostile text stays text, live and loaded, and nothing is wider than a phone', async () => {
    await open({ viewport: { width: 320, height: 640 } })
    for (const [n, hostile] of HOSTILE.entries()) {
      const labels = Object.fromEntries(Object.keys(alert().labels).map((key) => [key, hostile]))
      const annotations = Object.fromEntries(Object.keys(alert().annotations).map((key) => [key, hostile]))
      await server.post(payload({ groupKey: `${n} ${hostile}`, receiver: hostile }, [
        alert({ labels: { ...labels, [hostile]: hostile }, annotations, generatorURL: hostile }),
        alert({ fingerprint: 'b', labels: { severity: 'none' }, annotations: annotatedCause({ class: hostile, type: hostile, step: hostile, name: hostile }) }),
      ]))
    }
    await expect.poll(() => page.locator('article').count()).toBe(HOSTILE.length)
    for (const load of ['live', 'loaded']) {
      if (load === 'loaded') await page.reload()
      const seen = await page.evaluate(`(() => {
        document.querySelectorAll('details').forEach((one) => { one.open = true })
        document.querySelectorAll('article *').forEach((one) => one.dispatchEvent(new MouseEvent('mouseover')))
        return {
          pwned: String(window.__pwned), images: document.querySelectorAll('main img').length, headings: document.querySelectorAll('h1').length,
          scripts: document.querySelectorAll('script').length, wider: document.documentElement.scrollWidth - innerWidth,
          links: [...document.querySelectorAll('article a')].filter((one) => !/^https?:$/.test(one.protocol)).length,
        }
      })()`)
      expect(seen, load).toEqual({ pwned: 'undefined', images: 0, headings: 1, scripts: 2, wider: 0, links: 0 })
    }
    expect(await page.locator('article h2').allInnerTexts()).toContain('<script>window.__pwned = 1</script>')
  })

  test('an arrival leaves focus, opened evidence and the reading position where they are', async () => {
    for (let n = 0; n < 8; n++) await server.post(other(`g${n}`))
    await open({ viewport: { width: 800, height: 600 } })
    // By keyboard alone: to the fourth page's evidence, and open it.
    await page.locator('#incident-5-evidence').focus()
    await page.keyboard.press('Enter')
    const top = () => page.evaluate('Math.round(document.querySelector("#incident-5").getBoundingClientRect().top)')
    const before = await top()
    expect(await page.evaluate('scrollY')).toBeGreaterThan(100)
    await server.post(other('new'))
    await page.waitForSelector('#incident-9.arrived')
    expect(await top()).toBe(before)
    // The focused page itself is drawn anew when it is told again.
    server.clock.ms += 60_000
    await server.post(other('g4'))
    await expect.poll(() => page.locator('#incident-5-evidence').innerText()).toContain('told 2 times')
    expect(await page.evaluate('document.activeElement.id')).toBe('incident-5-evidence')
    expect(await page.evaluate('document.querySelector("#incident-5 details").open')).toBe(true)
    expect(await page.evaluate('[...document.querySelectorAll("article")].map((one) => one.id)')).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => `incident-${n}`))
  })

  test('without an event stream it polls', async () => {
    const full = server
    server = await startPager({ eventClients: 0 })
    await full.stop()
    page = await (await browser.newContext()).newPage()
    troubles = []
    await page.clock.install()
    await page.goto(`${server.url}/pager`)
    await page.waitForSelector('#live[data-state=polling]')
    await server.post(payload())
    expect(await page.locator('article').count()).toBe(0)
    await page.clock.fastForward(10_000)
    await page.waitForSelector('article.firing')
  })
})
