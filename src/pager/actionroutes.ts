/** What the buttons of a page do, over HTTP: POST /pager/api/pages/ID/actions. */
import express, { type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import type { Deed, Page } from './notification.ts'
import { pageJson } from './json.ts'
import type { PageStore } from './store.ts'
import { viewOf } from './view.ts'

/** A person's word on a root cause: the error type that the page named, and the one that it was. */
export interface Verdict {
  readonly predicted: string
  readonly actual: string
  /** From the start of the incident to this word. */
  readonly seconds: number
}

export interface ActionOptions {
  readonly store: PageStore
  readonly nowMs: () => number
  /** Error types that a person may choose from. */
  readonly errorTypes: readonly string[]
  readonly verdict: (verdict: Verdict) => void
  /** Called when a page has changed. */
  readonly changed: (id: number) => void
}

/** What a root cause without a type counts as. */
export const UNCLASSIFIED = 'unclassified'
const BODY_LIMIT = '10kb'

const by = z.string().trim().max(80).default('')
const note = z.string().trim().max(500).default('')

export function actionRoutes({ store, nowMs, errorTypes, verdict, changed }: ActionOptions): Router {
  const wanted = z.discriminatedUnion('deed', [
    z.strictObject({ deed: z.enum(['acknowledged', 'unacknowledged', 'closed', 'reopened']), by, note }),
    z.strictObject({ deed: z.literal('confirmed'), by }),
    z.strictObject({ deed: z.literal('corrected'), by, actual: z.enum([UNCLASSIFIED, ...errorTypes]) }),
  ])
  const router = express.Router({ strict: true })
  router.post('/pager/api/pages/:id/actions', ownPageOnly, express.json({ limit: BODY_LIMIT, inflate: false, type: 'application/json' }), (request, response) => {
    const told = String(request.params['id'])
    const id = /^\d{1,15}$/.test(told) ? Number(told) : -1
    const page = store.get(id)
    if (page === undefined) return void response.status(404).json({ error: 'cannot act: there is no such page (any more)' })
    const read = wanted.safeParse(request.body)
    if (!read.success) return void response.status(400).json({ error: `cannot act: ${read.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ')}` })
    const predicted = predictedType(page)
    const action = read.data
    if ((action.deed === 'confirmed' || action.deed === 'corrected') && predicted === undefined) return void response.status(409).json({ error: 'cannot judge the root cause: the page names none' })
    const detail = 'actual' in action ? action.actual : 'note' in action ? action.note : ''
    if (!store.act(id, { deed: action.deed as Deed, by: action.by, detail }, nowMs())) return void response.status(409).json({ error: `cannot act: the page is not to be ${action.deed} now` })
    if (action.deed === 'confirmed' || action.deed === 'corrected') {
      verdict({ predicted: predicted!, actual: 'actual' in action ? action.actual : predicted!, seconds: Math.max(0, (nowMs() - viewOf(page).sinceMs) / 1000) })
    }
    changed(id)
    response.json(pageJson(store.get(id)!))
  })
  return router
}

/** The error type that a page names as its root cause; undefined where it names no cause of an error. */
export function predictedType(page: Page): string | undefined {
  const cause = viewOf(page).causes.find(({ type, step, name }) => type !== '' || step !== '' || name !== '')
  return cause === undefined ? undefined : cause.type || UNCLASSIFIED
}

/**
 * A page of another site can make a browser send things here. JSON it cannot send without asking, and browsers say where a request comes from.
 */
export function ownPageOnly(request: Request, response: Response, next: () => void): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const foreign = (typeof site === 'string' && site !== 'same-origin' && site !== 'none') || (origin !== undefined && URL.parse(origin)?.host !== request.headers.host)
  if (foreign) response.status(403).json({ error: 'cannot act: the request comes from another site' })
  else if (request.method !== 'DELETE' && !request.is('application/json')) response.status(415).json({ error: 'cannot read request: Content-Type must be application/json' })
  else next()
}
