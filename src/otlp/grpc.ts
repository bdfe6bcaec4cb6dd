import type { Http2Session, ServerHttp2Stream } from 'node:http2'
import {
  type handleUnaryCall, Metadata, Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor, type ServiceDefinition, status,
} from '@grpc/grpc-js'
import { inflate, isGzip } from './inflate.ts'
import { DEFAULT_LIMITS, type ReceiverLimits } from './limits.ts'
import { type OnRefused, overloaded, Refusal, type RefusalReason, refusalOf, REFUSALS } from './refusal.ts'
import { exportReply, retryDetails, type Signal } from './reply.ts'
import type { Accepted, Sink } from './sink.ts'

const METHODS: Record<Signal, string> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
}

/** The message is a trailer, and senders limit what trailers may hold. */
const DETAILS_LIMIT_CHARACTERS = 300
/** A dead peer is noticed after this long, and an idle connection ends after ten times this. */
const PING_SECONDS = 60

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

/** An OTLP/gRPC receiver. Messages stay bytes: no protobuf library looks at them. */
export function createOtlpGrpc(sink: Sink, options: OtlpGrpcOptions = {}): OtlpGrpc {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const refused: OnRefused = options.refused ?? (() => {})
  const state = { calls: 0, stopping: false }

  /** Before the message is read: bytes that will be refused should cost nothing. */
  const admit = (): Refusal | undefined => {
    if (state.stopping) return new Refusal('stopping', 'cannot take the call: shutting down', limits.closeSeconds)
    const busySeconds = sink.busySeconds()
    if (busySeconds > 0) return overloaded(busySeconds)
    if (state.calls >= limits.maxCalls) return overloaded(1)
    return undefined
  }

  const exportTo = (signal: Signal): handleUnaryCall<Buffer, Buffer> => async (call, callback) => {
    try {
      callback(null, exportReply(signal, await receive(sink, signal, call.request, limits.inflatedLimitBytes), false))
    } catch (error) {
      const refusal = refusalOf(error)
      refused(refusal.reason, refusal.cause)
      callback(statusOf(refusal))
    }
  }

  const server = new Server({
    // Of the message on the wire; where grpc-js inflates by itself (deflate), also of what comes out.
    'grpc.max_receive_message_length': limits.bodyLimitBytes,
    'grpc.max_concurrent_streams': limits.maxCalls,
    'grpc.keepalive_time_ms': PING_SECONDS * 1000,
    'grpc.max_connection_idle_ms': PING_SECONDS * 10_000,
    interceptors: [admission(admit, state, limits.requestSeconds, refused)],
  })
  for (const signal of Object.keys(METHODS) as Signal[]) {
    server.addService(serviceOf(METHODS[signal]), { Export: exportTo(signal) })
  }

  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
        server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)))
      }),
    close: () =>
      new Promise((resolve) => {
        state.stopping = true
        // grpc-js cuts only connections that its channelz knows, so `grpc.enable_channelz` has to stay on.
        const cut = setTimeout(() => server.forceShutdown(), limits.closeSeconds * 1000)
        server.tryShutdown(() => {
          clearTimeout(cut)
          resolve()
        })
      }),
  }
}

const NOTHING: Accepted = { accepted: 0, rejected: 0, error: '' }

async function receive(sink: Sink, signal: Signal, message: Buffer, limitBytes: number): Promise<Accepted> {
  if (signal === 'metrics') return NOTHING
  // No protobuf message begins as gzip does: 0x1f would be field 3 of wire type 7, which does not exist.
  const inflated = isGzip(message) ? inflate(message, 'gzip', limitBytes) : message
  return sink[signal](inflated instanceof Promise ? await inflated : inflated)
}

function serviceOf(path: string): ServiceDefinition {
  const asIs = (bytes: Buffer) => bytes
  return {
    Export: { path, requestStream: false, responseStream: false, requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
  }
}

/** Refuses calls before their message is read, bounds the time of those it lets in, and counts what grpc-js itself refuses. */
function admission(admit: () => Refusal | undefined, state: { calls: number }, requestSeconds: number, refused: OnRefused): ServerInterceptor {
  return (_method, call) => {
    leaveCompressed(call)
    widen(call)
    const send = call.sendStatus.bind(call)
    call.sendStatus = (sent) => {
      const reason = sent.metadata && ours.has(sent.metadata) ? undefined : reasonOf(sent.code)
      if (reason !== undefined) refused(reason)
      send(sent)
    }
    let timer: NodeJS.Timeout | undefined
    return new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, pass) {
            const refusal = admit()
            if (refusal !== undefined) {
              refused(refusal.reason)
              return call.sendStatus(statusOf(refusal))
            }
            state.calls++
            timer = setTimeout(() => call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: `cannot read message: not whole after ${requestSeconds} s` }), requestSeconds * 1000)
            pass(metadata)
          },
          // Comes once at the end of every call, however it ended.
          onCancel() {
            if (timer === undefined) return
            clearTimeout(timer)
            timer = undefined
            state.calls--
          },
        })
      },
    })
  }
}

/**
 * Has grpc-js hand over gzip as it came, for `inflate` to open: its own way, a stream in 16 KiB steps, costs five
 * times the CPU. This reaches for a private field; in a version of grpc-js without it, grpc-js inflates as ever and `isGzip`
 * is never true.
 */
function leaveCompressed(call: object): void {
  if ('incomingEncoding' in call && call.incomingEncoding === 'gzip') call.incomingEncoding = 'identity'
}

const STREAM_WINDOW_BYTES = 1 << 20
const CONNECTION_WINDOW_BYTES = 4 << 20
const widened = new WeakSet<Http2Session>()

/**
 * Lets a sender have more than HTTP/2's first 64 KiB under way, which cost a round trip and a wake-up each 32 KiB: measured
 * at 200 KB a message, 1.3 to 1.7 times the calls per CPU-second. grpc-js has such a setting for clients only, so this too
 * reaches for a private field, once a connection, and does nothing where there is none.
 */
function widen(call: object): void {
  if (!('stream' in call)) return
  const session = (call.stream as Partial<ServerHttp2Stream> | undefined)?.session
  if (session === undefined || widened.has(session) || session.destroyed) return
  widened.add(session)
  session.settings({ initialWindowSize: STREAM_WINDOW_BYTES })
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
}

/** Metadata of the statuses that were counted where they were made. */
const ours = new WeakSet<Metadata>()

function statusOf(refusal: Refusal): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata()
  if (refusal.retrySeconds > 0) metadata.set('grpc-status-details-bin', retryDetails(refusal))
  ours.add(metadata)
  return { code: REFUSALS[refusal.reason].code, details: refusal.message.slice(0, DETAILS_LIMIT_CHARACTERS).toWellFormed(), metadata }
}

/** What grpc-js refuses by itself. */
function reasonOf(code: number | undefined): RefusalReason | undefined {
  switch (code) {
    case status.RESOURCE_EXHAUSTED: return 'too_large'
    case status.UNIMPLEMENTED: return 'unsupported_encoding'
    case status.DEADLINE_EXCEEDED: return 'too_slow'
    case status.INTERNAL: return 'malformed'
    default: return undefined
  }
}
