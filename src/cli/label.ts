/** `spanbridge label` and `spanbridge calibrate`: a person marks a request, and how far judges mark as people do. */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Command } from 'commander'
import { readUrl, writeAddress } from '../config/values.ts'
import type { Estimate } from '../quality/calibration/agreement.ts'
import type { JudgeAgreement } from '../quality/calibration/calibration.ts'
import type { Difference } from '../quality/calibration/marks.ts'
import { unreachable } from '../web/reach.ts'
import { printable, textTable } from './textable.ts'
import { flag, UsageError } from './usage.ts'

interface Flags {
  config?: string
  bridge?: string
  tokenFile?: string
}

interface LabelFlags extends Flags {
  score: Mark
  evaluator?: string
  comment?: string
}

/** One of five marks, or a word. */
type Mark = { readonly mark: number } | { readonly label: 'good' | 'bad' }

const BRIDGE = 'where the bridge serves /v1/scores (default: webAddress)'

export function labelCommand(): Command {
  return new Command('label')
    .summary('mark a request as a person')
    .description('Marks a request as a person does, by its trace id: it counts for its tenant and agent\n(layer human), and is held against the mark of a judge.')
    .argument('<trace>', 'trace id of the request, 32 hex digits')
    .requiredOption('--score <mark>', '1 to 5, good or bad', flag(readMark))
    .option('--evaluator <name>', 'whose mark it is (default: your user name)')
    .option('--comment <text>', 'why; shown by spanbridge calibrate where a judge differs')
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG)')
    .option('--bridge <url>', BRIDGE, flag(readUrl))
    .option('--token-file <file>', 'file with the bearer token (default: scores.tokenFile)')
    .action(async (trace: string, { score, evaluator = userInfo().username, comment, ...flags }: LabelFlags) => {
      await ask(flags, '/v1/scores', { trace_id: trace, evaluator, layer: 'human', ...score, ...(comment !== undefined && { comment }) })
      process.stdout.write(`marked ${printable(trace)} as ${'label' in score ? score.label : `${score.mark} of 5`}, by ${printable(evaluator)}\n`)
    })
}

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .summary('tell how far judges mark as people do')
    .description('Tells how far judges mark as people do, from the requests that both marked:\nagreement, agreement beyond chance (kappa), bias, with their 95 % intervals; and\nthe requests in which they differ most.')
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG)')
    .option('--bridge <url>', BRIDGE, flag(readUrl))
    .option('--token-file <file>', 'file with the bearer token (default: scores.tokenFile)')
    .option('--json', 'print JSON')
    .action(async ({ json, ...flags }: Flags & { json?: boolean }) => {
      const { judges } = await ask<{ judges: readonly (JudgeAgreement & { differences: readonly Difference[] })[] }>(flags, '/v1/calibration')
      process.stdout.write(json === true ? `${JSON.stringify({ judges }, null, 2)}\n` : text(judges))
    })
}

function readMark(value: unknown): Mark {
  if (value === 'good' || value === 'bad') return { label: value }
  if (typeof value === 'string' && /^[1-5]$/.test(value)) return { mark: Number(value) }
  throw new Error(`expected 1 to 5, good or bad, got ${JSON.stringify(value)}`)
}

async function ask<T>({ config: file, bridge, tokenFile }: Flags, path: string, body?: unknown): Promise<T> {
  const { loadConfig } = await import('../config/config.ts')
  const config = loadConfig({ flags: { config: file }, env: process.env })
  const url = bridge ?? `http://${writeAddress(config.webAddress)}`
  const token = tokenIn(tokenFile ?? config.scores.tokenFile)
  const headers = { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...(token !== undefined && { Authorization: `Bearer ${token}` }) }
  let response: Response
  try {
    response = await fetch(`${url}${path}`, { headers, ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }), signal: AbortSignal.timeout(30_000) })
  } catch (error) {
    throw unreachable(`the bridge at ${url}`, error)
  }
  const answer = (await response.json().catch(() => ({}))) as { error?: string; errors?: { error: string }[] }
  if (!response.ok) throw new Error(answer.error ?? `cannot mark the request: ${answer.errors?.[0]?.error ?? `HTTP ${response.status}`}`)
  return answer as T
}

function tokenIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`cannot read the token: ${(error as Error).message}`)
  }
}

function text(judges: readonly (JudgeAgreement & { differences: readonly Difference[] })[]): string {
  if (judges.length === 0) return 'no request was marked by a judge and by a person\n'
  const estimate = (one: Estimate | undefined, digits = 2) => (one === undefined ? '' : `${one.value.toFixed(digits)} (${one.lower.toFixed(digits)} to ${one.upper.toFixed(digits)})`)
  const percent = ({ value, lower, upper }: Estimate) => `${Math.round(value * 100)} % (${Math.round(lower * 100)} to ${Math.round(upper * 100)})`
  const table = textTable(
    [{ title: 'judge' }, { title: 'pairs', right: true }, { title: 'agreement' }, { title: 'kappa' }, { title: 'kappa of five' }, { title: 'milder by' }],
    judges.map(({ judge, pairs, agreement, kappa, weightedKappa, bias }) => [judge, String(pairs), percent(agreement), estimate(kappa), estimate(weightedKappa), estimate(bias)]),
  )
  const mark = (value: number) => `${Number((value * 4 + 1).toFixed(1))}`
  const cases = judges.flatMap(({ judge, differences }) => (differences.length === 0 ? [] : [
    `\n${printable(judge)} differs most in\n`,
    ...differences.map(({ trace, judgeValue, person, personValue, comment }) => `  ${trace}  judge ${mark(judgeValue)}, ${printable(person)} ${mark(personValue)}${comment === '' ? '' : `: ${printable(comment, 200)}`}\n`),
  ]))
  return `${table}${cases.join('')}`
}
