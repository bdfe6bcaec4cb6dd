/** Every command that README.md and docs/ tell people to type is run, by the program itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { spanbridge } from '../cli/spanbridge.ts'
import { of, ROOT } from '../docs/pages.ts'
import { fakeModel } from '../judge/fakemodel.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The page's own example. */
function exampleOf(name: string): string {
  const file = join(folder, name)
  writeFileSync(file, of('yaml').find(({ text }) => text.startsWith(`# ${name}`))!.text)
  return file
}

/** A configuration with these expectations. */
function checkedBy(expectations: string): string {
  const file = join(folder, 'checked.yaml')
  writeFileSync(file, `expectations: ${expectations}\n`)
  return file
}

describe('commands', () => {
  /**
   * How each is run so that it ends: what serves for ever is asked for its help after its flags were read, what needs a bridge or a Grafana says that there is none.
   * `make` and Docker are the business of the tests of the whole stack.
   */
  const RUN: readonly (readonly [RegExp, (args: string[]) => Promise<void>])[] = [
    [/^spanbridge serve\b/, async (args) => {
      writeFileSync(join(folder, 'spanbridge.yaml'), 'httpAddress: 127.0.0.1:0\n')
      // A port of somebody else's: everything before it has been read and was right.
      const ran = await spanbridge([...args, '--web-address', '192.0.2.1:1', '--http-address', '127.0.0.1:0', '--grpc-address', '127.0.0.1:0', '--data-dir', folder], { cwd: folder })
      expect(ran.stderr).toMatch(/192\.0\.2\.1/)
      expect(ran.code).toBe(1)
    }],
    [/^spanbridge doctor$/, async () => {
      const ran = await spanbridge(['doctor', '--http-address', '127.0.0.1:7', '--grpc-address', '127.0.0.1:8', '--web-address', '127.0.0.1:9'])
      expect(ran.code).toBe(1)
      expect(ran.stdout + ran.stderr).toContain('127.0.0.1:9')
    }],
    [/^spanbridge doctor --config\b/, async (args) => { expect(await spanbridge(args.map((arg) => (arg.endsWith('.yaml') ? checkedBy(exampleOf('expectations.yaml')) : arg)), { cwd: ROOT })).toMatchObject({ code: 0, stderr: '' }) }],
    [/^spanbridge doctor \S/, async (args) => { expect(await spanbridge(args)).toMatchObject({ code: 0, stderr: '' }) }],
    [/^spanbridge send\b/, async (args) => {
      const sink = createServer((request, response) => { request.resume().on('end', () => { response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end() }) })
      await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
      // Once instead of for ever.
      const ran = await spanbridge([...args.filter((arg) => arg !== '--loop'), '--endpoint', `http://127.0.0.1:${(sink.address() as AddressInfo).port}`])
      sink.closeAllConnections()
      sink.close()
      expect(ran.stderr).toContain('sending')
      expect(ran.code).toBe(0)
    }],
    [/^spanbridge install\b/, async (args) => {
      // Into a folder of this test's own, and into no Grafana.
      const at = args.indexOf('--grafana')
      const here = (at < 0 ? args : args.toSpliced(at, 2)).map((arg, i, all) => (all[i - 1] === '--prometheus-rules' ? join(folder, 'rules') : arg))
      const ran = await spanbridge(here.includes('--prometheus-rules') ? here : [...here, '--prometheus-rules', join(folder, 'rules')])
      expect(ran).toMatchObject({ code: 0, stderr: '' })
      expect(ran.stdout).toContain('rules of Prometheus')
    }],
    [/^spanbridge prices check\b/, async (args) => { expect(await spanbridge(args.map((arg) => (arg.endsWith('.yaml') ? exampleOf(arg) : arg)), { cwd: ROOT })).toMatchObject({ code: 0, stderr: '' }) }],
    [/^spanbridge judge\b/, async (args) => {
      const judge = await fakeModel()
      const ran = await spanbridge([...args, '--base-url', judge.url], { cwd: ROOT, env: { ANTHROPIC_API_KEY: 'key' } })
      await judge.stop()
      expect(ran).toMatchObject({ code: 0, stderr: '' })
      expect(judge.calls.length > 0).toBe(!args.includes('--dry-run'))
    }],
    [/^spanbridge (label|calibrate)\b/, async (args) => {
      const asked: string[] = []
      const bridge = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`)
        request.resume().on('end', () => { response.end('{"accepted":1,"judges":[]}') })
      })
      await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve))
      const ran = await spanbridge([...args, '--bridge', `http://127.0.0.1:${(bridge.address() as AddressInfo).port}`])
      bridge.close()
      expect(ran).toMatchObject({ code: 0, stderr: '' })
      expect(asked).toEqual([args[0] === 'label' ? 'POST /v1/scores' : 'GET /v1/calibration'])
    }],
    [/^spanbridge savings\b/, async (args) => {
      const ran = await spanbridge(args)
      // Nobody is there to be asked.
      if (args.includes('--prometheus')) expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot ask Prometheus') as string })
      else expect(ran).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('need not have been') as string })
    }],
    [/^spanbridge reconcile\b/, async (args) => {
      // Of files that are not there: the flags have been read by then.
      const ran = await spanbridge(args.map((arg) => arg.replaceAll("'", '')), { cwd: folder })
      expect(ran).toMatchObject({ code: 2, stderr: expect.stringMatching(/cannot read \S+: no such file/) as string })
    }],
    [/^spanbridge generate\b/, async (args) => { expect((await spanbridge([...args, '--help'])).code).toBe(0) }],
    [/^spanbridge demo\b/, async (args) => { expect((await spanbridge([...args, '--help'])).code).toBe(0) }],
  ]
  const ELSEWHERE = /^(make (up|test|bench)$|docker compose (--env-file \S+ |--profile \w+ )?up$|curl |export |npm run generate)/

  const lines = of('sh').flatMap(({ page, text }) => text.split('\n').map((line) => ({ page, line: line.replace(/\s+#.*$/, '').trim() })).filter(({ line }) => line !== '' && !line.startsWith('#')))

  test('each has a way to be run here', () => {
    expect(lines.map(({ line }) => line).filter((line) => !ELSEWHERE.test(line) && !RUN.some(([pattern]) => pattern.test(line.replace('./bin/', ''))))).toEqual([])
  })

  const own = [...new Set(lines.map(({ line }) => line).filter((line) => line.startsWith('./bin/spanbridge')))]
  test.each(own)('%s', async (line) => {
    const command = line.replace('./bin/', '')
    await RUN.find(([pattern]) => pattern.test(command))![1](command.split(/\s+/).slice(1))
  }, 30_000)

})
