import { controlsOf } from './controls.ts'
import { evidenceOf, plural } from './evidence.ts'
import { html, type Html, type Part } from './html.ts'
import { incidentViewOf, type IncidentView } from '../incidentview.ts'
import { filled, link } from './links.ts'
import { markOf } from './marks.ts'
import type { Incident } from '../notification.ts'
import { pageList } from './pagelist.ts'
import { ago, at, duration } from './times.ts'
import type { Cause } from '../view.ts'
import { cutText } from '../webhook.ts'

const SUMMARY_SHOWN = 220
const TEXT_SHOWN = 600
const NAMES_SHOWN = 6
const CAUSES_SHOWN = 3
const TRACES_SHOWN = 3

export interface ArticleOptions {
  /** What a person may say it was. */
  readonly errorTypes: readonly string[]
  /** Addresses with {trace_id}, {tenant_id}, {agent} in them. */
  readonly links: { readonly trace?: string; readonly logs?: string }
  /** Whether a person may mark the answers of example requests. */
  readonly marks: boolean
}

/** One incident as a person reads it: what broke, why and what to do first, the pages in it; the evidence folded away below. */
export function article(incident: Incident, { errorTypes, links, marks }: ArticleOptions, nowMs: number): Html {
  const view = incidentViewOf(incident)
  const { lead } = view
  const several = incident.pageCount > 1
  const id = `incident-${incident.id}`
  // data-rank tells the client what is new, data-version what has to be drawn again.
  return html`<article id="${id}" tabindex="-1" class="incident ${incident.status} ${view.level}" aria-labelledby="${id}-title" data-rank="${incident.rank}" data-version="${versionOf(incident)}">
  <header>
    <p class="tags">${stateTag(incident)}${lead.severity !== '' && html`<span class="severity">${cutText(lead.severity, 40)}</span>`}${
      lead.alertname !== '' && lead.alertname !== lead.summary && html`<span class="alertname"><bdi>${cutText(lead.alertname, 120)}</bdi></span>`}${
      several && html`<span class="several">${plural(incident.pageCount, 'page')}</span>`}</p>
    <h2 id="${id}-title"><bdi>${cutText(lead.summary, SUMMARY_SHOWN)}</bdi></h2>
    <p class="since">${since(view, nowMs)}</p>
  </header>
  ${view.causes.length > 0 && html`<div class="causes">${view.causes.slice(0, CAUSES_SHOWN).map(causeBlock)}${
    view.causes.length > CAUSES_SHOWN && html`<p class="more">and ${view.causes.length - CAUSES_SHOWN} more causes, in the evidence</p>`}</div>`}
  <dl class="facts">
    ${!several && lead.value !== '' && html`<div class="bad"><dt>How bad</dt><dd><strong><bdi>${cutText(lead.value, 60)}</bdi></strong>${
      lead.limit !== '' && html` <span class="limit">limit <bdi>${cutText(lead.limit, 60)}</bdi></span>`}</dd></div>`}
    ${names('Tenant', view.tenants)}${names('Project', view.projects)}${names('Agent', view.agents)}
  </dl>
  ${pageList(incident, view, nowMs)}
  ${lead.description !== '' && html`<p class="description"><bdi>${cutText(lead.description, TEXT_SHOWN)}</bdi></p>`}
  ${examples(view, links.trace, marks)}
  ${controlsOf(incident, errorTypes, nowMs)}
  ${linksOf(view, links.logs)}
  ${evidenceOf(incident, view, nowMs)}
</article>`
}

/** Changes with whatever is shown of it. */
function versionOf({ rank, status, heardMs, pages, actions }: Incident): string {
  const told = pages.reduce((sum, page) => sum + page.told, 0)
  return [rank, status, told, heardMs, actions[0]?.atMs ?? 0, actions.length, pages.length, pages.reduce((sum, { examples }) => sum + examples.length, 0)].join('-')
}

/** Requests that show the cause. */
function examples({ examples: traces }: IncidentView, address: string | undefined, marks: boolean): Part {
  if (traces.length === 0) return null
  const shown = traces.slice(0, TRACES_SHOWN).map((trace) => address === undefined
    ? html`<code>${trace}</code>`
    : html`<code>${link({ text: trace, url: filled(address, { trace_id: trace }) })}</code>`)
  return html`<p class="examples">${traces.length === 1 ? 'A request that shows it' : 'Requests that show it'}: ${shown.map((one, n) => html`${n > 0 && ', '}${one}${marks && markOf(traces[n]!)}`)}</p>`
}

function linksOf(view: IncidentView, logs: string | undefined): Part {
  const own = logs === undefined ? [] : [{ text: 'Logs', url: filled(logs, { tenant_id: view.tenants[0] ?? '', agent: view.agents[0] ?? '' }) }]
  const primary = [...view.lead.links.filter(({ secondary }) => !secondary), ...own, ...view.lead.links.filter(({ secondary }) => secondary)]
  return primary.length > 0 && html`<p class="links">${primary.map(link)}</p>`
}

function stateTag(incident: Incident): Html {
  return incident.status === 'firing'
    ? html`<span class="state"><span aria-hidden="true">●</span> Firing</span>${incident.acknowledged !== null && html`<span class="acknowledged">Acknowledged</span>`}`
    : html`<span class="state"><span aria-hidden="true">✓</span> Resolved</span>`
}

function since(view: IncidentView, nowMs: number): Html {
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
