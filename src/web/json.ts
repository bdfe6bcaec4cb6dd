/** JSON over express: what is let in, and how a refusal is said. Every refusal is `{ "error": "cannot …" }`. */
import type { NextFunction, Request, Response } from 'express'
import type { z } from 'zod'

/** A form of another site can post text/plain or a form type without asking; JSON it cannot. */
export function jsonOnly(request: Request, response: Response, next: NextFunction): void {
  if (request.is('application/json')) next()
  else response.status(415).json({ error: 'cannot read request: Content-Type must be application/json' })
}

/**
 * A page of another site can make a browser send things here. JSON it cannot send without asking, and browsers say where a request comes from.
 */
export function ownPageOnly(request: Request, response: Response, next: NextFunction): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const foreign = (typeof site === 'string' && site !== 'same-origin' && site !== 'none') || (origin !== undefined && URL.parse(origin)?.host !== request.headers.host)
  if (foreign) response.status(403).json({ error: 'cannot act: the request comes from another site' })
  else if (request.method === 'DELETE') next()
  else jsonOnly(request, response, next)
}

/** What is wrong with a body, by key. */
export function problemsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ')
}

/** The last of a router's: 4xx where the request was wrong, else `status` and what `about` says of it. */
export function refusal(about: string, status = 500) {
  return (error: unknown, _request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) return next(error)
    const message = error instanceof Error ? error.message : String(error)
    const own = (error as { status?: unknown }).status
    if (typeof own === 'number' && own >= 400 && own < 500) response.status(own).json({ error: message.startsWith('cannot ') ? message : `cannot read request: ${message}` })
    else response.status(status).json({ error: `${about}: ${message}` })
  }
}
