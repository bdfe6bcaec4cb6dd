/** A person's mark of an answer, given beside each example request: POST /pager/api/marks. It is held against a judge's mark of the same request. */
import express, { type Router } from 'express'
import { z } from 'zod'
import { ownPageOnly, problemsOf } from '../../web/json.ts'
import { html, type Html } from './html.ts'

export interface PersonMark {
  /** 32 hex digits. */
  readonly trace: string
  /** 1 to 5. */
  readonly mark: number
  readonly by: string
}

const BODY_LIMIT = '10kb'
const MARKS = ['1: bad', '2', '3', '4', '5: good'] as const
const wanted = z.strictObject({ trace: z.string().regex(/^[0-9a-f]{32}$/, { error: 'expected 32 hex digits' }), mark: z.number().int().min(1).max(5), by: z.string().trim().max(80).default('') })

export function markOf(trace: string): Html {
  return html` <select class="mark" data-trace="${trace}" aria-label="How good was the answer of this request?"><option value="">how good?</option>${MARKS.map((text, i) => html`<option value="${i + 1}">${text}</option>`)}</select>`
}

/** `mark` is false where the mark cannot be taken. */
export function markRoutes(mark: (mark: PersonMark) => boolean): Router {
  const router = express.Router({ strict: true })
  router.post('/pager/api/marks', ownPageOnly, express.json({ limit: BODY_LIMIT, inflate: false, type: 'application/json' }), (request, response) => {
    const read = wanted.safeParse(request.body)
    if (!read.success) return void response.status(400).json({ error: `cannot mark: ${problemsOf(read.error)}` })
    if (!mark(read.data)) return void response.status(409).json({ error: 'cannot mark: the mark is not taken' })
    response.json(read.data)
  })
  return router
}
