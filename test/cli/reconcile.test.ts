/** A provider's bill that was made from the same calls without any code of ours: it has to come to what is counted, to the cent and nearly to the picodollar. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readBill } from '../../src/cli/cost/bill.ts'
import { countedInBodies, countedInPrometheus } from '../../src/cli/cost/counted.ts'
import { picoOf, usdText } from '../../src/cli/cost/money.ts'
import { compare } from '../../src/cli/cost/reconcile.ts'
import { loadConfig } from '../../src/config/config.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { Random } from '../../bench/random.ts'
import { fakePrometheus } from './fakeprometheus.ts'
import { commandLine } from './spanbridge.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-reconcile-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Picodollars a token, from the providers' public price pages: an independent table, in which 1 USD a million tokens is 1,000,000. */
const LIST = {
  'gpt-4o-2024-08-06': { asked: 'gpt-4o', provider: 'openai', input: 2_500_000n, cached: 1_250_000n, output: 10_000_000n },
  'gpt-4o-mini-2024-07-18': { asked: 'gpt-4o-mini', provider: 'openai', input: 150_000n, cached: 75_000n, output: 600_000n },
  'claude-sonnet-4-5-20250929': { asked: 'claude-sonnet-4-5', provider: 'anthropic', input: 3_000_000n, cached: 300_000n, write: 3_750_000n, output: 15_000_000n },
} as const
type Model = keyof typeof LIST
const MODELS = Object.keys(LIST) as Model[]
const DAYS = ['2026-03-01', '2026-03-02', '2026-03-03'] as const

interface Call { model: Model; day: string; atMs: number; fresh: number; cached: number; written: number; output: number; batch: boolean }

const random = new Random(7)
const calls: Call[] = Array.from({ length: 600 }, (): Call => {
  const model = MODELS[random.integer(0, 2)]!
  const day = DAYS[random.integer(0, 2)]!
  return {
    model, day, atMs: Date.parse(day) + random.integer(0, 86_399_000), fresh: random.integer(1, 9_000), cached: random.integer(0, 5_000), written: 'write' in LIST[model] ? random.integer(0, 2_000) : 0,
    output: random.integer(1, 4_000), batch: random.integer(0, 3) === 0,
  }
})

/** By kind of token, half price for a batch: as the bills have it. */
function parts({ model, fresh, cached, written, output, batch }: Call): Record<string, bigint> {
  const price = LIST[model]
  const all = { input: BigInt(fresh) * price.input, cached: BigInt(cached) * price.cached, written: BigInt(written) * ('write' in price ? price.write : 0n), output: BigInt(output) * price.output }
  return Object.fromEntries(Object.entries(all).map(([kind, pico]) => [kind, batch ? pico / 2n : pico]))
}

const decimal = (pico: bigint, places: number) => `${pico / 10n ** BigInt(places)}.${String(pico % 10n ** BigInt(places)).padStart(places, '0')}`
function summed(of: (model: Model) => boolean): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const call of calls.filter(({ model }) => of(model))) for (const [kind, pico] of Object.entries(parts(call))) {
    const key = `${call.day}|${call.model}|${kind}`
    sums.set(key, (sums.get(key) ?? 0n) + pico)
  }
  return sums
}
const isOpenAi = (model: Model) => LIST[model].provider === 'openai'

function pages(rows: readonly (readonly [string, Record<string, unknown>])[], start: (day: string) => Record<string, unknown>): string {
  const data = DAYS.map((day) => ({ ...start(day), results: rows.filter(([of]) => of === day).map(([, row]) => row) }))
  return JSON.stringify({ object: 'page', data, has_more: false, next_page: null })
}
const openAiCosts = pages([...summed(isOpenAi)].map(([key, pico]) => {
  const [day, model, kind] = key.split('|')
  return [day!, { object: 'organization.costs.result', amount: { value: decimal(pico, 12), currency: 'usd' }, line_item: `${model}, ${kind === 'cached' ? 'cached input' : kind}`, project_id: null }] as const
}), (day) => ({ object: 'bucket', start_time: Date.parse(day) / 1000, end_time: Date.parse(day) / 1000 + 86_400 }))
const anthropicCosts = pages([...summed((model) => !isOpenAi(model))].map(([key, pico]) => {
  const [day, model, kind] = key.split('|')
  return [day!, { amount: decimal(pico, 10), currency: 'USD', cost_type: 'tokens', model, token_type: kind, service_tier: 'standard', description: 'usage', context_window: '0-200k', workspace_id: null }] as const
}), (day) => ({ starting_at: `${day}T00:00:00Z`, ending_at: `${day}T23:59:59Z` }))
const csv = `usage_date_utc,"model",cost (cents)\n${[...summed(() => true)].map(([key, pico]) => `${key.split('|')[0]},"${key.split('|')[1]}",${decimal(pico, 10)}`).join('\r\n')}\n`
const CSV_COLUMNS = { day: 'usage_date_utc', model: 'model', cost: 'cost (cents)', unit: 'cents' as const }

