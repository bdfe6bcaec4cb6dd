import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Build } from '../../components/table.ts'
import { type Component, components, ensureComponent, type EnsureOptions, findComponent } from '../../components/components.ts'
import { cacheDirectory, isAtLeast } from '../../components/find.ts'
import { buildId, componentOf } from '../../components/table.ts'

let directory: string
let tool: Component
let env: Record<string, string>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spanbridge-components-'))
  const folder = join(directory, 'recipe')
  mkdirSync(folder)
  writeFileSync(join(folder, 'go.mod'), 'module tool\n\ngo 1.20\n')
  const packages = ['example.test/tool', 'example.test/tool-check']
  tool = { name: 'toolbox', version: '3.1.0', binaries: ['tool', 'tool-check'], folder, packages, buildMinutes: 1, leastVersion: '3.0' }
  env = { SPANBRIDGE_CACHE: join(directory, 'cache'), PATH: join(directory, 'bin') }
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A program that answers --version; returns its path. */
function executable(path: string, version = '3.1.0'): string {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho "tool, version ${version} (branch: )"\n`)
  chmodSync(path, 0o755)
  return path
}

const fakeBuild: Build = async (component, options) => {
  for (const binary of component.binaries) executable(join(options.directory, binary))
}

function ensure(build: Build, more: Partial<EnsureOptions> = {}, name = 'toolbox') {
  return ensureComponent(name, { log: () => {}, env, table: [tool], build, pollMillis: 1, ...more })
}

const cachedPath = (binary: string) => join(cacheDirectory(env), buildId(tool), 'bin', binary)
const lockPath = () => join(cacheDirectory(env), `${buildId(tool)}.lock`)

function lockedBy(pid: number): void {
  mkdirSync(lockPath(), { recursive: true })
  writeFileSync(join(lockPath(), 'pid'), String(pid))
}

describe('findComponent', () => {
  test('finds nothing where nothing is', () => {
    expect(findComponent('tool', env, [tool])).toBeUndefined()
  })

  test('prefers the environment to the cache, and the cache to the PATH', () => {
    const onPath = executable(join(directory, 'bin', 'tool-check'))
    expect(findComponent('tool-check', env, [tool])).toBe(onPath)
    const cached = executable(cachedPath('tool-check'))
    expect(findComponent('tool-check', env, [tool])).toBe(cached)
    const chosen = executable(join(directory, 'mine'))
    expect(findComponent('tool-check', { ...env, SPANBRIDGE_TOOL_CHECK_PATH: chosen }, [tool])).toBe(chosen)
  })

  test('refuses a path in the environment that cannot be run, naming the key', () => {
    executable(cachedPath('tool'))
    const wrong = { ...env, SPANBRIDGE_TOOL_PATH: join(directory, 'recipe', 'go.mod') }
    expect(() => findComponent('tool', wrong, [tool])).toThrow(/cannot use SPANBRIDGE_TOOL_PATH=.*go\.mod: not an executable file/)
  })

  test('ignores what is on the PATH when it is too old, or the component does not allow it', () => {
    const onPath = executable(join(directory, 'bin', 'tool'), '2.42.0')
    expect(findComponent('tool', env, [tool])).toBeUndefined()
    executable(onPath, '3.0.0')
    expect(findComponent('tool', env, [tool])).toBe(onPath)
    const { leastVersion: _, ...pinned } = tool
    expect(findComponent('tool', env, [pinned])).toBeUndefined()
  })

  test('does not know every name', () => {
    expect(() => findComponent('grafana', env, [tool])).toThrow('cannot find component "grafana": known are toolbox')
  })

  test('takes a changed recipe for another build', () => {
    executable(cachedPath('tool'))
    expect(findComponent('tool', env, [tool])).toBeDefined()
    writeFileSync(join(tool.folder, 'go.mod'), 'module tool\n\ngo 1.21\n')
    expect(findComponent('tool', env, [tool])).toBeUndefined()
  })
})

test.each([
  ['3.10.0', '3.9', true],
  ['3.9', '3.9.0', true],
  ['2.99.9', '3', false],
  ['1.26.6', '1.26.7', false],
])('version %s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected)
})

test('the cache is where SPANBRIDGE_CACHE says, else XDG_CACHE_HOME, else in the home directory', () => {
  expect(cacheDirectory({ SPANBRIDGE_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a/spanbridge/components')
  expect(cacheDirectory({ SPANBRIDGE_CACHE: '', XDG_CACHE_HOME: '/b' })).toBe('/b/spanbridge/components')
  expect(cacheDirectory({})).toMatch(/\/\.cache\/spanbridge\/components$/)
})

describe('ensureComponent', () => {
  test('builds what is not there, says so, and builds it once', async () => {
    const build = vi.fn(fakeBuild)
    const lines: string[] = []
    expect(await ensure(build, { log: (line) => lines.push(line) })).toEqual({ path: cachedPath('tool') })
    expect(lines).toEqual(['building toolbox 3.1.0 from its Go module (about 1 min, once) …', expect.stringMatching(/^built toolbox 3\.1\.0 in \d+ s$/)])
    expect(await ensure(build, {}, 'tool-check')).toEqual({ path: cachedPath('tool-check') })
    expect(build).toHaveBeenCalledTimes(1)
    expect(readdirSync(cacheDirectory(env))).toEqual([buildId(tool)])
  })

  test('says why a build failed and leaves nothing of it behind', async () => {
    const outcome = await ensure(async (component, options) => {
      executable(join(options.directory, component.binaries[0]!))
      throw new Error('no network')
    })
    expect(outcome).toEqual({ missing: 'cannot build toolbox 3.1.0: no network' })
    expect(readdirSync(cacheDirectory(env))).toEqual([])
  })

  test('does not take a build that wrote nothing for a success', async () => {
    expect(await ensure(async () => {})).toEqual({ missing: expect.stringContaining('without writing tool') })
  })

  test('names Go when the machine has none', async () => {
    const { build: _, ...real } = { build: fakeBuild, log: () => {}, env, table: [tool] }
    vi.stubEnv('PATH', join(directory, 'bin'))
    const outcome = await ensureComponent('tool', real).finally(() => vi.unstubAllEnvs())
    expect(outcome).toEqual({ missing: 'cannot build toolbox 3.1.0: Go 1.20 or newer is needed, and there is no go on the PATH' })
  })

  test('waits for a living owner of the lock, and takes what it has built', async () => {
    lockedBy(process.pid)
    const build = vi.fn(fakeBuild)
    const lines: string[] = []
    const waiting = ensure(build, {
      log: (line) => {
        lines.push(line)
        // The owner finishes while the other one waits.
        executable(cachedPath('tool'))
      },
    })
    expect(await waiting).toEqual({ path: cachedPath('tool') })
    expect(build).not.toHaveBeenCalled()
    expect(lines).toEqual([`waiting for process ${process.pid}, which is building toolbox 3.1.0`])
    expect(existsSync(lockPath())).toBe(true)
  })

  test('builds itself when the owner gave up', async () => {
    lockedBy(process.pid)
    const build = vi.fn(fakeBuild)
    await ensure(build, { log: (line) => line.startsWith('waiting') && rmSync(lockPath(), { recursive: true }) })
    expect(build).toHaveBeenCalledTimes(1)
  })

  test('of many at once, one builds', async () => {
    const build = vi.fn(fakeBuild)
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => ensure(build)))
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(new Set([JSON.stringify({ path: cachedPath('tool') })]))
    expect(build).toHaveBeenCalledTimes(1)
  })

  test('takes over the lock, and removes the leftovers, of an owner that is dead', async () => {
    const dead = spawnSync(process.execPath, ['--version']).pid
    lockedBy(dead)
    const leftover = join(cacheDirectory(env), `${buildId(tool)}.build-${dead}-abc`)
    mkdirSync(leftover)
    expect(await ensure(fakeBuild)).toEqual({ path: cachedPath('tool') })
    expect(readdirSync(cacheDirectory(env))).toEqual([buildId(tool)])
  })

  test('takes over a lock so old that its pid must be another program by now', async () => {
    lockedBy(process.pid)
    const twoHoursAgo = new Date(Date.now() - 2 * 3600_000)
    utimesSync(join(lockPath(), 'pid'), twoHoursAgo, twoHoursAgo)
    expect(await ensure(fakeBuild)).toEqual({ path: cachedPath('tool') })
  })

  test('ends a wait when it is told to', async () => {
    lockedBy(process.pid)
    const signal = AbortSignal.abort()
    expect(await ensure(fakeBuild, { signal })).toEqual({ missing: expect.stringContaining('aborted') })
  })
})

test('every component of the table has what it is built or fetched from, for each binary', () => {
  for (const component of components) {
    expect(buildId(component)).toMatch(new RegExp(`^${component.name}-\\d+\\.\\d+\\.\\d+-[0-9a-f]{8}$`))
    const sources = component.packages ? ['go.sum'] : ['pom.xml', ...component.binaries]
    expect(sources.filter((file) => !existsSync(join(component.folder, file)))).toEqual([])
    if (component.packages) expect(component.packages).toHaveLength(component.binaries.length)
    else expect(readFileSync(join(component.folder, 'pom.xml'), 'utf8')).toContain(`<version>${component.version}</version>`)
  }
})

test("Loki's recipe repeats the directives that Go applies in the main module only, and replaces nothing by a folder", () => {
  const recipe = readFileSync(join(componentOf('loki').folder, 'go.mod'), 'utf8')
  const replaced = [...recipe.matchAll(/^replace (\S+) => (\S+) (v\S+)$/gm)].map(([, from]) => from)
  expect(replaced).toHaveLength(7)
  expect([...recipe.matchAll(/^replace /gm)]).toHaveLength(7)
  expect(recipe).toMatch(/^exclude k8s\.io\/client-go v8\.0\.0\+incompatible$/m)
})
