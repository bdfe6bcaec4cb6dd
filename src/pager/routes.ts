import { readFileSync } from 'node:fs'
import express, { type Router } from 'express'
import { jsonOnly, refusal } from '../web/json.ts'
import { actionRoutes, type Verdict } from './actionroutes.ts'
import { demoRoutes } from './page/demopanel.ts'
import { eventHub } from './events.ts'
import { incidentViewOf, namedCause } from './incidentview.ts'
import { incidentJson } from './json.ts'
import { hostOf, pieceOf } from './listing.ts'
import { markRoutes, type PersonMark } from './page/marks.ts'
import { PAGER_LIMITS, type PagerLimits } from './notification.ts'
import { documentOf, listOf, type Surroundings } from './page/page.ts'
import { Scoreboard, type ScoredObjective } from './scoreboard.ts'
import { scoreboardOf } from './page/scoreboardview.ts'
import { openStore, type Recorded } from './store/store.ts'
import { readNotification } from './webhook.ts'

export interface Pager {
  /** Serves everything below /pager; mount it at the root of the web port. */
  readonly router: Router
  /** Notifications stored since the start, repeats included. */
  received(): number
  /** Ends the event streams and closes the file. Later requests are answered with 503. */
  close(): void
}

export interface PagerOptions {
  /** A path, created if missing, or ':memory:'. */
  readonly databaseFile: string
  readonly limits?: Partial<PagerLimits>
  readonly now: () => Date
  /** Error types that a person may say it was. */
  readonly errorTypes?: readonly string[]
  /** Told each time a person has judged a root cause. */
  readonly verdict?: (verdict: Verdict) => void
  /** Told when an incident has a root cause for the first time, with the seconds since it began. */
  readonly causeNamed?: (seconds: number) => void
  /** Trace ids of requests that show a cause. */
  readonly examples?: (labels: ExampleQuery) => readonly string[]
  /** Takes a person's mark of a request; without it none can be given. */
  readonly mark?: (mark: PersonMark) => boolean
  /** What the scoreboard shows; without a Prometheus there is none. */
  readonly objectives?: readonly ScoredObjective[]
  /** Base URL of the Prometheus that the scoreboard is read from. */
  readonly prometheusUrl?: string
  /** Base URL of the demo's agents; the panel is there only with it. */
  readonly demoUrl?: string
  /** Addresses with {trace_id}, {tenant_id} and {agent} to be filled in. */
  readonly links?: { readonly trace?: string; readonly logs?: string }
}

/** The labels of a cause; '' is not told. */
export type ExampleQuery = Readonly<Record<'tenant_id' | 'agent' | 'class' | 'type' | 'step' | 'name', string>>

const EXAMPLES_KEPT = 5

