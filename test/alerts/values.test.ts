/** Values of objectives follow `_config`. */
import { describe, expect, test } from 'vitest'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { readQuery } from './promql.ts'
import type { Group } from './rulefile.ts'

const evaluator = await findEvaluator()
const inCi = process.env['CI'] === 'true'

describe.skipIf(evaluator === null && !inCi)(`values${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, () => {
  /** The rules of one group: what is not asked for is not evaluated. */
  async function built(config: string, name: string): Promise<Group['rules']> {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    const snippet = `local mixin = (import 'mixin.libsonnet') + { _config+:: ${config} };
      [group for group in mixin.prometheusRules.groups + mixin.prometheusAlerts.groups if group.name == 'spanbridge-${name}'][0].rules`
    return (await evaluator.evaluate(snippet, 'alerts')) as Group['rules']
  }

  test('of objectives that are not wanted have no alert; what has no objective stays', async () => {
    const alerts = (await built(`{ objectives: ['success_rate', 'quality_score'] }`, 'values')).map(({ alert }) => alert)
    expect(alerts).toEqual(['AgentQualityLow', 'QualityScoresMissing', 'AgentChecksFailing', 'JudgeDrifting', 'ErrorsUnclassified'])
  }, 30_000)

  test('take quality from the layers that are named, in their order, and from the evaluators that are marks', async () => {
    const rules = await built(`{ qualityLayers: ['external', 'judge'], qualitySelector: 'evaluator!="latency"', selector: 'job="b"' }`, 'quality-long')
    const mean = rules.find(({ record }) => record === 'tenant_agent_evaluator:agent_quality_score:mean')!.expr
    expect([...new Set([...mean.matchAll(/layer="(\w+)"/g)].map(([, layer]) => layer))]).toEqual(['external', 'judge'])
    const hour = rules.find(({ record }) => record === 'tenant_agent_evaluator:agent_quality_score_sum:increase1h')!.expr
    expect(readQuery(hour).selected).toEqual([{ metric: 'agent_quality_score_sum', labels: ['job', 'evaluator'] }])
  }, 30_000)
})
