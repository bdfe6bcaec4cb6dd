/** How a test says which real programs it runs. */
import { describe as vitestDescribe, test } from 'vitest'
import { findComponent } from '../../components/components.ts'

export interface Needed {
  /** Like vitest's: the suite runs when all that it needs is there. Else it is skipped and says so in its name; in CI it fails. */
  describe(title: string, suite: () => void): void
  /** Path of one of the needed binaries; to be called inside a test or a hook. */
  path(binary: string): string
}

/** `const { describe, path } = needs('prometheus', 'promtool')` */
export function needs(...binaries: string[]): Needed {
  const paths = new Map(binaries.map((binary) => [binary, findComponent(binary)]))
  const missing = binaries.filter((binary) => paths.get(binary) === undefined)
  return {
    describe(title, suite) {
      if (missing.length === 0) vitestDescribe(title, suite)
      else if (process.env['CI'] === 'true') vitestDescribe(title, () => test('has what it needs', () => fail(missing)))
      else vitestDescribe.skip(`${title} (skipped, missing: ${missing.join(', ')})`, suite)
    },
    path: (binary) => paths.get(binary) ?? fail([binary]),
  }
}

function fail(missing: readonly string[]): never {
  throw new Error(`cannot test without ${missing.join(', ')}: "node components/ensure.ts ${missing.join(' ')}" builds what is missing`)
}