/** Everything of its own by path, nothing inline, nothing from elsewhere, nowhere framed. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const

/** The pager: takes Alertmanager's webhook, keeps the pages, shows what incidents they are. Throws when the file cannot be opened. */
export function createPager(options: PagerOptions): Pager {
  const limits = { ...PAGER_LIMITS, ...options.limits }
  const store = openStore(options.databaseFile, limits)
  const hub = eventHub(limits)
  const started = options.now().getTime()
  let received = 0
  let closed = false

  const nowMs = () => options.now().getTime()
  let acted = 0
  const version = () => `${started}-${received}-${acted}`
  const { errorTypes = [], links = {}, prometheusUrl, demoUrl } = options
  const scoreboard = prometheusUrl === undefined ? undefined : new Scoreboard({ prometheusUrl, objectives: options.objectives ?? [], nowMs })
  const surroundings: Surroundings = { errorTypes, links, hasScoreboard: scoreboard !== undefined, hasDemo: demoUrl !== undefined, marks: options.mark !== undefined }

  const listing = (request: express.Request) => ({
    ...pieceOf(store, request, nowMs()), surroundings, counts: store.counts(), version: version(), host: hostOf(request),
  })

  /** Of a page that says something new: examples of its cause, and how long it took to name one. */
  function note({ incident: id, page: pageId }: Recorded): void {
    const incident = store.get(id)
    if (incident === undefined || incident.status !== 'firing') return
    const view = incidentViewOf({ ...incident, pages: incident.pages.filter((page) => page.id === pageId) })
    const cause = namedCause(view)
    if (cause === undefined) return
    if (store.named(id, nowMs())) options.causeNamed?.(Math.max(0, (nowMs() - incidentViewOf(incident).sinceMs) / 1000))
    const found = options.examples?.({ tenant_id: view.tenants[0] ?? '', agent: view.agents[0] ?? '', class: cause.class, type: cause.type, step: cause.step, name: cause.name }) ?? []
    if (found.length > 0) store.keepExamples(pageId, found.slice(0, EXAMPLES_KEPT))
  }

  const router = express.Router({ strict: true })
  router.use('/pager', (_request, response, next) => {
    response.set(HEADERS)
    if (closed) response.status(503).json({ error: 'cannot answer: the pager is closed' })
    else next()
  })
  router.get('/pager', (request, response) => void response.type('html').send(documentOf(listing(request), nowMs())))
  router.get('/pager/', (_request, response) => response.redirect(308, '../pager'))
  router.get('/pager/list', (request, response) => void response.type('html').send(listOf(listing(request), nowMs())))
  router.get('/pager/events', (request, response) => hub.connect(request, response, version()))
  router.get('/pager/api/incidents', (request, response) => {
    const { incidents, older } = pieceOf(store, request, nowMs())
    response.json({ ...store.counts(), incidents: incidents.map(incidentJson), next: older })
  })
  router.get('/pager/scoreboard', async (_request, response) => {
    if (scoreboard === undefined) return void response.status(404).json({ error: 'cannot show the scoreboard: no Prometheus is configured' })
    response.type('html').send(scoreboardOf(await scoreboard.read()))
  })
  router.get('/pager/api/scoreboard', async (_request, response) => {
    if (scoreboard === undefined) return void response.status(404).json({ error: 'cannot show the scoreboard: no Prometheus is configured' })
    response.json(await scoreboard.read())
  })
  if (demoUrl !== undefined) router.use(demoRoutes(demoUrl))
  router.use(actionRoutes({
    store, nowMs, errorTypes,
    verdict: (verdict) => options.verdict?.(verdict),
    changed: (id) => {
      acted += 1
      hub.send('incident', JSON.stringify({ version: version(), id, change: 'acted' }))
    },
  }))
  if (options.mark !== undefined) router.use(markRoutes(options.mark))
  for (const [name, type] of [['style.css', 'text/css'], ['live.js', 'text/javascript'], ['actions.js', 'text/javascript'], ['aside.js', 'text/javascript'], ['marks.js', 'text/javascript'], ['icon.svg', 'image/svg+xml']] as const) {
    const file = readFileSync(new URL(`page/${name}`, import.meta.url))
    router.get(`/pager/${name}`, (_request, response) => void response.set('Cache-Control', 'no-cache').type(type).send(file))
  }

  // No inflating: Alertmanager sends plain JSON, and a compressed body would need a limit of its own.
  const body = express.json({ limit: limits.bodyLimitBytes, inflate: false, type: 'application/json' })
  router.post('/pager/webhook', jsonOnly, body, (request, response) => {
    const recorded = store.record(readNotification(request.body, limits), nowMs())
    received += 1
    const { change, incident } = recorded
    if (change !== 'repeated' && change !== 'resolved') note(recorded)
    hub.send('incident', JSON.stringify({ version: version(), id: incident, change }))
    response.json(recorded)
  })
  router.use('/pager', (_request, response) => void response.status(404).json({ error: 'cannot find it: no such path of the pager' }))
  // 4xx tells Alertmanager to give up, 5xx to try again.
  router.use('/pager', refusal("cannot use the pager's database", 503))

  return {
    router,
    received: () => received,
    close() {
      if (closed) return
      closed = true
      hub.close()
      scoreboard?.close()
      store.close()
    },
  }
}
