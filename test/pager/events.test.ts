import { Agent, get, type IncomingMessage } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { payload } from './fixtures.ts'
import { startPager, type PagerServer } from './server.ts'

let server: PagerServer | undefined
afterEach(() => server?.stop())

/** A stream on a connection that is kept alive, as browsers do; fetch would open spare ones after a stream is aborted. */
function listen(): Promise<IncomingMessage> {
  return new Promise((done, fail) => get(`${server?.url}/pager/events`, { agent: new Agent({ keepAlive: true }) }, done).on('error', fail))
}

/** Reads on until `wanted` came by; returns all text so far. */
function reader(stream: IncomingMessage) {
  const chunks = stream.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>
  let text = ''
  return async (wanted: RegExp): Promise<string> => {
    for (;;) {
      const match = wanted.exec(text)
      if (match) return match[1] ?? match[0]
      const { value, done } = await chunks.next()
      if (done) throw new Error(`the stream ended without ${wanted}: ${text}`)
      text += value
    }
  }
}

describe('GET /pager/events', () => {
  test('says hello with the version, and tells of a page that arrives', async () => {
    server = await startPager()
    const stream = await listen()
    expect(stream.headers['content-type']).toContain('text/event-stream')
    const until = reader(stream)
    const hello = await until(/event: hello\ndata: (\S+)\n\n/)
    expect(await (await fetch(`${server.url}/pager`)).text()).toContain(`data-version="${hello}"`)
    await server.post(payload())
    const event = JSON.parse(await until(/event: incident\ndata: (.*)\n\n/)) as Record<string, unknown>
    expect(event).toMatchObject({ id: 1, change: 'opened' })
    expect(await (await fetch(`${server.url}/pager`)).text()).toContain(`data-version="${String(event['version'])}"`)
    expect(event['version']).not.toBe(hello)
  })

  test('keeps the line warm with comments', async () => {
    server = await startPager({ heartbeatSeconds: 0.01 })
    expect(await reader(await listen())(/\n: still here\n\n/)).toBeTruthy()
  })

  test('past the limit a client is sent away, and a place is free again when one leaves', async () => {
    server = await startPager({ eventClients: 2 })
    const leaving = await listen()
    await listen()
    const refused = await listen()
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '30'])
    expect(await reader(refused)(/"error":"(.*)"/)).toContain('2 are open already')
    leaving.destroy()
    await expect.poll(async () => {
      const answer = await listen()
      answer.destroy()
      return answer.statusCode
    }).toBe(200)
  })

  test('open streams do not hold up the end of the server, and a closed pager says so', async () => {
    server = await startPager()
    const until = reader(await listen())
    await until(/hello/)
    server.pager.close()
    await expect(until(/never/)).rejects.toThrow('the stream ended')
    expect((await server.post(payload())).status).toBe(503)
    await server.stop()
    server = undefined
  })
})
