/** What the dashboards promise: names that exist, one way to choose, links that lead somewhere, and a place for every panel. */
import { describe, expect, test } from 'vitest'
import { METRICS } from '../../src/metrics/catalogue.ts'
import { HEALTH_HISTOGRAMS, HEALTH_METRICS } from '../../src/metrics/health.ts'
import { readObjectives } from '../../src/config/objectives.ts'
import { readQuery } from '../alerts/promql.ts'
import { alerts, rules } from '../alerts/rulefile.ts'
import { recordedBy, SERIES, unknownIn } from '../alerts/series.ts'
import { allPanels, allTargets, dashboards, files, isLoki, panelsOf } from './dashboards.ts'
import { filled } from './linter.ts'

const NAMES = ['agent', 'bridge', 'cost', 'errors', 'overview', 'quality', 'requests', 'tenant']
const VARIABLES = ['prometheus_datasource', 'loki_datasource', 'cluster', 'job', 'instance', 'tenant_id', 'project_id', 'agent']
const CHOSEN = ['cluster', 'tenant_id', 'project_id', 'agent']
const recorded = recordedBy(rules)
const each = dashboards.map((dashboard) => [dashboard.uid, dashboard] as const)

test('there are the eight that alerts link to', () => {
  expect(files.toSorted()).toEqual(NAMES.map((name) => `${name}.json`))
  expect(dashboards.map(({ uid }) => uid).toSorted()).toEqual(NAMES.map((name) => `spanbridge-${name}`))
})

describe('every query', () => {
  const promql = allTargets.filter(({ target }) => !isLoki(target))
  const expressions = [
    ...promql.map(({ name, target, dashboard }) => ({ name, expr: target.expr, dashboard })),
    ...dashboards.flatMap((dashboard) => dashboard.annotations.list.flatMap(({ name, expr }) => (expr === undefined ? [] : [{ name: `${dashboard.uid}: ${name}`, expr, dashboard }]))),
  ]

  test('uses only metrics and labels of the catalogue, or what a rule records', () => {
    expect(expressions.length).toBeGreaterThan(100)
    const wrong = expressions.flatMap(({ name, expr, dashboard }) => unknownIn(readQuery(filled(expr, dashboard)), recorded, ['cluster', 'position']).map((unknown) => `${name}: ${unknown}`))
    expect(wrong).toEqual([])
  })

  test('together show every metric that the bridge writes', () => {
    const shown = new Set(promql.flatMap(({ target, dashboard }) => readQuery(filled(target.expr, dashboard)).metrics.map((metric) => metric.replace(/_(bucket|sum|count)$/, ''))))
    expect([...Object.keys(METRICS), ...Object.keys(HEALTH_METRICS), ...Object.keys(HEALTH_HISTOGRAMS)].filter((metric) => !shown.has(metric))).toEqual([])
  })

  test('is chosen by every variable that its series have a label for', () => {
    const wrong = expressions.flatMap(({ name, expr, dashboard }) => readQuery(filled(expr, dashboard)).selected.flatMap(({ metric, labels }, _, all) => {
      // By the requests of all tenants, what is only known for all tenants is divided.
      if (metric === 'agent_requests_total' && all.some((other) => /^agent_step/.test(other.metric))) return []
      const own = SERIES.get(metric)
      const level = metric.split(':')[0]!.split('_')
      const has = (label: string) => label === 'cluster' || (own === undefined ? metric.includes(':') && !/:objective/.test(metric) && level.includes(label.replace('_id', '')) : own.has(label))
      return CHOSEN.filter((label) => has(label) && !labels.includes(label)).map((label) => `${name}: ${metric} without ${label}`)
    }))
    expect(wrong).toEqual([])
  })

  test('of an objective is chosen by no label that it never has', () => {
    const measured = new Map(readObjectives().flatMap(({ id, measure }) => ('metric' in measure ? [[id, SERIES.get(measure.metric) ?? SERIES.get(`${measure.metric}_count`)!] as const] : [])))
    const chosen = expressions.flatMap(({ name, expr }) => [...expr.matchAll(/tenant_agent:objective:\w+\{([^}]*)objective="(\w+)"\}/g)].map(([, matchers, id]) => ({ name, id: id!, labels: [...matchers!.matchAll(/(\w+)=~/g)].map(([, label]) => label!) })))
    expect(chosen.length).toBeGreaterThan(30)
    const wrong = chosen.flatMap(({ name, id, labels }) => labels.filter((label) => label !== 'cluster' && !measured.get(id)!.has(label)).map((label) => `${name}: ${id} by ${label}`))
    expect(wrong).toEqual([])
  })

  test('of a table adds up by its columns: any other label would be a column of its own, and keep rows from being joined', () => {
    const ofTables = allTargets.filter(({ target }) => target.format === 'table')
    expect(ofTables.length).toBeGreaterThan(20)
    const wrong = ofTables.filter(({ panel, target }) => {
      const columns = (panel.transformations ?? []).flatMap(({ options: { renameByName = {} } }) => Object.keys(renameByName)).filter((field) => !field.startsWith('Value'))
      // A quantile takes `le` away.
      return ![`by (${columns.join(', ')})`, `by (${columns.join(', ')}, le)`].some((by) => target.expr.includes(by))
    })
    expect(wrong.map(({ name, target }) => `${name}: ${target.expr}`)).toEqual([])
  })

  test('of a legend names labels that there are', () => {
    const labels = new Set([...SERIES.values()].flatMap((own) => [...own]).concat('objective', 'signal', 'severity'))
    const named = allTargets.flatMap(({ name, target }) => [...(target.legendFormat ?? '').matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => ({ name, label: label! })))
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter(({ label }) => !labels.has(label))).toEqual([])
  })
})

