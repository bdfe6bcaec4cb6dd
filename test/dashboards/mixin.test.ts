/** The dashboards as users of the mixin get them. */
import { describe, expect, test } from 'vitest'
import { type Evaluator, findEvaluator } from '../../src/bundle/evaluator.ts'
import { type Dashboard, dashboards } from './dashboards.ts'

const evaluator = await findEvaluator()
const inCi = process.env['CI'] === 'true'
const evaluate = (config: string) => {
  if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
  return (evaluator satisfies Evaluator).evaluate(`((import 'mixin.libsonnet') + { _config+:: ${config} }).grafanaDashboards`, 'alerts') as Promise<Record<string, Dashboard>>
}

describe.skipIf(evaluator === null && !inCi)(`the mixin${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, () => {
  test('has the committed dashboards, by name', async () => {
    expect(await evaluate('{}')).toEqual(Object.fromEntries(dashboards.map((dashboard) => [`${dashboard.uid}.json`, dashboard])))
  }, 30_000)

  test('gives them the uids and the cluster label of its _config, and leaves nothing of the defaults behind', async () => {
    const renamed = await evaluate(`{ clusterLabel: 'region', dashboardUids+: { overview: 'ai-overview', tenant: 'ai-tenant' } }`)
    expect(Object.values(renamed).map(({ uid }) => uid)).toEqual(expect.arrayContaining(['ai-overview', 'ai-tenant', 'spanbridge-cost']))
    expect(renamed['spanbridge-cost.json']!.templating.list.map(({ name }) => name)).toContain('region')
    const text = JSON.stringify(renamed)
    expect(text).not.toMatch(/\bcluster\b|\/d\/spanbridge-tenant|"spanbridge-overview"/)
    expect(text).toContain('/d/ai-tenant?')
    expect(text).toContain('${region:queryparam}')
  }, 30_000)
})
