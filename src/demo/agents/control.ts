/** Faults on demand, over HTTP: what the demo panel of the pager page and `spanbridge demo fault` speak to. Meant for loopback or a private network. */
import express, { type Response, type Router } from 'express'
import { z } from 'zod'
import { jsonOnly, problemsOf, refusal } from '../../web/json.ts'
import { FAULTS, faultOf } from './faults.ts'
import type { Profile } from './profiles.ts'
import type { Traffic } from './traffic.ts'

const NAME = z.string().min(1).max(128)
const strikeRequest = z.strictObject({
  fault: z.enum(FAULTS.map(({ id }) => id) as [string, ...string[]]),
  tenant: NAME.optional(),
  agent: NAME.optional(),
  /** Of the runs that it could hit. */
  share: z.number().gt(0).lte(1).default(0.6),
  seconds: z.number().gte(1).lte(86_400).default(300),
})

export interface FaultState {
  readonly id: string
  readonly about: string
  /** Class and type that the page will name; absent where nothing fails. */
  readonly class?: string
  readonly type?: string
  readonly on: readonly { readonly tenant: string; readonly agent: string; readonly share: number; readonly secondsLeft: number }[]
}

export interface DemoState {
  readonly runs: number
  readonly agents: readonly { readonly agent: string; readonly about: string; readonly tenants: readonly string[] }[]
  readonly faults: readonly FaultState[]
}

export function demoState(traffic: Traffic, profiles: readonly Profile[], nowMs: number): DemoState {
  return {
    runs: traffic.runs,
    agents: profiles.map(({ agent, about, callers }) => ({ agent, about, tenants: [...new Set(callers.map(([tenant]) => tenant))] })),
    faults: FAULTS.map(({ id, about, truth }) => ({
      id, about, ...(truth === undefined ? {} : { class: truth.class, type: truth.type }),
      on: traffic.strikes.filter(({ fault, untilMs }) => fault.id === id && untilMs > nowMs)
        .map(({ tenant = '', agent = '', share, untilMs }) => ({ tenant, agent, share, secondsLeft: Math.round((untilMs - nowMs) / 1000) })),
    })),
  }
}

/** GET /demo · POST /demo/faults · DELETE /demo/faults/ID?tenant=…&agent=… ; each answers with the state that follows. */
export function demoControl(traffic: Traffic, profiles: readonly Profile[], nowMs: () => number): Router {
  const router = express.Router()
  const answer = (response: Response) => void response.json(demoState(traffic, profiles, nowMs()))
  router.get('/demo', (_request, response) => answer(response))
  // Only JSON: a form of another site cannot send it without asking.
  router.post('/demo/faults', jsonOnly, express.json({ limit: '10kb', type: 'application/json' }), (request, response) => {
    const wanted = strikeRequest.safeParse(request.body)
    if (!wanted.success) return void response.status(400).json({ error: `cannot strike: ${problemsOf(wanted.error)}` })
    const { fault, tenant, agent, share, seconds } = wanted.data
    const problem = unknownPlace(profiles, tenant, agent)
    if (problem !== '') return void response.status(400).json({ error: `cannot strike: ${problem}` })
    traffic.strike({ fault: faultOf(fault), ...(tenant === undefined ? {} : { tenant }), ...(agent === undefined ? {} : { agent }), share, untilMs: nowMs() + seconds * 1000 })
    response.status(201)
    answer(response)
  })
  router.delete('/demo/faults/:id', (request, response) => {
    const place = (key: string) => (typeof request.query[key] === 'string' && request.query[key] !== '' ? { [key]: request.query[key] } : {})
    traffic.heal(request.params.id, { ...place('tenant'), ...place('agent') })
    answer(response)
  })
  router.use(refusal('cannot answer'))
  return router
}

function unknownPlace(profiles: readonly Profile[], tenant: string | undefined, agent: string | undefined): string {
  const agents = profiles.filter((profile) => agent === undefined || profile.agent === agent)
  if (agents.length === 0) return `no agent ${JSON.stringify(agent)}; there are ${profiles.map((profile) => profile.agent).join(', ')}`
  const tenants = [...new Set(agents.flatMap(({ callers }) => callers.map(([name]) => name)))]
  return tenant === undefined || tenants.includes(tenant) ? '' : `no tenant ${JSON.stringify(tenant)}${agent === undefined ? '' : ` of agent ${agent}`}; there are ${tenants.join(', ')}`
}