describe.each(each)('%s', (_, dashboard) => {
  test('has the variables that all have, and its query variables can be everything', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(VARIABLES)
    for (const variable of dashboard.templating.list.filter(({ type }) => type === 'query')) expect(variable, variable.name).toMatchObject({ multi: true, includeAll: true })
  })

  test('links to the others with time and variables kept', () => {
    expect(dashboard.tags).toEqual(['spanbridge'])
    expect(dashboard.links).toMatchObject([{ type: 'dashboards', tags: ['spanbridge'], includeVars: true, keepTime: true, asDropdown: false }])
  })

  test('marks alerts and deployments', () => {
    expect(dashboard.annotations.list.map(({ name }) => name)).toEqual(['Critical alerts', 'Warnings', 'Bridge deployments', 'Deployments'])
  })

  test('names no data source of one Grafana', () => {
    const uids = [...JSON.stringify(dashboard).matchAll(/"datasource":\{[^}]*"uid":"([^"]*)"/g)].map(([, uid]) => uid)
    expect(uids.length).toBeGreaterThan(10)
    // Grafana's own store of annotations has that name everywhere.
    expect(uids.filter((uid) => !['${prometheus_datasource}', '${loki_datasource}', '-- Grafana --'].includes(uid!))).toEqual([])
  })

  test('can be imported, and says for which Grafana it is', () => {
    const own = dashboard.__requires.find(({ type }) => type === 'grafana')!
    expect(dashboard.description).toContain(`For Grafana ${own.version} and later`)
    const kinds = new Set(panelsOf(dashboard).map(({ type }) => type))
    expect(dashboard.__requires.filter(({ type }) => type === 'panel').map(({ id }) => id)).toEqual([...kinds].toSorted())
    expect(dashboard).toMatchObject({ __inputs: [], schemaVersion: 38 })
  })

  test('gives every panel a number and a place of its own', () => {
    const panels = dashboard.panels
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const taken = new Map<string, string>()
    for (const { title = '', gridPos: { x, y, w, h } } of panels) {
      expect(x + w, title).toBeLessThanOrEqual(24)
      if (h !== 1) expect(h, title).toBeGreaterThanOrEqual(4)
      expect(h, title).toBeLessThanOrEqual(14)
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect(taken.get(`${column},${line}`), `${title} lies on another panel`).toBeUndefined()
          taken.set(`${column},${line}`, title)
        }
      }
    }
    // No holes: what is below a panel's line is full.
    expect(taken.size).toBe(24 * Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)))
  })

  test('has a legend wherever one graph holds more than one line', () => {
    const wrong = panelsOf(dashboard).filter(({ type, options, targets = [] }) => type === 'timeseries' && (options?.legend?.showLegend !== true || targets.some(({ legendFormat = '' }) => legendFormat === '' || legendFormat === '__auto')))
    expect(wrong.map(({ title }) => title)).toEqual([])
  })
})

describe('links', () => {
  const uids = new Set(dashboards.map(({ uid }) => uid))
  const urls = [
    ...allPanels.flatMap(({ name, panel }) => [...JSON.stringify(panel.fieldConfig ?? {}).matchAll(/"url":"([^"]*)"/g)].map(([, url]) => ({ name, url: url! }))),
    ...alerts.flatMap(({ alert, annotations }) => (annotations?.['dashboard_url'] === undefined ? [] : [{ name: alert, url: annotations['dashboard_url'].replace(/^https?:\/\/[^/]+/, '') }])),
  ]

  test('lead to dashboards and variables that there are', () => {
    expect(urls.length).toBeGreaterThan(alerts.length)
    for (const { name, url } of urls) {
      expect(uids, `${name}: ${url}`).toContain(/^\/d\/([\w-]+)(\?|$)/.exec(url)?.[1])
      for (const [, variable] of url.matchAll(/[?&]var-(\w+)=|\$\{(\w+):queryparam\}/g)) if (variable !== undefined) expect(VARIABLES, `${name}: ${url}`).toContain(variable)
    }
  })

  test('fill in values that cannot end the parameter they are in', () => {
    for (const { name, url } of urls) for (const [, value] of url.matchAll(/[?&]var-\w+=([^&]*)/g)) expect(value, name).toMatch(/:percentencode\}$|\| urlquery \}\}$/)
  })
})

test('points lead to traces wherever the metric has exemplars and the graph shows single ones', () => {
  const with1 = allTargets.filter(({ target }) => target.exemplar === true)
  expect(with1.length).toBeGreaterThan(5)
  expect(with1.filter(({ panel }) => !['timeseries', 'heatmap'].includes(panel.type)).map(({ name }) => name)).toEqual([])
})
