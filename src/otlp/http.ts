import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import { BodyBuffers, contentLength, dropBody, Gone, readBody } from './body.ts'
import { type Encoding, encodingOf, inflate } from './inflate.ts'
import { transcode } from './json.ts'
import { Lanes } from './lane.ts'
import { DEFAULT_LIMITS, type ReceiverLimits } from './limits.ts'
import { type OnRefused, overloaded, Refusal, refusalOf, REFUSALS } from './refusal.ts'
import { EMPTY_JSON, EMPTY_PROTOBUF, exportReply, PROTOBUF, type Signal, statusReply } from './reply.ts'
import type { Accepted, Sink } from './sink.ts'

/** The specification's prefix, and those that vendors' SDKs post to. */
const PREFIXES = ['', '/otel', '/api/public/otel'] as const
const SIGNALS = ['traces', 'logs', 'metrics'] as const
const pathsOf = (signal: Signal) => PREFIXES.map((prefix) => `${prefix}/v1/${signal}`)
const PATHS = SIGNALS.flatMap(pathsOf)

/** Exporters send every 5 s by default, which is also when node closes an idle connection: the two would race. */
const KEEP_ALIVE_SECONDS = 75
/** How long a sender may go on writing a body that has been refused. */
const LINGER_SECONDS = 2

const JSON_TYPE = 'application/json'

export interface OtlpHttpOptions {
  readonly limits?: Partial<ReceiverLimits>
  readonly refused?: OnRefused
}

export interface OtlpHttp {
  readonly app: Express
  readonly server: Server
  /** Bytes of bodies received and not processed yet. */
  inFlightBytes(): number
  /** Requests whose head has come and whose answer has not been given. */
  underWay(): number
  /** Rejects when the address cannot be had. `port` 0 picks one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  /** Takes no more connections, answers the requests under way, then ends; past `closeSeconds` it cuts what is left. */
  close(): Promise<void>
}

