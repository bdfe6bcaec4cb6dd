/**
 * OTLP/gRPC. A unary call is a POST whose body is one message after five bytes of prefix, and whose answer is another with
 * the status in fields after it (grpc/doc/PROTOCOL-HTTP2.md). Messages stay bytes: no protobuf library looks at them.
 */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { BodyBuffers } from './body.ts'
import { Call, type CallContext } from './call.ts'
import { Connection } from './http2/connection.ts'
import { DEFAULT_LIMITS, type ReceiverLimits } from './limits.ts'
import { type OnRefused, overloaded, Refusal } from './refusal.ts'
import type { Sink } from './sink.ts'

const SWEEP_MS = 1000

export interface OtlpGrpcOptions {
  readonly limits?: Partial<ReceiverLimits>
  readonly refused?: OnRefused
}

export interface OtlpGrpc {
  /** Resolves to the port. Rejects when the address cannot be had. `port` 0 picks one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>
  /** Takes no more calls, answers those under way, then ends; past `closeSeconds` it cuts what is left. */
  close(): Promise<void>
}

export function createOtlpGrpc(sink: Sink, options: OtlpGrpcOptions = {}): OtlpGrpc {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const buffers = new BodyBuffers(limits.maxInFlightBytes, limits.bodyLimitBytes)
  const connections = new Set<Connection>()
  const calls = new Set<Call>()
  let stopping = false

  const context: CallContext = {
    sink, limits, buffers, refused: options.refused ?? (() => {}),
    // Before the message is read: bytes that will be refused should cost nothing.
    admit() {
      if (stopping) return new Refusal('stopping', 'cannot take the call: shutting down', limits.closeSeconds)
      const busySeconds = sink.busySeconds()
      if (busySeconds > 0) return overloaded(busySeconds)
      return calls.size >= limits.maxCalls || buffers.full ? overloaded(1) : undefined
    },
    begun: (call) => { calls.add(call) },
    ended: (call) => { calls.delete(call) },
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket: Socket) => {
    const proven = { bytes: 0 }
    connections.add(new Connection(socket, {
      concurrentStreams: limits.maxCalls,
      open: (fields, stream) => new Call(fields, stream, context, proven),
      closed: (connection) => connections.delete(connection),
    }))
  })
  server.maxConnections = limits.maxConnections
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const connection of connections) connection.sweep(now)
    for (const call of calls) call.endIfOverdue(now)
  }, SWEEP_MS).unref()

  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.off('error', reject)
          resolve((server.address() as AddressInfo).port)
        })
      }),
    close: () =>
      new Promise((resolve) => {
        stopping = true
        const cut = setTimeout(() => { for (const connection of connections) connection.cut() }, limits.closeSeconds * 1000)
        // Calls back at once, with an error, where nothing ever listened.
        server.close(() => {
          clearTimeout(cut)
          clearInterval(sweep)
          resolve()
        })
        for (const connection of connections) connection.stop()
      }),
  }
}
