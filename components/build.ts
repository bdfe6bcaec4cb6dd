/** Builds a component with the machine's Go toolchain, or fetches it with its Maven. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Build, Component } from './table.ts'
import { isAtLeast } from './find.ts'
import { mavenBuild } from './maven.ts'
import { runProgram } from './program.ts'

/** As its folder says. */
export const build: Build = (component, options) => (existsSync(join(component.folder, 'pom.xml')) ? mavenBuild : goBuild)(component, options)

const goBuild: Build = async (component, { directory, signal }) => {
  const unfit = unfitGo(component)
  if (unfit) throw new Error(unfit)
  // A go that is ended leaves its work directory of some hundred MB behind: it is in a place that is removed.
  const scratch = join(directory, 'work')
  mkdirSync(scratch)
  try {
    for (const [index, binary] of component.binaries.entries()) {
      await runProgram('go', ['build', ...flags(component), '-o', join(directory, binary), component.packages?.[index] ?? '.'], {
        directory: component.folder, env: { ...goEnvironment(), GOTMPDIR: scratch }, signal, noise: /^go: downloading /,
      })
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Why the machine's Go cannot build this, or undefined when it can. */
function unfitGo(component: Component): string | undefined {
  const needed = /^go (\S+)$/m.exec(readFileSync(join(component.folder, 'go.mod'), 'utf8'))?.[1] ?? '0'
  const { stdout, error } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env: goEnvironment() })
  if (error) return `Go ${needed} or newer is needed, and there is no go on the PATH`
  const version = /^go(\d+(?:\.\d+)*)/.exec(stdout)?.[1] ?? '0'
  return isAtLeast(version, needed) ? undefined : `Go ${needed} or newer is needed, and go on the PATH is ${stdout.trim()}`
}

function flags(component: Component): string[] {
  const variable = component.versionVariable
  return [
    // The committed go.sum decides what is built, or the build fails.
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    // Two compilers at once: linking Prometheus takes more than 1 GB as it is.
    '-p=2',
    ...(component.tags ? [`-tags=${component.tags}`] : []),
    `-ldflags=-s -w${variable ? ` -X ${variable}=${component.version}` : ''}`,
  ]
}

function goEnvironment(): NodeJS.ProcessEnv {
  // CGO off: no C compiler needed. Toolchain local: a Go that is too old is told to the user, not replaced by a download.
  return { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' }
}
