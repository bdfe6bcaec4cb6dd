/** What the rules about the bridge itself have to know of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PUSH_ERRORS } from '../../src/logs/counts.ts'
import { CALL_ERRORS, REPLY_ERRORS } from '../../src/quality/judge/provider.ts'
import { SKIPS } from '../../src/quality/judge/counts.ts'
import { HEALTH_METRICS } from '../../src/metrics/health.ts'
import { SCORE_REJECTIONS } from '../../src/spans/scale.ts'
import { REFUSALS } from '../../src/otlp/refusal.ts'
import { alerts, ROOT } from './rulefile.ts'

test.each([
  ['SpanbridgeRefusingPushes', 'reason', Object.keys(REFUSALS)],
  ['SpanbridgeExporterDropping', 'error', PUSH_ERRORS],
  ['SpanbridgeScoresLost', 'reason', [...SCORE_REJECTIONS, 'no_request', 'crowded']],
  ['SpanbridgeJudgeFailing', 'error', [...CALL_ERRORS, ...REPLY_ERRORS]],
  // Those that fail have an error, and are told of by it.
  ['SpanbridgeJudgeFailing', 'reason', SKIPS.filter((reason) => !/^(failed|no_mark|no_answer|shutdown|budget_.*)$/.test(reason))],
  ['SpanbridgeJudgeBudgetSpent', 'reason', SKIPS.filter((reason) => reason.startsWith('budget_'))],
])('%s has a remedy for each %s, in the page and in the runbook', (name, label, values) => {
  const { remedy } = alerts.find(({ alert }) => alert === name)!.annotations!
  const runbook = readFileSync(join(ROOT, `alerts/runbooks/${name}.md`), 'utf8')
  expect(values.filter((value) => !remedy!.includes(`eq .Labels.${label} "${value}"`))).toEqual([])
  expect(values.filter((value) => !runbook.includes(`| \`${value}\` |`))).toEqual([])
})

test('whatever the bridge drops or cannot take is judged by a rule, or is said to need none', () => {
  const UNJUDGED: Readonly<Record<string, string>> = {
    spanbridge_spans_duplicate_total: 'a retry is as it should be',
    spanbridge_scores_duplicate_total: 'what is told again is known',
    spanbridge_log_records_rejected_total: 'scores that do not come are missed by the rules about quality',
    spanbridge_series_expired_total: 'old series are freed as configured',
    spanbridge_values_invalid_total: 'a sender tells nonsense: seen on the dashboard, and no page can say whose',
    spanbridge_content_dropped_total: 'a request whose prompts found no room is not judged, and counts as such there; what it did counts all the same',
    spanbridge_log_tally_overflow_total: 'past so many tenants the newest are not told to Loki; their series tell the same',
    spanbridge_exemplars_dropped_total: 'a trace less to look at',
  }
  const losses = Object.keys(HEALTH_METRICS).filter((name) => /(rejected|late|duplicate|crowded|refused|evicted|overflow|expired|invalid|dropped|skipped)_total$/.test(name))
  const judged = alerts.map(({ expr }) => expr).join('\n')
  expect(losses.length).toBeGreaterThan(8)
  expect(losses.filter((name) => !judged.includes(name) && !(name in UNJUDGED))).toEqual([])
  expect(Object.keys(UNJUDGED).filter((name) => !losses.includes(name) || judged.includes(name))).toEqual([])
})
