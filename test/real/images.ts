/**
 * Images of the names and tags that docker-compose.yml and the Dockerfiles begin from, none of which can be pulled by the tests: the same
 * programs, built from their Go modules, at the paths of the upstream images, with their entry points, users and directories.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, cpSync, linkSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { findComponent } from '../../components/components.ts'
import { ROOT } from '../cli/spanbridge.ts'
import type { Docker } from './docker.ts'

const NOBODY = 65534
/** Of Loki and the Collector. */
const OWN = 10001
const NODE = 1000

interface StandIn {
  readonly image: string
  /** Component's binary, and where the image has it. */
  readonly program?: readonly [binary: string, path: string]
  /** A shell and its tools are in the image. */
  readonly busybox?: true
  /** Directories that belong to its user. */
  readonly own?: readonly string[]
  readonly uid?: number
  readonly changes: readonly string[]
}

const IMAGES: readonly StandIn[] = [
  { image: 'prom/prometheus:v3.16.0', program: ['prometheus', '/bin/prometheus'], busybox: true, own: ['/prometheus'], uid: NOBODY, changes: ['USER nobody', 'WORKDIR /prometheus', 'VOLUME /prometheus', 'ENTRYPOINT ["/bin/prometheus"]'] },
  { image: 'prom/alertmanager:v0.34.2', program: ['alertmanager', '/bin/alertmanager'], busybox: true, own: ['/alertmanager'], uid: NOBODY, changes: ['USER nobody', 'WORKDIR /alertmanager', 'VOLUME /alertmanager', 'ENTRYPOINT ["/bin/alertmanager"]'] },
  { image: 'grafana/loki:3.7.8', program: ['loki', '/usr/bin/loki'], own: ['/loki'], uid: OWN, changes: [`USER ${OWN}`, 'ENTRYPOINT ["/usr/bin/loki"]'] },
  { image: 'otel/opentelemetry-collector-contrib:0.155.0', program: ['otelcol', '/otelcol-contrib'], changes: [`USER ${OWN}:${OWN}`, 'ENTRYPOINT ["/otelcol-contrib"]'] },
  { image: 'busybox:1.37.0-musl', busybox: true, changes: ['CMD ["sh"]'] },
]

export const STAND_INS = [...IMAGES.map(({ image }) => image), 'node:24-slim']

export function loadImages(docker: Docker): void {
  for (const standIn of IMAGES) {
    load(docker, standIn.image, standIn.changes, (root) => {
      if (standIn.busybox) busybox(root)
      if (standIn.program) place(findComponent(standIn.program[0])!, join(root, standIn.program[1]))
      for (const path of standIn.own ?? []) {
        mkdirSync(join(root, path))
        chownSync(join(root, path), standIn.uid!, standIn.uid!)
      }
    })
  }
  load(docker, 'node:24-slim', ['ENV PATH=/usr/local/bin:/bin', 'CMD ["node"]'], node)
}

/** Debian's parts are the host's. npm is a script: there is no network in a build. */
function node(root: string): void {
  busybox(root)
  const program = join(ROOT, 'node_modules/node/bin/node')
  place(program, join(root, 'usr/local/bin/node'))
  for (const [, library] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(\/lib\S+) \(/g)) place(library!, join(root, library!))
  // What `npm ci` with these arguments leaves, taken from what it has installed here by the same lock file.
  const packages = join(root, 'usr/local/share/packages')
  const { packages: locked } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: true; optional?: true; devOptional?: true }> }
  for (const [path, { dev, optional, devOptional }] of Object.entries(locked)) {
    if (path === '' || dev || optional || devOptional) continue
    cpSync(join(ROOT, path), join(root, 'usr/local/share/packages', path), { recursive: true, filter: (file) => basename(file) !== 'node_modules' })
  }
  copyFileSync(join(ROOT, 'package-lock.json'), join(packages, 'package-lock.json'))
  const npm = join(root, 'usr/local/bin/npm')
  writeFileSync(npm, `#!/bin/sh
set -eu
[ "$*" = 'ci --omit=dev --omit=optional --ignore-scripts' ] || { echo "this npm knows one command, and not: $*" >&2; exit 1; }
cmp package-lock.json /usr/local/share/packages/package-lock.json
cp -r /usr/local/share/packages/node_modules .
`)
  chmodSync(npm, 0o755)
}

function busybox(root: string): void {
  place('/bin/busybox', join(root, 'bin/busybox'))
  for (const applet of execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n')) if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet))
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(root, 'etc/passwd'), `root:x:0:0:root:/:/bin/sh\nnode:x:${NODE}:${NODE}::/home/node:/bin/sh\nnobody:x:${NOBODY}:${NOBODY}::/:/bin/false\n`)
  writeFileSync(join(root, 'etc/group'), `root:x:0:\nnode:x:${NODE}:\nnobody:x:${NOBODY}:\n`)
}

/** Linked where that is possible: the programs are large. */
function place(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true })
  try {
    linkSync(realpathSync(source), target)
  } catch {
    copyFileSync(source, target)
  }
}

function load(docker: Docker, image: string, changes: readonly string[], fill: (root: string) => void): void {
  const root = join(docker.directory, 'image')
  mkdirSync(root)
  fill(root)
  const archive = join(docker.directory, 'image.tar')
  execFileSync('tar', ['--create', '--file', archive, '--directory', root, '--numeric-owner', '.'])
  docker.run(['import', ...changes.flatMap((change) => ['--change', change]), archive, image])
  rmSync(root, { recursive: true })
  rmSync(archive)
}
