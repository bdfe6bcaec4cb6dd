/** The pages inside an incident, a line each, where there are several: what else is broken, how badly, since when. */
import { html, type Html, type Part } from './html.ts'
import type { IncidentView } from '../incidentview.ts'
import { link } from './links.ts'
import type { Incident } from '../notification.ts'
import { ago } from './times.ts'
import type { PageView } from '../view.ts'
import { cutText } from '../webhook.ts'

export function pageList(incident: Incident, { pages, tenants, agents }: IncidentView, nowMs: number): Part {
  if (pages.length < 2) return null
  const omitted = incident.pageCount - incident.pages.length
  return html`<ol class="pages" aria-label="Pages of this incident">${pages.map((one) => line(one, whom(one.view, tenants.length > 1, agents.length > 1), nowMs))}${
    omitted > 0 && html`<li class="more">and ${omitted} earlier ones</li>`}</ol>`
}

/** Who it is about, where not all are about the same. */
function whom({ tenants, agents }: PageView, byTenant: boolean, byAgent: boolean): string {
  return [...(byAgent ? agents : []), ...(byTenant ? tenants : [])].join(', ')
}

function line({ page, view }: IncidentView['pages'][number], who: string, nowMs: number): Html {
  const fires = page.status === 'firing'
  const runbook = view.links.find(({ text }) => text === 'Runbook')
  return html`<li class="${page.status} ${view.level}"><span class="state"><span aria-hidden="true">${fires ? '●' : '✓'}</span><span class="unseen">${fires ? 'Firing' : 'Resolved'}</span></span>
<span class="what"><bdi>${cutText(view.summary, 160)}</bdi>${view.alertname !== view.summary && html` <bdi class="alertname">${cutText(view.alertname, 80)}</bdi>`}${who !== '' && html` <bdi class="whom">${cutText(who, 120)}</bdi>`}</span>
<span class="bad">${view.value !== '' && html`<strong><bdi>${cutText(view.value, 40)}</bdi></strong>${view.limit !== '' && html` <span class="limit">limit <bdi>${cutText(view.limit, 40)}</bdi></span>`}`}</span>
<span class="when">${view.endedMs === null ? html`since ${ago(view.sinceMs, nowMs)}` : html`resolved ${ago(view.endedMs, nowMs)}`}${runbook !== undefined && html` · ${link(runbook)}`}</span></li>`
}
