import { controlsOf } from './controls.ts'
import { html, type Html, type Part } from './html.ts'
import type { Alert, Page, Texts } from './notification.ts'
import { timelineOf } from './timeline.ts'
import { ago, at, duration } from './times.ts'
import { levelOf, safeUrl, viewOf, type Cause, type Link, type PageView } from './view.ts'
import { cutText } from './webhook.ts'

const SUMMARY_SHOWN = 220
const TEXT_SHOWN = 600
const NAMES_SHOWN = 6
const CAUSES_SHOWN = 3
const ALERTS_SHOWN = 20
const TRACES_SHOWN = 3

export interface ArticleOptions {
  /** What a person may say it was. */
  readonly errorTypes: readonly string[]
  /** Addresses with {trace_id}, {tenant_id}, {agent} in them. */
  readonly links: { readonly trace?: string; readonly logs?: string }
}

/** One page as a person reads it: what broke, why and what to do first; the evidence folded away below. */
export function article(page: Page, { errorTypes, links }: ArticleOptions, nowMs: number): Html {
  const view = viewOf(page)
  const id = `page-${page.id}`
  // data-rank tells the client what is new, data-version what has to be drawn again.
  return html`<article id="${id}" tabindex="-1" class="page ${page.status} ${view.level}" aria-labelledby="${id}-title" data-rank="${page.rank}" data-version="${page.rank}-${page.told}-${page.heardMs}-${page.actions[0]?.atMs ?? 0}-${page.actions.length}-${page.examples.length}">
  <header>
    <p class="tags">${stateTag(page)}${view.severity !== '' && html`<span class="severity">${cutText(view.severity, 40)}</span>`}${
      view.alertname !== '' && view.alertname !== view.summary && html`<span class="alertname"><bdi>${cutText(view.alertname, 120)}</bdi></span>`}</p>
    <h2 id="${id}-title"><bdi>${cutText(view.summary, SUMMARY_SHOWN)}</bdi></h2>
    <p class="since">${since(view, nowMs)}</p>
  </header>
  ${view.causes.length > 0 && html`<div class="causes">${view.causes.slice(0, CAUSES_SHOWN).map(causeBlock)}${
    view.causes.length > CAUSES_SHOWN && html`<p class="more">and ${view.causes.length - CAUSES_SHOWN} more causes, in the evidence</p>`}</div>`}
  <dl class="facts">
    ${view.value !== '' && html`<div class="bad"><dt>How bad</dt><dd><strong><bdi>${cutText(view.value, 60)}</bdi></strong>${
      view.limit !== '' && html` <span class="limit">limit <bdi>${cutText(view.limit, 60)}</bdi></span>`}</dd></div>`}
    ${names('Tenant', view.tenants)}${names('Project', view.projects)}${names('Agent', view.agents)}
  </dl>
  ${view.description !== '' && html`<p class="description"><bdi>${cutText(view.description, TEXT_SHOWN)}</bdi></p>`}
  ${examples(page, links.trace)}
  ${controlsOf(page, errorTypes, nowMs)}
  ${linksOf(view, links.logs)}
  <details><summary id="${id}-evidence">Evidence <span>${plural(page.alerts.length + page.omittedAlerts, 'alert')}, told ${
    page.told === 1 ? 'once' : `${page.told} times`}, last ${ago(page.heardMs, nowMs)}</span></summary>
    ${page.alerts.slice(0, ALERTS_SHOWN).map(alertBlock)}
    ${hidden(page)}
    <h3>Timeline</h3>
    <ol class="history">${timelineOf(page)}</ol>
    <dl class="group"><div><dt>Group</dt><dd><bdi>${cutText(page.groupKey, TEXT_SHOWN)}</bdi></dd></div>${
      page.receiver !== '' && html`<div><dt>Receiver</dt><dd><bdi>${page.receiver}</bdi></dd></div>`}${
      page.externalUrl !== '' && html`<div><dt>Sent by</dt><dd>${link({ text: page.externalUrl, url: page.externalUrl })}</dd></div>`}</dl>
  </details>
</article>`
}

/** Requests that show the cause. */
function examples({ examples: traces }: Page, address: string | undefined): Part {
  if (traces.length === 0) return null
  const shown = traces.slice(0, TRACES_SHOWN).map((trace) => address === undefined
    ? html`<code>${trace}</code>`
    : html`<code>${link({ text: trace, url: filled(address, { trace_id: trace }) })}</code>`)
  return html`<p class="examples">${traces.length === 1 ? 'A failed request' : 'Failed requests'}: ${shown.map((one, n) => html`${n > 0 && ', '}${one}`)}</p>`
}

