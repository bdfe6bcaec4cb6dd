/**
 * The real programs that Spanbridge is run and tested with, each built once from its Go module at a pinned version, Kafka fetched as it is
 * published, into a cache outside the checkout. One folder per program holds its go.mod, go.sum and, for the Collector, its main.go: their
 * `replace` and `exclude` directives contradict each other, so they cannot share a module.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Component {
  readonly name: string
  readonly version: string
  /** Names of the executables; the first is the component's own. */
  readonly binaries: readonly string[]
  /** Directory with go.mod and go.sum, or with pom.xml and a script for each of `binaries`. */
  readonly folder: string
  /** Go packages to build, one for each of `binaries`, in that order. Absent: what its pom.xml names is fetched. */
  readonly packages?: readonly string[]
  /** Go build tags, comma-separated. */
  readonly tags?: string
  /** Go variable that the linker sets to `version`. */
  readonly versionVariable?: string
  /** A build with an empty cache on two cores, downloads included. */
  readonly buildMinutes: number
  /** Oldest version that an installation on the PATH may have; absent: what is on the PATH is never used. */
  readonly leastVersion?: string
}

export interface BuildOptions {
  /** Existing directory that the executables are written to. */
  readonly directory: string
  readonly signal?: AbortSignal
}

/** Writes `component.binaries` into a directory; rejects with a reason that a person can act on. */
export type Build = (component: Component, options: BuildOptions) => Promise<void>

export const components: readonly Component[] = [
  {
    name: 'prometheus',
    // The Go module of 3.16.0 is numbered v0.316.0. The module carries no UI: its pages answer 500, API and rules work.
    version: '3.16.0',
    binaries: ['prometheus', 'promtool'],
    folder: folderOf('prometheus'),
    packages: ['github.com/prometheus/prometheus/cmd/prometheus', 'github.com/prometheus/prometheus/cmd/promtool'],
    // Without the clients of every cloud: half the build. static, file and http discovery stay.
    tags: 'remove_all_sd',
    versionVariable: 'github.com/prometheus/common/version.Version',
    buildMinutes: 5,
    // Its changelog: native histograms are scraped by a key of the configuration since then.
    leastVersion: '3.8.0',
  },
  {
    name: 'alertmanager',
    // 0.31.1 and not a later one: from 0.32 on the sources embed UI files that the Go module does not carry, so that a later
    // version needs a patched copy of the module and still has no page. This one builds like the others and has its UI,
    // which is where a person on call sets a silence.
    version: '0.31.1',
    binaries: ['alertmanager', 'amtool'],
    folder: folderOf('alertmanager'),
    packages: ['github.com/prometheus/alertmanager/cmd/alertmanager', 'github.com/prometheus/alertmanager/cmd/amtool'],
    versionVariable: 'github.com/prometheus/common/version.Version',
    buildMinutes: 2,
    leastVersion: '0.27.0',
  },
  {
    name: 'collector',
    // The newest version at which the Prometheus and Kafka exporters are published as modules.
    version: '0.155.0',
    binaries: ['otelcol'],
    folder: folderOf('collector'),
    packages: ['.'],
    versionVariable: 'main.version',
    buildMinutes: 3,
  },
  {
    name: 'loki',
    // Its go.mod repeats the `replace` and `exclude` directives of Loki's own, which Go applies in the main module only. The one of
    // ./pkg/push is left out: the published version that Loki requires is the same package.
    version: '3.7.8',
    binaries: ['loki'],
    folder: folderOf('loki'),
    packages: ['github.com/grafana/loki/v3/cmd/loki'],
    versionVariable: 'github.com/grafana/loki/v3/pkg/util/build.Version',
    buildMinutes: 8,
    // Structured metadata is stored without being switched on from here.
    leastVersion: '3.0.0',
  },
  {
    name: 'compose',
    // The newest that the Go version which the others need can build. It repeats the `exclude` directives of its own go.mod.
    version: '2.40.3',
    binaries: ['docker-compose'],
    folder: folderOf('compose'),
    packages: ['github.com/docker/compose/v2/cmd'],
    versionVariable: 'github.com/docker/compose/v2/internal.Version',
    buildMinutes: 4,
    leastVersion: '2.30.0',
  },
  {
    name: 'kafka',
    version: '4.1.0',
    binaries: ['kafka-server'],
    folder: folderOf('kafka'),
    buildMinutes: 1,
  },
]

/** The component of that name, or the one that has a binary of that name; throws for a name that is neither. */
export function componentOf(name: string, table: readonly Component[] = components): Component {
  const component = table.find((each) => each.name === name) ?? table.find((each) => each.binaries.includes(name))
  if (component) return component
  throw new Error(`cannot find component ${JSON.stringify(name)}: known are ${table.map((each) => each.name).join(', ')}`)
}

/**
 * `<name>-<version>-<hash>`: the directory of one build in the cache. The hash covers everything that the build reads from
 * the checkout, and the platform, so that a changed recipe is a new build and a home directory shared by machines works.
 */
export function buildId(component: Component): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([process.platform, process.arch, component.packages, component.tags, component.versionVariable]))
  for (const file of readdirSync(component.folder).sort()) {
    if (['go.mod', 'go.sum', 'pom.xml', ...(component.packages ? [] : component.binaries)].includes(file) || file.endsWith('.go')) {
      hash.update(`\0${file}\0`).update(readFileSync(join(component.folder, file)))
    }
  }
  return `${component.name}-${component.version}-${hash.digest('hex').slice(0, 8)}`
}

function folderOf(name: string): string {
  return join(import.meta.dirname, name)
}
