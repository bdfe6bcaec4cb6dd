import { html, type Html } from './html.ts'

/** `<time>`: in relative words, with the absolute time to hover over. The client refreshes the words. */
export function ago(ms: number, nowMs: number): Html {
  return html`<time datetime="${iso(ms)}" title="${absolute(ms)}">${relative(ms, nowMs)}</time>`
}

/** `<time>` as "2026-11-23 18:04:05 UTC": the same clock for everybody on the call. */
export function at(ms: number): Html {
  return html`<time datetime="${iso(ms)}">${absolute(ms)}</time>`
}

/** "just now", "14 min ago", "3 h 5 min ago", "2 d 4 h ago"; a clock ahead of ours gives "in 2 min". */
export function relative(ms: number, nowMs: number): string {
  const elapsed = nowMs - ms
  if (Math.abs(elapsed) < 10_000) return 'just now'
  return elapsed < 0 ? `in ${duration(-elapsed)}` : `${duration(elapsed)} ago`
}

/** "42 s", "14 min", "3 h 5 min", "2 d 4 h": the two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return two(hours, 'h', minutes % 60, 'min')
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function two(large: number, unit: string, small: number, smallUnit: string): string {
  return small > 0 ? `${large} ${unit} ${small} ${smallUnit}` : `${large} ${unit}`
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function absolute(ms: number): string {
  return `${iso(ms).slice(0, 19).replace('T', ' ')} UTC`
}
