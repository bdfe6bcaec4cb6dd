/**
 * Whom and what a page is about, by which pages become one incident: the same agent of the same tenant, when both began within half an hour, or
 * the same root cause of the same agent or tenant, however long it has been going on. Alerts without an agent and a tenant are about the system
 * of their owner, and those that say nothing at all stay alone.
 */
import type { Alert } from '../notification.ts'
import { viewOfAlerts } from '../view.ts'

export interface Subject {
  readonly cluster: string
  readonly tenant: string
  readonly agent: string
  /** Whose system it is, where it is nobody's agent. */
  readonly owner: string
  /** '' while none is named. */
  readonly cause: string
  readonly beganMs: number
}

/** A ticket of last week does not swallow tonight's page about the same agent. */
export const TOGETHER_MS = 30 * 60_000

export function subjectOf(alerts: readonly Alert[], nowMs: number): Subject {
  const view = viewOfAlerts(alerts)
  // A page about several is about none of them.
  const only = (names: readonly string[]) => (names.length === 1 ? names[0]! : '')
  const [tenant, agent] = [only(view.tenants), only(view.agents)]
  const labels = alerts[0]?.labels ?? {}
  const cause = view.causes.find(({ type, step, name }) => type !== '' || (step !== '' && name !== ''))
  return {
    tenant, agent,
    cluster: labels['cluster'] ?? '',
    owner: tenant === '' && agent === '' ? labels['owner'] ?? '' : '',
    cause: cause === undefined ? '' : JSON.stringify([cause.step, cause.name, cause.type]),
    beganMs: view.sinceMs ?? nowMs,
  }
}
