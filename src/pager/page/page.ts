import { article, type ArticleOptions } from './article.ts'
import { html, type Html } from './html.ts'
import type { Counts } from '../store/incidents.ts'
import type { Piece } from '../listing.ts'
import type { State } from '../notification.ts'

/** What is around the incidents and the same for all of them. */
export interface Surroundings extends ArticleOptions {
  readonly hasScoreboard: boolean
  readonly hasDemo: boolean
}

export interface Listing extends Piece {
  readonly surroundings: Surroundings
  readonly counts: Counts
  /** Changes with every change of any incident. */
  readonly version: string
  /** host:port the browser used, for the example; already checked. */
  readonly host: string
}

/** The whole document. Addresses are relative, so that it also works below a path of a reverse proxy. */
export function documentOf(listing: Listing, nowMs: number): string {
  const { hasScoreboard, hasDemo, marks } = listing.surroundings
  const aside = hasScoreboard || hasDemo
  return `<!doctype html>\n${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title(listing.counts)}</title>
<link rel="icon" href="pager/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="pager/style.css">
<script src="pager/live.js" type="module"></script>
<script src="pager/actions.js" type="module"></script>${marks && html`
<script src="pager/marks.js" type="module"></script>`}${aside && html`
<script src="pager/aside.js" type="module"></script>`}
<noscript><meta http-equiv="refresh" content="30"></noscript>
</head>
<body>
<a class="skip" href="#incidents">Skip to the incidents</a>
<header class="bar">
  <a class="brand" href="pager"><img src="pager/icon.svg" alt="" width="24" height="24">Spanbridge <span>Pager</span></a>
  <nav aria-label="Bridge"><label class="me">You <input id="me" autocomplete="name" maxlength="80" placeholder="your name" size="10"></label><button type="button" id="keys" class="quiet" aria-haspopup="dialog">Keys</button><span id="live" data-state="off"><span class="dot" aria-hidden="true"></span> <span class="word">Static</span></span><a href="metrics">Metrics</a></nav>
</header>
<div class="${aside ? 'columns' : 'column'}">
<main id="incidents">${list(listing, nowMs)}</main>${aside && html`
<aside aria-label="Around the incidents">${hasScoreboard && html`<div data-fragment="pager/scoreboard"></div>`}${hasDemo && html`<div data-fragment="pager/demo"></div>`}</aside>`}
</div>
<dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys</h2><dl>
<div><dt>j, k</dt><dd>next incident, incident before</dd></div><div><dt>a</dt><dd>acknowledge, or undo it</dd></div><div><dt>r</dt><dd>resolve by hand</dd></div>
<div><dt>y</dt><dd>the cause was right</dd></div><div><dt>e</dt><dd>open or close the evidence</dd></div><div><dt>?</dt><dd>these keys</dd></div></dl>
<form method="dialog"><button>Close</button></form></dialog>
<p id="announce" class="unseen" role="status" aria-live="polite"></p>
</body>
</html>`.markup}\n`
}

/** The part that live updates replace: headline, filter and articles. */
export function listOf(listing: Listing, nowMs: number): string {
  return list(listing, nowMs).markup
}

function list(listing: Listing, nowMs: number): Html {
  const { counts, incidents, older, before, version } = listing
  return html`<div id="state" data-version="${version}" data-title="${title(counts)}">
  <h1 class="${counts.firing > 0 ? 'firing' : 'quiet'}">${headline(counts)}</h1>
  ${counts.firing + counts.resolved > 0 && html`<nav class="filter" aria-label="Show">${filter(listing)}</nav>`}
</div>
<div id="list">${incidents.length > 0 ? incidents.map((incident) => article(incident, listing.surroundings, nowMs)) : empty(listing)}</div>
<nav id="more" aria-label="Older incidents">${before !== undefined && html`<a href="${address(listing.state)}">Newest incidents</a>`}${
    older !== null && html`<a href="${address(listing.state, older)}">Older incidents</a>`}</nav>`
}

function title(counts: Counts): string {
  return `${counts.firing > 0 ? `(${counts.firing}) ` : ''}Pager · Spanbridge`
}

function headline({ firing, resolved }: Counts): string {
  if (firing > 0) return firing === 1 ? '1 incident is open' : `${firing} incidents are open`
  return resolved > 0 ? 'No incident is open' : 'No page has arrived yet'
}

function filter({ counts, state }: Listing): Html[] {
  const choices = [
    ['All', undefined, counts.firing + counts.resolved], ['Open', 'firing', counts.firing], ['Resolved', 'resolved', counts.resolved],
  ] as const
  return choices.map(([text, value, count]) =>
    html`<a id="filter-${value ?? 'all'}" href="${address(value)}"${state === value && html` aria-current="page"`}>${text} <span class="count">${count}</span></a>`)
}

function address(state: State | undefined, before?: number): string {
  const query = new URLSearchParams({ ...(state && { state }), ...(before !== undefined && { before: String(before) }) }).toString()
  return query === '' ? 'pager' : `pager?${query}`
}

function empty(listing: Listing): Html {
  const { firing, resolved } = listing.counts
  if (listing.before !== undefined) return html`<div id="empty-older" class="empty"><p>No older incidents.</p></div>`
  if (firing + resolved > 0) {
    return html`<div id="empty-${listing.state ?? 'all'}" class="empty"><p>${
      listing.state === 'firing' ? 'All is quiet. What was, is under Resolved.' : 'Nothing has resolved yet.'}</p></div>`
  }
  return html`<div id="empty" class="empty">
  <p>When a documented threshold is broken, Alertmanager sends a page here and it appears on its own: what broke, since when, how bad, the root cause and the first remedy. Pages about the same agent or the same root cause at the same time are one incident. Until then, this page stays empty.</p>
  <h2>Send a test page</h2>
  <pre tabindex="0" aria-label="curl command"><code id="example">${example(listing.host)}</code></pre>
  <p>The same again with <code>resolved</code> in place of both <code>firing</code> resolves it.</p>
  <h2>Connect Alertmanager</h2>
  <pre tabindex="0" aria-label="Alertmanager configuration"><code>receivers:
  - name: pager
    webhook_configs:
      - url: http://${listing.host}/pager/webhook
        max_alerts: 100</code></pre>
</div>`
}

/** A page that looks like a real one, in the fewest keys that the webhook takes. */
function example(host: string): string {
  return `curl -H 'Content-Type: application/json' http://${host}/pager/webhook -d '{
  "version": "4", "groupKey": "test", "status": "firing", "alerts": [{ "status": "firing",
  "labels": { "alertname": "TestPage", "severity": "info", "agent": "demo",
    "step": "tool", "name": "lookup_order", "type": "5xx" },
  "annotations": { "summary": "This is a test page",
    "root_cause": "You sent it by hand", "remedy": "None needed" } }] }'`
}
