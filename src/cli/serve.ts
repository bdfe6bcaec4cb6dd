/** `spanbridge serve`: the bridge, until it is told to stop. */
import { Command } from 'commander'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/problems.ts'
import { writeAddress, type Address } from '../config/values.ts'

export interface RunningBridge {
  readonly addresses: { readonly http: Address; readonly grpc: Address; readonly web: Address }
  /** Stops accepting, settles what is in hand. */
  stop(): Promise<{ readonly spansAccepted: number; readonly requestsSettled: number }>
}

export type StartBridge = (config: Config, warn: (message: string) => void) => Promise<RunningBridge>

/** What `serve` needs of the process. */
export interface Host {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  exit(code: number): void
  print(line: string): void
  warn(line: string): void
}

export function serveCommand(): Command {
  return new Command('serve')
    .summary('receive OTLP; serve metrics and the pager')
    .description('Receives OTLP and serves metrics, health and the pager page.\nFlags win over the environment, that over the file, that over the defaults.')
    .option('-c, --config <file>', 'YAML configuration file (SPANBRIDGE_CONFIG)')
    .option('--http-address <host:port>', 'OTLP/HTTP (default 127.0.0.1:4318)')
    .option('--grpc-address <host:port>', 'OTLP/gRPC (default 127.0.0.1:4317)')
    .option('--web-address <host:port>', 'metrics, health, pager (default 127.0.0.1:9464)')
    .option('--settle-grace <time>', 'from the root span to settling (default 5s)')
    .option('--idle-timeout <time>', 'when no root comes (default 10m)')
    .option('--max-open-requests <n>', 'past it the oldest is settled (default 200000)')
    .option('--data-dir <folder>', 'the pager database (default ./data)')
    .action(async (flags: Record<string, string | undefined>) => {
      const { loadConfig } = await import('../config/config.ts')
      const config = loadConfig({ flags, env: process.env })
      const { startBridge } = await import('../bridge.ts')
      await serve(config, startBridge, {
        on: (signal, listener) => process.on(signal, listener),
        off: (signal, listener) => process.off(signal, listener),
        exit: (code) => process.exit(code),
        print: (line) => process.stdout.write(`${line}\n`),
        warn: (line) => process.stderr.write(`spanbridge: ${line}\n`),
      })
      // Everything is settled: an idle connection of a sender does not hold the process.
      process.exit(0)
    })
}

/** Who stops containers sends SIGKILL 10 s after SIGTERM. */
const LONGEST_STOP_SECONDS = 9.5

/** Resolves when the bridge has stopped. The first signal stops it, the second one ends the process at once. */
export async function serve(config: Config, start: StartBridge, host: Host): Promise<void> {
  for (const warning of config.warnings) host.warn(warning)
  const stopped = Promise.withResolvers<'SIGTERM' | 'SIGINT'>()
  let signals = 0
  const listeners = (['SIGTERM', 'SIGINT'] as const).map((signal) => {
    const listener = (): void => {
      if (++signals === 1) stopped.resolve(signal)
      else host.exit(signal === 'SIGTERM' ? 143 : 130)
    }
    host.on(signal, listener)
    return { signal, listener }
  })
  try {
    const bridge = await start(config, host.warn).catch((error: unknown) => {
      throw error instanceof ConfigError ? error : new Error(startFailure(error), { cause: error })
    })
    const { http, grpc, web } = bridge.addresses
    host.print(`OTLP/HTTP on http://${writeAddress(http)}`)
    host.print(`OTLP/gRPC on ${writeAddress(grpc)}`)
    host.print(`metrics, health and pager on http://${writeAddress(web)}`)
    const signal = await stopped.promise
    host.print(`${signal}: settling what is in hand`)
    const late = setTimeout(() => {
      host.warn(`cannot settle everything within ${LONGEST_STOP_SECONDS} s: leaving`)
      host.exit(1)
    }, LONGEST_STOP_SECONDS * 1000)
    const { requestsSettled, spansAccepted } = await bridge.stop().finally(() => clearTimeout(late))
    host.print(`stopped: settled ${requestsSettled} requests, accepted ${spansAccepted} spans`)
  } finally {
    for (const { signal, listener } of listeners) host.off(signal, listener)
  }
}

function startFailure(error: unknown): string {
  const { code, address, port, message } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  const at = address === undefined ? '' : ` on ${writeAddress({ host: address, port: port ?? 0 })}`
  if (code === 'EADDRINUSE') return `cannot listen${at}: the port is in use, by another bridge or a Collector? Choose another with --http-address, --grpc-address or --web-address`
  if (code === 'EACCES') return `cannot listen${at}: not allowed to; ports below 1024 are reserved`
  if (code === 'EADDRNOTAVAIL') return `cannot listen${at}: this machine has no such address`
  return message.startsWith('cannot ') ? message : `cannot start: ${message}`
}
