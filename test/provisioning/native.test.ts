import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Native, type NativeOptions, startNative } from '../../provisioning/native.ts'
import { freePort, isTaken } from '../../src/web/port.ts'

let directory: string
let port: number
let native: Native | undefined

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'spanbridge-run-'))
  port = await freePort()
  native = undefined
})

afterEach(async () => {
  await native?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Starts a Node program as if it were a component; `port` is what it is told to listen on. */
function start(program: string, more: Partial<NativeOptions> = {}): Promise<Native> {
  return startNative({
    name: 'fake',
    binary: process.execPath,
    args: ['-e', `const port = ${port}; ${program}`],
    logFile: join(directory, 'log', 'fake.log'),
    ready: { url: `http://127.0.0.1:${port}/-/ready`, limitSeconds: 20 },
    ...more,
  })
}

const serve = (statuses: string) => `
  let asked = 0
  const statuses = ${statuses}
  require('node:http').createServer((request, response) => {
    console.log(request.url)
    response.statusCode = statuses[Math.min(asked++, statuses.length - 1)]
    response.end()
  }).listen(port, '127.0.0.1')
`

describe('startNative', () => {
  test('waits until the program says that it is ready, and writes its log', async () => {
    native = await start(serve('[503, 503, 200]'))
    expect(native.url).toBe(`http://127.0.0.1:${port}`)
    expect(readFileSync(join(directory, 'log', 'fake.log'), 'utf8')).toBe('/-/ready\n'.repeat(3))
  })

  test('stop ends it with SIGTERM, and may be called twice', async () => {
    native = await start(`${serve('[200]')}; process.on('SIGTERM', () => process.exit(7))`)
    await Promise.all([native.stop(), native.stop()])
    expect(await native.ended).toBe('code 7')
    expect(await isTaken({ host: '127.0.0.1', port })).toBe(false)
  })

  test('stop kills what does not listen to SIGTERM', async () => {
    native = await start(`${serve('[200]')}; process.on('SIGTERM', () => {})`, { stopLimitSeconds: 0.05 })
    await native.stop()
    expect(await native.ended).toBe('SIGKILL')
  })

  test('rejects with the end of the log when the program ends before it is ready', async () => {
    const failing = start(`for (let line = 1; line <= 30; line++) console.error('line ' + line); process.exitCode = 3`)
    await expect(failing).rejects.toThrow(/^cannot start fake: it ended with code 3; its log .*fake\.log ends with\nline 21\n(.*\n)+line 30$/)
  })

  test('rejects, and leaves no process, when the program is not ready in time', async () => {
    const late = start(serve('[503]'), { ready: { url: `http://127.0.0.1:${port}/`, limitSeconds: 1 } })
    await expect(late).rejects.toThrow(/cannot start fake: not ready after 1 s \(.*: (status 503|connect ECONNREFUSED.*)\)/)
    expect(await isTaken({ host: '127.0.0.1', port })).toBe(false)
  })

  test('rejects when the program cannot be run', async () => {
    await expect(start('', { binary: join(directory, 'absent') })).rejects.toThrow(/cannot start fake: spawn .* ENOENT/)
  })

  test('does not take another program that has the port for its own', async () => {
    const other: Server = createServer((_, response) => response.end())
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    port = (other.address() as AddressInfo).port
    try {
      await expect(start(serve('[200]'))).rejects.toThrow(`cannot start fake: 127.0.0.1:${port} is in use`)
    } finally {
      other.close()
    }
  })
})
