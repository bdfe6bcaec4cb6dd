import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPattern } from '../../src/config/pattern.ts'
import type { Case } from '../../src/quality/judge/case.ts'
import { luhn, redacted, type RedactOptions } from '../../src/quality/judge/redact.ts'
import { caseWith } from './cases.ts'

const clean = async (text: string, options: Partial<RedactOptions> = {}): Promise<string> =>
  (await redacted(caseWith({ answer: text }), { builtIn: true, patterns: [], hook: undefined, ...options })).answer

// Secrets are put together here, so that no scanner of secrets takes this file for a leak.
const made = (...parts: string[]) => parts.join('')

describe('what is known to everyone', () => {
  test.each([
    ['mail ann.o+x@example.co.uk, please', 'mail [e-mail], please'],
    ['<ann@example.com>', '<[e-mail]>'],
    ['call +49 (30) 1234-5678 now', 'call [phone] now'],
    ['call 0049 30 12345678', 'call [phone]'],
    ['tel 06 12 34 56 78 or (555) 123-4567 or 555-123-4567', 'tel [phone] or [phone] or [phone]'],
    ['030/1234567', '[phone]'],
    ['card 4111 1111 1111 1111.', 'card [card].'],
    ['card 378282246310005', 'card [card]'],
    ['5555-5555-5555-4444', '[card]'],
    [made('key sk-', 'ant-api03-abcdefghijklmnopqrstu'), 'key [key]'],
    [made('gh', 'p_0123456789abcdefghij0123456789abcdef'), '[key]'],
    [made('AK', 'IAIOSFODNN7EXAMPLE'), '[key]'],
    [made('xox', 'b-1234567890-abcdefghij'), '[key]'],
    [made('eyJ', 'hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'), '[token]'],
    ['Authorization: Bearer abcdef0123456789abcdef', 'Authorization: [secret]'],
    ['{"password": "hunter2!"}', '{"[secret]"}'],
    ['api_key=abcd1234efgh', '[secret]'],
    [made('x -----BEGIN RSA PRIV', 'ATE KEY-----\nMIIE\nabc\n-----END RSA PRIV', 'ATE KEY----- y'), 'x [private key] y'],
    [made('cut off: -----BEGIN PRIV', 'ATE KEY-----\nMIIE'), 'cut off: [private key]'],
  ])('%s', async (text, expected) => {
    expect(await clean(text)).toBe(expected)
    expect(await clean(text, { builtIn: false })).toBe(text)
  })

  // As it mostly is: an escape before a word is no part of it.
  test.each([
    'ann@example.com', '+49 30 1234567', '030/1234567', '(555) 123-4567', '555-123-4567', '4111 1111 1111 1111', made('sk-', 'ant-api03-abcdefghijklmnopqrstu'), made('gh', 'p_0123456789abcdefghij0123456789abcdef'),
    made('AK', 'IAIOSFODNN7EXAMPLE'), made('eyJ', 'hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'), 'Bearer abcdef0123456789abcdef', '"password": "hunter2!"',
  ])('within JSON, and JSON within JSON: %s', async (secret) => {
    for (const text of [JSON.stringify({ content: `it is\n${secret}\nso` }), JSON.stringify(JSON.stringify([`é${secret}`, `\t${secret} é`])), JSON.stringify({ secret }).replaceAll('é', '\\u00e9')]) {
      expect(await clean(text)).not.toMatch(/ann@|1234567|123-4567|1111 1111|api03|0123456789|IOSFODNN|hbGci|hunter/)
    }
  })

  test.each([
    'on 2026-11-24 15:13:51 and 24.11.2026, 01.02.2026, 01/02/2026',
    'order 4111 1111 1111 1112, invoice 20261124001',
    'version 1.22.333, 192.168.100.200, 3.14159265',
    'costs 1,234.56 USD, 99 % of 100000',
    'trace 0102030405060708090a0b0c0d0e0f10',
    'the password is required; skip the key-value pairs; a secret santa',
    'a @ b, user@localhost',
  ])('not: %s', async (text) => {
    expect(await clean(text)).toBe(text)
  })

  test('a card number has the check digit of Luhn', () => {
    expect(['4111111111111111', '79927398713', '4111111111111112', '79927398710'].map(luhn)).toEqual([true, true, false, false])
  })

  test('any text takes time in proportion to its length', async () => {
    for (const bait of ['a', '1', '1 ', 'eyJa-', 'sk-aaaa', '-----BEGIN PRIV' + 'ATE KEY-----', 'password', 'bearer ', 'a@a.', '(01', '+1 ', '0 ']) {
      const text = bait.repeat(Math.ceil(16_000 / bait.length))
      const startMs = performance.now()
      await clean(text)
      expect(performance.now() - startMs, bait).toBeLessThan(1000)
    }
  })
})

describe("the user's own", () => {
  test('patterns go first, and find what is long or late in a long text', async () => {
    const patterns = [readPattern('customer-[0-9]{4}'), readPattern('b[a-z]*e')]
    expect(await clean('Customer-1234 and customer-99', { patterns })).toBe('[redacted] and customer-99')
    const long = `${'x'.repeat(5000)} customer-1234 ${'y'.repeat(1019)} customer-5678`
    expect(await clean(long, { patterns })).toBe(long.replace(/customer-\d{4}/g, '[redacted]'))
    expect(await clean('be bee', { patterns })).toBe('[redacted] [redacted]')
  })

  test('patterns find whatever is shorter than half a window, wherever it is', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(6000), fc.integer({ min: 1, max: 1000 }), async (at, length) => {
      const secret = 'k'.repeat(length)
      expect(await clean(`${'.'.repeat(at)}${secret}${'.'.repeat(3000)}`, { builtIn: false, patterns: [readPattern('k{1,1000}')] })).toBe(`${'.'.repeat(at)}[redacted]${'.'.repeat(3000)}`)
    }), { numRuns: 60 })
  })

  test('a function sees the text after the patterns, and each part of the request', async () => {
    const seen: unknown[] = []
    const one = caseWith({ question: 'q a@example.com', answer: 'an answer', results: [{ name: 'lookup', text: 'found' }] })
    const left: Case = await redacted(one, { builtIn: true, patterns: [], hook: (text, context) => {
      seen.push([text, context.part, context.tenant, context.agent])
      return Promise.resolve(text.toUpperCase())
    } })
    expect(seen).toContainEqual(['q [e-mail]', 'question', 'acme', 'triage'])
    expect(seen).toContainEqual(['found', 'tool_result', 'acme', 'triage'])
    expect([left.question, left.answer, left.results]).toEqual(['Q [E-MAIL]', 'AN ANSWER', [{ name: 'LOOKUP', text: 'FOUND' }]])
  })

  test.each([
    ['throws', () => { throw new Error('no') }],
    ['gives no text', () => undefined as unknown as string],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('a function that %s lets nothing out', async (_, hook) => {
    await expect(clean('text', { hook })).rejects.toThrow()
  })
})
