/** One measurement of the comparison: a peer that has just started, under one kind of load. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Peer } from './peers.ts'
import { cpuSeconds, memory } from './process.ts'
import type { Sender, SendResult, Transport } from './sender.ts'

export interface Measurement {
  /** With whatever number of connections it was fastest: a window or a trial. */
  readonly spansPerSecond: number
  /** What is compared. */
  readonly spansPerCpuSecond: number
  readonly peakRssBytes: number
  readonly connections: number
  readonly spans: number
  readonly seconds: number
  readonly p99Ms: number
}

/** What each peer is tried with; it is measured with the one that it gets the most spans out of a CPU-second with. */
const CONNECTIONS = [2, 4, 8] as const

export interface Times {
  /** Before anything is measured: the bridge's first two seconds run at half the speed of its tenth. */
  readonly warmUpSeconds: number
  /** Of each trial. */
  readonly trialSeconds: number
  /** Of the window that counts. */
  readonly seconds: number
}

export function wholeSeconds({ warmUpSeconds, trialSeconds, seconds }: Times): number {
  return warmUpSeconds + trialSeconds * CONNECTIONS.length + seconds
}

/** Both peers are treated alike. */
export async function measure(peer: Peer, sender: Sender, transport: Transport, { warmUpSeconds, trialSeconds, seconds }: Times): Promise<Measurement> {
  const port = transport === 'http' ? peer.httpPort : peer.grpcPort
  let total = 0
  const send = async (connections: number, forSeconds: number): Promise<SendResult> => {
    const result = await sender.run({ transport, port, connections, seconds: forSeconds })
    total += result.spans
    if (result.failures > 0 || result.rejectedSpans > 0) throw new Error(`cannot measure ${peer.name}: ${result.failures} batches failed, ${result.rejectedSpans} spans were rejected: ${result.error}`)
    if (result.spans === 0) throw new Error(`cannot measure ${peer.name}: nothing left to send`)
    return result
  }

  await send(CONNECTIONS[1], warmUpSeconds)
  let best = 0
  let fastest = 0
  let connections: number = CONNECTIONS[0]
  for (const tried of CONNECTIONS) {
    const before = cpuSeconds(peer.pid)
    const { spans, seconds: took } = await send(tried, trialSeconds)
    const perCpuSecond = spans / (cpuSeconds(peer.pid) - before)
    fastest = Math.max(fastest, spans / took)
    if (perCpuSecond > best) [best, connections] = [perCpuSecond, tried]
  }
  await sleep(peer.settleSeconds * 1000)

  // The window begins and ends with nothing to do, so that all the work that its spans cause is in it, the late part too.
  const before = cpuSeconds(peer.pid)
  const result = await send(connections, seconds)
  await sleep(peer.settleSeconds * 1000)
  const used = cpuSeconds(peer.pid) - before
  const received = await peer.receivedSpans()
  if (received !== total) throw new Error(`cannot measure ${peer.name}: it says it received ${received} spans, ${total} were sent`)
  return {
    spansPerSecond: Math.max(fastest, result.spans / result.seconds),
    spansPerCpuSecond: result.spans / used,
    peakRssBytes: memory(peer.pid).peakBytes,
    connections,
    spans: result.spans,
    seconds: result.seconds,
    p99Ms: result.p99Ms,
  }
}
