/** How each of the native programs is started. All of them listen on loopback only, unless told otherwise. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findComponent } from '../components/components.ts'
import { freePort } from '../src/web/port.ts'
import { type Native, startNative } from './native.ts'

export { type Native, type NativeOptions, startNative } from './native.ts'
export { freePort } from '../src/web/port.ts'

export interface ServerOptions {
  readonly configFile: string
  /** Made when it is not there. */
  readonly dataDir: string
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default: a free one. */
  readonly port?: number
  /** How long it may take to end after SIGTERM, before SIGKILL. */
  readonly stopLimitSeconds?: number
  /** Its log is `<name>.log` in here. */
  readonly logDir: string
  readonly extraArgs?: readonly string[]
}

export async function startPrometheus(options: ServerOptions): Promise<Native> {
  const port = options.port ?? (await freePort())
  return startServer('prometheus', options, port, [
    `--config.file=${options.configFile}`,
    `--storage.tsdb.path=${options.dataDir}`,
    `--web.listen-address=${hostOf(options)}:${port}`,
    // POST /-/reload, so that a changed rule file is read without a restart.
    '--web.enable-lifecycle',
    // Without this feature Prometheus drops the trace ids that the bridge attaches to its series.
    '--enable-feature=exemplar-storage',
    // The Collector brings the agents' own metrics.
    '--web.enable-otlp-receiver',
    // For some seconds after its start Prometheus knows no Alertmanager, and an alert that fires then is lost. It is sent again after
    // this long, by default a minute, which a person who waits for the demo's page takes for a failure.
    '--rules.alert.resend-delay=5s',
  ])
}

export async function startAlertmanager(options: ServerOptions): Promise<Native> {
  const port = options.port ?? (await freePort())
  return startServer('alertmanager', options, port, [
    `--config.file=${options.configFile}`,
    `--storage.path=${options.dataDir}`,
    `--web.listen-address=${hostOf(options)}:${port}`,
    // One instance has no peers: without this it listens for them on every interface.
    '--cluster.listen-address=',
  ])
}

/** The configuration, made by `lokiConfig`, tells its data directory: its files lie where their paths say. */
export async function startLoki(options: ServerOptions): Promise<Native> {
  const port = options.port ?? (await freePort())
  return startServer('loki', options, port, [
    `-config.file=${options.configFile}`,
    '-target=all',
    `-server.http-listen-address=${options.host ?? '127.0.0.1'}`,
    `-server.http-listen-port=${port}`,
    // Its parts speak to each other over gRPC.
    '-server.grpc-listen-address=127.0.0.1',
    `-server.grpc-listen-port=${await freePort()}`,
  ], '/ready')
}

export interface CollectorOptions {
  readonly configFile: string
  readonly logDir: string
  /** Where the configuration's health_check extension answers. */
  readonly healthUrl: string
  readonly env?: NodeJS.ProcessEnv
  readonly stopLimitSeconds?: number
}

export async function startCollector(options: CollectorOptions): Promise<Native> {
  return startNative({
    name: 'collector',
    binary: binaryOf('otelcol'),
    args: [`--config=${options.configFile}`],
    logFile: join(options.logDir, 'collector.log'),
    ready: { url: options.healthUrl },
    ...(options.env ? { env: options.env } : {}),
    ...(options.stopLimitSeconds === undefined ? {} : { stopLimitSeconds: options.stopLimitSeconds }),
  })
}

function startServer(name: string, options: ServerOptions, port: number, args: readonly string[], readyPath = '/-/ready'): Promise<Native> {
  const binary = binaryOf(name)
  mkdirSync(options.dataDir, { recursive: true })
  return startNative({
    name,
    binary,
    args: [...args, ...(options.extraArgs ?? [])],
    logFile: join(options.logDir, `${name}.log`),
    ready: { url: `http://${hostOf(options)}:${port}${readyPath}` },
    ...(options.stopLimitSeconds === undefined ? {} : { stopLimitSeconds: options.stopLimitSeconds }),
  })
}

function hostOf({ host = '127.0.0.1' }: ServerOptions): string {
  return host.includes(':') ? `[${host}]` : host
}

function binaryOf(name: string): string {
  const binary = findComponent(name)
  if (binary) return binary
  throw new Error(`cannot start ${name}: it is not installed; "node components/ensure.ts ${name}" builds it`)
}
