/**
 * Dashboards into a Grafana, over its HTTP API (Folder and Dashboard APIs as documented for Grafana 10 to 12): a folder of ours, a dashboard for each file.
 * A dashboard of the same uid that does not carry our tag is somebody else's and stays.
 */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { unreachable } from '../web/reach.ts'
import type { Place, Step } from './plan.ts'

export interface GrafanaOptions {
  readonly url: string
  /** A service account token, or undefined for an anonymous editor. */
  readonly token: string | undefined
  readonly folderUid: string
  readonly folderTitle: string
  readonly dashboards: readonly Dashboard[]
}

export type Dashboard = Readonly<Record<string, unknown>> & { readonly uid: string; readonly title: string }

const TAG = 'spanbridge'
const ANSWER_MS = 15_000
/** What Grafana itself adds or counts, and what it drops of a file made for import by hand. */
const GRAFANAS = new Set(['id', 'version', 'iteration', '__inputs', '__requires', '__elements'])

const found = z.object({ dashboard: z.record(z.string(), z.unknown()), meta: z.object({ folderUid: z.string().optional(), provisioned: z.boolean().optional() }) })

export function grafanaPlace(options: GrafanaOptions): Place {
  const api = new Api(options.url, options.token)
  const { folderUid, folderTitle, dashboards } = options

  async function installed(uid: string) {
    const answer = await api.get(`/api/dashboards/uid/${encodeURIComponent(uid)}`)
    return answer === undefined ? undefined : found.parse(answer)
  }

  async function install(): Promise<Step[]> {
    const folder = await api.get(`/api/folders/${encodeURIComponent(folderUid)}`)
    const steps: Step[] = [folder === undefined
      ? { effect: 'create', what: `folder ${folderTitle} (${folderUid})`, apply: async () => void (await api.send('POST', '/api/folders', { uid: folderUid, title: folderTitle })) }
      : { effect: 'keep', what: `folder ${folderTitle} (${folderUid})` }]
    for (const dashboard of dashboards) {
      const what = `dashboard ${dashboard.title} (${dashboard.uid})`
      const there = await installed(dashboard.uid)
      const apply = async () => void (await api.send('POST', '/api/dashboards/db', { dashboard: { ...own(dashboard), id: null }, folderUid, overwrite: true, message: 'spanbridge install' }))
      if (there === undefined) steps.push({ effect: 'create', what, apply })
      else if (!isOurs(there.dashboard)) steps.push({ effect: 'leave', what, why: `a dashboard of that uid is there that has no tag "${TAG}"` })
      else if (there.meta.provisioned === true) steps.push({ effect: 'leave', what, why: 'it is provisioned from a file' })
      else if (isDeepStrictEqual(own(there.dashboard), own(dashboard)) && there.meta.folderUid === folderUid) steps.push({ effect: 'keep', what })
      else steps.push({ effect: 'change', what, apply })
    }
    return steps
  }

  async function uninstall(): Promise<Step[]> {
    const steps: Step[] = []
    for (const { uid, title } of dashboards) {
      const what = `dashboard ${title} (${uid})`
      const there = await installed(uid)
      if (there === undefined) continue
      if (!isOurs(there.dashboard)) steps.push({ effect: 'leave', what, why: `it has no tag "${TAG}"` })
      else if (there.meta.provisioned === true) steps.push({ effect: 'leave', what, why: 'it is provisioned from a file' })
      else steps.push({ effect: 'remove', what, apply: async () => void (await api.send('DELETE', `/api/dashboards/uid/${encodeURIComponent(uid)}`)) })
    }
    if ((await api.get(`/api/folders/${encodeURIComponent(folderUid)}`)) === undefined) return steps
    const what = `folder ${folderTitle} (${folderUid})`
    const inside = z.array(z.object({ uid: z.string() })).parse(await api.get(`/api/search?folderUIDs=${encodeURIComponent(folderUid)}&limit=500`) ?? [])
    const ours = new Set(dashboards.map(({ uid }) => uid))
    if (inside.some(({ uid }) => !ours.has(uid)) || steps.some(({ effect }) => effect === 'leave')) steps.push({ effect: 'leave', what, why: 'there is more in it' })
    else steps.push({ effect: 'remove', what, apply: async () => void (await api.send('DELETE', `/api/folders/${encodeURIComponent(folderUid)}`)) })
    return steps
  }

  return { install, uninstall }
}

function own(dashboard: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(dashboard).filter(([key]) => !GRAFANAS.has(key)))
}

function isOurs({ tags }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(tags) && tags.includes(TAG)
}

class Api {
  readonly #base: string
  readonly #headers: Record<string, string>

  constructor(base: string, token: string | undefined) {
    this.#base = base.replace(/\/$/, '')
    this.#headers = { Accept: 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) }
  }

  /** undefined for 404. */
  async get(path: string): Promise<unknown> {
    const response = await this.#fetch(path, {})
    if (response.status === 404) return void (await response.body?.cancel())
    return this.#read(response, `read ${path}`)
  }

  async send(method: string, path: string, body?: object): Promise<unknown> {
    const response = await this.#fetch(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }) })
    return this.#read(response, `${method} ${path}`)
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#base + path, { ...init, headers: { ...this.#headers, ...init.headers }, signal: AbortSignal.timeout(ANSWER_MS), redirect: 'error' })
    } catch (error) {
      throw unreachable(`Grafana at ${this.#base}`, error)
    }
  }

  async #read(response: Response, what: string): Promise<unknown> {
    const text = await response.text()
    if (response.ok) return text === '' ? {} : JSON.parse(text) as unknown
    const reason = response.status === 401 || response.status === 403 ? 'the token may not do this; it needs dashboards:write and folders:create (the role Editor has both)' : text.slice(0, 300)
    throw new Error(`cannot ${what} in Grafana: it answered ${response.status}: ${reason}`)
  }
}
