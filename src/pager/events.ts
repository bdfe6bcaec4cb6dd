import type { Request, Response } from 'express'

/** A client that does not read is dropped past this; an event is about 100 bytes. */
const BACKLOG_BYTES = 64 * 1024

export interface EventHub {
  /** Answers with an event stream that begins with `hello`, or with 503 when `clients` are connected already. */
  connect(request: Request, response: Response, hello: string): void
  /** `data` must be a single line. */
  send(event: string, data: string): void
  clients(): number
  close(): void
}

/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function eventHub(limits: { readonly eventClients: number; readonly heartbeatSeconds: number }): EventHub {
  const open = new Set<Response>()
  let heartbeat: NodeJS.Timeout | undefined

  function write(text: string): void {
    for (const response of open) {
      if (response.writableLength > BACKLOG_BYTES) response.destroy()
      else response.write(text)
    }
  }

  function leave(response: Response): void {
    open.delete(response)
    if (open.size > 0) return
    clearInterval(heartbeat)
    heartbeat = undefined
  }

  return {
    connect(request, response, hello) {
      if (open.size >= limits.eventClients) {
        response.status(503).set('Retry-After', '30').json({ error: `cannot open event stream: ${limits.eventClients} are open already` })
        return
      }
      response.on('close', () => leave(response))
      // X-Accel-Buffering: nginx would otherwise hold the events back.
      response.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
      request.socket.setNoDelay(true)
      response.write(`retry: 3000\nevent: hello\ndata: ${hello}\n\n`)
      open.add(response)
      // A comment now and then: proxies close silent connections, and a dead peer is only noticed by writing.
      heartbeat ??= setInterval(() => write(': still here\n\n'), limits.heartbeatSeconds * 1000).unref()
    },
    send: (event, data) => write(`event: ${event}\ndata: ${data}\n\n`),
    clients: () => open.size,
    close() {
      for (const response of open) response.end()
      open.clear()
      clearInterval(heartbeat)
      heartbeat = undefined
    },
  }
}
