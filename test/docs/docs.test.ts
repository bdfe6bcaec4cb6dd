/** What README.md and docs/ tell people to type: every configuration is read, every query is parsed, every link leads somewhere. Commands are run in test/real/commands.test.ts. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
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
import { blocks, of, PAGES, ROOT, texts } from './pages.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('every block is in a language that something here reads', () => {
  expect([...new Set(blocks.map(({ language }) => language))].filter((language) => !['sh', 'yaml', 'json', 'promql', 'logql', 'jsonnet', 'python', 'ts'].includes(language))).toEqual([])
  expect(blocks.length).toBeGreaterThan(15)
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
  test('in shell is shell', () => {
    for (const { page, text } of of('sh')) expect(spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' }).stderr, page).toBe('')
  })

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
