/** Where a component's executable is: named by the environment, in the cache, or installed on the PATH. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { buildId, type Component, componentOf, components } from './table.ts'

type Environment = Readonly<Record<string, string | undefined>>

const versionTimeoutMillis = 5000

/**
 * Absolute path of `binary`, or undefined when it must be built first. In this order: `SPANBRIDGE_<BINARY>_PATH`, the cache,
 * then the PATH if what is there is new enough. Throws when the environment names a file that cannot be run: a person's
 * explicit choice is never replaced silently.
 */
export function findComponent(
  binary: string,
  env: Environment = process.env,
  table: readonly Component[] = components,
): string | undefined {
  const component = componentOf(binary, table)
  return chosen(binary, env) ?? cached(component, binary, env) ?? installed(component, binary, env)
}

/** The directory of all builds. */
export function cacheDirectory(env: Environment = process.env): string {
  const base = env['SPANBRIDGE_CACHE'] || env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(base, 'spanbridge', 'components')
}

function chosen(binary: string, env: Environment): string | undefined {
  const key = `SPANBRIDGE_${binary.toUpperCase().replaceAll('-', '_')}_PATH`
  const path = env[key]
  if (!path) return undefined
  if (!isExecutable(path)) throw new Error(`cannot use ${key}=${path}: not an executable file`)
  return path
}

function cached(component: Component, binary: string, env: Environment): string | undefined {
  const path = join(cacheDirectory(env), buildId(component), 'bin', binary)
  return isExecutable(path) ? path : undefined
}

function installed(component: Component, binary: string, env: Environment): string | undefined {
  if (!component.leastVersion) return undefined
  for (const directory of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, binary)
    if (directory && isExecutable(path)) return isAtLeast(versionOf(path), component.leastVersion) ? path : undefined
  }
  return undefined
}

/** What `<path> --version` says, as `prometheus, version 3.16.0 (branch …)`; '0' when it says nothing of the kind. */
function versionOf(path: string): string {
  const { stdout, stderr } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: versionTimeoutMillis })
  return /version v?(\d+(?:\.\d+)*)/.exec(`${stdout}\n${stderr}`)?.[1] ?? '0'
}

/** Compares dotted numbers: 3.10 is at least 3.9. */
export function isAtLeast(version: string, least: string): boolean {
  const have = version.split('.').map(Number)
  const need = least.split('.').map(Number)
  for (const [index, number] of need.entries()) {
    const difference = (have[index] ?? 0) - number
    if (difference !== 0) return difference > 0
  }
  return true
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
