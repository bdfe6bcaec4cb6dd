/** The Chromium of the distribution, which is no component that is built here. */
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const PATH = process.env['SPANBRIDGE_CHROMIUM_PATH'] || '/usr/bin/chromium'
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export const hasChromium = existsSync(PATH)

export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: ARGUMENTS })
}
