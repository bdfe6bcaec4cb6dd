/**
 * `make bench`: the OpenTelemetry Collector's span_metrics connector and the bridge, one after the other on the same
 * payloads, and then the bridge at a steady rate. Ends with 1 when a target is missed.
 *
 * The Collector is the denominator, so it gets its best: nothing in its pipeline but what it needs (collector.yaml), and the
 * number of connections that it does best with. A figure is spans per CPU-second of the receiving process, all of its
 * threads, from the first byte until all that was sent is settled and counted; how busy the sender keeps the rest of the machine
 * is in spans per second only.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureComponent } from '../components/components.ts'
import { measure, type Times, wholeSeconds } from './compare.ts'
import { BATCH_REQUESTS, type BatchSize } from './payload.ts'
import { type Peer, startBridgePeer, startCollectorPeer } from './peers.ts'
import { comparison, holds, type Row, thousands } from './report.ts'
import { SPANS_PER_REQUEST } from './request.ts'
import { type Sender, startSender, type Transport } from './sender.ts'
import { REQUESTS_PER_SECOND, sustain, sustained, type Sustained } from './sustain.ts'

/** Compressed beforehand for each second; a receiver that is faster has a shorter window. */
const POOL_SPANS_PER_SECOND = 600_000

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    quick: { type: 'boolean', default: false },
    /** A part of the runs, as in `http/plain/large` or `grpc`. */
    only: { type: 'string', default: '' },
    /** 0: not at all. */
    sustain: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
})
const times: Times = flags.quick ? { warmUpSeconds: 2, trialSeconds: 0.7, seconds: 3 } : { warmUpSeconds: 4, trialSeconds: 1.5, seconds: Number(flags.seconds) }
const sustainSeconds = Number(flags.sustain)
const directory = mkdtempSync(join(tmpdir(), 'spanbridge-bench-'))
const say = (line: string) => { console.log(line) }

try {
  const rows = flags.only === 'none' ? [] : await compare()
  const steady = sustainSeconds > 0 ? await hold() : undefined
  const missed = rows.filter((row) => !holds(row))
  say('')
  for (const row of missed) say(`MISSED: ${name(row.transport, row.encoding, row.size)} is ${row.ratio.toFixed(2)}x`)
  if (steady !== undefined && !steady.holds) say('MISSED: the steady rate')
  const all = missed.length === 0 && (steady?.holds ?? true)
  if (all) say(rows.length === 8 ? 'All targets hold.' : 'The targets that were looked at hold.')
  else process.exitCode = 1
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version }, times, rows, sustain: steady }, null, 2)}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function compare(): Promise<Row[]> {
  const collector = await ensureComponent('otelcol', { log: say })
  if ('missing' in collector) throw new Error(`cannot compare: ${collector.missing}`)
  const rows: Row[] = []
  let seed = 0
  for (const size of ['small', 'large'] as const) {
    for (const encoding of ['plain', 'gzip'] as const) {
      const transports = (['http', 'grpc'] as const).filter((transport) => name(transport, encoding, size).includes(flags.only))
      if (transports.length === 0) continue
      const poolSpans = encoding === 'gzip' ? Math.round(POOL_SPANS_PER_SECOND * wholeSeconds(times)) : 0
      if (poolSpans > 0) say(`compressing ${thousands(poolSpans)} spans …`)
      seed += 100
      const sender = await startSender({ size, gzip: encoding === 'gzip', poolSpans, seed })
      try {
        for (const transport of transports) rows.push(await row(sender, transport, encoding, size))
      } finally {
        sender.stop()
      }
    }
  }
  rows.sort((a, b) => order(a) - order(b))
  say(`\n${comparison(rows)}`)
  return rows
}

async function row(sender: Sender, transport: Transport, encoding: Row['encoding'], size: BatchSize): Promise<Row> {
  const one = async (start: (directory: string) => Promise<Peer>) => {
    const peer = await start(directory)
    try {
      sender.rewind()
      return await measure(peer, sender, transport, times)
    } finally {
      await peer.stop()
    }
  }
  const collector = await one(startCollectorPeer)
  const bridge = await one(startBridgePeer)
  const ratio = bridge.spansPerCpuSecond / collector.spansPerCpuSecond
  say(`${name(transport, encoding, size)}, batches of ${BATCH_REQUESTS[size] * SPANS_PER_REQUEST}: Collector ${thousands(collector.spansPerCpuSecond)}, bridge ${thousands(bridge.spansPerCpuSecond)} spans per CPU-second, ${ratio.toFixed(2)}x (windows of ${collector.seconds.toFixed(1)} and ${bridge.seconds.toFixed(1)} s)`)
  return { transport, encoding, size, collector, bridge, ratio }
}

async function hold(): Promise<Sustained> {
  say(`\none bridge at ${thousands(REQUESTS_PER_SECOND * SPANS_PER_REQUEST)} spans/s, HTTP, plain, large batches, ${sustainSeconds} s:`)
  const steady = await sustain(directory, sustainSeconds, say)
  say(sustained(steady))
  return steady
}

function name(transport: string, encoding: string, size: string): string {
  return `${transport}/${encoding}/${size}`
}

function order({ transport, encoding, size }: Row): number {
  return (transport === 'grpc' ? 4 : 0) + (encoding === 'gzip' ? 2 : 0) + (size === 'large' ? 1 : 0)
}
