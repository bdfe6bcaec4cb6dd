/** What README.md and docs/ tell people to type: every command is run, every configuration is read, every query is parsed, every link leads somewhere. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { loadExpectations } from '../../src/config/expectations.ts'
import { readObjectives, objectiveRows } from '../../src/config/objectives.ts'
import { loadPricing } from '../../src/config/pricing.ts'
import { readRubric } from '../../src/quality/judge/rubric.ts'
import { METRICS, type MetricName } from '../../src/metrics/catalogue.ts'
import { readLogQuery } from '../alerts/logql.ts'
import { readQuery } from '../alerts/promql.ts'
import { rules } from '../alerts/rulefile.ts'
import { recordedBy, unknownIn } from '../alerts/series.ts'
import { spanbridge } from '../cli/spanbridge.ts'
import { fakeModel } from '../judge/fakemodel.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]

interface Block {
  readonly page: string
  readonly language: string
  readonly text: string
}

const texts = new Map(PAGES.map((page) => [page, readFileSync(join(ROOT, page), 'utf8')]))
const blocks: Block[] = PAGES.flatMap((page) => [...texts.get(page)!.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, text]) => ({ page, language: language!, text: text! })))
const of = (language: string) => blocks.filter((block) => block.language === language)

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('every block is in a language that something here reads', () => {
  expect([...new Set(blocks.map(({ language }) => language))].filter((language) => !['sh', 'yaml', 'json', 'promql', 'logql', 'jsonnet', 'python', 'ts'].includes(language))).toEqual([])
  expect(blocks.length).toBeGreaterThan(15)
})

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

  test('shell is shell', () => {
    for (const { page, text } of of('sh')) expect(spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' }).stderr, page).toBe('')
  })
})

describe('configurations', () => {
  for (const { page, text } of of('yaml')) {
    const name = /^# (\S+\.ya?ml)$/m.exec(text)?.[1]
    test(`${name ?? 'a file without a name'} of ${page}`, () => {
      expect(['spanbridge.yaml', 'pricing.yaml', 'rubric.yaml', 'expectations.yaml'], `${page}: the first line of a configuration names its file`).toContain(name)
      const file = join(folder, name!)
      writeFileSync(file, text)
      if (name === 'pricing.yaml') return void expect(loadPricing(file).models.length).toBeGreaterThan(0)
      if (name === 'expectations.yaml') return void expect(loadExpectations(file).tools.length).toBeGreaterThan(0)
      if (name === 'rubric.yaml') return void expect(readRubric(file).version).toBeGreaterThan(0)
      const config = loadConfig({ flags: { config: file } })
      expect(config.warnings).toEqual([])
      // As the bridge reads its limits at the start.
      expect(() => objectiveRows(readObjectives(), config.objectives, (metric) => METRICS[metric as MetricName]?.buckets)).not.toThrow()
    })
  }
})

describe('queries', () => {
  const recorded = recordedBy(rules)

  test('of Prometheus name what there is', () => {
    for (const { text } of of('promql')) {
      for (const query of text.replace(/^#.*$/gm, '').split(/\n\s*\n/).filter((part) => part.trim() !== '')) expect(unknownIn(readQuery(query), recorded), query).toEqual([])
    }
  })

  test('of Loki are read by its grammar', () => {
    for (const { text } of of('logql')) expect(() => readLogQuery(text.trim()), text).not.toThrow()
  })
})

describe('code', () => {
  test('in JSON is JSON', () => {
    for (const { text } of of('json')) expect(() => JSON.parse(text), text).not.toThrow()
  })

  test('in TypeScript is TypeScript', () => {
    for (const { text } of of('ts')) expect(() => stripTypeScriptTypes(text), text).not.toThrow()
  })

  const python = spawnSync('python3', ['--version']).status === 0
  test.skipIf(!python && process.env['CI'] !== 'true')(`in Python is Python${python ? '' : ' (skipped, missing: python3)'}`, () => {
    for (const { text } of of('python')) execFileSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], { input: text })
  })
})

test.each(PAGES)('every link of %s leads somewhere', (page) => {
  const targets = [...texts.get(page)!.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((target) => !/^(https?:|#)/.test(target))
  expect(targets.filter((target) => !existsSync(join(ROOT, dirname(page), target.split('#')[0]!)))).toEqual([])
})

test('the README leads to every page of docs/', () => {
  expect(PAGES.slice(1).filter((page) => !texts.get('README.md')!.includes(`](${page})`))).toEqual([])
})