const spans = calls.map((call, i) => {
  const { asked, provider } = LIST[call.model]
  return {
    trace: (i + 1).toString(16).padStart(32, '0'), id: '1'.padStart(16, '0'), name: `chat ${asked}`, startMs: call.atMs, endMs: call.atMs + 400, scope: 'opentelemetry.instrumentation.openai_v2', resource: {},
    attributes: {
      'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': provider, 'gen_ai.request.model': asked, 'gen_ai.response.model': call.model,
      'gen_ai.usage.input_tokens': call.fresh + call.cached + call.written, 'gen_ai.usage.cache_read.input_tokens': call.cached, 'gen_ai.usage.cache_creation.input_tokens': call.written, 'gen_ai.usage.output_tokens': call.output,
      ...(call.batch && { [provider === 'openai' ? 'openai.response.service_tier' : 'anthropic.response.service_tier']: 'batch' }),
    },
  }
})
writeFileSync(join(folder, 'traces-1.pb'), tracesBody(spans))
writeFileSync(join(folder, 'costs.json'), openAiCosts)
writeFileSync(join(folder, 'report.json'), anthropicCosts)
const counted = await countedInBodies([folder], loadConfig())
const none = () => undefined

describe('a bill from the same calls', () => {
  /** Each call's cost is rounded to 2^-36 USD, 7.3 picodollars at most. */
  const ROUNDING = 8n * BigInt(calls.length)

  test.each([
    ["OpenAI's costs and Anthropic's report", () => [...readBill('costs.json', openAiCosts, none, undefined), ...readBill('report.json', anthropicCosts, none, undefined)]],
    ['a CSV in cents', () => readBill('bill.csv', csv, none, CSV_COLUMNS)],
  ])('agrees, day by day and model by model: %s', (_, read) => {
    const report = compare(read(), counted, 0n)
    expect(report.rows.map(({ day, model }) => `${day} ${model}`)).toEqual(DAYS.flatMap((day) => ['claude-sonnet-4-5', 'gpt-4o', 'gpt-4o-mini'].map((model) => `${day} ${model}`)))
    for (const { day, model, billed, counted: ours, difference } of report.rows) {
      expect(billed, `${day} ${model}`).toBeGreaterThan(10n ** 9n)
      expect(difference < 0n ? -difference : difference).toBeLessThan(ROUNDING)
      expect(usdText(ours), `${day} ${model}`).toBe(usdText(billed))
    }
    expect(usdText(report.counted - report.billed)).toBe('0.00')
    expect(report.billed).toBe([...summed(() => true).values()].reduce((a, b) => a + b, 0n))
  })

  test('a bill by tokens is priced here', () => {
    const mini = calls.filter(({ model, batch, day }) => model === 'gpt-4o-mini-2024-07-18' && !batch && day === DAYS[0])
    const sum = (of: (call: Call) => number) => mini.reduce((total, call) => total + of(call), 0)
    const usage = JSON.stringify({ object: 'page', has_more: false, data: [{ object: 'bucket', start_time: Date.parse(DAYS[0]) / 1000, results: [{
      object: 'organization.usage.completions.result', model: 'gpt-4o-mini-2024-07-18', batch: false, service_tier: 'default', num_model_requests: mini.length,
      input_tokens: sum(({ fresh, cached }) => fresh + cached), input_cached_tokens: sum(({ cached }) => cached), output_tokens: sum(({ output }) => output),
    }] }] })
    const asked: unknown[] = []
    const lines = readBill('usage.json', usage, (one) => { asked.push(one); return 5n }, undefined)
    expect(lines).toEqual([{ day: DAYS[0], model: 'gpt-4o-mini-2024-07-18', pico: 5n, estimated: true }])
    expect(asked).toMatchObject([{ model: 'gpt-4o-mini-2024-07-18', tokens: { input: sum(({ fresh, cached }) => fresh + cached), cachedInput: sum(({ cached }) => cached), cacheWrite: 0 } }])
    const report = JSON.stringify({ has_more: false, data: [{ starting_at: '2026-03-01T00:00:00Z', results: [{ uncached_input_tokens: 10, cache_read_input_tokens: 20, cache_creation: { ephemeral_1h_input_tokens: 1, ephemeral_5m_input_tokens: 2 }, output_tokens: 5, model: 'claude-sonnet-4-5', service_tier: 'batch' }] }] })
    readBill('report.json', report, (one) => { asked.push(one); return 5n }, undefined)
    expect(asked[1]).toMatchObject({ serviceTier: 'batch', tokens: { input: 33, cachedInput: 20, cacheWrite: 3, output: 5 } })
  })

  test('the command says so, and names the day and model of a call that is not there', async () => {
    const agreed = await commandLine(['reconcile', join(folder, 'costs.json'), join(folder, 'report.json'), '--recorded', folder])
    expect(agreed).toMatchObject({ code: 0, stderr: '' })
    expect(agreed.stdout).toMatch(/difference 0\.00 USD: they agree\n$/)
    const more = JSON.parse(openAiCosts) as { data: { results: unknown[] }[] }
    more.data[1]!.results.push({ object: 'organization.costs.result', amount: { value: 0.006, currency: 'usd' }, line_item: 'gpt-4o-2024-08-06, input', project_id: null })
    writeFileSync(join(folder, 'more.json'), JSON.stringify(more))
    const differs = await commandLine(['reconcile', join(folder, 'more.json'), join(folder, 'report.json'), '--recorded', folder, '--json'])
    expect(differs.code).toBe(1)
    const told = JSON.parse(differs.stdout) as { rows: { day: string; model: string; differs: boolean; difference_usd: string }[] }
    expect(told.rows.filter((row) => row.differs)).toMatchObject([{ day: '2026-03-02', model: 'gpt-4o', difference_usd: expect.stringMatching(/^-0\.0060000/) as string }])
  })
})

