/** What Alertmanager told and what people did, in one order: the newest first. */
import { html, type Html } from './html.ts'
import type { Action, Deed, HistoryEntry, Page } from './notification.ts'
import { at } from './times.ts'

const DID: Readonly<Record<Deed, string>> = {
  acknowledged: 'acknowledged', unacknowledged: 'no longer acknowledged', closed: 'resolved by hand', reopened: 'opened again', confirmed: 'root cause confirmed', corrected: 'root cause corrected',
}

export function timelineOf(page: Page): Html[] {
  return [
    ...page.history.map((entry) => ({ ms: entry.firstMs, line: told(entry) })),
    ...page.actions.map((action) => ({ ms: action.atMs, line: done(action) })),
  ].sort((a, b) => b.ms - a.ms).map(({ line }) => line)
}

function told(entry: HistoryEntry): Html {
  const said = [entry.firing > 0 && `${entry.firing} firing`, entry.resolved > 0 && `${entry.resolved} resolved`].filter(Boolean).join(', ')
  return html`<li class="${entry.status}">${at(entry.firstMs)} <strong>${entry.status}</strong> <span>${said}${entry.reason !== '' && html`, <bdi>${entry.reason}</bdi>`}${
    entry.times > 1 && html`, told ${entry.times} times until ${at(entry.lastMs)}`}</span></li>`
}

function done({ deed, by, detail, atMs }: Action): Html {
  return html`<li class="deed">${at(atMs)} <strong>${DID[deed]}</strong> <span>${by !== '' && html`by <bdi>${by}</bdi>`}${detail !== '' && html`${by !== '' && ': '}<bdi>${detail}</bdi>`}</span></li>`
}
