/** `spanbridge prices check`: which of the models seen have a price, and which have none or might have another. */
import { Command } from 'commander'
import type { Config } from '../../config/config.ts'
import type { Quote } from '../../cost/prices.ts'
import { Kind } from '../../spans/names.ts'
import { readUrl, writeAddress } from '../../config/values.ts'
import { reasonOf } from '../../web/reach.ts'
import { readSamples, sum } from '../exposition.ts'
import { bodiesIn } from '../recorded/recordings.ts'
import { printable, textTable } from '../textable.ts'
import { flag } from '../usage.ts'

interface Flags {
  config?: string
  pricing?: string
  bridge?: string
  json?: boolean
}

/** Calls to a model as spans or series tell of them. */
interface Seen {
  readonly model: string
  /** Undefined where nobody tells it, as in the series of a bridge: then it may be any. */
  readonly provider: string | undefined
  readonly tier: string
  calls: number
  atMs: number
  /** The bridge has counted these calls as without a price. */
  readonly unpriced: boolean
}

const TIERS = ['standard', 'batch', 'flex', 'priority']

export function pricesCommand(): Command {
  const check = new Command('check')
    .description('Compares the price table with the models seen: by a running bridge, or in recorded\nOTLP. Names models without a price, and those that more than one price fits.\nExits 1 when a model has no price.')
    .argument('[paths...]', 'recorded OTLP bodies (default: ask the bridge)')
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG)')
    .option('--pricing <file>', 'prices of your own, instead of the configured ones')
    .option('--bridge <url>', 'where the bridge serves /metrics (default: webAddress)', flag(readUrl))
    .option('--json', 'print JSON')
    .action(checkPrices)
  return new Command('prices').summary('compare the price table with the models seen').description('The price table: list prices, and over them those of pricing.yaml.').addCommand(check)
}

async function checkPrices(paths: string[], flags: Flags): Promise<void> {
  const [{ loadConfig }, { engineOptions }] = await Promise.all([import('../../config/config.ts'), import('../../configured.ts')])
  const config = loadConfig({ flags: { config: flags.config, pricing: flags.pricing }, env: process.env })
  const { prices } = engineOptions(config)
  const seen = paths.length > 0 ? await inBodies(paths, config) : await atBridge(flags.bridge ?? `http://${writeAddress(config.webAddress)}`)
  const models = seen.map((one) => finding(one, prices.quote(one.provider ?? '', one.model, one.atMs, TIERS.indexOf(one.tier)), one.atMs))
  models.sort((a, b) => b.calls - a.calls || (a.model < b.model ? -1 : 1))
  process.stdout.write(flags.json === true ? `${JSON.stringify({ models, missing: models.filter(({ problem }) => problem === 'missing').map(({ model }) => model), ambiguous: models.filter(({ problem }) => problem === 'ambiguous').map(({ model }) => model) }, null, 2)}\n` : text(models))
  if (models.some(({ problem }) => problem === 'missing')) process.exitCode = 1
}

async function inBodies(paths: readonly string[], config: Config): Promise<Seen[]> {
  const { runOffline } = await import('../recorded/offline.ts')
  const seen = new Map<string, Seen>()
  runOffline(bodiesIn(paths), config, {}, (settled, text) => {
    for (let i = 0; i < settled.steps; i++) {
      if (settled.kind[i] !== Kind.model && settled.kind[i] !== Kind.embedding) continue
      // A call that failed was answered with nothing, often before its model was known.
      if (settled.failed[i] === 1 && settled.input[i]! < 0 && settled.output[i]! < 0) continue
      const [model, provider, tier] = [text(settled.name[i]!), text(settled.provider[i]!), TIERS[settled.tier[i]!]!]
      const key = JSON.stringify([model, provider, tier])
      const one = seen.get(key) ?? { model, provider, tier, calls: 0, atMs: 0, unpriced: false }
      one.calls++
      one.atMs = Math.max(one.atMs, settled.stepStartMs[i]!)
      seen.set(key, one)
    }
  })
  return [...seen.values()]
}

