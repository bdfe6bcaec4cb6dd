/** The process that sends: takes commands of sender.ts, answers with what came of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipBodies, plainBodies } from './bodies.ts'
import type { Connect } from './connection.ts'
import { BATCH_REQUESTS } from './payload.ts'
import { grpcConnection } from './send-grpc.ts'
import { httpConnection } from './send-http.ts'
import type { Command, Message, RunOptions, SenderOptions, SendResult, Transport } from './sender.ts'

const CONNECT: Record<Transport, Connect> = { http: httpConnection, grpc: grpcConnection }
/** After a batch that was not taken, so that a receiver that is down is not hammered. */
const FAILURE_PAUSE_MS = 50

const { size, gzip, poolSpans, seed, roots } = JSON.parse(process.argv[2]!) as SenderOptions
const perBatch = BATCH_REQUESTS[size]
const bodies = gzip ? await gzipBodies(perBatch, seed, poolSpans) : plainBodies(perBatch, seed, roots)

process.on('message', (command: Command) => {
  if ('rewind' in command) bodies.rewind()
  else void send(command.run).then((result) => tell({ result }))
})
process.on('disconnect', () => process.exit(0))
tell({ ready: true })

function tell(message: Message): void {
  process.send!(message)
}

async function send({ transport, port, connections, seconds, requestsPerSecond, maxRequests = Infinity }: RunOptions): Promise<SendResult> {
  const open = Array.from({ length: connections }, () => CONNECT[transport](port, gzip))
  const tookMs: number[] = []
  let spans = 0, requests = 0, rejectedSpans = 0, failures = 0, error = '', started = 0
  const begin = performance.now()
  const deadline = begin + seconds * 1000
  const seconder = setInterval(() => tell({ sent: spans }), 1000)

  const work = async (index: number): Promise<void> => {
    while (started < maxRequests) {
      const dueMs = requestsPerSecond === undefined ? performance.now() : begin + (started / requestsPerSecond) * 1000
      if (Math.max(dueMs, performance.now()) >= deadline) return
      // Whoever comes next takes the next turn, so a connection that waits for an answer delays nobody.
      started += perBatch
      if (dueMs > performance.now()) await sleep(dueMs - performance.now())
      const body = bodies.next(index)
      if (body === undefined) {
        started = Infinity
        return
      }
      const from = performance.now()
      const answer = await open[index]!.send(body.bytes)
      tookMs.push(performance.now() - from)
      if (answer.ok) {
        spans += body.spans - answer.rejected
        requests += body.requests
        rejectedSpans += answer.rejected
      } else {
        failures++
        await sleep(FAILURE_PAUSE_MS)
      }
      if (answer.error !== '') error = answer.error
    }
  }
  await Promise.all(open.map((_, index) => work(index)))
  const end = performance.now()
  clearInterval(seconder)
  for (const connection of open) connection.close()
  tookMs.sort((a, b) => a - b)
  const quantile = (q: number) => tookMs[Math.min(tookMs.length - 1, Math.ceil(q * tookMs.length) - 1)] ?? 0
  return { spans, requests, rejectedSpans, batches: tookMs.length, failures, error, seconds: (end - begin) / 1000, p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs: quantile(1) }
}
