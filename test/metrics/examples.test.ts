import { expect, test } from 'vitest'
import { exampleTraces, type CauseLabels } from '../../src/metrics/evidence.ts'
import { testEngine } from '../conformance/recordings.ts'
import { LIMITS } from '../faults/measure.ts'
import { spansOf, START_MS, type Run } from '../faults/request.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { settleAll } from '../traces/delivery.ts'

const cause = (labels: Partial<CauseLabels>): CauseLabels => ({ tenant_id: '', agent: '', class: '', type: '', step: '', name: '', ...labels })
const run = (trace: number, more: Partial<Run>): Run => ({ trace, agent: 'support', tenant: 'acme', version: '1', dialect: 'otel', steps: [], ...more })

test('requests that show a cause: failed ones for an error, those past a limit for a step that is none, and none where nothing is named', () => {
  const engine = testEngine({ objectives: LIMITS })
  const failed = { message: '503 Service Unavailable' }
  const runs = [
    run(1, { failed, steps: [{ kind: 'tool', name: 'search', ms: 10, failed }] }),
    run(2, { steps: [{ kind: 'tool', name: 'search', ms: 3000 }] }),
    run(3, { steps: [{ kind: 'tool', name: 'book', ms: 3000 }] }),
  ]
  engine.traces(tracesBody(runs.flatMap(spansOf)), START_MS)
  const { store } = settleAll(engine)
  const shown = (labels: Partial<CauseLabels>) => exampleTraces(store, cause(labels)).map((trace) => Number.parseInt(trace, 16))
  expect(shown({ class: 'tool', type: '5xx', step: 'tool', name: 'search' })).toEqual([1])
  expect(shown({ step: 'tool', name: 'search', agent: 'support', tenant_id: 'acme' })).toEqual([2])
  expect(shown({ step: 'tool', name: 'search', tenant_id: 'globex' })).toEqual([])
  expect(shown({})).toEqual([])
})

test('of an evaluator, requests that it gave no more than it usually gives, the lowest score first; none in full, none of yesterday', () => {
  const engine = testEngine({ objectives: LIMITS })
  engine.traces(tracesBody([run(1, {}), run(2, {}), run(3, {}), run(4, {}), run(5, { tenant: 'globex' }), run(6, {})].flatMap(spansOf)), START_MS)
  const late = START_MS + 20 * 3_600_000
  engine.tick(late)
  const score = (trace: number, value: number, atMs = late, evaluator = 'helpful') =>
    engine.score(trace.toString(16).padStart(32, '0'), { evaluator, value, layer: 'judge' }, atMs)
  score(6, 0.1, START_MS + 60_000)
  for (const [trace, value] of [[1, 0.5], [2, 0.25], [3, 0.75], [4, 1], [5, 0]] as const) score(trace, value)
  score(4, 0, late, 'polite')
  engine.tick(late + 5 * 3_600_000)
  const shown = (labels: Partial<CauseLabels>) => exampleTraces(engine.store, cause({ step: 'evaluation', ...labels })).map((trace) => Number.parseInt(trace, 16))
  expect(shown({ tenant_id: 'acme', agent: 'support', name: 'helpful' })).toEqual([2, 1])
  expect(shown({ agent: 'support', name: 'helpful' })).toEqual([5, 2])
  expect(shown({ agent: 'support', name: 'polite' })).toEqual([4])
  expect(shown({ agent: 'other', name: 'helpful' })).toEqual([])
})

test('of an evaluator that gives everything the same, all that is less than full', () => {
  const engine = testEngine({ objectives: LIMITS })
  engine.traces(tracesBody([run(1, { score: 0.5 }), run(2, { score: 0.5, tenant: 'globex' })].flatMap(spansOf)), START_MS)
  const { store } = settleAll(engine)
  expect(exampleTraces(store, cause({ step: 'evaluation', name: 'helpful' })).map((trace) => Number.parseInt(trace, 16)).sort()).toEqual([1, 2])
})
