/** Requests that show a cause: the traces that the series hold as exemplars. */
import { Kind, STEP_NAMES } from '../spans/names.ts'
import type { Exemplar } from './exemplars.ts'
import type { Family } from './family.ts'
import type { SeriesStore } from './store.ts'

/** A cause as a page names it; '' is not told, and matches every value. */
export type CauseLabels = Readonly<Record<'tenant_id' | 'agent' | 'class' | 'type' | 'step' | 'name', string>>

const MOST = 5
/** Rows looked at: this is a walk through the series, once for each new page. */
const MOST_ROWS = 200_000
/** What a person says of an older request finds nobody whose it was. */
const SCORES_WITHIN_MS = 86_400_000

/**
 * Trace ids of requests with that cause: of failed ones where it is an error, of badly answered ones where it is an evaluator, else of those past a limit, of
 * which a page names the step alone.
 */
export function exampleTraces(store: SeriesStore, cause: CauseLabels): string[] {
  const isError = cause.type !== '' || cause.class !== ''
  if (!isError && cause.step === '') return []
  const found = !isError && cause.step === STEP_NAMES[Kind.evaluation] ? lowScores(store, cause) : newest(store, store.family(isError ? 'agent_root_causes_total' : 'agent_problem_causes_total'), cause)
  return [...new Set(found.map(({ traceId }) => traceId))].slice(0, MOST)
}

function newest(store: SeriesStore, family: Family, cause: CauseLabels): Exemplar[] {
  return rowsOf(store, family, cause).flatMap((row) => family.exemplarOf(row) ?? []).sort((a, b) => b.timestampMs - a.timestampMs)
}

/** The lowest first. Scales differ, so low is what is no better than the evaluator gives on average; a full score shows nothing. */
function lowScores(store: SeriesStore, { tenant_id, agent, name }: CauseLabels): Exemplar[] {
  const family = store.family('agent_quality_score')
  const rows = rowsOf(store, family, { tenant_id, agent, evaluator: name })
  const total = (of: (row: number) => number) => rows.reduce((sum, row) => sum + of(row), 0)
  const mean = total((row) => family.value(row)) / total((row) => family.count(row))
  const since = family.nowSeconds * 1000 - SCORES_WITHIN_MS
  const bounds = [...family.definition.buckets ?? [], Infinity]
  return rows.flatMap((row) => bounds.flatMap((_, bucket) => family.exemplarOf(row, bucket) ?? []))
    .filter(({ value, timestampMs }) => value <= mean && value < 1 && timestampMs >= since)
    .sort((a, b) => a.value - b.value || b.timestampMs - a.timestampMs)
}

function rowsOf(store: SeriesStore, family: Family, labels: Readonly<Partial<Record<string, string>>>): number[] {
  const wanted = family.definition.labels.map((label) => labels[label] ?? '')
  const rows = []
  for (let row = 0; row < Math.min(family.rows, MOST_ROWS); row++) {
    if (!family.visible(row, Infinity)) continue
    if (wanted.every((value, column) => value === '' || value === store.strings.text(family.label(row, column)))) rows.push(row)
  }
  return rows
}
