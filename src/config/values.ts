/** The kinds of values in a configuration, as people write them. Each reader throws what it expected and what it got. */
import type { z } from 'zod'
import { brief } from './problems.ts'

/** Where a server listens. `port` 0 lets the system choose. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** `127.0.0.1:4318`, `localhost:0`, `[::1]:4318`; `:4318` is every IPv4 interface. */
export function readAddress(value: unknown): Address {
  const wanted = 'an address such as 127.0.0.1:4318, :4318 or [::1]:4318'
  if (typeof value !== 'string') throw unlike(wanted, value)
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%\w+)?)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(value.trim())
  const port = Number(match?.[3])
  if (match === null || port > 65535) throw unlike(wanted, value)
  return { host: match[1] ?? (match[2] === '' ? '0.0.0.0' : match[2]!), port }
}

/** The form that `readAddress` reads and a URL takes. */
export function writeAddress(address: Address): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 }
/** A year: past it, a duration is a mistake, and timers would overflow. */
const LONGEST_SECONDS = 366 * 86400

/** `5s`, `500ms`, `1h30m`, in seconds; a bare number is seconds. */
export function readDurationSeconds(value: unknown): number {
  const wanted = 'a duration such as 5s, 10m, 500ms or 1h30m'
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : ''
  let seconds = 0
  if (/^\d+(\.\d+)?$/.test(text)) seconds = Number(text)
  else if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) seconds += Number(amount) * SECONDS[unit!]!
  } else throw unlike(wanted, value)
  if (seconds > LONGEST_SECONDS) throw unlike('a duration of at most a year', value)
  return Math.round(seconds * 1000) / 1000
}

const BYTES: Readonly<Record<string, number>> = {
  b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3,
}

/** `16MiB`, `64kB`, `1GiB`, in bytes; a bare number is bytes. At least 1. */
export function readSizeBytes(value: unknown): number {
  const wanted = 'a size such as 16MiB or 65536'
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b)?$/i.exec(typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '')
  const bytes = match === null ? NaN : Math.round(Number(match[1]) * (BYTES[(match[2] ?? 'b').toLowerCase()] ?? NaN))
  if (!(bytes >= 1 && bytes <= 2 ** 40)) throw unlike(wanted, value)
  return bytes
}

/** A whole number in [least, most]. */
export function readCount(value: unknown, least: number, most: number): number {
  const number = readNumber(value)
  if (!Number.isSafeInteger(number)) throw unlike('a whole number', value)
  if (number < least || number > most) throw unlike(`a whole number from ${least} to ${most}`, value)
  return number
}

/** A number of at least 0, as prices are. */
export function readAmount(value: unknown): number {
  const number = readNumber(value)
  if (number < 0) throw unlike('a number of at least 0', value)
  return number
}

/** `2026-05-01` or `2026-05-01T06:00:00Z`, as Unix time in milliseconds; a day begins at midnight in UTC. */
export function readDate(value: unknown): number {
  const text = value instanceof Date ? value.toISOString() : typeof value === 'string' ? value.trim() : ''
  const ms = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : NaN
  // What is not in the calendar is read as a day of the next month.
  if (Number.isNaN(ms) || (text.length === 10 && new Date(ms).toISOString().slice(0, 10) !== text)) throw unlike('a date such as 2026-05-01 or 2026-05-01T06:00:00Z', value)
  return ms
}

/** By its three letters. */
export function readCurrency(value: unknown): string {
  if (typeof value !== 'string' || !/^[a-z]{3}$/i.test(value.trim())) throw unlike('a currency such as EUR', value)
  return value.trim().toUpperCase()
}

/** A number from 0 to 1. */
export function readShare(value: unknown): number {
  const number = readNumber(value)
  if (number < 0 || number > 1) throw unlike('a number from 0 to 1', value)
  return number
}

/** Ids as `5f6b2f1e-8c0a-4b5e-9f5d-0a1b2c3d4e5f`, in a list or in one text with commas. */
export function readIds(value: unknown): string[] {
  const ids = readTexts(value)
  const wrong = ids.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
  if (wrong !== undefined) throw unlike('an id such as 5f6b2f1e-8c0a-4b5e-9f5d-0a1b2c3d4e5f', wrong)
  return ids
}

/** Of a server, without the slash at the end. Who asks for a name and a password is told them otherwise, not in an address that is printed. */
export function readUrl(value: unknown): string {
  const wanted = 'a URL such as http://127.0.0.1:3100'
  const url = typeof value === 'string' ? URL.parse(value.trim()) : null
  if (url === null || !/^https?:$/.test(url.protocol)) throw unlike(wanted, value)
  if (url.username !== '' || url.password !== '') throw new Error(`expected ${wanted}, without a user in it`)
  if (url.search !== '' || url.hash !== '') throw unlike(`${wanted}, without a query`, value)
  return url.href.replace(/\/+$/, '')
}

/** Where a link leads: an address of http or https, in which placeholders in braces are filled in. */
export function readLink(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw unlike('a URL such as http://127.0.0.1:3000/explore?traceId={trace_id}', value)
  return text
}

/** `{ cluster: eu }`, or one text `cluster=eu,zone=a` as the environment has it: names as Prometheus and Loki allow them. */
export function readLabels(value: unknown): Readonly<Record<string, string>> {
  const wanted = 'labels such as cluster=eu'
  if (typeof value === 'string') value = Object.fromEntries(value.split(',').filter((part) => part.trim() !== '').map((part) => part.split(/=(.*)/s, 2).map((side) => side.trim())))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unlike(wanted, value)
  const labels = Object.entries(value).map(([name, text]): [string, string] => [name, readText(text)])
  for (const [name] of labels) if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name.startsWith('__')) throw unlike('a label name of letters, digits and _', name)
  if (labels.length > 10) throw new Error(`expected at most 10 labels, got ${labels.length}`)
  return Object.fromEntries(labels)
}

/** `true` or `false`. */
export function readFlag(value: unknown): boolean {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw unlike('true or false', value)
}

export function readText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') value = String(value)
  if (typeof value !== 'string' || value.trim() === '') throw unlike('a text', value)
  return value.trim()
}

/** `[a, b]`, or one text `a, b` as the environment has it. */
export function readTexts(value: unknown): string[] {
  if (typeof value === 'string') value = value.split(',').filter((part) => part.trim() !== '')
  if (!Array.isArray(value)) throw unlike('a list of texts', value)
  if (value.length > 100) throw new Error(`expected at most 100 texts, got ${value.length}`)
  return [...new Set(value.map(readText))]
}

export function readOneOf<const T extends string>(value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) throw unlike(choices.join(' or '), value)
  return value as T
}

/** A reader as a zod transform: what it throws is the problem. */
export function reading<T>(read: (value: unknown) => T) {
  return (value: unknown, context: z.RefinementCtx): T => {
    try {
      return read(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      // zod's NEVER: the issue above is what comes of it.
      return undefined as never
    }
  }
}

/** Any finite number in decimal form. */
export function readNumber(value: unknown): number {
  const number = typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim()) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) throw unlike('a number', value)
  return number
}

function unlike(wanted: string, value: unknown): Error {
  return new Error(`expected ${wanted}, got ${brief(value)}`)
}