async function atBridge(url: string): Promise<Seen[]> {
  let body: string
  try {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(30_000) })
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    body = await response.text()
  } catch (error) {
    throw new Error(`cannot read ${url}/metrics: ${reasonOf(error)}`, { cause: error })
  }
  const samples = readSamples(body)
  const names = new Set(samples.filter(({ name }) => name === 'agent_unpriced_calls_total' || name === 'agent_tokens_total').map(({ labels }) => labels['name'] ?? ''))
  return [...names].filter((model) => model !== '__overflow__').map((model) => {
    const unpriced = sum(samples, 'agent_unpriced_calls_total', { name: model, reason: 'no_price' })
    const calls = ['model', 'embedding'].reduce((total, step) => total + sum(samples, 'agent_step_duration_seconds_count', { step, name: model }), 0)
    return { model, provider: undefined, tier: 'standard', calls, atMs: Date.now(), unpriced: unpriced > 0 }
  })
}

interface Finding {
  readonly model: string
  readonly provider?: string
  readonly tier: string
  readonly calls: number
  readonly price?: { readonly source: string; readonly id: string; readonly input: number; readonly output: number; readonly perRequest: number; readonly perSecond: number }
  readonly problem?: 'missing' | 'ambiguous'
  readonly why?: string
  readonly next?: string
}

function finding({ model, provider, tier, calls, unpriced }: Seen, quote: Quote, atMs: number): Finding {
  const { price, rivals, tierUnknown } = quote
  const one = { model, ...(provider !== undefined && { provider }), tier, calls }
  if (price === undefined) {
    // A price can hang on the provider, which series do not tell: what the bridge has priced is priced.
    if (provider === undefined && !unpriced) return { ...one, why: 'priced by its provider, which series do not tell', next: 'check recorded spans to see which price it is' }
    return { ...one, problem: 'missing', why: model === '' ? 'the spans name no model' : `no price at ${new Date(atMs).toISOString().slice(0, 10)}`, next: model === '' ? 'let the instrumentation tell gen_ai.request.model' : 'add it to models or aliases of pricing.yaml' }
  }
  const told = { ...one, price: { source: price.source, id: price.id, input: price.tiers[0].input, output: price.tiers[0].output, perRequest: price.perRequest, perSecond: price.perSecond } }
  if (rivals.length > 0) return { ...told, problem: 'ambiguous', why: `${price.id} and ${rivals.join(', ')} of pricing.yaml fit alike`, next: 'name the model, its provider, or say from when each price holds' }
  if (tierUnknown) return { ...told, problem: 'ambiguous', why: `nobody says what ${tier} costs: priced as standard`, next: 'add it to serviceTiers of pricing.yaml' }
  if (unpriced) return { ...told, why: 'the bridge counted calls of it without a price before', next: 'restart the bridge with this price table' }
  return told
}

function text(models: readonly Finding[]): string {
  if (models.length === 0) return 'no model calls seen\n'
  const table = textTable(
    [{ title: 'model' }, { title: 'provider' }, { title: 'tier' }, { title: 'calls', right: true }, { title: 'price' }, { title: 'input/M', right: true }, { title: 'output/M', right: true }],
    models.map(({ model, provider = '', tier, calls, price }) => [model || '(unnamed)', provider, tier, String(calls), price === undefined ? 'none' : `${price.source} ${price.id}`, ...(price === undefined ? ['', ''] : [usd(price.input), usd(price.output)])]),
  )
  const notes = models.flatMap(({ problem, why, next, model }) => (why === undefined ? [] : [`${problem ?? 'note'}: ${printable(model || '(unnamed)')}: ${printable(why, 200)}\n  → ${printable(next!, 200)}\n`]))
  const missing = models.filter(({ problem }) => problem === 'missing').length
  return `${table}\n${notes.join('')}${missing === 0 ? 'every model has a price' : `${missing} of ${models.length} models have no price`}\n`
}

/** Rounded to what a double knows. */
function usd(price: number): string {
  return String(Number(price.toPrecision(12)))
}
