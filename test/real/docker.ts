/** A Docker engine of the test's own: its daemon, its data and its socket are in one folder, and end with it. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { findComponent } from '../../components/components.ts'

const DAEMON = '/usr/sbin/dockerd'
const CLIENT = '/usr/bin/docker'
const BUSYBOX = '/bin/busybox'

/** What is missing to run one here; '' when nothing is. */
export function dockerMissing(): string {
  const programs = [DAEMON, CLIENT, BUSYBOX].filter((path) => !existsSync(path))
  if (programs.length > 0) return `${programs.join(', ')}: apt-get install docker.io busybox-static`
  if (process.getuid?.() !== 0) return 'root, who alone may start a Docker daemon'
  // Two daemons would share the bridge docker0 and the chains of the packet filter.
  if (spawnSync(CLIENT, ['-H', 'unix:///var/run/docker.sock', 'version'], { timeout: 5000 }).status === 0) return 'a machine on which no Docker daemon is running'
  return ''
}

export interface Docker {
  readonly directory: string
  /** What `docker …` prints. Throws, with what it said, when it fails. */
  run(args: readonly string[], input?: Buffer): string
  /** What `docker compose …` prints. */
  compose(args: readonly string[], options: ComposeOptions): string
  stop(): Promise<void>
}

export interface ComposeOptions {
  readonly files: readonly string[]
  readonly projectDirectory: string
  readonly timeoutSeconds?: number
}

export async function startDocker(): Promise<Docker> {
  const directory = mkdtempSync(join(tmpdir(), 'spanbridge-docker-'))
  const host = `unix://${directory}/docker.sock`
  const log = openSync(join(directory, 'dockerd.log'), 'w')
  const daemon = spawn(DAEMON, ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec'), '--pidfile', join(directory, 'pid'), '-H', host], { stdio: ['ignore', log, log] })
  closeSync(log)
  // No credentials and no plugins of whoever runs the tests. The builder of this engine has no features that the files need more than.
  const env = { PATH: process.env['PATH'], HOME: directory, DOCKER_CONFIG: directory, DOCKER_HOST: host, DOCKER_BUILDKIT: '0' }
  const call = (program: string, args: readonly string[], timeoutSeconds: number, input?: Buffer): string => {
    try {
      return execFileSync(program, args, { env, encoding: 'utf8', timeout: timeoutSeconds * 1000, maxBuffer: 1 << 26, stdio: ['pipe', 'pipe', 'pipe'], ...(input && { input }) })
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      throw new Error(`${program} ${args.join(' ')}: ${(error as Error).message.split('\n')[0]}\n${stdout.slice(-4000)}${stderr.slice(-4000)}`, { cause: error })
    }
  }
  const docker: Docker = {
    directory,
    run: (args, input) => call(CLIENT, args, 180, input),
    compose: (args, { files, projectDirectory, timeoutSeconds = 240 }) => {
      const places = [...files.flatMap((file) => ['--file', file]), '--project-directory', projectDirectory]
      return call(findComponent('docker-compose')!, ['--progress', 'plain', ...places, ...args], timeoutSeconds)
    },
    async stop() {
      // At once: what is in their volumes goes anyway, and a daemon that is killed while it waits for them leaves them behind.
      const containers = daemon.exitCode === null && spawnSync(CLIENT, ['ps', '--all', '--quiet'], { env, encoding: 'utf8' }).stdout?.trim().split('\n').filter(Boolean)
      if (containers && containers.length > 0) spawnSync(CLIENT, ['rm', '--force', ...containers], { env })
      // Its bridges are the machine's, and stay after it.
      spawnSync(CLIENT, ['network', 'prune', '--force'], { env })
      await ended(daemon)
      rmSync(directory, { recursive: true, force: true })
    },
  }
  try {
    await vi.waitUntil(() => {
      if (daemon.exitCode !== null) throw new Error(`dockerd ended with ${daemon.exitCode}`)
      return spawnSync(CLIENT, ['version'], { env }).status === 0
    }, { timeout: 60_000, interval: 200 })
    return docker
  } catch (error) {
    const said = readFileSync(join(directory, 'dockerd.log'), 'utf8').slice(-2000)
    await docker.stop()
    throw new Error(`cannot start dockerd: ${(error as Error).message}; it said\n${said}`, { cause: error })
  }
}

async function ended(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const exit = new Promise((resolve) => daemon.once('exit', resolve))
  daemon.kill('SIGTERM')
  const kill = setTimeout(() => daemon.kill('SIGKILL'), 30_000)
  await exit
  clearTimeout(kill)
}
