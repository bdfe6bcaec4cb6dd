/** `spanbridge judge`: has recorded requests marked once, to try a rubric, a model and what they cost before a bridge does. */
import { Command } from 'commander'
import type { Config } from '../config/config.ts'
import type { JudgeConfig } from '../config/judge.ts'
import { readAmount, readCount } from '../config/values.ts'
import type { Case } from '../quality/judge/case.ts'
import type { WorkerOptions } from '../quality/judge/worker.ts'
import { bodiesIn } from './recorded/recordings.ts'
import { printable, textTable } from './textable.ts'
import { flag } from './usage.ts'

interface Flags {
  config?: string
  provider?: string
  model?: string
  baseUrl?: string
  rubric?: string
  limit: number
  maxUsd?: number
  dryRun?: boolean
  prompts?: boolean
  json?: boolean
}

export function judgeCommand(): Command {
  return new Command('judge')
    .summary('have recorded requests marked by the judge, once')
    .description('Has the judge mark the requests of recorded OTLP, and prints its marks and\nreasons. Nothing is counted anywhere. Exits 1 when a request got no mark.')
    .argument('<paths...>', 'recorded OTLP bodies, with question and answer on their spans')
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG)')
    .option('--provider <name>', 'anthropic, openai or autoevals (default: the configured one, else anthropic)')
    .option('--model <name>', 'instead of the configured one')
    .option('--base-url <url>', 'instead of the configured endpoint')
    .option('--rubric <file>', 'instead of the configured one')
    .option('-n, --limit <n>', 'requests at most', flag((text) => readCount(text, 1, 10_000)), 20)
    .option('--max-usd <usd>', 'spend no more than this (default: usdPerDay)', flag(readAmount))
    .option('--dry-run', 'ask nobody: print what it would cost')
    .option('--prompts', 'with --dry-run: print what would be sent, redacted')
    .option('--json', 'print JSON')
    .action(judgeFiles)
}

async function judgeFiles(paths: string[], flags: Flags): Promise<void> {
  const bodies = bodiesIn(paths)
  const config = await configOf(flags)
  const [{ runOffline }, { caseOf }, { CONTENT_LIMITS }] = await Promise.all([import('./recorded/offline.ts'), import('../quality/judge/content.ts'), import('../traces/content.ts')])
  const cases: Case[] = []
  let requests = 0
  runOffline(bodies, config, { content: { ...CONTENT_LIMITS, wants: () => 3 } }, (settled, text) => {
    if (!settled.isRequest) return
    requests++
    const one = caseOf(settled, 'sample', text)
    if (one !== undefined) cases.push(one)
  })
  if (cases.length === 0) throw new Error(`cannot judge: of ${requests} requests none has a question and an answer on its spans`)
  const options = await optionsOf(config, flags)
  const chosen = cases.slice(0, flags.limit)
  const left = cases.length - chosen.length
  if (flags.dryRun === true) return dryRun(chosen, config.judge, options, flags, left)
  await judgeAll(chosen, options, flags, left)
}

/** Flags are settings of the judge, so they are read as those are. */
async function configOf({ config, provider, model, baseUrl, rubric }: Flags): Promise<Config & { readonly judge: JudgeConfig }> {
  const { loadConfig } = await import('../config/config.ts')
  const { resolve } = await import('node:path')
  const given = { PROVIDER: provider, MODEL: model, BASE_URL: baseUrl, RUBRIC: rubric === undefined ? undefined : resolve(rubric) }
  const env: Record<string, string | undefined> = { ...process.env }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) env[`SPANBRIDGE_JUDGE_${name}`] = value
  const load = () => loadConfig({ flags: { config }, env })
  let loaded = load()
  if (loaded.judge === undefined) {
    env['SPANBRIDGE_JUDGE_PROVIDER'] = 'anthropic'
    loaded = load()
  }
  return { ...loaded, judge: loaded.judge! }
}

async function optionsOf(config: Config & { readonly judge: JudgeConfig }, { dryRun, maxUsd }: Flags): Promise<WorkerOptions> {
  const [{ workerOptions }, { Budget }, { engineOptions }] = await Promise.all([import('../quality/judge/judge.ts'), import('../quality/judge/budget.ts'), import('../configured.ts')])
  const { prices } = engineOptions(config)
  // Without a call no key is needed.
  const { judge, env } = dryRun === true ? { judge: { ...config.judge, apiKeyFile: undefined }, env: { ANTHROPIC_API_KEY: 'none', OPENAI_API_KEY: 'none' } } : { judge: config.judge, env: process.env }
  const options = await workerOptions(judge, {
    env, price: (provider, model, atMs) => prices.modelPrice(provider, model, atMs), took: () => {}, tell: (message) => process.stderr.write(`spanbridge: ${message}\n`),
  })
  // Once, by hand: the day's share of a tenant is not asked for.
  const budget = new Budget({ usdPerDay: maxUsd ?? config.judge.usdPerDay, tenantUsdPerDay: Infinity, tenantRequestsPerDay: Infinity, tenants: [] }, { read: () => [], write: () => {} })
  return { ...options, budget }
}

