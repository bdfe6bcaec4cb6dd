/** What an incident is made of, folded away below it: the alerts of its pages, where they came from, and the timeline across all of them. */
import { html, type Html, type Part } from './html.ts'
import type { IncidentView } from '../incidentview.ts'
import { link } from './links.ts'
import type { Alert, Incident, Page, Texts } from '../notification.ts'
import { timelineOf } from './timeline.ts'
import { ago, at } from './times.ts'
import { levelOf, safeUrl } from '../view.ts'
import { cutText } from '../webhook.ts'

const TEXT_SHOWN = 600
/** Of all pages together, but of each at least two. */
const ALERTS_SHOWN = 20

export function evidenceOf(incident: Incident, { pages }: IncidentView, nowMs: number): Html {
  const sum = (of: (page: Page) => number) => pages.reduce((all, { page }) => all + of(page), 0)
  const told = sum((page) => page.told)
  const shown = Math.max(2, Math.floor(ALERTS_SHOWN / pages.length))
  return html`<details><summary id="incident-${incident.id}-evidence">Evidence <span>${plural(sum((page) => page.alerts.length + page.omittedAlerts), 'alert')}${
    pages.length > 1 && html` in ${plural(incident.pageCount, 'page')}`}, told ${told === 1 ? 'once' : `${told} times`}, last ${ago(incident.heardMs, nowMs)}</span></summary>
    <h3>Timeline</h3>
    <ol class="history">${timelineOf(incident)}</ol>
    ${pages.map(({ page }) => html`${page.alerts.slice(0, shown).map(alertBlock)}
    ${hidden(page, shown)}
    ${origin(page)}`)}
  </details>`
}

function origin({ groupKey, receiver, externalUrl }: Page): Html {
  return html`<dl class="group"><div><dt>Group</dt><dd><bdi>${cutText(groupKey, TEXT_SHOWN)}</bdi></dd></div>${
    receiver !== '' && html`<div><dt>Receiver</dt><dd><bdi>${receiver}</bdi></dd></div>`}${
    externalUrl !== '' && html`<div><dt>Sent by</dt><dd>${link({ text: externalUrl, url: externalUrl })}</dd></div>`}</dl>`
}

function alertBlock(alert: Alert): Html {
  const name = alert.labels['alertname'] ?? 'Alert'
  return html`<section class="alert ${alert.status} ${levelOf(alert)}"><h3><bdi>${cutText(name, 120)}</bdi> <span class="status">${alert.status}</span></h3>
    <p class="span">${alert.startsAtMs !== null && html`from ${at(alert.startsAtMs)}`}${alert.endsAtMs !== null && html` to ${at(alert.endsAtMs)}`}</p>
    <dl class="pairs">${pairs(alert.labels)}${pairs(alert.annotations)}${alert.generatorUrl !== '' && html`<div><dt>generatorURL</dt><dd>${
      link({ text: alert.generatorUrl, url: alert.generatorUrl })}</dd></div>`}</dl></section>`
}

function pairs(texts: Texts): Html[] {
  return Object.entries(texts).filter(([key, value]) => key !== 'alertname' && value !== '')
    .map(([key, value]) => html`<div><dt><bdi>${key}</bdi></dt><dd>${safeUrl(value) === null ? html`<bdi>${value}</bdi>` : link({ text: value, url: value })}</dd></div>`)
}

function hidden(page: Page, shown: number): Part {
  const more = Math.max(0, page.alerts.length - shown) + page.omittedAlerts
  return more > 0 && html`<p class="more">${plural(more, 'more alert')} not shown here</p>`
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
