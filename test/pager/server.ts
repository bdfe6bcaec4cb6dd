import type { AddressInfo } from 'node:net'
import express from 'express'
import type { PagerLimits } from '../../src/pager/notification.ts'
import { createPager, type Pager, type PagerOptions } from '../../src/pager/routes.ts'

export interface PagerServer {
  readonly url: string
  readonly pager: Pager
  /** Time passes only when a test says so. */
  readonly clock: { ms: number }
  post(body: unknown, headers?: Record<string, string>): Promise<Response>
  /** Resolves when the port is closed: hangs if something holds a connection open. */
  stop(): Promise<void>
}

/** The pager as the bridge mounts it, on a port of its own. */
export async function startPager(limits: Partial<PagerLimits> = {}, now = '2026-11-23T18:00:00Z', databaseFile = ':memory:', more: Partial<PagerOptions> = {}): Promise<PagerServer> {
  const clock = { ms: Date.parse(now) }
  const pager = createPager({ databaseFile, limits, now: () => new Date(clock.ms), ...more })
  const app = express().use(pager.router)
  const server = await new Promise<ReturnType<typeof app.listen>>((done) => {
    const listening = app.listen(0, '127.0.0.1', () => done(listening))
  })
  // Longer than any test: whatever keeps a connection idle makes stop() run into the test's time limit.
  server.keepAliveTimeout = 600_000
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url, pager, clock,
    post: (body, headers = { 'Content-Type': 'application/json' }) =>
      fetch(`${url}/pager/webhook`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) }),
    stop() {
      pager.close()
      return new Promise((done, fail) => server.close((error) => (error ? fail(error) : done())))
    },
  }
}
