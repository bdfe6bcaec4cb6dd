/** What ARCHITECTURE.md promises of the shape of the code, so that no reviewer has to look for it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

/** Folders and files of src/, and what each may import besides itself. The record that flows, the names, no neighbours. */
const MAY_IMPORT: Readonly<Record<string, RegExp>> = {
  'otlp': /^$/,
  'spans': /^$/,
  'traces': /^spans\/(anyvalue|dialect|logs|names|span|strings|tables)\.ts$/,
  'cost': /^(glob|spans\/(names|strings)|traces\/settled|config\/(config|pricing))\.ts$/,
  'problems': /^(spans\/(names|strings)|traces\/settled|config\/objectives)\.ts$/,
  'metrics': /^(spans\/(names|strings)|traces\/settled)\.ts$/,
  'logs': /^(web\/(reach|retry)|spans\/(names|strings)|traces\/settled|config\/(config|objectives))\.ts$/,
  'quality': /^(database|web\/(json|reach|retry)|spans\/(dialect|names|scale|span|strings)|traces\/settled|config\/(expectations|jsonschema|judge|scores)|cost\/price)\.ts$/,
  'web': /^$/,
  'pager': /^(web\/|database\.ts$)/,
  'config': /^(glob|nearest)\.ts$/,
  'demo': /^web\//,
  'install': /^web\//,
  'bundle': /^nearest\.ts$/,
  'database.ts': /^$/,
  'glob.ts': /^$/,
  'nearest.ts': /^$/,
  'configured.ts': /^(config\/(config|expectations|objectives|pricing)|cost\/prices|engine|spans\/(dialect|scale)|spans\/dialects\/index)\.ts$/,
  'engine.ts': /^(spans|traces|cost|problems|metrics|quality\/checks)\/|^(otlp\/sink|config\/(expectations|objectives))\.ts$/,
  'bridge.ts': /^(?!cli\/)/,
  'cli': /^/,
}
/** Of these only types, which are gone when the code runs. */
const TYPES_ONLY = /^config\//
/** What of the stages speaks HTTP: the rest of them is pure. */
const EDGES = /^(logs\/push\.ts|quality\/(external|judge)\/)/

/** Longer than 400 lines, and why. */
const LONG: Readonly<Record<string, string>> = {
  'src/spans/scan.ts': 'one pass over the bytes with the position in a local variable: a call per field would cost more than the field',
}

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 })
  .split('\n').filter((file) => file !== '' && !file.startsWith('test/recordings/'))
const read = (file: string) => {
  try {
    return readFileSync(join(ROOT, file), 'utf8')
  } catch {
    return '' // in the index, and gone
  }
}
const sources = tracked.filter((file) => /^src\/.*\.(ts|js)$/.test(file))

interface Import {
  readonly from: string
  readonly to: string
  readonly types: boolean
}

function importsOf(file: string): Import[] {
  const statements = read(file).matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|^import\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm)
  return [...statements].map(([, type, from, bare, dynamic]) => ({
    from: file.slice(4), to: normalize(join(dirname(file), (from ?? bare ?? dynamic)!)).slice(4), types: type !== undefined,
  }))
}
const imports = sources.flatMap(importsOf)
const place = (file: string) => file.split('/')[0]!

describe('imports go one way', () => {
  test('they are found at all', () => {
    expect(imports).toContainEqual({ from: 'engine.ts', to: 'spans/scan.ts', types: false })
    expect(imports).toContainEqual({ from: 'cost/prices.ts', to: 'config/pricing.ts', types: true })
  })

  test('every folder has its rule', () => {
    expect([...new Set(sources.map((file) => place(file.slice(4))))].filter((folder) => !(folder in MAY_IMPORT))).toEqual([])
  })

  test('a stage imports the record that flows, the names and itself', () => {
    const wrong = imports.filter(({ from, to }) => place(from) !== place(to) && MAY_IMPORT[place(from)]?.test(to) !== true)
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  test('the configuration is known by its types alone', () => {
    const wrong = imports.filter(({ from, to, types }) => place(from) !== place(to) && !['bridge.ts', 'configured.ts', 'cli'].includes(place(from)) && TYPES_ONLY.test(to) && !types)
    expect(wrong).toEqual([])
  })

  test('of the stages only what speaks HTTP knows the edges of the web', () => {
    const users = imports.filter(({ from, to }) => place(to) === 'web' && ['logs', 'quality'].includes(place(from))).map(({ from }) => from)
    expect(users.length).toBeGreaterThan(4)
    expect(users.filter((from) => !EDGES.test(from))).toEqual([])
  })

  test("the SDKs of the judge are behind imports that only a judge makes: they are larger than the bridge", () => {
    const users = sources.filter((file) => /from '(@anthropic-ai\/sdk|openai|autoevals)['/]/.test(read(file))).map((file) => file.slice(4))
    expect(users.sort()).toEqual(['quality/judge/anthropic.ts', 'quality/judge/autoevals.ts', 'quality/judge/openai.ts'])
    const direct = sources.filter((file) => !users.includes(file.slice(4)) && /^import (?!type )[^'\n]*from '\.[^']*\/(anthropic|autoevals|openai)\.ts'/m.test(read(file)))
    expect(direct).toEqual([])
  })

  test('nothing imports the command line', () => {
    expect(imports.filter(({ from, to }) => place(to) === 'cli' && place(from) !== 'cli')).toEqual([])
  })
})

describe('files', () => {
  test('none is longer than 400 lines but those that say why', () => {
    const long = tracked.filter((file) => /\.(ts|js|css|jsonnet|libsonnet)$/.test(file) && read(file).split('\n').length > 401)
    expect(long.filter((file) => !(file in LONG))).toEqual([])
    expect(Object.keys(LONG).filter((file) => !long.includes(file))).toEqual([])
  })

  test('their names are nouns in lower case', () => {
    const names = tracked.filter((file) => /\.(ts|js)$/.test(file)).map((file) => file.split('/').at(-1)!)
    expect(names.filter((name) => !/^[a-z0-9]+(?:[.-][a-z0-9]+)*\.(ts|js)$/.test(name))).toEqual([])
    expect(names.filter((name) => /^(utils?|helpers?|common|misc|lib|index)\b/.test(name) && name !== 'index.ts')).toEqual([])
  })

  const texts = tracked.filter((file) => !/\.(pb|png|svg|ico|gz|woff2?)$/.test(file) && file !== 'test/architecture.test.ts')

  test.each([
    ['nothing is left to do', /\bTODO\b|\bFIXME\b/],
    ['no package registry is named: whoever builds has their own', /\bregistry\.npmjs\b|\bregistry\.yarnpkg\b|\bproxy\.golang\.org\b|\bpypi\.org\/simple\b|\brepo1?\.maven\b/],
    ['no path of one machine', /(?:^|[\s"'`(=:])\/(?:work|root|Users)\/|\/home\/(?!nonroot|node|spanbridge)\w/m],
  ])('%s', (_, pattern) => {
    expect(texts.filter((file) => pattern.test(read(file)))).toEqual([])
  })
})
