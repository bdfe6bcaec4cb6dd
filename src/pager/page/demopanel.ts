/** Faults on demand from the page, where the demo's agents run: passed on to them, and shown. */
import express, { type Response as Answer, type Router } from 'express'
import { z } from 'zod'
import { ownPageOnly } from '../../web/json.ts'
import { unreachable } from '../../web/reach.ts'
import { html, type Html } from './html.ts'

const ANSWER_MS = 5000

const state = z.object({
  agents: z.array(z.object({ agent: z.string(), about: z.string(), tenants: z.array(z.string()) })).max(100),
  faults: z.array(z.object({
    id: z.string(), about: z.string(), class: z.string().optional(), type: z.string().optional(),
    on: z.array(z.object({ tenant: z.string(), agent: z.string(), share: z.number(), secondsLeft: z.number() })).max(200),
  })).max(100),
})
type State = z.output<typeof state>

export function demoRoutes(demoUrl: string): Router {
  const base = demoUrl.replace(/\/$/, '')
  const router = express.Router({ strict: true })
  const ask = async (response: Answer, path: string, init: RequestInit = {}): Promise<void> => {
    try {
      const answer = await fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(ANSWER_MS) })
      const body = await answer.json() as { error?: string }
      if (!answer.ok) return void response.status(answer.status === 400 ? 400 : 502).json({ error: String(body.error ?? `the demo's agents answered ${answer.status}`) })
      response.type('html').send(panelOf(state.parse(body)))
    } catch (error) {
      response.status(502).json({ error: unreachable("the demo's agents", error).message })
    }
  }
  router.get('/pager/demo', (_request, response) => ask(response, '/demo'))
  router.post('/pager/demo/faults', ownPageOnly, express.json({ limit: '10kb', inflate: false, type: 'application/json' }), (request, response) =>
    ask(response, '/demo/faults', { method: 'POST', body: JSON.stringify(request.body), headers: { 'Content-Type': 'application/json' } }))
  router.delete('/pager/demo/faults/:id', ownPageOnly, (request, response) =>
    ask(response, `/demo/faults/${encodeURIComponent(String(request.params['id']))}`, { method: 'DELETE' }))
  return router
}

function panelOf({ agents, faults }: State): string {
  const tenants = [...new Set(agents.flatMap((agent) => agent.tenants))]
  return html`<section id="demo" aria-labelledby="demo-title"><h2 id="demo-title">Demo: let something fail</h2>
<p class="soft">Agents at work: ${agents.map(({ agent, about }, n) => html`${n > 0 && ', '}<bdi>${agent}</bdi> (${about})`)}.</p>
<form id="strike">
  <label>What <select name="fault">${faults.map(({ id, about }) => html`<option value="${id}">${id}: ${about}</option>`)}</select></label>
  <label>Tenant <select name="tenant"><option value="">every tenant</option>${tenants.map((tenant) => html`<option value="${tenant}">${tenant}</option>`)}</select></label>
  <button type="submit">Strike for 5 minutes</button>
</form>
<p id="demo-trouble" class="trouble" role="alert" hidden></p>
${faults.filter(({ on }) => on.length > 0).map(running)}</section>`.markup
}

function running({ id, on }: State['faults'][number]): Html {
  return html`<p class="strike"><strong>${id}</strong> <span class="soft">${on.map(({ tenant, secondsLeft }, n) => html`${n > 0 && '; '}${tenant === '' ? 'every tenant' : html`<bdi>${tenant}</bdi>`}, ${Math.ceil(secondsLeft / 60)} min more`)}</span>
<button type="button" data-heal="${id}">Heal</button></p>`
}
