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

  test('follow _config: renamed labels, selector and links leave nothing of the defaults behind', async () => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator')
    const snippet = `local mixin = (import 'mixin.libsonnet') + { _config+:: {
      selector: 'job="agents"', clusterLabel: 'region', extraLabels: { team: 'ai' }, evaluationInterval: '30s',
      runbookUrlPattern: 'https://runbooks.example/%s.html', dashboardUrlPrefix: 'https://grafana.example',
    } }; mixin.prometheusRules.groups + mixin.prometheusAlerts.groups`
    const groups = (await evaluator.evaluate(snippet, 'alerts')) as { name: string; interval: string; rules: { expr: string; alert?: string; labels?: Record<string, string>; annotations?: Record<string, string> }[] }[]
    for (const { name, interval, rules } of groups) {
      expect(interval, name).toBe(name.endsWith('-long') ? '1m' : /-(budget|trickle)$/.test(name) ? '2m' : name.endsWith('-memory') ? '10m' : '30s')
      for (const rule of rules) {
        // A metric of the bridge, not a recorded name that has one in it.
        const text = [rule.expr, ...Object.values(rule.annotations ?? {})].join('\n')
        const selectors = [...text.matchAll(/(?<![\w:])agent_[a-z_]+(?![\w:])(?:\{job="agents")?/g)].map(([selector]) => selector)
        expect(selectors.filter((selector) => !selector.endsWith('{job="agents"')), text).toEqual([])
        for (const [, labels] of rule.expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) expect(labels, rule.expr).toMatch(/^(objective, )?region\b/)
        if (rule.alert === undefined) continue
        expect(rule.labels).toMatchObject({ team: 'ai' })
        expect(JSON.stringify(rule)).not.toContain('127.0.0.1')
        // Every query for the labels of the alert asks for its region first.
        for (const [, matchers] of rule.annotations?.['description']?.matchAll(/\{([^{}]*=%q[^{}]*)\}/g) ?? []) expect(matchers).toMatch(/(^|,)region=%q(,|$)/)
      }
    }
  }, 60_000)
})
