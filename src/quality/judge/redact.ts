/** What must not leave the host is taken out of the texts: by patterns known to everyone, by the user's own, and by a function of the user's. */
import type { Case } from './case.ts'

export interface RedactOptions {
  readonly builtIn: boolean
  readonly patterns: readonly RegExp[]
  readonly hook: RedactHook | undefined
}

/** May answer later, but within a second. What it throws keeps the request from being judged. */
export type RedactHook = (text: string, context: { readonly tenant: string; readonly agent: string; readonly part: 'question' | 'answer' | 'tool_result' }) => string | Promise<string>

interface Pattern {
  readonly name: string
  readonly pattern: RegExp
  readonly is?: (found: string) => boolean
}

/** Where a word begins: also after an escape, since content is mostly JSON, where a new line is a backslash and an n. */
const START = String.raw`(?<=^|[^\w]|\\[bfnrt]|\\u[\da-fA-F]{4})`
/** Not within a number such as 1.234 either, nor after the hyphen of an id. */
const NUMBER = String.raw`(?<=^|[^\w.-]|\\[bfnrt]|\\u[\da-fA-F]{4})`

/** Each takes time in proportion to the text: every repeat has an end, or nothing that could match in another way. Keys first: a part of one may look like something else. */
const BUILT_IN: readonly Pattern[] = [
  { name: 'private key', pattern: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8192}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g },
  { name: 'token', pattern: after(START, String.raw`eyJ[\w-]{8,512}\.[\w-]{8,4096}\.[\w-]{0,1024}`) },
  { name: 'key', pattern: after(START, String.raw`(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,200}`) },
  { name: 'key', pattern: after(START, String.raw`(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[abeoprs]-|xapp-|hf_|AIza|ya29\.|SG\.|dop_v1_|shp(?:at|ca|pa|ss)_)[\w.-]{10,200}`) },
  { name: 'key', pattern: after(START, String.raw`(?:AKIA|ASIA)[A-Z0-9]{16}(?!\w)`) },
  { name: 'secret', pattern: after(START, String.raw`(?:bearer|basic)\s{1,4}[A-Za-z0-9._~+/=-]{16,2048}`, 'gi') },
  { name: 'e-mail', pattern: /[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g },
  { name: 'card', pattern: after(START, String.raw`\d(?:[ -]?\d){12,18}(?!\w)`), is: (found) => luhn(found.replace(/\D/g, '')) },
  { name: 'phone', pattern: after(NUMBER, String.raw`(?:\+|00)[1-9](?:[ ().\/-]{0,2}\d){6,14}(?!\w)`) },
  { name: 'phone', pattern: after(NUMBER, String.raw`(?:\(\d{2,5}\)|0\d{1,4})(?:[ .\/-]{0,2}\d){5,10}(?!\w)`), is: (found) => !/^\d{1,2}([./-])\d{1,2}\1\d{2,4}$/.test(found) && /\D/.test(found) },
  { name: 'phone', pattern: after(NUMBER, String.raw`[2-9]\d{2}[ .-]\d{3}[ .-]\d{4}(?![\w.-])`) },
  // Last, because it may end within what those before would have found. In JSON within JSON a quote has more than one backslash.
  { name: 'secret', pattern: after(START, String.raw`(?:pass(?:word|wd|phrase)?|secret|api[_-]?key|access[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret)(?:\\{0,7}["'])?\s{0,4}[:=]\s{0,4}(?:\\{0,7}["'][^"'\\]{4,256}|[^\s"',;\\]{4,256})`, 'gi') },
]

function after(begin: string, source: string, flags = 'g'): RegExp {
  return new RegExp(begin + source, flags)
}

const HOOK_LIMIT_MS = 1000

/** The texts of a case without what must not leave the host. Rejects when the hook fails: then nothing leaves. */
export async function redacted(one: Case, { builtIn, patterns, hook }: RedactOptions): Promise<Case> {
  const clean = async (text: string, part: 'question' | 'answer' | 'tool_result'): Promise<string> => {
    const left = patterns.reduce(withoutOwn, text)
    const plain = builtIn ? BUILT_IN.reduce(without, left) : left
    return hook === undefined ? plain : textOf(await limited(hook(plain, { tenant: one.tenant, agent: one.agent, part })))
  }
  return {
    ...one,
    question: await clean(one.question, 'question'),
    answer: await clean(one.answer, 'answer'),
    results: await Promise.all(one.results.map(async ({ name, text }) => ({ name: await clean(name, 'tool_result'), text: await clean(text, 'tool_result') }))),
  }
}

function without(text: string, { name, pattern, is }: Pattern): string {
  return text.replace(pattern, (found) => (is === undefined || is(found) ? `[${name}]` : found))
}

/** A user's pattern is fast on texts of up to this length (config/pattern.ts), so a longer one is looked at in windows that overlap by half: nothing shorter than that is missed. */
const WINDOW = 2048

function withoutOwn(text: string, own: RegExp): string {
  const pattern = new RegExp(own.source, `${own.flags.replace('g', '')}g`)
  const found: [number, number][] = []
  for (let at = 0; at === 0 || at + WINDOW / 2 < text.length; at += WINDOW / 2) {
    for (const match of text.slice(at, at + WINDOW).matchAll(pattern)) if (match[0] !== '') found.push([at + match.index, at + match.index + match[0].length])
  }
  found.sort(([a], [b]) => a - b)
  let left = ''
  let from = 0
  for (const [start, end] of found) {
    if (start >= from) left += `${text.slice(from, start)}[redacted]`
    from = Math.max(from, end)
  }
  return left + text.slice(from)
}

/** The function that a user's module exports by default. */
export async function loadHook(url: string): Promise<RedactHook> {
  let loaded: { default?: unknown }
  try {
    loaded = (await import(url)) as { default?: unknown }
  } catch (error) {
    throw new Error(`cannot load judge.redact: ${(error as Error).message}`, { cause: error })
  }
  if (typeof loaded.default !== 'function') throw new Error('cannot load judge.redact: expected a module whose default export is a function (text, context) => text')
  return loaded.default as RedactHook
}

function textOf(text: unknown): string {
  if (typeof text !== 'string') throw new Error('expected a text')
  return text
}

async function limited<T>(work: T | Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('took too long')), HOOK_LIMIT_MS)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The check digit of card numbers. */
export function luhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
