/** Requests that show a cause: the traces that the series hold as exemplars. */
import type { SeriesStore } from './store.ts'

/** A cause as a page names it; '' is not told, and matches every value. */
export type CauseLabels = Readonly<Record<'tenant_id' | 'agent' | 'class' | 'type' | 'step' | 'name', string>>

const MOST = 5
/** Rows looked at: this is a walk through the series, once for each new page. */
const MOST_ROWS = 200_000

/** Trace ids of failed requests with that root cause, the newest first. Of a slow step, which is no error, there are none here. */
export function exampleTraces(store: SeriesStore, cause: CauseLabels): string[] {
  if (cause.type === '' && cause.class === '') return []
  const family = store.family('agent_root_causes_total')
  const wanted = family.definition.labels.map((label) => cause[label as keyof CauseLabels])
  const found: { readonly traceId: string; readonly timestampMs: number }[] = []
  for (let row = 0; row < Math.min(family.rows, MOST_ROWS); row++) {
    if (!family.visible(row, Infinity)) continue
    if (wanted.some((value, column) => value !== '' && value !== store.strings.text(family.label(row, column)))) continue
    const exemplar = family.exemplarOf(row)
    if (exemplar !== undefined) found.push(exemplar)
  }
  return found.sort((a, b) => b.timestampMs - a.timestampMs).slice(0, MOST).map(({ traceId }) => traceId)
}
