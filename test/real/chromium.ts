/** The Chromium of the distribution, which is no component that is built here. */
import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

const PATH = process.env['SPANBRIDGE_CHROMIUM_PATH'] || '/usr/bin/chromium'
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export const hasChromium = existsSync(PATH)

export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: ARGUMENTS })
}

/** The pager page of a server, once its event stream has said hello; and what has gone wrong in it since, as it goes wrong. */
export async function openPager(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; troubles: string[] }> {
  const page = await (await browser.newContext(options)).newPage()
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => { if (message.type() === 'error') troubles.push(message.text()) })
  await page.goto(`${url}/pager`)
  await page.waitForSelector('#live[data-state=live]')
  return { page, troubles }
}
