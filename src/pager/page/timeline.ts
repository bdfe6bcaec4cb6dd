/** What Alertmanager told of all the pages and what people did, in one order: the newest first. */
import { html, type Html } from './html.ts'
import type { Action, Deed, HistoryEntry, Incident } from '../notification.ts'
import { at } from './times.ts'
import { viewOf } from '../view.ts'
import { cutText } from '../webhook.ts'

const DID: Readonly<Record<Deed, string>> = {
  acknowledged: 'acknowledged', unacknowledged: 'no longer acknowledged', closed: 'resolved by hand', reopened: 'opened again', confirmed: 'root cause confirmed', corrected: 'root cause corrected',
}

export function timelineOf({ pages, actions }: Incident): Html[] {
  const several = pages.length > 1
  return [
    ...pages.flatMap((page) => page.history.map((entry) => ({ ms: entry.firstMs, line: told(entry, several ? viewOf(page).alertname : '') }))),
    ...actions.map((action) => ({ ms: action.atMs, line: done(action) })),
  ].sort((a, b) => b.ms - a.ms).map(({ line }) => line)
}

function told(entry: HistoryEntry, alertname: string): Html {
  const said = [entry.firing > 0 && `${entry.firing} firing`, entry.resolved > 0 && `${entry.resolved} resolved`].filter(Boolean).join(', ')
  return html`<li class="${entry.status}">${at(entry.firstMs)} <strong>${entry.status}</strong> ${alertname !== '' && html`<bdi class="alertname">${cutText(alertname, 80)}</bdi> `}<span>${said}${entry.reason !== '' && html`, <bdi>${entry.reason}</bdi>`}${
    entry.times > 1 && html`, told ${entry.times} times until ${at(entry.lastMs)}`}</span></li>`
}

function done({ deed, by, detail, atMs }: Action): Html {
  return html`<li class="deed">${at(atMs)} <strong>${DID[deed]}</strong> <span>${by !== '' && html`by <bdi>${by}</bdi>`}${detail !== '' && html`${by !== '' && ': '}<bdi>${detail}</bdi>`}</span></li>`
}