/** As models of today count them, roughly: enough to tell a cent from a dollar. */
const BYTES_PER_TOKEN = 4
const TOKENS_OF_A_MARK = 200

async function dryRun(cases: readonly Case[], { model }: JudgeConfig, options: WorkerOptions, { json, prompts }: Flags, left: number): Promise<void> {
  const [{ redacted }, { mostUsd }, { cost }] = await Promise.all([import('../quality/judge/redact.ts'), import('../quality/judge/price.ts'), import('../cost/price.ts')])
  const price = options.price(Date.now())!
  const rows = await Promise.all(cases.map(async (one) => {
    const prepared = options.provider.prepare(await redacted(one, options.redact))
    const tokens = { input: Math.ceil(prepared.bytes / BYTES_PER_TOKEN), output: TOKENS_OF_A_MARK, cachedInput: 0, cacheWrite: 0, reasoning: 0 }
    return { trace: one.trace, agent: one.agent, bytes: prepared.bytes, aboutUsd: cost(price, tokens, 0), mostUsd: mostUsd(price, prepared.bytes, options.maxTokens, options.timeoutMs / 1000), ...(prompts === true && { prompt: prepared.text }) }
  }))
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0)
  const total = { requests: rows.length, aboutUsd: sum((row) => row.aboutUsd), mostUsd: sum((row) => row.mostUsd) }
  if (json === true) return print(`${JSON.stringify({ evaluator: options.provider.evaluator, model, requests: rows, total, left }, null, 2)}\n`)
  if (prompts === true) for (const { trace, prompt } of rows) print(`--- ${trace}\n${printableLines(prompt!)}\n`)
  print(textTable(
    [{ title: 'trace' }, { title: 'agent' }, { title: 'bytes', right: true }, { title: 'about USD', right: true }, { title: 'at most', right: true }],
    rows.map((row) => [row.trace.slice(-12), row.agent, String(row.bytes), row.aboutUsd.toFixed(5), row.mostUsd.toFixed(5)]),
  ))
  print(`${options.provider.evaluator} by ${model}: ${rows.length} request${rows.length === 1 ? '' : 's'}${more(left)}, about ${total.aboutUsd.toFixed(4)} USD, at most ${total.mostUsd.toFixed(4)}\n`)
}

async function judgeAll(cases: readonly Case[], options: WorkerOptions, { json }: Flags, left: number): Promise<void> {
  const { judge } = await import('../quality/judge/worker.ts')
  const stop = new AbortController()
  const onSignal = (): void => (stop.signal.aborted ? process.exit(130) : stop.abort())
  process.on('SIGINT', onSignal)
  const rows: { trace: string; agent: string; score: number | undefined; value: number | undefined; usd: number; said: string }[] = []
  for (const one of cases) {
    const before = options.counts.usd
    const errors = { ...options.counts.errors }
    const outcome = await judge(one, options, { stopping: stop.signal, ended: stop.signal })
    const usd = options.counts.usd - before
    const marked = typeof outcome !== 'string'
    const failed = Object.entries(options.counts.errors).find(([error, times]) => times > errors[error as keyof typeof errors])?.[0]
    rows.push({ trace: one.trace, agent: one.agent, score: marked ? 1 + outcome.value * 4 : undefined, value: marked ? outcome.value : undefined, usd, said: marked ? outcome.reason : [outcome, failed].filter(Boolean).join(': ') })
  }
  process.off('SIGINT', onSignal)
  const marks = rows.flatMap(({ value }) => (value === undefined ? [] : [value]))
  const mean = marks.length === 0 ? undefined : marks.reduce((sum, value) => sum + value) / marks.length
  const total = { requests: rows.length, marked: marks.length, mean, usd: options.counts.usd }
  if (json === true) print(`${JSON.stringify({ evaluator: options.provider.evaluator, requests: rows, total, left }, null, 2)}\n`)
  else {
    print(textTable(
      [{ title: 'trace' }, { title: 'agent' }, { title: 'mark', right: true }, { title: 'score', right: true }, { title: 'USD', right: true }],
      rows.map((row) => [row.trace.slice(-12), row.agent, row.score === undefined ? '-' : String(row.score), row.value === undefined ? '-' : row.value.toFixed(2), row.usd.toFixed(5)]),
    ))
    for (const { trace, said } of rows) print(`${trace.slice(-12)}: ${printable(said, 400)}\n`)
    print(`${options.provider.evaluator}: ${marks.length} of ${rows.length} request${rows.length === 1 ? '' : 's'} marked${more(left)}${mean === undefined ? '' : `, mean ${mean.toFixed(3)}`}, ${options.counts.usd.toFixed(4)} USD\n`)
  }
  if (marks.length < rows.length) process.exitCode = 1
}

function more(left: number): string {
  return left > 0 ? ` (${left} more left out: --limit)` : ''
}

function printableLines(text: string): string {
  return text.split('\n').map((line) => printable(line, 10_000)).join('\n')
}

function print(text: string): void {
  process.stdout.write(text)
}
