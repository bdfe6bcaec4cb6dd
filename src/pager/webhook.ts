import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Alert, Notification, PagerLimits, Texts } from './notification.ts'

/** The sender's mistake: HTTP 400, and Alertmanager does not send it again. */
export class UnreadableNotification extends Error {
  override name = 'UnreadableNotification'
  readonly status = 400
}

// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, checked against notify/webhook and
// template.Data of Alertmanager 0.34. A Go nil map arrives as null; keys not named here are ignored.
const texts = z.record(z.string(), z.string()).nullish()
const status = z.enum(['firing', 'resolved'])
const time = z.iso.datetime({ offset: true })

const payload = z.object({
  version: z.literal('4'),
  groupKey: z.string().min(1),
  status,
  truncatedAlerts: z.number().int().nonnegative().nullish(),
  receiver: z.string().nullish(),
  externalURL: z.string().nullish(),
  notification_reason: z.string().nullish(),
  alerts: z.array(z.object({
    status,
    labels: texts,
    annotations: texts,
    startsAt: time.nullish(),
    endsAt: time.nullish(),
    generatorURL: z.string().nullish(),
    fingerprint: z.string().nullish(),
  })).min(1),
})

/**
 * A webhook body (JSON, parsed) as a notification within the limits.
 * Throws UnreadableNotification naming the first few keys that are wrong.
 */
export function readNotification(body: unknown, limits: PagerLimits): Notification {
  const parsed = payload.safeParse(body)
  if (!parsed.success) throw new UnreadableNotification(`cannot read notification: ${describe(parsed.error)}`)
  const data = parsed.data
  const alerts = data.alerts.map((alert): Alert => {
    const labels = cutTexts(alert.labels, limits)
    return {
      fingerprint: cut(alert.fingerprint || digest(JSON.stringify(Object.entries(alert.labels ?? {}).sort())), limits),
      status: alert.status,
      labels,
      annotations: cutTexts(alert.annotations, limits),
      startsAtMs: milliseconds(alert.startsAt),
      endsAtMs: milliseconds(alert.endsAt),
      generatorUrl: cut(alert.generatorURL ?? '', limits),
    }
  })
  // Firing ones first, so that the limit drops what is over.
  alerts.sort((a, b) => Number(a.status === 'resolved') - Number(b.status === 'resolved'))
  const kept = alerts.slice(0, limits.alertsPerPage)
  return {
    groupKey: identity(data.groupKey, limits),
    status: data.status,
    reason: cut(data.notification_reason ?? '', limits),
    receiver: cut(data.receiver ?? '', limits),
    externalUrl: cut(data.externalURL ?? '', limits),
    alerts: kept,
    omittedAlerts: (data.truncatedAlerts ?? 0) + alerts.length - kept.length,
  }
}

/** At most `length` UTF-16 units, never half a surrogate pair, with … where something is missing. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text
  const end = /[\uD800-\uDBFF]/.test(text.charAt(length - 2)) ? length - 2 : length - 1
  return `${text.slice(0, end)}…`
}

function cut(text: string, limits: PagerLimits): string {
  return cutText(text, limits.textLength)
}

function cutTexts(all: Record<string, string> | null | undefined, limits: PagerLimits): Texts {
  return Object.fromEntries(Object.entries(all ?? {}).slice(0, limits.labelsPerAlert)
    .map(([key, value]) => [cutText(key, Math.min(200, limits.textLength)), cut(value, limits)]))
}

/** Two long keys that differ only at their end are two groups, so a key is never merely cut. */
function identity(groupKey: string, limits: PagerLimits): string {
  return groupKey.length <= limits.textLength ? groupKey : `${cut(groupKey, limits)} sha256:${digest(groupKey)}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Go writes an unset time as year 1. */
function milliseconds(text: string | null | undefined): number | null {
  const ms = Date.parse(text ?? '')
  return ms > 0 ? ms : null
}

const PROBLEMS_TOLD = 3

function describe(error: z.ZodError): string {
  const told = error.issues.slice(0, PROBLEMS_TOLD).map((issue) => `${keyName(issue.path)}: ${issue.message}`)
  const more = error.issues.length - told.length
  return cutText(told.join('; '), 1_000) + (more > 0 ? `; and ${more} more` : '')
}

/** ['alerts', 0, 'labels'] → alerts[0].labels */
function keyName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'body'
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : (at > 0 ? '.' : '') + String(key))).join('')
}
