/** The times of detection as people read them: Markdown for the repository, columns for a terminal. */
import { type Burn, type Detection, detections, type Incident, type Settings, type Window } from './detection.ts'

const INCIDENTS = ['all requests bad', 'one in ten bad', 'twice the budget'] as const

const HEAD = `# How fast alerts fire

Worked out from the windows, factors and documented targets. Traffic is taken to be steady and the time before the incident to be without a bad request. To
each time come up to one scrape and one evaluation. *Over* is counted from the last bad request, after an incident that was long enough to fill every
window, with the minutes for which an alert is kept; after a shorter one it is over earlier. The low-traffic guard asks for as many requests an
hour as the last column says; with fewer it fires later, or not at all, and \`AgentFailuresTrickle\` and \`AgentSlownessTrickle\` are there for that.
`

const WINDOWS = `
## What each window asks for

A burn rate cannot exceed 1 / (1 − target). Where a factor is out of reach, or needs more than half the way from the budget to all requests, the pair of windows
without a factor stands in: half of that way, which is below 100 % and above the budget whatever the target is. A tenant's own limit may be anything, so
for success rates both are evaluated, and the one that fires first pages.
`

const OWN = `
## A target of one's own

What the same rules do for a tenant or an agent whose target is a looser one. The looser it is, the fewer factors can be reached, and the more the outage stands in.
`

/** Documented targets, and for the loose ones that a tenant may have some examples. */
const OWN_TARGETS = [0.95, 0.85, 0.6]

export function detectionMarkdown(burn: readonly Burn[], settings: Settings): string {
  const own = burn.filter(({ ownTargets }) => ownTargets).map((one) => ({ ...one, trickle: null, targets: OWN_TARGETS.map((target) => ({ target, profile: '' })) }))
  return HEAD + timesTable(detections(burn, settings)) + WINDOWS + windowsTable(detections(burn, settings))
    + (own.length === 0 ? '' : OWN + timesTable(detections(own, settings)) + windowsTable(detections(own, settings)))
}

function timesTable(all: readonly Detection[]): string {
  const times = all.map((one) => [`\`${one.alert}\``, one.severity, targetOf(one), ...one.incidents.flatMap((incident) => [told(incident), timesOf(incident)[1]]), needsOf(one)])
  return `\n${markdown(['alert', 'severity', 'target', ...INCIDENTS.flatMap((incident) => [`${incident}: fires after`, 'over after']), 'requests an hour'], times)}`
}

function windowsTable(all: readonly Detection[]): string {
  const rows = all.flatMap((one) => [
    ...one.windows.map((window) => [`\`${one.alert}\``, one.severity, targetOf(one), window.name, rate(window), percent(window.share), 'yes']),
    ...one.unreachable.map((window) => [`\`${one.alert}\``, one.severity, targetOf(one), window.name, rate(window), percent(window.share), 'never']),
  ])
  return `\n${markdown(['alert', 'severity', 'target', 'windows', 'burn rate', 'bad requests', 'can fire'], rows)}`
}

/** For a terminal of 100 columns. */
export function detectionText(all: readonly Detection[]): string {
  const rows = all.map((one) => [one.alert, one.severity, targetOf(one), ...one.incidents.map((incident) => timesOf(incident).join(' / ').replace('– / –', '–'))])
  const head = ['fires after / over after', '', 'target', 'all bad', '1 in 10 bad', '2 x budget']
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  return [head, ...rows].map((row) => `${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}\n`).join('')
}

function timesOf({ detectSeconds, resetSeconds, fired }: Incident): [string, string] {
  return fired.length === 0 ? ['–', '–'] : [inWords(detectSeconds), inWords(resetSeconds)]
}

/** With the windows that fire first. */
function told(incident: Incident): string {
  const [first] = incident.fired
  return first === undefined ? '–' : `${inWords(incident.detectSeconds)} (${first.name})`
}

function targetOf({ target, profile }: Detection): string {
  return percent(target) + (profile === '' ? '' : ` (${profile})`)
}

/** Of the incident that needs most. */
function needsOf({ incidents }: Detection): string {
  return incidents.map(({ requestsPerHour, fired }) => (fired.length === 0 ? '–' : String(Math.ceil(Math.round(requestsPerHour * 1e6) / 1e6)))).join(', ')
}

function rate({ burnRate }: Window): string {
  return `${Number(burnRate.toPrecision(3))}`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`
}

/** The two largest units, as in 1h 12m. */
export function inWords(seconds: number): string {
  let rest = Math.round(seconds)
  const parts = ([['d', 86_400], ['h', 3600], ['m', 60], ['s', 1]] as const).flatMap(([unit, length]) => {
    const number = Math.floor(rest / length)
    rest -= number * length
    return number === 0 ? [] : [`${number}${unit}`]
  })
  return parts.slice(0, 2).join(' ') || '0s'
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('')
}
