import { describe, expect, test } from 'vitest'
import { differing, outputs } from '../../alerts/generate.ts'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { evaluateMixin } from '../../src/bundle/mixin.ts'

const evaluator = await findEvaluator()
const inCi = process.env['CI'] === 'true'

describe.skipIf(evaluator === null && !inCi)(`the generated files${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, () => {
  test('are what their sources generate', async () => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    expect(differing(outputs(await evaluateMixin(evaluator))).map(({ path }) => path), 'run `npm run generate`').toEqual([])
  }, 60_000)

  test('are noticed when they differ or are missing', () => {
    const stale = differing([{ path: 'package.json', text: 'other' }, { path: 'alerts/generated/none.yaml', text: '' }])
    expect(stale.map(({ path }) => path)).toEqual(['package.json', 'alerts/generated/none.yaml'])
  })
})
