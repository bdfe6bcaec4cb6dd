import { html, type Html, type Part } from './html.ts'
import type { Score, ScoredObjective, Scores } from '../scoreboard.ts'
import { cutText } from '../webhook.ts'

/** The scoreboard as the page shows it: an objective a row, the missed ones first. */
export function scoreboardOf({ scores, error }: Scores): string {
  return html`<section id="scoreboard" aria-labelledby="scoreboard-title"><h2 id="scoreboard-title">Objectives</h2>${
    error !== '' ? html`<p class="trouble">${cutText(error, 300)}</p>` : table(scores)}</section>`.markup
}

function table(scores: readonly Score[]): Html {
  const known = scores.filter(({ value }) => value !== null)
  const [drilled, unknown] = [true, false].map((is) => scores.filter(({ value, objective }) => value === null && (objective.measure.kind === 'drill') === is))
  const order = ({ met }: Score) => (met === false ? 0 : met === null ? 2 : 1)
  const rows = known.toSorted((a, b) => order(a) - order(b))
  return html`${rows.length > 0 && html`<table>
  <thead><tr><th scope="col">Objective</th><th scope="col">Now, where worst</th><th scope="col">Limit</th><th scope="col">Budget left</th></tr></thead>
  <tbody>${rows.map(row)}</tbody>
</table>`}${rows.length === 0 && html`<p class="soft">Nothing is recorded yet: the rules need some minutes of traffic.</p>`}${
    rows.length > 0 && html`${named('No value yet', unknown)}${named('Measured by the fire drill of the tests, not here', drilled)}`}`
}

function named(what: string, scores: readonly Score[] = []): Part {
  return scores.length > 0 && html`<p class="soft">${what}: ${scores.map(({ objective }) => shortTitle(objective)).join(', ')}.</p>`
}

function row({ objective, value, limit, met, budget, tenant, agent, judged, missed }: Score): Html {
  const state = met === null ? 'unjudged' : met ? 'met' : 'missed'
  const mark: Record<string, Part> = { met: html`<span class="mark" title="met">✓</span><span class="unseen">met</span>`, missed: html`<span class="mark" title="missed">✕</span><span class="unseen">missed</span>`, unjudged: null }
  const who = [agent, tenant].filter((name) => name !== '')
  return html`<tr class="${state}"><th scope="row">${mark[state]} ${shortTitle(objective)}${missed > 0 && judged > 1 && html` <span class="soft">missed by ${missed} of ${judged}</span>`}</th>
<td><strong>${quantity(value!, objective)}</strong>${who.length > 0 && html` <span class="who">${who.map((name, n) => html`${n > 0 && ', '}<bdi>${cutText(name, 40)}</bdi>`)}</span>`}</td>
<td>${limit === null ? '–' : html`${objective.comparison === '>' ? 'above' : objective.comparison === '<' ? 'below' : 'up to'} ${quantity(limit, objective)}`}</td>
<td>${budget === null ? '–' : html`<span class="${budget < 0 ? 'spent' : ''}">${percent(budget)}</span>`}</td></tr>`
}

/** Without what is explained after a comma or a full stop. */
function shortTitle({ title }: ScoredObjective): string {
  return title.split(/[,:.(]/)[0]!.trim()
}

function quantity(value: number, { unit, id }: ScoredObjective): string {
  switch (unit) {
    case 'seconds': return value < 1 ? `${Math.round(value * 1000)}\u00a0ms` : `${round(value)}\u00a0s`
    case 'ratio': return id === 'quality_score' ? value.toFixed(2) : percent(value)
    case 'usd': return `$${value < 0.1 ? value.toFixed(4) : value.toFixed(2)}`
    case 'messages': return String(Math.round(value))
  }
}

function percent(ratio: number): string {
  return `${round(ratio * 100)}\u00a0%`
}

function round(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}
