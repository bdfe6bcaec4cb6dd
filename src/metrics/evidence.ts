/** Requests that show a cause: the traces that the series hold as exemplars. */
import type { SeriesStore } from './store.ts'

/** A cause as a page names it; '' is not told, and matches every value. */
export type CauseLabels = Readonly<Record<'tenant_id' | 'agent' | 'class' | 'type' | 'step' | 'name', string>>

const MOST = 5
/** Rows looked at: this is a walk through the series, once for each new page. */
const MOST_ROWS = 200_000

/** Trace ids of requests with that cause, the newest first: of failed ones where it is an error, else of those past a limit, of which a page names the step alone. */
export function exampleTraces(store: SeriesStore, cause: CauseLabels): string[] {
  const isError = cause.type !== '' || cause.class !== ''
  if (!isError && cause.step === '') return []
  const family = store.family(isError ? 'agent_root_causes_total' : 'agent_problem_causes_total')
  const wanted = family.definition.labels.map((label) => cause[label as keyof CauseLabels] ?? '')
  const found: { readonly traceId: string; readonly timestampMs: number }[] = []
  for (let row = 0; row < Math.min(family.rows, MOST_ROWS); row++) {
    if (!family.visible(row, Infinity)) continue
    if (wanted.some((value, column) => value !== '' && value !== store.strings.text(family.label(row, column)))) continue
    const exemplar = family.exemplarOf(row)
    if (exemplar !== undefined) found.push(exemplar)
  }
  return found.sort((a, b) => b.timestampMs - a.timestampMs).slice(0, MOST).map(({ traceId }) => traceId)
}
