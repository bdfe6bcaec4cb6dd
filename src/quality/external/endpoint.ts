/** POST /v1/scores: a team's own evaluator, or a person, gives scores. GET /v1/calibration: how far judges are to be believed. */
import { createHash, timingSafeEqual } from 'node:crypto'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import type { ScoreRejection } from '../../spans/scale.ts'
import { ownPageOnly, problemsOf, refusal } from '../../web/json.ts'
import type { Calibration } from '../calibration/calibration.ts'
import type { Intake } from './intake.ts'
import type { Progress } from './progress.ts'
import { traceOf } from './trace.ts'

export interface EndpointOptions {
  readonly intake: Intake
  readonly progress: Progress
  readonly calibration: Calibration
  /** Asked for with each request, so that a changed file is used; undefined: none is needed. Throws when it cannot be read. */
  readonly token: () => string | undefined
  readonly now: () => number
}

const BODY_LIMIT_BYTES = 1024 * 1024
const MOST_SCORES = 1000
const MOST_ERRORS_TOLD = 20
const DIFFERENCES_TOLD = 10

const score = z.strictObject({
  trace_id: z.string().max(100).refine((text) => traceOf(text) !== undefined, { error: 'expected 32 hex digits' }),
  evaluator: z.string().trim().min(1).max(200),
  score: z.union([z.number(), z.boolean()]).optional(),
  label: z.string().trim().max(200).optional(),
  mark: z.number().int().min(1).max(5).optional(),
  layer: z.enum(['external', 'human']).optional(),
  comment: z.string().trim().max(1000).optional(),
  id: z.string().min(1).max(200).optional(),
})

const SAID: Readonly<Record<ScoreRejection, string>> = {
  out_of_range: 'score: outside of the scale, which is 0 to 1 unless scores.scales says otherwise',
  unknown_label: 'label: not a known word, and scores.labels does not have it; there is no score',
  no_score: 'expected a score, a label or a mark',
  no_trace: 'trace_id: expected 32 hex digits',
  too_many: 'too many scores',
  malformed: 'not a score',
}

export function scoreRoutes(options: EndpointOptions): Router {
  const { intake, progress, calibration, now } = options
  const router = express.Router({ strict: true })
  const guard = (request: Request, response: Response, next: NextFunction) => {
    const token = options.token()
    if (token !== undefined && !same(request.headers.authorization ?? '', `Bearer ${token}`)) return void response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'cannot take scores: the bearer token is missing or wrong' })
    next()
  }
  router.post('/v1/scores', ownPageOnly, guard, express.json({ limit: BODY_LIMIT_BYTES, inflate: false, type: 'application/json' }), (request, response) => {
    const body: unknown = request.body
    const items: unknown[] = Array.isArray(body) ? body : [body]
    if (items.length === 0 || items.length > MOST_SCORES) return void response.status(items.length === 0 ? 400 : 413).json({ error: `cannot read scores: expected 1 to ${MOST_SCORES}, got ${items.length}` })
    const rejected: { index: number; error: string }[] = []
    let accepted = 0, duplicates = 0
    for (const [index, item] of items.entries()) {
      const read = score.safeParse(item)
      if (!read.success) {
        intake.scales.rejected.malformed++
        rejected.push({ index, error: problemsOf(read.error) })
        continue
      }
      const { trace_id, id, score: value, label, mark, comment, layer = mark === undefined ? 'external' : 'human', evaluator } = read.data
      if (id !== undefined && progress.seen('http', id)) {
        duplicates++
        intake.duplicates++
        continue
      }
      const why = intake.take({ trace: trace_id, evaluator, layer, ...(mark !== undefined && { mark }), ...(value !== undefined && { score: value }), ...(label !== undefined && { label }), ...(comment !== undefined && { comment }) }, 'http', now())
      if (why !== undefined) rejected.push({ index, error: SAID[why] })
      else {
        accepted++
        if (id !== undefined) progress.remember('http', id)
      }
    }
    response.status(accepted === 0 && duplicates === 0 ? 400 : 200).json({ accepted, duplicates, rejected: rejected.length, errors: rejected.slice(0, MOST_ERRORS_TOLD) })
  })
  router.get('/v1/calibration', guard, (_request, response) => {
    response.json({ judges: calibration.results(now()).map((one) => ({ ...one, differences: calibration.differences(one.judge, DIFFERENCES_TOLD) })) })
  })
  router.use(['/v1/scores', '/v1/calibration'], refusal('cannot take scores', 503))
  return router
}

/** Takes as long whatever is wrong. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
