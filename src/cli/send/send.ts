/** `spanbridge send`: plays recorded OTLP as live traffic. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { readAmount, readCount, readDurationSeconds } from '../../config/values.ts'
import { PROTOCOLS, type Protocol } from './exporter.ts'
import { openExporter } from './transport.ts'
import { newTally, play, type PlayOptions, type Tally } from './player.ts'
import type { Recording } from '../recorded/recording.ts'
import { loadRecordings } from '../recorded/recordings.ts'
import { flag, UsageError } from '../usage.ts'

interface Flags {
  endpoint?: string
  protocol: Protocol
  gzip?: boolean
  header?: Record<string, string>
  rate: number
  spansPerSecond?: number
  duration?: number
  loop?: boolean
  tenant?: { name: string; weight: number }[]
  tenants?: number
  keepIds?: boolean
  keepTimes?: boolean
}

const SHIPPED = fileURLToPath(new URL('../../../test/recordings', import.meta.url))

export function sendCommand(): Command {
  return new Command('send')
    .summary('play recorded OTLP as live traffic')
    .description('Plays recorded OTLP bodies (folders of traces-*.pb|json and logs-*.pb|json)\nas live traffic: with new ids and current times.')
    .argument('[paths...]', 'folders or files (default: the shipped recordings)')
    .option('-e, --endpoint <url>', 'default http://127.0.0.1:4318, or :4317 for grpc')
    .addOption(new Option('-p, --protocol <name>', 'OTLP transport').choices(PROTOCOLS).default('http/protobuf', 'http/protobuf'))
    .option('-z, --gzip', 'compress bodies')
    .option('-H, --header <k=v>', 'add a header, repeatable', header)
    .option('-r, --rate <n>', 'recordings a second, 0 is unpaced', flag(readAmount), 10)
    .addOption(new Option('-s, --spans-per-second <n>', 'spans a second, instead of --rate').argParser(flag((text) => readCount(text, 1, 10_000_000))).conflicts('rate'))
    .option('-d, --duration <time>', 'play over and over for this long', flag(readDurationSeconds))
    .option('-l, --loop', 'play over and over until interrupted')
    .addOption(new Option('-t, --tenant <name[=n]>', 'set tenant_id; repeatable, with weights').argParser(tenant))
    .addOption(new Option('--tenants <n>', 'share the runs out among n tenants').argParser(flag((text) => readCount(text, 1, 100_000))).conflicts('tenant'))
    .option('--keep-ids', 'send the recorded trace and span ids')
    .option('--keep-times', 'send the recorded times')
    .action(send)
}

async function send(paths: string[], flags: Flags): Promise<void> {
  const endpoint = readEndpoint(flags.endpoint ?? (flags.protocol === 'grpc' ? 'http://127.0.0.1:4317' : 'http://127.0.0.1:4318'))
  const recordings = load(paths)
  const options: PlayOptions = {
    rate: flags.rate, spansPerSecond: flags.spansPerSecond, durationSeconds: flags.duration, loop: flags.loop ?? false,
    keepIds: flags.keepIds ?? false, keepTimes: flags.keepTimes ?? false, tenants: flags.tenant ?? numbered(flags.tenants ?? 0),
  }
  const exporter = await openExporter({ protocol: flags.protocol, endpoint, gzip: flags.gzip ?? false, headers: flags.header ?? {}, timeoutSeconds: 30 })
  const tally = newTally()
  const stop = new AbortController()
  const onSignal = (): void => (stop.signal.aborted ? process.exit(130) : stop.abort())
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const startMs = performance.now()
  const seconds = (): number => (performance.now() - startMs) / 1000
  process.stderr.write(`sending ${recordings.length} recording${recordings.length === 1 ? '' : 's'} to ${endpoint.href} (${flags.protocol})\n`)
  const progress = setInterval(() => process.stderr.write(`${line(tally, seconds())}\n`), process.stderr.isTTY ? 2_000 : 10_000)
  try {
    await play(recordings, exporter, options, tally, stop.signal)
  } finally {
    clearInterval(progress)
    exporter.close()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
  process.stdout.write(summary(tally, seconds()))
  if (tally.failed.size > 0 || tally.rejected > 0) process.exitCode = 1
}

function load(paths: readonly string[]): Recording[] {
  if (paths.length === 0 && !existsSync(SHIPPED)) throw new UsageError('cannot find the shipped recordings here: name folders of recordings')
  try {
    return loadRecordings(paths.length === 0 ? [SHIPPED] : paths)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

function readEndpoint(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`--endpoint: expected a URL such as http://127.0.0.1:4318, got "${text}"`)
  return url
}

function line(tally: Tally, seconds: number): string {
  const failed = [...tally.failed.values()].reduce((sum, count) => sum + count, 0)
  return `${seconds.toFixed(0)} s: ${tally.recordings} recordings, ${tally.spans} spans (${(tally.spans / seconds).toFixed(0)}/s), ${tally.rejected} rejected, ${failed} bodies failed`
}

export function summary(tally: Tally, seconds: number): string {
  const rows: [string, string][] = [
    ['recordings', `${tally.recordings} in ${seconds.toFixed(1)} s`],
    ['bodies', String(tally.bodies)],
    ['spans', `${tally.spans} (${(tally.spans / Math.max(seconds, 1e-3)).toFixed(0)}/s)`],
    ['log records', String(tally.logRecords)],
    ['accepted', String(tally.accepted)],
    ['rejected', `${tally.rejected}${tally.rejected > 0 ? said([...tally.messages.values()][0]) : ''}`],
    ['retries', String(tally.retries)],
    ['failed bodies', tally.failed.size === 0 ? '0' : ''],
    ...[...tally.failed].map(([status, count]): [string, string] => [`  ${status}`, `${count}${said(tally.messages.get(status))}`]),
  ]
  return rows.map(([name, value]) => `${name.padEnd(14)} ${value}`.trimEnd() + '\n').join('')
}

/** An endpoint's words, on one line. */
function said(message: string | undefined): string {
  return message === undefined || message === '' ? '' : ` (${message.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 120)})`
}

function header(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  return { ...before, [flag(() => headerName(text.slice(0, Math.max(at, 0))))(text)]: text.slice(at + 1) }
}

function headerName(name: string): string {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new Error('expected name=value')
  return name.toLowerCase()
}

/** Repeatable: `acme`, `globex=3`. */
function tenant(text: string, before: { name: string; weight: number }[] | undefined): { name: string; weight: number }[] {
  const at = text.lastIndexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  const weight = at < 0 ? 1 : flag(readAmount)(text.slice(at + 1))
  return flag(() => {
    if (name === '' || weight <= 0) throw new Error('expected a name, or name=weight with a weight above 0')
    return [...(before ?? []), { name, weight }]
  })(text)
}

/** tenant-001, tenant-002, …: names of one length. */
function numbered(count: number): { name: string; weight: number }[] {
  return Array.from({ length: count }, (_, i) => ({ name: `tenant-${String(i + 1).padStart(String(count).length, '0')}`, weight: 1 }))
}
