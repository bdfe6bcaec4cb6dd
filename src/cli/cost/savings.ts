/** `spanbridge savings`: what of the cost need not have been, the dearest first. */
import { Command, Option } from 'commander'
import { readRemedies } from '../../config/remedies.ts'
import { readDurationSeconds, readUrl } from '../../config/values.ts'
import { bodiesIn } from '../recorded/recordings.ts'
import { textTable } from '../textable.ts'
import { flag, UsageError } from '../usage.ts'

interface Flags {
  config?: string
  pricing?: string
  prometheus?: string
  since: number
  json?: boolean
}

interface Saving {
  readonly agent: string
  readonly reason: string
  readonly usd: number
  /** Of the agent's cost. */
  readonly share: number
  readonly remedy: string
}

interface Costs {
  readonly avoidable: readonly { readonly agent: string; readonly reason: string; readonly usd: number }[]
  readonly byAgent: ReadonlyMap<string, number>
}

export function savingsCommand(): Command {
  return new Command('savings')
    .summary('what of the cost need not have been')
    .description('Prints the avoidable cost by agent and reason, the dearest first, and what to do\nabout it: of the last days by Prometheus, or of recorded OTLP.')
    .argument('[paths...]', 'recorded OTLP bodies, instead of Prometheus')
    .addOption(new Option('-p, --prometheus <url>', 'where Prometheus is (default: http://127.0.0.1:9090)').argParser(flag(readUrl)))
    .addOption(new Option('-s, --since <time>', 'how far to look back').argParser(flag(readDurationSeconds)).default(7 * 86_400, '7d'))
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG), for recorded OTLP')
    .option('--pricing <file>', 'prices of your own, for recorded OTLP')
    .option('--json', 'print JSON')
    .action(savings)
}

async function savings(paths: string[], flags: Flags): Promise<void> {
  if (paths.length > 0 && flags.prometheus !== undefined) throw new UsageError('expected paths or --prometheus, not both')
  const costs = paths.length > 0 ? await inBodies(paths, flags) : await inPrometheus(flags.prometheus ?? 'http://127.0.0.1:9090', flags.since)
  const remedies = readRemedies().savings
  const found = costs.avoidable.filter(({ usd }) => usd > 0).map(({ agent, reason, usd }): Saving => ({ agent, reason, usd, share: usd / (costs.byAgent.get(agent) ?? usd), remedy: remedies[reason] ?? '' }))
  found.sort((a, b) => b.usd - a.usd || (a.agent < b.agent ? -1 : 1))
  const totalUsd = [...costs.byAgent.values()].reduce((sum, usd) => sum + usd, 0)
  const avoidableUsd = found.reduce((sum, { usd }) => sum + usd, 0)
  process.stdout.write(flags.json === true ? `${JSON.stringify({ totalUsd, avoidableUsd, savings: found }, null, 2)}\n` : text(found, totalUsd, avoidableUsd))
}

async function inBodies(paths: readonly string[], flags: Flags): Promise<Costs> {
  const [{ loadConfig }, { rows, runOffline }] = await Promise.all([import('../../config/config.ts'), import('../recorded/offline.ts')])
  const { engine } = runOffline(bodiesIn(paths), loadConfig({ flags: { config: flags.config, pricing: flags.pricing }, env: process.env }))
  return costsOf(rows(engine, 'agent_avoidable_cost_usd_total'), rows(engine, 'agent_cost_usd_total'))
}

async function inPrometheus(url: string, sinceSeconds: number): Promise<Costs> {
  const { query } = await import('../prometheus.ts')
  const nowSeconds = Date.now() / 1000
  const ask = async (metric: string, by: string) => (await query(url, `sum by (${by}) (increase(${metric}[${sinceSeconds}s]))`, nowSeconds)).map(({ labels, points }) => ({ labels, value: points[0]![1] }))
  const [avoidable, cost] = await Promise.all([ask('agent_avoidable_cost_usd_total', 'agent, reason'), ask('agent_cost_usd_total', 'agent')])
  return costsOf(avoidable, cost)
}

interface Row {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

function costsOf(avoidable: readonly Row[], cost: readonly Row[]): Costs {
  const byAgent = new Map<string, number>()
  for (const { labels, value } of cost) byAgent.set(labels['agent'] ?? '', (byAgent.get(labels['agent'] ?? '') ?? 0) + value)
  const sums = new Map<string, { agent: string; reason: string; usd: number }>()
  for (const { labels, value } of avoidable) {
    const [agent, reason] = [labels['agent'] ?? '', labels['reason'] ?? '']
    const key = JSON.stringify([agent, reason])
    const sum = sums.get(key) ?? { agent, reason, usd: 0 }
    sum.usd += value
    sums.set(key, sum)
  }
  return { avoidable: [...sums.values()], byAgent }
}

function text(found: readonly Saving[], totalUsd: number, avoidableUsd: number): string {
  if (totalUsd === 0) return 'nothing has cost anything\n'
  const sum = `$${usd(avoidableUsd)} of $${usd(totalUsd)} need not have been (${((100 * avoidableUsd) / totalUsd).toFixed(1)} %)\n`
  if (found.length === 0) return sum
  const table = textTable(
    [{ title: 'agent' }, { title: 'reason' }, { title: 'USD', right: true }, { title: 'share', right: true }, { title: 'what to do', widest: 100 }],
    found.map(({ agent, reason, usd: amount, share, remedy }) => [agent || '(unnamed)', reason, usd(amount), `${(100 * share).toFixed(1)} %`, remedy]),
  )
  return `${table}\n${sum}`
}

/** Cents, or what there is of them. */
function usd(amount: number): string {
  return amount >= 1 ? amount.toFixed(2) : amount.toFixed(6)
}
