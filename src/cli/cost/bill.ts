/** A provider's usage or cost export, read into what was billed by day and model. */
import { z } from 'zod'
import { csvRows, type Row } from './csv.ts'
import { picoOf, type Pico } from './money.ts'

export interface BillLine {
  /** `2026-05-01`, in UTC. */
  readonly day: string
  /** As the provider writes it, '' where it does not tell. */
  readonly model: string
  readonly pico: Pico
  /** Billed by tokens alone: what they cost is what the price table says. */
  readonly estimated: boolean
}

export interface Usage {
  readonly model: string
  readonly atMs: number
  readonly serviceTier: string
  readonly tokens: { readonly input: number; readonly output: number; readonly cachedInput: number; readonly cacheWrite: number; readonly reasoning: number }
}

/** Which columns (or keys; `a.b` is nested) of another export hold what. */
export interface Columns {
  readonly day: string
  readonly model: string
  readonly cost: string
  /** What one of them is of a USD: 0.01 for cents. */
  readonly unit: 'usd' | 'cents'
}

/** USD of so many tokens by the price table; undefined where it has no price for the model. */
export type PriceUsage = (usage: Usage) => Pico | undefined

const MOST_LINES = 1_000_000

/** Throws an Error that says where and what is wrong. */
export function readBill(name: string, text: string, price: PriceUsage, columns: Columns | undefined): BillLine[] {
  const lines = columns === undefined && /^\s*\{/.test(text) ? known(name, json(name, text), price) : generic(name, text, columns ?? DEFAULT_COLUMNS)
  if (lines.length > MOST_LINES) throw new Error(`cannot read ${name}: more than ${MOST_LINES} lines`)
  return lines
}

export const DEFAULT_COLUMNS: Columns = { day: 'date', model: 'model', cost: 'cost', unit: 'usd' }

const bucket = <T extends z.ZodType>(result: T) => {
  const shape = { start_time: z.number().optional(), starting_at: z.string().optional(), results: z.array(result).optional(), result: z.array(result).optional() }
  return z.object({ data: z.array(z.object(shape)), has_more: z.boolean().optional() })
}
const page = bucket(z.record(z.string(), z.unknown()))

/** OpenAI's organization/costs and organization/usage/*, Anthropic's cost_report and usage_report, as their APIs answer. */
function known(name: string, value: unknown, price: PriceUsage): BillLine[] {
  const parsed = page.safeParse(value)
  if (!parsed.success) throw new Error(`cannot read ${name}: expected a page of OpenAI's costs or usage, or of Anthropic's cost or usage report, or --columns`)
  if (parsed.data.has_more === true) throw new Error(`cannot read ${name}: it says has_more, and the next page is not in it: give all pages, each as a file, the last without it`)
  return parsed.data.data.flatMap((one, i) => {
    const at = one.start_time === undefined ? Date.parse(one.starting_at ?? '') : one.start_time * 1000
    const where = `${name}: data[${i}]`
    if (!Number.isFinite(at) || Math.abs(at) > 8.64e15) throw new Error(`cannot read ${where}: expected start_time or starting_at`)
    return (one.results ?? one.result ?? []).flatMap((result, k) => lineOf(`${where}.results[${k}]`, result, at, price) ?? [])
  })
}

const text = z.string().nullish().transform((value) => value ?? '')
const tokens = z.number().nonnegative().nullish().transform((value) => value ?? 0)
const openAiCost = z.object({ amount: z.object({ value: z.union([z.number(), z.string()]), currency: z.string() }), line_item: text })
const anthropicCost = z.object({ amount: z.string(), currency: z.string(), model: text, cost_type: text })
const openAiUsage = z.object({ object: z.string(), input_tokens: tokens, output_tokens: tokens, input_cached_tokens: tokens, model: text, batch: z.boolean().nullish(), service_tier: text })
const anthropicUsage = z.object({
  uncached_input_tokens: tokens, cache_read_input_tokens: tokens, output_tokens: tokens, model: text, service_tier: text,
  cache_creation: z.object({ ephemeral_1h_input_tokens: tokens, ephemeral_5m_input_tokens: tokens }).nullish(),
})

function lineOf(where: string, result: Record<string, unknown>, atMs: number, price: PriceUsage): BillLine | undefined {
  const day = new Date(atMs).toISOString().slice(0, 10)
  const cost = openAiCost.safeParse(result)
  if (cost.success) {
    const { amount, line_item } = cost.data
    // `gpt-4o-2024-08-06, input`
    return { day, model: line_item.split(',')[0]!.trim(), pico: amountOf(where, String(amount.value), amount.currency, 0), estimated: false }
  }
  const report = anthropicCost.safeParse(result)
  // "in lowest currency units (e.g. cents) as a decimal string"
  if (report.success) return { day, model: report.data.model || report.data.cost_type, pico: amountOf(where, report.data.amount, report.data.currency, -2), estimated: false }
  const usage = usageOf(result, atMs)
  if (usage === undefined) throw new Error(`cannot read ${where}: neither an amount nor tokens`)
  const pico = price(usage)
  if (pico === undefined) throw new Error(`cannot read ${where}: no price for ${usage.model || 'a model without a name'}: add it to pricing.yaml, or export costs`)
  return { day, model: usage.model, pico, estimated: true }
}

function usageOf(result: Record<string, unknown>, atMs: number): Usage | undefined {
  const openAi = openAiUsage.safeParse(result)
  if (openAi.success && 'input_tokens' in result) {
    const { model, batch, service_tier, input_tokens, output_tokens, input_cached_tokens } = openAi.data
    return { model, atMs, serviceTier: batch === true ? 'batch' : service_tier, tokens: { input: input_tokens, output: output_tokens, cachedInput: input_cached_tokens, cacheWrite: 0, reasoning: 0 } }
  }
  const anthropic = anthropicUsage.safeParse(result)
  if (!anthropic.success || !('uncached_input_tokens' in result)) return undefined
  const { model, service_tier, uncached_input_tokens, cache_read_input_tokens, output_tokens, cache_creation } = anthropic.data
  const cacheWrite = (cache_creation?.ephemeral_1h_input_tokens ?? 0) + (cache_creation?.ephemeral_5m_input_tokens ?? 0)
  return { model, atMs, serviceTier: service_tier, tokens: { input: uncached_input_tokens + cache_read_input_tokens + cacheWrite, output: output_tokens, cachedInput: cache_read_input_tokens, cacheWrite, reasoning: 0 } }
}

function amountOf(where: string, amount: string, currency: string, shift: number): Pico {
  if (currency.toUpperCase() !== 'USD') throw new Error(`cannot read ${where}: expected an amount in USD, got ${currency.slice(0, 20)}`)
  const pico = picoOf(amount, shift)
  if (pico === undefined) throw new Error(`cannot read ${where}: expected an amount, got ${JSON.stringify(amount).slice(0, 60)}`)
  return pico
}

/** CSV with a head line, or a list of JSON objects, by the names of its columns. */
function generic(name: string, text: string, columns: Columns): BillLine[] {
  const isJson = /^\s*[[{]/.test(text)
  const rows = isJson ? jsonRows(name, text) : csvRows(name, text)
  return rows.map(({ at, row }) => {
    const cell = (key: string, optional = false): string => {
      const value = key in row ? row[key] : key.split('.').reduce<unknown>((part, step) => (typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[step] : undefined), row)
      if ((typeof value !== 'string' && typeof value !== 'number') || value === '') {
        if (optional) return ''
        throw new Error(`cannot read ${name}:${at}: nothing in ${key}; name the columns with --columns date,model,cost`)
      }
      return String(value)
    }
    const written = cell(columns.day)
    const dayMs = /^\d{9,11}$/.test(written) ? Number(written) * 1000 : Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(written) ? written : written.replace(/^(\d{4}-\d{2}-\d{2}) (.*\d)$/, '$1T$2Z'))
    if (Number.isNaN(dayMs)) throw new Error(`cannot read ${name}:${at}: expected a date in ${columns.day}, got ${JSON.stringify(written).slice(0, 60)}`)
    const pico = picoOf(cell(columns.cost).replace(/^\$/, ''), columns.unit === 'cents' ? -2 : 0)
    if (pico === undefined) throw new Error(`cannot read ${name}:${at}: expected an amount in ${columns.cost}`)
    return { day: new Date(dayMs).toISOString().slice(0, 10), model: cell(columns.model, true), pico, estimated: false }
  })
}

function jsonRows(name: string, text: string): Row[] {
  const value = json(name, text)
  const list = Array.isArray(value) ? value : Object.values(value as Record<string, unknown>).find(Array.isArray)
  if (list === undefined) throw new Error(`cannot read ${name}: expected a list of objects`)
  return list.map((row: unknown, i): Row => {
    if (typeof row !== 'object' || row === null) throw new Error(`cannot read ${name}: [${i}] is no object`)
    return { at: `[${i}]`, row: row as Record<string, unknown> }
  })
}

function json(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`cannot read ${name}: ${(error as Error).message}`, { cause: error })
  }
}
