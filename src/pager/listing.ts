/** Which piece of the list a request asks for. Query values that make no sense count as not given: an old bookmark shows the list, not an error. */
import type { Request } from 'express'
import type { Incident, State } from './notification.ts'
import type { IncidentStore } from './store/store.ts'

export interface Piece {
  readonly incidents: readonly Incident[]
  readonly state: State | undefined
  /** Set when this is an older part of the list. */
  readonly before: number | undefined
  /** Rank from which the next older part is asked; null at the end. */
  readonly older: number | null
}

const LISTED = 25
const LISTED_MOST = 200

export function pieceOf(store: IncidentStore, request: Request, nowMs: number): Piece {
  const limit = Math.min(Math.max(wholeNumber(request, 'limit') ?? LISTED, 1), LISTED_MOST)
  const before = wholeNumber(request, 'before')
  const state = stateOf(request)
  const found = store.list({ limit: limit + 1, ...(before !== undefined && { before }), ...(state && { state }) }, nowMs)
  const incidents = found.slice(0, limit)
  return { incidents, state, before, older: found.length > limit ? incidents.at(-1)?.rank ?? null : null }
}

/** For a command that a person will paste into a shell: nothing but host and port. */
export function hostOf(request: Request): string {
  const host = request.headers.host ?? ''
  return /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : '127.0.0.1:9464'
}

function wholeNumber(request: Request, key: string): number | undefined {
  const value = request.query[key]
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

function stateOf(request: Request): State | undefined {
  const state = request.query['state']
  return state === 'firing' || state === 'resolved' ? state : undefined
}
