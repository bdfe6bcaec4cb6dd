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
