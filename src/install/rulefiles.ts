/** A rule file in a folder that Prometheus, Loki or mimirtool reads. Only a file that begins as ours do is changed or removed. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unreachable } from '../web/reach.ts'
import type { Place, Step } from './plan.ts'

export interface RuleFileOptions {
  /** `rules of Prometheus` */
  readonly what: string
  readonly folder: string
  readonly file: string
  readonly text: string
  /** Tells the server that there is something new to read. */
  readonly reload?: () => Promise<void>
}

/** How every generated file begins. */
const OURS = '# Generated from '

export function ruleFilePlace({ what, folder, file, text, reload }: RuleFileOptions): Place {
  const path = join(folder, file)
  const label = `${what} in ${path}`

  const there = async (): Promise<string | undefined> => {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new Error(`cannot read ${path}: ${(error as Error).message}`, { cause: error })
    }
  }
  const told = async (work: () => Promise<unknown>) => {
    await work()
    await reload?.()
  }
  // A server that reads while it is written must never see half of it.
  const write = async () => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  return {
    async install(): Promise<Step[]> {
      const old = await there()
      if (old === text) return [{ effect: 'keep', what: label }]
      if (old === undefined) return [{ effect: 'create', what: label, apply: () => told(write) }]
      if (!old.startsWith(OURS)) return [{ effect: 'leave', what: label, why: 'a file of that name is there that is not ours' }]
      return [{ effect: 'change', what: label, apply: () => told(write) }]
    },
    async uninstall(): Promise<Step[]> {
      const old = await there()
      if (old === undefined) return []
      if (!old.startsWith(OURS)) return [{ effect: 'leave', what: label, why: 'it is not ours' }]
      return [{ effect: 'remove', what: label, apply: () => told(() => rm(path)) }]
    },
  }
}

const ANSWER_MS = 30_000

/** POST /-/reload, which Prometheus answers with the fault when it cannot read what is there. */
export function prometheusReload(url: string): () => Promise<void> {
  return async () => {
    let response: Response
    try {
      response = await fetch(`${url.replace(/\/$/, '')}/-/reload`, { method: 'POST', signal: AbortSignal.timeout(ANSWER_MS) })
    } catch (error) {
      throw unreachable(`Prometheus at ${url}`, error)
    }
    const text = (await response.text()).slice(0, 500)
    if (response.status === 403) throw new Error(`cannot reload Prometheus at ${url}: it was not started with --web.enable-lifecycle; restart it, or send it SIGHUP`)
    if (!response.ok) throw new Error(`cannot reload Prometheus at ${url}: it answered ${response.status}: ${text}`)
  }
}