/** An OTLP/HTTP receiver, to the OTLP 1.x specification. */
export function createOtlpHttp(sink: Sink, options: OtlpHttpOptions = {}): OtlpHttp {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const buffers = new BodyBuffers(limits.maxInFlightBytes, limits.bodyLimitBytes)
  const refused: OnRefused = options.refused ?? (() => {})
  let stopping = false
  let underWay = 0

  const exportTo = (signal: Signal) => async (request: Request, response: Response) => {
    let json = false
    underWay++
    try {
      if (stopping) throw new Refusal('stopping', 'cannot take the request: shutting down', limits.closeSeconds)
      // Before the body is read: bytes that will be refused should cost nothing.
      const busySeconds = signal === 'metrics' ? 0 : sink.busySeconds()
      if (busySeconds > 0) throw overloaded(busySeconds)
      if (buffers.full) throw overloaded(1)
      json = isJson(request.headers['content-type'])
      const encoding = encodingOf(request.headers['content-encoding'])
      const result = await receive(signal, request, response, encoding, json)
      if (response.destroyed) return
      const body = result === undefined ? (json ? EMPTY_JSON : EMPTY_PROTOBUF) : exportReply(signal, result, json)
      response.writeHead(200, { 'Content-Type': json ? JSON_TYPE : PROTOBUF, 'Content-Length': body.length, ...closing(stopping) })
      response.end(body)
    } catch (error) {
      if (error instanceof Gone) return
      await refuse(request, response, refusalOf(error), json || !isProtobuf(request.headers['content-type']))
    } finally {
      underWay--
    }
  }

  /** Undefined: metrics, which nobody reads. */
  async function receive(signal: Signal, request: Request, response: Response, encoding: Encoding, json: boolean): Promise<Accepted | undefined> {
    contentLength(request, limits.bodyLimitBytes)
    // A sender that asks first (`Expect: 100-continue`) asks for this.
    if (request.headers.expect !== undefined) response.writeContinue()
    if (signal === 'metrics') {
      if (await dropBody(request, limits.bodyLimitBytes, limits.requestSeconds)) return undefined
      throw new Refusal('too_large', `cannot read body: more than ${limits.bodyLimitBytes} bytes`)
    }
    const body = await readBody(request, buffers, limits.bodyLimitBytes)
    let held = 0
    try {
      const limitBytes = json ? limits.jsonLimitBytes : limits.inflatedLimitBytes
      let bytes = inflate(body.bytes, encoding, limitBytes)
      if (bytes instanceof Promise) {
        // The only inflating that others can come in between.
        buffers.hold((held = limitBytes))
        bytes = await bytes
      }
      if (bytes.length > limitBytes) throw new Refusal('too_large', `cannot read JSON: more than ${limitBytes} bytes`)
      return json ? deliverJson(sink, signal, bytes) : sink[signal](bytes)
    } finally {
      if (held > 0) buffers.unhold(held)
      body.release()
    }
  }

  async function refuse(request: Request, response: Response, refusal: Refusal, json: boolean): Promise<void> {
    refused(refusal.reason, refusal.cause)
    if (response.destroyed) return
    const body = statusReply(refusal, json)
    // A sender that waits for `100 Continue` may or may not send the body now, and a body past the limit is not read to its end.
    const unasked = request.headers.expect !== undefined
    const last = stopping || unasked || refusal.reason === 'too_large'
    response.writeHead(REFUSALS[refusal.reason].http, {
      'Content-Type': json ? JSON_TYPE : PROTOBUF,
      'Content-Length': body.length,
      ...(refusal.retrySeconds > 0 ? { 'Retry-After': refusal.retrySeconds } : {}),
      ...(refusal.reason === 'method' ? { Allow: 'POST' } : {}),
      ...closing(last),
    })
    if (unasked) return void response.end(body)
    // The answer is whole for the sender after this; the exchange ends when the sender has stopped writing.
    response.write(body)
    const reusable = await dropBody(request, limits.bodyLimitBytes, LINGER_SECONDS)
    response.end()
    if (!reusable) request.socket.destroySoon()
  }

  const app = express()
  app.disable('x-powered-by').disable('etag').set('query parser', false)
  // First, so that they are found first.
  for (const signal of SIGNALS) app.post(pathsOf(signal), exportTo(signal))
  app.all(PATHS, (request, response) =>
    refuse(request, response, new Refusal('method', `cannot ${request.method} ${request.path}: only POST`), !isProtobuf(request.headers['content-type'])))
  app.use((request: Request, response: Response) =>
    refuse(request, response, new Refusal('not_found', `cannot find ${request.path.slice(0, 200)}: POST to ${PATHS.join(', ')}`), true))
  // express knows it by its four parameters. Nothing is known to get here.
  const failed: ErrorRequestHandler = (error: unknown, request, response, _next) => void refuse(request, response, refusalOf(error), true)
  app.use(failed)

  const server = createServer({ requestTimeout: limits.requestSeconds * 1000, headersTimeout: limits.headersSeconds * 1000,
    connectionsCheckingInterval: 1000, keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000, noDelay: true }, app)
  server.maxConnections = limits.maxConnections
  const [serve] = server.listeners('connection') as [(socket: Socket) => void]
  const lanes = new Lanes({ sink, limits, buffers, refused, paths: pathsOf('traces'), keepAliveSeconds: KEEP_ALIVE_SECONDS, handOver: (socket) => serve.call(server, socket) })
  server.off('connection', serve).on('connection', (socket: Socket) => lanes.accept(socket))
  server.on('checkContinue', app)

  return {
    app,
    server,
    inFlightBytes: () => buffers.heldBytes,
    underWay: () => underWay + lanes.underWay(),
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.off('error', reject)
          resolve(server.address() as AddressInfo)
        })
      }),
    close: () =>
      new Promise((resolve) => {
        stopping = true
        const cut = setTimeout(() => {
          server.closeAllConnections()
          lanes.cut()
        }, limits.closeSeconds * 1000)
        // Closes idle connections too; those under way close with their answer.
        server.close(() => {
          clearTimeout(cut)
          resolve()
        })
        lanes.stop()
      }),
  }
}

function deliverJson(sink: Sink, signal: 'traces' | 'logs', bytes: Uint8Array): Accepted {
  const transcoded = transcode(signal, bytes)
  if (transcoded.rejected === 0) return sink[signal](transcoded.bytes)
  if (transcoded.accepted === 0) throw new Refusal('malformed', transcoded.error)
  const result = sink[signal](transcoded.bytes)
  const error = result.error === '' ? transcoded.error : `${transcoded.error}; ${result.error}`
  return { accepted: result.accepted, rejected: result.rejected + transcoded.rejected, error }
}

/** Throws `Refusal` for a type that is neither. Parameters such as a charset do not matter: both are what they are. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === PROTOBUF) return false
  if (contentType === JSON_TYPE) return true
  if (isProtobuf(contentType)) return false
  if (mediaType(contentType) === JSON_TYPE) return true
  throw new Refusal('unsupported_type', `cannot read body: Content-Type must be ${PROTOBUF} or ${JSON_TYPE}`)
}

/** application/protobuf is the registered name, which the specification came before. */
function isProtobuf(contentType: string | undefined): boolean {
  const type = mediaType(contentType)
  return type === PROTOBUF || type === 'application/protobuf'
}

function mediaType(contentType = ''): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

function closing(last: boolean): { Connection?: 'close' } {
  return last ? { Connection: 'close' } : {}
}
