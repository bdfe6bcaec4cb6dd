/** `spanbridge reconcile`: a provider's bill against what the bridge has counted, by day and model. */
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { PriceBook } from '../../cost/prices.ts'
import { cost } from '../../cost/price.ts'
import { canonical } from '../../cost/names.ts'
import { SERVICE_TIERS } from '../../spans/names.ts'
import { readUrl } from '../../config/values.ts'
import { DEFAULT_COLUMNS, readBill, type BillLine, type Columns, type PriceUsage } from './bill.ts'
import { countedInBodies, countedInPrometheus, type Counted } from './counted.ts'
import { picoOf, picoOfUsd, usdText, type Pico } from './money.ts'
import { textTable } from '../textable.ts'
import { flag, UsageError } from '../usage.ts'

interface Flags {
  recorded?: string[]
  prometheus?: string
  matching?: string
  config?: string
  pricing?: string
  columns?: { day: string; model: string; cost: string }
  cents?: boolean
  tolerance: Pico
  json?: boolean
}

export function reconcileCommand(): Command {
  return new Command('reconcile')
    .summary("compare a provider's bill with the counted cost")
    .description("Compares a provider's export with the counted cost, by day (UTC) and model:\nOpenAI's costs or usage, Anthropic's cost or usage report, as their APIs answer,\nor any CSV or JSON list. Exits 1 when a day and model differ.")
    .argument('<files...>', "the provider's export (.json, .csv)")
    .option('-r, --recorded <paths...>', 'recorded OTLP of the same calls')
    .addOption(new Option('-p, --prometheus <url>', 'with the counted cost (default: 127.0.0.1:9090)').argParser(flag(readUrl)))
    .option('-m, --matching <matchers>', 'of the series, as tenant_id="acme"')
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG)')
    .option('--pricing <file>', 'prices of your own')
    .option('--columns <names>', 'of another export (default: date,model,cost)', flag(readColumns))
    .option('--cents', 'its amounts are cents')
    .addOption(new Option('--tolerance <usd>', 'a difference that is none').argParser(flag(readTolerance)).default(readTolerance('0.005'), '0.005'))
    .option('--json', 'print JSON')
    .action(reconcile)
}

async function reconcile(files: string[], flags: Flags): Promise<void> {
  if (flags.recorded !== undefined && flags.prometheus !== undefined) throw new UsageError('expected --recorded or --prometheus, not both')
  const [{ loadConfig }, { engineOptions }] = await Promise.all([import('../../config/config.ts'), import('../../configured.ts')])
  const config = loadConfig({ flags: { config: flags.config, pricing: flags.pricing }, env: process.env })
  const price = pricesOf(engineOptions(config).prices)
  const columns: Columns | undefined = flags.columns === undefined && flags.cents !== true ? undefined : { ...DEFAULT_COLUMNS, ...flags.columns, unit: flags.cents === true ? 'cents' : 'usd' }
  const bill = files.flatMap((file) => readBill(file, readText(file), price, columns))
  if (bill.length === 0) throw new Error(`cannot reconcile: ${files.join(', ')} has no line with a cost`)
  const days = [...new Set(bill.map(({ day }) => day))].sort()
  const counted = flags.recorded !== undefined ? await countedInBodies(flags.recorded, config) : await countedInPrometheus(flags.prometheus ?? 'http://127.0.0.1:9090', days, flags.matching ?? '')
  const report = compare(bill, counted, flags.tolerance)
  process.stdout.write(flags.json === true ? `${JSON.stringify(asJson(report), null, 2)}\n` : text(report))
  if (report.rows.some(({ differs }) => differs)) process.exitCode = 1
}

export interface Difference {
  readonly day: string
  readonly model: string
  readonly billed: Pico
  readonly counted: Pico
  readonly difference: Pico
  readonly differs: boolean
  /** The bill has tokens alone, and is priced here. */
  readonly estimated: boolean
}

export interface Report {
  readonly rows: readonly Difference[]
  readonly billed: Pico
  readonly counted: Pico
}