function linksOf(view: PageView, logs: string | undefined): Part {
  const own = logs === undefined ? [] : [{ text: 'Logs', url: filled(logs, { tenant_id: view.tenants[0] ?? '', agent: view.agents[0] ?? '' }) }]
  const primary = [...view.links.filter(({ secondary }) => !secondary), ...own, ...view.links.filter(({ secondary }) => secondary)]
  return primary.length > 0 && html`<p class="links">${primary.map(link)}</p>`
}

/** Values are strangers': percent-encoded wherever they stand in an address. */
function filled(address: string, values: Readonly<Record<string, string>>): string {
  return address.replace(/\{(\w+)\}/g, (whole, key: string) => (Object.hasOwn(values, key) ? encodeURIComponent(values[key]!) : whole))
}

function stateTag(page: Page): Html {
  return page.status === 'firing'
    ? html`<span class="state"><span aria-hidden="true">●</span> Firing</span>${page.acknowledged !== null && html`<span class="acknowledged">Acknowledged</span>`}`
    : html`<span class="state"><span aria-hidden="true">✓</span> Resolved</span>`
}

function since(view: PageView, nowMs: number): Html {
  if (view.endedMs === null) return html`Started ${ago(view.sinceMs, nowMs)} <span class="clock">${at(view.sinceMs)}</span>`
  return html`Resolved ${ago(view.endedMs, nowMs)} after ${duration(view.endedMs - view.sinceMs)} <span class="clock">${at(view.sinceMs)} to ${at(view.endedMs)}</span>`
}

function causeBlock(cause: Cause): Html {
  const place: Part[] = [
    cause.step !== '' && html`<span class="step"><bdi>${cutText(cause.step, 40)}</bdi></span> `,
    cause.name !== '' && html`<code><bdi>${cutText(cause.name, 120)}</bdi></code>`,
    cause.type !== '' && html`<span class="type"><span aria-hidden="true"> · </span><bdi>${cutText(cause.type, 60)}</bdi></span>`,
  ]
  const known = cause.text !== '' || cause.step !== '' || cause.name !== '' || cause.type !== ''
  return html`<dl class="cause"><div class="root"><dt>Root cause</dt><dd>${!known && html`<span class="unknown">not known</span>`}${
    place.some(Boolean) && html`<p class="place">${place}</p>`}${
    cause.text !== '' && html`<p><bdi>${cutText(afterPlace(cause), TEXT_SHOWN)}</bdi></p>`}</dd></div>${
    cause.common !== '' && html`<div class="common"><dt>In common</dt><dd><p><bdi>${cutText(cause.common, TEXT_SHOWN)}</bdi></p></dd></div>`}${
    cause.remedy !== '' && html`<div class="remedy"><dt>First remedy</dt><dd><p><bdi>${cutText(cause.remedy, TEXT_SHOWN)}</bdi></p></dd></div>`}</dl>`
}

/** The rule's words without the place at their beginning, which stands above them: 'tool lookup_order: 5xx, 92% of …' is '92% of …'. */
function afterPlace({ text, step, name, type }: Cause): string {
  const place = `${[step, name].filter(Boolean).join(' ')}: `
  if (!text.startsWith(place)) return text
  const rest = text.slice(place.length)
  return (type !== '' && rest.startsWith(`${type}, `) ? rest.slice(type.length + 2) : rest) || text
}

function names(title: string, all: readonly string[]): Part {
  if (all.length === 0) return null
  const more = all.length - NAMES_SHOWN
  return html`<div><dt>${all.length === 1 ? title : `${title}s`}</dt><dd>${
    all.slice(0, NAMES_SHOWN).map((name, n) => html`${n > 0 && ', '}<bdi>${cutText(name, 80)}</bdi>`)}${more > 0 && ` and ${more} more`}</dd></div>`
}

/** A link only where the address is plain http(s); anything else is shown as the text it is. */
function link({ text, url, secondary = false }: Link): Html {
  const safe = safeUrl(url)
  if (safe === null) return html`<span class="nolink">${text !== url && html`${text}: `}<bdi>${cutText(url, 200)}</bdi></span>`
  return html`<a${secondary && html` class="secondary"`} href="${safe}" target="_blank" rel="noopener noreferrer nofollow" title="${cutText(safe, 300)}">${cutText(text, 200)}</a>`
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

function hidden(page: Page): Part {
  const more = Math.max(0, page.alerts.length - ALERTS_SHOWN) + page.omittedAlerts
  return more > 0 && html`<p class="more">${plural(more, 'more alert')} not shown here</p>`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
