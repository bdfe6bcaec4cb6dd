/** What the buttons of an incident do, over HTTP: POST /pager/api/incidents/ID/actions. */
import express, { type Router } from 'express'
import { z } from 'zod'
import { ownPageOnly, problemsOf } from '../web/json.ts'
import type { Deed, Incident } from './notification.ts'
import { incidentViewOf, namedCause } from './incidentview.ts'
import { incidentJson } from './json.ts'
import type { IncidentStore } from './store/store.ts'

/** A person's word on a root cause: the error type that the incident named, and the one that it was. */
export interface Verdict {
  readonly predicted: string
  readonly actual: string
  /** From the start of the incident to this word. */
  readonly seconds: number
}

export interface ActionOptions {
  readonly store: IncidentStore
  readonly nowMs: () => number
  /** Error types that a person may choose from. */
  readonly errorTypes: readonly string[]
  readonly verdict: (verdict: Verdict) => void
  /** Called when an incident has changed. */
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
  router.post('/pager/api/incidents/:id/actions', ownPageOnly, express.json({ limit: BODY_LIMIT, inflate: false, type: 'application/json' }), (request, response) => {
    const told = String(request.params['id'])
    const id = /^\d{1,15}$/.test(told) ? Number(told) : -1
    const incident = store.get(id)
    if (incident === undefined) return void response.status(404).json({ error: 'cannot act: there is no such incident (any more)' })
    const read = wanted.safeParse(request.body)
    if (!read.success) return void response.status(400).json({ error: `cannot act: ${problemsOf(read.error)}` })
    const predicted = predictedType(incident)
    const action = read.data
    if ((action.deed === 'confirmed' || action.deed === 'corrected') && predicted === undefined) return void response.status(409).json({ error: 'cannot judge the root cause: the incident names none' })
    const detail = 'actual' in action ? action.actual : 'note' in action ? action.note : ''
    if (!store.act(id, { deed: action.deed as Deed, by: action.by, detail }, nowMs())) return void response.status(409).json({ error: `cannot act: the incident is not to be ${action.deed} now` })
    if (action.deed === 'confirmed' || action.deed === 'corrected') {
      verdict({ predicted: predicted!, actual: 'actual' in action ? action.actual : predicted!, seconds: Math.max(0, (nowMs() - incidentViewOf(incident).sinceMs) / 1000) })
    }
    changed(id)
    response.json(incidentJson(store.get(id)!))
  })
  return router
}

/** The error type that an incident names as its root cause; undefined where it names no cause of an error. */
export function predictedType(incident: Incident): string | undefined {
  const cause = namedCause(incidentViewOf(incident))
  return cause === undefined ? undefined : cause.type || UNCLASSIFIED
}
