import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Protocol } from '../../src/cli/send/exporter.ts'
import { openExporter } from '../../src/cli/send/transport.ts'
import { loadRecordings } from '../../src/cli/recorded/recordings.ts'
import { ROOT } from '../conformance/recordings.ts'
import { spawned } from './spawned.ts'

const directory = mkdtempSync(join(tmpdir(), 'spanbridge-shutdown-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const SENDERS = 8
/** Bodies answered before the signal: enough for requests to be open, half sent and on their way. */
const BODIES = 200

test.each<Protocol>(['http/protobuf', 'grpc'])('SIGTERM while %s senders send loses nothing that was accepted', async (protocol) => {
  // A grace that never ends in this test: every request is open when the signal comes.
  const bridge = spawned(['serve', '--settle-grace', '1h', '--data-dir', directory, '--http-address', '127.0.0.1:0', '--grpc-address', '127.0.0.1:0', '--web-address', '127.0.0.1:0'])
  const http = (await bridge.printed(/OTLP\/HTTP on (\S+)/))[1]!
  const grpc = `http://${(await bridge.printed(/OTLP\/gRPC on (\S+)/))[1]!}`
  await bridge.printed(/pager on/)
  const exporter = await openExporter({ protocol, endpoint: new URL(protocol === 'grpc' ? grpc : http), gzip: false, headers: {}, timeoutSeconds: 5 })
  const [run] = loadRecordings([join(ROOT, 'langchain-openinference/ok')])

  let sent = 0
  let answered = 0
  let gone = false
  const enough = Promise.withResolvers<void>()
  const senders = Array.from({ length: SENDERS }, async () => {
    while (!gone) {
      sent++
      // One request of the run in one body.
      const [body] = run!.play({ keepIds: false, nowNanos: undefined, tenant: '' })
      const reply = await exporter.send(body!)
      if (reply.ok) answered++
      else gone = true
      expect(reply.rejected).toBe(0)
      if (answered === BODIES || gone) enough.resolve()
    }
  })
  await enough.promise
  expect(gone).toBe(false)
  const sinceMs = performance.now()
  bridge.kill('SIGTERM')
  expect(await bridge.ended).toEqual({ code: 0, signal: null })
  expect(performance.now() - sinceMs).toBeLessThan(10_000)
  await Promise.all(senders)
  exporter.close()

  const [, requests, spans] = /settled (\d+) requests, accepted (\d+) spans/.exec(bridge.text())!.map(Number)
  expect(answered).toBeGreaterThanOrEqual(BODIES)
  // What was accepted is settled; what was not answered may have been either, one body a sender at most.
  expect(spans).toBe(requests! * run!.spans)
  expect(requests).toBeGreaterThanOrEqual(answered)
  expect(requests).toBeLessThanOrEqual(sent)
  expect(sent - answered).toBeLessThanOrEqual(SENDERS)
}, 40_000)