describe('counted by Prometheus', () => {
  test('the samples of a day are added up, over a restart and a first value, and no other day\'s', async () => {
    const day = Date.parse('2026-03-02') / 1000
    const prometheus = await fakePrometheus(({ path, query }) => {
      expect(path).toBe('/api/v1/query_range')
      expect(query).toContain('step=~"model|embedding",tenant_id="acme"')
      if (query.startsWith('last_over_time')) return [{ metric: { name: 'gpt-4o', job: 'b' }, values: [[day, '0.5']] }]
      return [
        { metric: { __name__: 'agent_cost_usd_total', name: 'gpt-4o', job: 'b' }, values: [[day, '0.5'], [day + 60, '0.75'], [day + 120, '0.125'], [day + 180, '0.25']] },
        { metric: { __name__: 'agent_cost_usd_total', name: 'o3', job: 'b' }, values: [[day + 60, '0.0625'], [day + 120, '0.0625']] },
      ]
    })
    expect(await countedInPrometheus(prometheus.url, ['2026-03-02'], 'tenant_id="acme"')).toEqual([
      { day: '2026-03-02', model: 'gpt-4o', pico: 500_000_000_000n }, { day: '2026-03-02', model: 'o3', pico: 62_500_000_000n },
    ])
    await prometheus.close()
    await expect(countedInPrometheus(prometheus.url, ['2026-03-02'], '')).rejects.toThrow(`cannot ask Prometheus at ${prometheus.url}`)
  })
})

describe('money', () => {
  test('is the decimal that is written', () => {
    expect([picoOf('0.06'), picoOf('123.45', -2), picoOf('-1e-7'), picoOf('2.5E1'), picoOf('0.0000000000004'), picoOf('1,5'), picoOf('')]).toEqual([60_000_000_000n, 1_234_500_000_000n, -100_000n, 25_000_000_000_000n, 0n, undefined, undefined])
    expect([usdText(1_234_500_000_000n), usdText(-60_000n), usdText(-123_456_789_000n), usdText(5_000_000_000n)]).toEqual(['1.2345', '0.00', '-0.123457', '0.005'])
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), (pico) => { expect(picoOf(decimal(pico, 12))).toBe(pico) }))
  })
})

describe('what cannot be read is said', () => {
  test.each([
    ['x.json', '{"data": [{"start_time": 1772323200, "results": [{"object": "x"}]}]}', 'cannot read x.json: data[0].results[0]: neither an amount nor tokens'],
    ['x.json', '{"data": [{"start_time": 1772323200, "results": [{"amount": {"value": 1, "currency": "eur"}}]}]}', 'expected an amount in USD, got eur'],
    ['x.json', '{"data": [{"results": []}]}', 'data[0]: expected start_time or starting_at'],
    ['x.json', '{"data": [], "has_more": true}', 'it says has_more'],
    ['x.json', '{"rows": 1}', "expected a page of OpenAI's costs"],
    ['x.json', '{', 'cannot read x.json'],
    ['x.csv', 'date,model\n2026-03-01,a\n', 'cannot read x.csv:2: nothing in cost'],
    ['x.csv', 'date,model,cost\n2026-03-01,a,cheap\n', 'cannot read x.csv:2: expected an amount in cost'],
    ['x.csv', 'date,model,cost\n\n"soon",a,1\n', 'cannot read x.csv:3: expected a date in date, got "soon"'],
    ['x.csv', 'date,model,cost\n2026-03-01,a\n', 'cannot read x.csv:2: 2 cells where the head has 3'],
    ['x.csv', 'date,"model', 'cannot read x.csv:1: a quote is not closed'],
  ])('%s %s', (name, text, message) => {
    expect(() => readBill(name, text, none, undefined)).toThrow(message)
  })
})
