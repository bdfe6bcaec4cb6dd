import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const SPANBRIDGE = join(import.meta.dirname, '../../bin/spanbridge')
/** Has V8 tell when it begins to check for detached buffers at every access to a typed array. */
const TELLING = `--import=data:text/javascript,${encodeURIComponent("import v8 from 'node:v8'; v8.setFlagsFromString('--trace-protector-invalidation')")}`
const DETACHING = 'Invalidating protector cell ArrayBufferDetaching'

const data = mkdtempSync(join(tmpdir(), 'spanbridge-typed-arrays-'))
afterAll(() => rmSync(data, { recursive: true, force: true }))

/** What `serve` writes until it has served a push, a log record as JSON, a scrape and the pager page, and has been stopped. */
async function served(env: NodeJS.ProcessEnv): Promise<string> {
  const any = '127.0.0.1:0'
  const child = spawn(SPANBRIDGE, ['serve', '--http-address', any, '--grpc-address', any, '--web-address', any, '--data-dir', data], { env: { ...process.env, NODE_OPTIONS: TELLING, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  const ended = new Promise((resolve) => child.on('close', resolve))
  const ready = new Promise<void>((resolve, reject) => {
    child.on('close', () => reject(new Error(`cannot serve: ${out}`)))
    child.stdout.on('data', (text: Buffer) => {
      out += text.toString()
      if (/pager on .*\n/.test(out)) resolve()
    })
  })
  await ready
  const at = (what: RegExp) => what.exec(out)![1]!
  const http = at(/OTLP\/HTTP on (\S+)/), web = at(/pager on (\S+)/)
  expect((await fetch(`${http}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: new Uint8Array([10, 0]) })).status).toBe(200)
  expect((await fetch(`${http}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"resourceLogs":[]}' })).status).toBe(200)
  for (const path of ['/metrics', '/pager']) expect((await (await fetch(web + path)).text()).length).toBeGreaterThan(100)
  child.kill('SIGTERM')
  await ended
  return out
}

describe('a serving bridge', () => {
  it('has detached no buffer, which would cost every access to a typed array a check', async () => {
    expect(await served({})).not.toContain(DETACHING)
  }, 30_000)

  it('would have, did it take the types off its own code as it starts', async () => {
    expect(await served({ NODE_DISABLE_COMPILE_CACHE: '1' })).toContain(DETACHING)
  }, 30_000)
})