/** A bill that names no models is compared by day. Days that the bill does not have are not compared. */
export function compare(bill: readonly BillLine[], counted: readonly Counted[], tolerance: Pico): Report {
  const modelOf = bill.every(({ model }) => model === '') ? () => '' : canonical
  const days = new Set(bill.map(({ day }) => day))
  const sums = new Map<string, { day: string; model: string; billed: Pico; counted: Pico; estimated: boolean }>()
  const at = (day: string, name: string) => {
    const model = modelOf(name)
    const key = JSON.stringify([day, model])
    let sum = sums.get(key)
    if (sum === undefined) sums.set(key, sum = { day, model, billed: 0n, counted: 0n, estimated: false })
    return sum
  }
  for (const { day, model, pico, estimated } of bill) {
    const sum = at(day, model)
    sum.billed += pico
    sum.estimated ||= estimated
  }
  for (const { day, model, pico } of counted) if (days.has(day)) at(day, model).counted += pico
  const rows = [...sums.values()].filter((row) => row.billed !== 0n || row.counted !== 0n).sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : a.model < b.model ? -1 : 1)).map((row): Difference => {
    const difference = row.counted - row.billed
    return { ...row, difference, differs: (difference < 0n ? -difference : difference) > tolerance }
  })
  return { rows, billed: rows.reduce((sum, row) => sum + row.billed, 0n), counted: rows.reduce((sum, row) => sum + row.counted, 0n) }
}

function pricesOf(book: PriceBook): PriceUsage {
  return ({ model, atMs, serviceTier, tokens }) => {
    const price = book.modelPrice('', model, atMs, SERVICE_TIERS[serviceTier] ?? 0)
    return price === undefined ? undefined : picoOfUsd(cost(price, tokens, 0))
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, { cause: error })
  }
}

function readTolerance(value: unknown): Pico {
  const pico = picoOf(String(value))
  if (pico === undefined || pico < 0n) throw new Error(`expected an amount of at least 0, got ${String(value)}`)
  return pico
}

function readColumns(value: unknown): { day: string; model: string; cost: string } {
  const [day, model, cost, ...more] = String(value).split(',').map((name) => name.trim())
  if (!day || !model || !cost || more.length > 0) throw new Error(`expected three names of columns, as date,model,cost, got ${String(value)}`)
  return { day, model, cost }
}

function noteOf({ billed, counted, differs, estimated }: Difference): string {
  const what = !differs ? '' : counted === 0n ? 'not counted' : billed === 0n ? 'not billed' : counted > billed ? 'counted more' : 'billed more'
  return [what, estimated ? 'billed in tokens, priced here' : ''].filter((part) => part !== '').join('; ')
}

function text({ rows, billed, counted }: Report): string {
  const table = textTable(
    [{ title: 'day' }, { title: 'model' }, { title: 'billed USD', right: true }, { title: 'counted USD', right: true }, { title: 'difference', right: true }, { title: '' }],
    rows.map((row) => [row.day, row.model || '(all models)', usdText(row.billed), usdText(row.counted), usdText(row.difference), noteOf(row)]),
  )
  const differ = rows.filter(({ differs }) => differs).length
  return `${table}\nbilled ${usdText(billed)} USD, counted ${usdText(counted)} USD, difference ${usdText(counted - billed)} USD: ${differ === 0 ? 'they agree' : `${differ} of ${rows.length} differ`}\n`
}

/** Picodollars as decimal texts: a double would round them. */
function asJson({ rows, billed, counted }: Report) {
  const exact = (pico: Pico) => `${pico < 0n ? '-' : ''}${(pico < 0n ? -pico : pico) / 10n ** 12n}.${String((pico < 0n ? -pico : pico) % 10n ** 12n).padStart(12, '0')}`
  return {
    billed_usd: exact(billed), counted_usd: exact(counted), difference_usd: exact(counted - billed),
    rows: rows.map((row) => ({ day: row.day, model: row.model, billed_usd: exact(row.billed), counted_usd: exact(row.counted), difference_usd: exact(row.difference), differs: row.differs, estimated: row.estimated })),
  }
}
