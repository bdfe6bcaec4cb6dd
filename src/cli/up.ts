/** `spanbridge up`: all of it on this machine, with recorded agents as traffic and a fault to be paged for. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { readAddress, readDurationSeconds, writeAddress, type Address } from '../config/values.ts'
import { flag, UsageError } from './usage.ts'

export interface UpFlags {
  readonly traffic: boolean
  readonly prometheusAddress: Address
  readonly alertmanagerAddress: Address
  readonly faultAfter: number
  readonly [key: string]: unknown
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Who stops containers sends SIGKILL 10 s after SIGTERM. */
const LONGEST_STOP_SECONDS = 9.5

export function upCommand(): Command {
  const address = (fallback: string) => [flag(readAddress), flag(readAddress)(fallback)] as const
  return new Command('up')
    .summary('all of it here: traffic, Prometheus, Alertmanager, a page')
    .description('Runs the bridge, plays recorded agents into it, starts Prometheus and\nAlertmanager (built at first use), then lets a tool fail until a page comes.')
    .option('--no-traffic', 'play nothing: send it your own')
    .option('--data-dir <folder>', 'its folder "up" is emptied at each start (default ./data)')
    .addOption(new Option('--prometheus-address <host:port>', 'Prometheus (default 127.0.0.1:9090)').argParser(address('127.0.0.1:9090')[0]))
    .addOption(new Option('--alertmanager-address <host:port>', 'Alertmanager (default 127.0.0.1:9093)').argParser(address('127.0.0.1:9093')[0]))
    .option('-c, --config <file>', 'YAML configuration file of the bridge')
    .option('--http-address <host:port>', 'OTLP/HTTP (default 127.0.0.1:4318)')
    .option('--grpc-address <host:port>', 'OTLP/gRPC (default 127.0.0.1:4317)')
    .option('--web-address <host:port>', 'metrics, health, pager (default 127.0.0.1:9464)')
    .option('--settle-grace <time>', 'from the root span to settling (default 2s)')
    .addOption(new Option('--fault-after <time>', 'healthy time before each fault').argParser(flag(readDurationSeconds)).hideHelp())
    .action(up)
}
