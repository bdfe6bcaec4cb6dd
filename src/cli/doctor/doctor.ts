/** `spanbridge doctor`: is the bridge reachable, what do my spans speak, and what is missing. */
import { Command } from 'commander'
import type { Config } from '../../config/config.ts'
import { checkEndpoints } from './endpoints.ts'
import { checkMetrics } from './metrics.ts'
import { checkSpans, type DescribeSpans } from './spans.ts'
import { bodiesIn } from '../recorded/recordings.ts'
import type { Finding } from './finding.ts'

/** `describe` loads the analysis of files; without it `doctor` says that it cannot read them. */
export function doctorCommand(describe?: () => Promise<DescribeSpans>): Command {
  return new Command('doctor')
    .summary('check a running bridge, or recorded spans')
    .description('Checks a running bridge: is it reachable, which dialects do the spans speak,\nwhat is missing for cost, tenant or quality. With files or folders of recorded\nOTLP, checks those instead, without a bridge. Exits 1 when something fails.')
    .argument('[paths...]', 'recorded OTLP bodies (.pb, .json) to analyse')
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG)')
    .option('--http-address <host:port>', 'where OTLP/HTTP should answer')
    .option('--grpc-address <host:port>', 'where OTLP/gRPC should answer')
    .option('--web-address <host:port>', 'where metrics and health should answer')
    .action(async (paths: string[], flags: Record<string, string | undefined>) => {
      const { loadConfig } = await import('../../config/config.ts')
      const config = loadConfig({ flags, env: process.env })
      if (config.pricing !== undefined) (await import('../../config/pricing.ts')).loadPricing(config.pricing)
      const warnings = config.warnings.map((what): Finding => ({ level: 'warn', what, next: 'rename or remove the variable' }))
      const findings = [...warnings, ...(paths.length > 0 ? await files(paths, config, describe) : await running(config))]
      process.stdout.write(findings.map(written).join(''))
      if (findings.some(({ level }) => level === 'fail')) process.exitCode = 1
    })
}

async function running(config: Config): Promise<Finding[]> {
  const { findings, metrics } = await checkEndpoints(config)
  const expectations = config.expectations === undefined ? undefined : (await import('../../config/expectations.ts')).loadExpectations(config.expectations)
  return metrics === undefined ? findings : [...findings, ...checkMetrics(metrics, expectations)]
}

async function files(paths: readonly string[], config: Config, describe: (() => Promise<DescribeSpans>) | undefined): Promise<Finding[]> {
  const bodies = bodiesIn(paths)
  if (describe === undefined) return [{ level: 'fail', what: 'cannot analyse files', next: 'play them to a bridge with spanbridge send, then run spanbridge doctor' }]
  return checkSpans((await describe())(bodies, config))
}

/** Names of models, tools and dialects come from strangers: no control characters reach the terminal. */
export function written({ level, what, next }: Finding): string {
  const clean = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
  return `${level.padEnd(4)}  ${clean(what)}\n${next === '' ? '' : `      → ${clean(next)}\n`}`
}
