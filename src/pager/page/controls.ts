/** The buttons of an incident: take it, end it, judge its root cause. They work by script; without one the page is for reading. */
import { predictedType, UNCLASSIFIED } from '../actionroutes.ts'
import { html, type Html, type Part } from './html.ts'
import type { Action, Incident } from '../notification.ts'
import { ago } from './times.ts'

export function controlsOf(incident: Incident, errorTypes: readonly string[], nowMs: number): Html {
  const { acknowledged, closed, status } = incident
  return html`<div class="controls" data-incident="${incident.id}">
  <p class="taken">${acknowledged !== null && status === 'firing' && html`Acknowledged${who(acknowledged)} ${ago(acknowledged.atMs, nowMs)} ${button('unacknowledged', 'Undo', 'quiet')}`}${
    closed !== null && html`Resolved by hand${who(closed)} ${ago(closed.atMs, nowMs)}; Alertmanager has not said so. ${button('reopened', 'Undo', 'quiet')}`}</p>
  ${status === 'firing' && html`<p class="buttons">${acknowledged === null && button('acknowledged', 'Acknowledge', 'first')}${button('closed', 'Resolve')}</p>`}
  ${verdictOf(incident, errorTypes)}
  <p class="trouble" role="alert" hidden></p>
</div>`
}

function verdictOf(incident: Incident, errorTypes: readonly string[]): Part {
  const { verdict } = incident
  if (verdict !== null) return html`<p class="verdict">${verdict.deed === 'confirmed' ? html`Root cause confirmed${who(verdict)}.` : html`It was <bdi>${verdict.detail}</bdi> instead${who(verdict)}.`}</p>`
  const predicted = predictedType(incident)
  if (predicted === undefined) return null
  const others = [...errorTypes, UNCLASSIFIED].filter((type) => type !== predicted)
  return html`<p class="verdict"><span id="verdict-${incident.id}">Was this the cause?</span> ${button('confirmed', 'Yes')}
    <label>No, it was <select aria-label="No, it was another error type"><option value="">…</option>${others.map((type) => html`<option>${type}</option>`)}</select></label></p>`
}

function button(deed: string, text: string, look: 'first' | 'quiet' | '' = ''): Html {
  return html`<button type="button" data-deed="${deed}"${look !== '' && html` class="${look}"`}>${text}</button> `
}

function who({ by }: Action): Part {
  return by !== '' && html` by <bdi>${by}</bdi>`
}
