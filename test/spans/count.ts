/** What a reader of the spans concludes about a run: counts and tokens of the innermost spans of each kind. */
import { type Read } from './recordings.ts'

export interface Counted {
  readonly models: readonly Read[]
  readonly tools: readonly Read[]
  readonly retrievals: readonly Read[]
  readonly embeddings: readonly Read[]
}

/** Structure and evidence: looked through when asking whether one call encloses another. */
const TRANSPARENT = new Set(['chain', 'client', 'unknown', 'noise'])

/**
 * Spans that enclose another of the same kind, with only structure between, are the same call told twice; so are two model
 * spans with one response id. A tool encloses a tool only under the same name: agents are called as tools.
 */
export function count(spans: readonly Read[]): Counted {
  const byId = new Map(spans.map((span) => [span.trace + span.id, span]))
  const wrappers = new Set<Read>()
  for (const span of spans) {
    if (TRANSPARENT.has(span.kind)) continue
    let above = byId.get(span.trace + span.parent)
    while (above !== undefined && TRANSPARENT.has(above.kind)) above = byId.get(above.trace + above.parent)
    if (above?.kind === span.kind && (span.kind !== 'tool' || nameOf(above) === nameOf(span))) wrappers.add(above)
  }
  const seen = new Set<string>()
  const innermost = (kind: Read['kind']): Read[] => spans.filter((span) => {
    if (span.kind !== kind || wrappers.has(span)) return false
    if (kind !== 'model' || span.response === '') return true
    return !seen.has(span.response) && seen.add(span.response) !== undefined
  })
  return { models: innermost('model'), tools: innermost('tool'), retrievals: innermost('retrieval'), embeddings: innermost('embedding') }
}

export function nameOf(span: Read): string {
  return span.text.tool ?? span.text.entity ?? span.captured ?? span.spanName
}

export function sum(spans: readonly Read[], field: keyof Read['num']): number {
  return spans.reduce((total, span) => total + (span.num[field] ?? 0), 0)
}
