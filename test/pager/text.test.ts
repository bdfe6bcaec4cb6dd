import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { escapeText, html } from '../../src/pager/page/html.ts'
import { duration, relative } from '../../src/pager/page/times.ts'

describe('html', () => {
  test('escapes strings, keeps markup, leaves out what is not there', () => {
    expect(html`<p title="${'"\'`'}">${['<b>', html`<i>${'&'}</i>`, null, false, undefined, 0]}</p>`.markup)
      .toBe('<p title="&quot;&#39;&#96;">&lt;b&gt;<i>&amp;</i>0</p>')
  })

  test('makes characters visible that change what is read, and keeps scripts that need joiners', () => {
    expect(escapeText('a\u202Eb\u2066c\u200Bd\u0000e\u0085f\uFEFF\u{E0041}')).toBe('a[U+202E]b[U+2066]c[U+200B]d[U+0000]e[U+0085]f[U+FEFF][U+E0041]')
    expect(escapeText('👩‍🚒 می‌خواهم\r\n\tשלום')).toBe('👩‍🚒 می‌خواهم\n\tשלום')
    expect(escapeText('half \uD83D')).toBe('half \uFFFD')
  })
})

describe('times', () => {
  test.each([
    [42_000, '42 s'], [60_000, '1 min'], [59.9 * 60_000, '59 min'], [3 * 3_600_000, '3 h'], [3.1 * 3_600_000, '3 h 6 min'],
    [52 * 3_600_000, '2 d 4 h'], [48 * 3_600_000 + 59_000, '2 d'], [-5, '0 s'],
  ])('%d ms last %s', (ms, text) => expect(duration(ms)).toBe(text))

  test('are told from now, also when the sender\'s clock is ahead', () => {
    expect([relative(0, 5_000), relative(0, 840_000), relative(120_000, 0)]).toEqual(['just now', '14 min ago', 'in 2 min'])
  })
})

describe('colours', () => {
  const css = readFileSync(new URL('../../src/pager/page/style.css', import.meta.url), 'utf8')
  const [light = '', dark = ''] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) => block ?? '')
  const pairs = ['ink', 'soft', 'link', 'critical', 'warning', 'info', 'none', 'good'].flatMap((text) => ['ground', 'card', 'well'].map((ground) => [text, ground] as const))

  // WCAG 2.2, 1.4.3 (AA): 4.5 to 1 for text of any size.
  test.each([['light', light], ['dark', dark]])('%s: every text colour can be read on every ground', (_scheme, block) => {
    for (const [text, ground] of [...pairs, ['critical', 'critical-well'], ['ink', 'critical-well'], ['soft', 'critical-well'], ['soft', 'mark'], ['ink', 'mark']] as const) {
      expect(contrast(colour(block, text), colour(block, ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5)
    }
  })
})

function colour(block: string, name: string): number[] {
  const digits = new RegExp(`--${name}: #([0-9a-f]+)`).exec(block)?.[1] ?? ''
  return [0, 1, 2].map((at) => parseInt(digits.length === 3 ? digits.charAt(at).repeat(2) : digits.slice(at * 2, at * 2 + 2), 16) / 255)
}

/** Contrast ratio of two sRGB colours by WCAG's relative luminance. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
