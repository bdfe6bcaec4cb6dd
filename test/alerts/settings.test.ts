/** The mixin's rules with settings of one's own. They are evaluated at once: jsonnet needs longer to read the mixin than to evaluate it. */
import { beforeAll, describe, expect, test } from 'vitest'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { readQuery } from './promql.ts'
import { type Group, queriesOf, rules as shipped } from './rulefile.ts'
import { recordedBy, tooShort, unknownIn } from './series.ts'

const evaluator = await findEvaluator()
const inCi = process.env['CI'] === 'true'

const ALL = 'mixin.prometheusRules.groups + mixin.prometheusAlerts.groups'
const named = (name: string) => `[group for group in ${ALL} if group.name == 'spanbridge-${name}']`
const SETTINGS = {
  slow: [`{ scrapeInterval: '5m' }`, ALL],
  renamed: [`{
    selector: 'job="agents"', clusterLabel: 'region', extraLabels: { team: 'ai' }, evaluationInterval: '30s',
    runbookUrlPattern: 'https://runbooks.example/%s.html', dashboardUrlPrefix: 'https://grafana.example',
  }`, ALL],
  wanted: [`{ objectives: ['success_rate', 'quality_score'] }`, named('values')],
  layers: [`{ qualityLayers: ['external', 'judge'], qualitySelector: 'evaluator!="latency"', selector: 'job="b"' }`, named('quality-long')],
} as const
const SNIPPET = `local known = import 'mixin.libsonnet'; { ${Object.entries(SETTINGS).map(([name, [config, what]]) => `${name}: local mixin = known + { _config+:: ${config} }; ${what}`).join(', ')} }`

describe.skipIf(evaluator === null && !inCi)(`the rules follow _config${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, () => {
  let built: Readonly<Record<keyof typeof SETTINGS, readonly Group[]>>

  beforeAll(async () => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    built = (await evaluator.evaluate(SNIPPET, 'alerts')) as typeof built
  }, 60_000)

  test('ranges are at least four scrapes long with a scrape interval of five minutes too', () => {
    const rules = built.slow.flatMap((group) => group.rules)
    expect(rules.length).toBe(shipped.length)
    expect(tooShort(rules, '5m')).toEqual([])
    // Nor is a name left that tells another range than it has.
    const known = recordedBy(rules)
    expect(rules.flatMap(({ expr, annotations }) => [expr, ...queriesOf(annotations)].flatMap((query) => unknownIn(readQuery(query), known)))).toEqual([])
  })

  test('renamed labels, selector and links leave nothing of the defaults behind', () => {
    expect(built.renamed.flatMap((group) => group.rules).length).toBe(shipped.length)
    for (const { name, interval, rules } of built.renamed) {
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
  })

  test('objectives that are not wanted have no alert; what has no objective stays', () => {
    const alerts = built.wanted[0]!.rules.map(({ alert }) => alert)
    expect(alerts).toEqual(['AgentQualityLow', 'QualityScoresMissing', 'AgentChecksFailing', 'JudgeDrifting', 'ErrorsUnclassified'])
  })

  test('quality is taken from the layers that are named, in their order, and from the evaluators that are marks', () => {
    const { rules } = built.layers[0]!
    const mean = rules.find(({ record }) => record === 'tenant_agent_evaluator:agent_quality_score:mean')!.expr
    expect([...new Set([...mean.matchAll(/layer="(\w+)"/g)].map(([, layer]) => layer))]).toEqual(['external', 'judge'])
    const hour = rules.find(({ record }) => record === 'tenant_agent_evaluator:agent_quality_score_sum:increase1h')!.expr
    expect(readQuery(hour).selected).toEqual([{ metric: 'agent_quality_score_sum', labels: ['job', 'evaluator'] }])
  })
})
