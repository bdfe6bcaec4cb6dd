import { readFileSync } from 'node:fs'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { actionRoutes, type Verdict } from './actionroutes.ts'
import { demoRoutes } from './demopanel.ts'
import { eventHub } from './events.ts'
import { PAGER_LIMITS, type PagerLimits, type State } from './notification.ts'
import { documentOf, listOf, type Listing, type Surroundings } from './page.ts'
import { Scoreboard, type ScoredObjective } from './scoreboard.ts'
import { scoreboardOf } from './scoreboardview.ts'
import { openStore } from './store.ts'
import { pageJson } from './json.ts'
import { viewOf } from './view.ts'
import { readNotification, UnreadableNotification } from './webhook.ts'

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
  /** Told when a page named its root cause, with the seconds since its incident began. */
  readonly causeNamed?: (seconds: number) => void
  /** Trace ids of requests that show a cause. */
  readonly examples?: (labels: ExampleQuery) => readonly string[]
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

const LISTED = 25
const LISTED_MOST = 200
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

/** The pager: takes Alertmanager's webhook, keeps the pages, shows them. Throws when the file cannot be opened. */
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
  const surroundings: Surroundings = { errorTypes, links, hasScoreboard: scoreboard !== undefined, hasDemo: demoUrl !== undefined }

  function listing(request: Request): Listing {
    const state = stateOf(request)
    const before = wholeNumber(request, 'before')
    const pages = store.list({ limit: LISTED + 1, ...(before !== undefined && { before }), ...(state && { state }) }, nowMs())
    const shown = pages.slice(0, LISTED)
    return {
      surroundings, pages: shown, counts: store.counts(), state, before, version: version(), host: hostOf(request),
      older: pages.length > LISTED ? shown.at(-1)?.rank ?? null : null,
    }
  }

  /** Of a page that says something new: examples of its cause, and how long it took to name one. */
  function note(id: number, change: string): void {
    const page = store.get(id)
    if (page === undefined || page.status !== 'firing') return
    const view = viewOf(page)
    const cause = view.causes.find(({ step, type }) => step !== '' || type !== '')
    if (cause === undefined) return
    if (change === 'opened') options.causeNamed?.(Math.max(0, (nowMs() - view.sinceMs) / 1000))
    const found = options.examples?.({ tenant_id: view.tenants[0] ?? '', agent: view.agents[0] ?? '', class: cause.class, type: cause.type, step: cause.step, name: cause.name }) ?? []
    if (found.length > 0) store.keepExamples(id, found.slice(0, EXAMPLES_KEPT))
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
  router.get('/pager/api/pages', (request, response) => {
    const limit = Math.min(Math.max(wholeNumber(request, 'limit') ?? LISTED, 1), LISTED_MOST)
    const before = wholeNumber(request, 'before')
    const state = stateOf(request)
    const pages = store.list({ limit: limit + 1, ...(before !== undefined && { before }), ...(state && { state }) }, nowMs())
    const shown = pages.slice(0, limit)
    response.json({ ...store.counts(), pages: shown.map(pageJson), next: pages.length > limit ? shown.at(-1)?.rank ?? null : null })
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
      hub.send('page', JSON.stringify({ version: version(), id, change: 'acted' }))
    },
  }))
  for (const [name, type] of [['style.css', 'text/css'], ['live.js', 'text/javascript'], ['actions.js', 'text/javascript'], ['aside.js', 'text/javascript'], ['icon.svg', 'image/svg+xml']] as const) {
    const file = readFileSync(new URL(name, import.meta.url))
    router.get(`/pager/${name}`, (_request, response) => void response.set('Cache-Control', 'no-cache').type(type).send(file))
  }

  // No inflating: Alertmanager sends plain JSON, and a compressed body would need a limit of its own.
  const body = express.json({ limit: limits.bodyLimitBytes, inflate: false, type: 'application/json' })
  router.post('/pager/webhook', jsonOnly, body, (request, response) => {
    const { id, change } = store.record(readNotification(request.body, limits), nowMs())
    received += 1
    if (change === 'opened' || change === 'changed' || change === 'reopened') note(id, change)
    hub.send('page', JSON.stringify({ version: version(), id, change }))
    response.json({ id, change })
  })
  router.use('/pager', (_request, response) => void response.status(404).json({ error: 'cannot find it: no such path of the pager' }))
  router.use('/pager', refuse)

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

/** A form of another site can post text/plain or a form type without asking; JSON it cannot. */
function jsonOnly(request: Request, response: Response, next: NextFunction): void {
  if (request.is('application/json')) next()
  else response.status(415).json({ error: 'cannot read notification: Content-Type must be application/json' })
}

/** 4xx tells Alertmanager to give up, 5xx to try again. */
function refuse(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) return next(error)
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UnreadableNotification) return void response.status(400).json({ error: message })
  const status = (error as { status?: unknown }).status
  if (typeof status === 'number' && status >= 400 && status < 500) return void response.status(status).json({ error: `cannot read request: ${message}` })
  response.status(503).json({ error: `cannot use the pager's database: ${message}` })
}

/** Query values that make no sense count as not given: an old bookmark shows the list, not an error. */
function wholeNumber(request: Request, key: string): number | undefined {
  const value = request.query[key]
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

function stateOf(request: Request): State | undefined {
  const state = request.query['state']
  return state === 'firing' || state === 'resolved' ? state : undefined
}

/** For a command that a person will paste into a shell: nothing but host and port. */
function hostOf(request: Request): string {
  const host = request.headers.host ?? ''
  return /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : '127.0.0.1:9464'
}
