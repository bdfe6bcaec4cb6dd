/** What the pager keeps: a notification as Alertmanager sent it, the page of its group, and the incident that a person reads. */
export type State = 'firing' | 'resolved'
export type Texts = Readonly<Record<string, string>>

export interface Alert {
  readonly fingerprint: string
  readonly status: State
  readonly labels: Texts
  readonly annotations: Texts
  /** Milliseconds since 1970; null where the sender does not know (Go's zero time). */
  readonly startsAtMs: number | null
  readonly endsAtMs: number | null
  readonly generatorUrl: string
}

/** One webhook call: the alerts of one group, all text already cut to the limits. */
export interface Notification {
  /** Identifies the group; the same for as long as the route and its group labels stay. */
  readonly groupKey: string
  readonly status: State
  /** Why Alertmanager told it: 'first notification', 'repeat interval elapsed', …; '' before 0.32. */
  readonly reason: string
  readonly receiver: string
  readonly externalUrl: string
  readonly alerts: readonly Alert[]
  /** Alerts of the group that are not in `alerts`: cut by max_alerts of Alertmanager or by `alertsPerPage` here. */
  readonly omittedAlerts: number
}

/** Consecutive notifications that said the same, as one line. */
export interface HistoryEntry {
  readonly status: State
  readonly reason: string
  readonly firing: number
  readonly resolved: number
  readonly firstMs: number
  readonly lastMs: number
  /** How often it was told: 1 + repeats. */
  readonly times: number
}

/** What a person did about an incident. */
export type Deed = 'acknowledged' | 'unacknowledged' | 'closed' | 'reopened' | 'confirmed' | 'corrected'

export interface Action {
  readonly deed: Deed
  /** As the person called themselves; '' for nobody, or for the pager itself. */
  readonly by: string
  /** A note, or of a correction the type it was. */
  readonly detail: string
  readonly atMs: number
}

/** What Alertmanager told of one group: from its first firing notification until it resolves. */
export interface Page {
  readonly id: number
  readonly groupKey: string
  readonly status: State
  readonly openedMs: number
  /** When Alertmanager last spoke of it. */
  readonly heardMs: number
  readonly resolvedMs: number | null
  readonly receiver: string
  readonly externalUrl: string
  readonly alerts: readonly Alert[]
  readonly omittedAlerts: number
  /** Newest first, at most HISTORY_SHOWN. */
  readonly history: readonly HistoryEntry[]
  /** Notifications in all, repeats included. */
  readonly told: number
  /** Trace ids of requests that show the cause, as 32 hexadecimal digits. */
  readonly examples: readonly string[]
}

/** What is one matter for a person: pages of several alerts about the same agent or the same root cause, at the same time. */
export interface Incident {
  readonly id: number
  /** Order on the page, higher is newer: rises when something new fires, not when it is repeated or resolves. */
  readonly rank: number
  /** Firing while one of its pages does, unless a person has ended it. */
  readonly status: State
  readonly openedMs: number
  readonly heardMs: number
  readonly resolvedMs: number | null
  /** In the order of their coming; at most PAGES_SHOWN, the newest. */
  readonly pages: readonly Page[]
  /** Pages in all. */
  readonly pageCount: number
  /** null while nobody has taken it. */
  readonly acknowledged: Action | null
  /** Set when a person ended it while it fired; `status` is then 'resolved'. */
  readonly closed: Action | null
  /** Whether the root cause was right, once a person has said so. */
  readonly verdict: Action | null
  /** What people did, newest first, at most ACTIONS_SHOWN. */
  readonly actions: readonly Action[]
}

export interface PagerLimits {
  /** Notifications kept, repeats of the same content counted as one; past it the oldest go. */
  readonly keptNotifications: number
  readonly keptDays: number
  /** All pages together as stored JSON: 5,000 pages of 1 MiB would otherwise be 5 GB. */
  readonly keptBytes: number
  readonly bodyLimitBytes: number
  readonly alertsPerPage: number
  readonly labelsPerAlert: number
  /** Characters of a label or annotation value that are stored. */
  readonly textLength: number
  /** Open event streams; past it a browser polls. */
  readonly eventClients: number
  readonly heartbeatSeconds: number
}

export const PAGER_LIMITS: PagerLimits = {
  keptNotifications: 5_000,
  keptDays: 30,
  keptBytes: 256 * 1024 * 1024,
  bodyLimitBytes: 1024 * 1024,
  alertsPerPage: 100,
  labelsPerAlert: 64,
  textLength: 2_000,
  eventClients: 100,
  heartbeatSeconds: 15,
}

export const PAGES_SHOWN = 20
export const HISTORY_SHOWN = 20
export const ACTIONS_SHOWN = 20
/** Of one incident, past it the oldest go: somebody holds a key down. */
export const ACTIONS_KEPT = 200
