/**
 * The rules of Grafana's dashboard-linter under their own names, for every panel where the original looks at some types only, and
 * without exclusions. One is read by its sense: a recorded series is a sum over jobs and instances and has neither label, so that
 * target-job-rule and target-instance-rule are about what is scraped.
 */
import type { SyntaxNode, Tree } from '@lezer/common'
import { parser as logql } from '@grafana/lezer-logql'
import { parser as promql } from '@prometheus-io/lezer-promql'
import { SERIES } from '../alerts/series.ts'
import { type Dashboard, everything, interpolated, isLoki, type Panel, panelsOf, type Target, type Variable } from './dashboards.ts'

const RATE_INTERVAL = '8869990787ms'
const UNITS = new Set([
  'none', 'string', 'short', 'locale', 'percent', 'percentunit', 'currencyUSD', 'bytes', 'decbytes', 'Bps', 'binBps',
  'ns', 'µs', 'ms', 's', 'm', 'h', 'd', 'dtdurations', 'dateTimeAsIso', 'dateTimeFromNow', 'cps', 'ops', 'reqps', 'rps', 'cpm', 'bool', 'bool_yes_no', 'bool_on_off',
])
const NAMES: Readonly<Record<string, string>> = { prometheus: 'Prometheus', loki: 'Loki' }

type Rule = (dashboard: Dashboard) => string[]

export const RULES: Readonly<Record<string, Rule>> = {
  'template-datasource-rule': ({ templating }) => {
    const sources = templating.list.filter(({ type }) => type === 'datasource')
    if (sources.length === 0) return ['has no data source variable']
    return sources.flatMap(({ name, label, query }) => {
      const plain = sources.length === 1
      const wrong: string[] = []
      if (name !== `${textOf(query)}_datasource` && !(plain && name === 'datasource')) wrong.push(`variable ${name} is not named after its type`)
      if (label !== `${NAMES[textOf(query)]} data source` && !(plain && label === 'Data source')) wrong.push(`variable ${name} has the label ${label}`)
      return wrong
    })
  },
  'template-job-rule': (dashboard) => scrapeVariable(dashboard, 'job', 'Job'),
  'template-instance-rule': (dashboard) => scrapeVariable(dashboard, 'instance', 'Instance'),
  'template-label-promql-rule': (dashboard) => queried(dashboard).flatMap(({ name, query }) => {
    const [, series] = /^label_values\((.+), \w+\)$/.exec(textOf(query)) ?? []
    return series !== undefined && isPromQl(filled(series, dashboard)) ? [] : [`variable ${name} asks ${textOf(query)}`]
  }),
  'template-on-time-change-reload-rule': (dashboard) => queried(dashboard).filter(({ refresh }) => refresh !== 2).map(({ name }) => `variable ${name} is not read again when the time changes`),
  'panel-datasource-rule': byPanel(({ datasource }, { templating }) =>
    templating.list.some(({ type, name, query }) => type === 'datasource' && datasource?.uid === `\${${name}}` && datasource.type === textOf(query)) ? [] : [`has the data source ${JSON.stringify(datasource)}`]),
  'panel-title-description-rule': byPanel(({ title = '', description = '' }) => (title === '' || description === '' ? ['has no title or no description'] : [])),
  'panel-units-rule': byPanel(({ type, fieldConfig }) => {
    if (type === 'logs') return []
    const units = [fieldConfig?.defaults.unit, ...(fieldConfig?.overrides ?? []).flatMap(({ properties }) => properties.filter(({ id }) => id === 'unit').map(({ value }) => value as string))]
    return units.filter((unit) => unit === undefined || !UNITS.has(unit)).map((unit) => `has the unit ${unit}`)
  }),
  'panel-no-targets-rule': byPanel(({ targets = [] }) => (targets.length === 0 ? ['has no targets'] : [])),
  'target-logql-rule': byTarget((target, dashboard) => (isLoki(target) && !isLogQl(filled(target.expr, dashboard)) ? [`is no LogQL: ${target.expr}`] : [])),
  'target-logql-auto-rule': byTarget((target) => (isLoki(target) && /\[(?!\$__auto\])[^\]"`]*\]/.test(target.expr) ? ['has a range that is not $__auto'] : [])),
  'target-promql-rule': byTarget((target, dashboard) => (!isLoki(target) && !isPromQl(filled(target.expr, dashboard)) ? [`is no PromQL: ${target.expr}`] : [])),
  'target-rate-interval-rule': byQuery((node, text) => {
    if (node.name !== 'MatrixSelector' || text(node.lastChild!) === RATE_INTERVAL || text(node).endsWith(`[${RATE_INTERVAL}]`)) return []
    const called = callAround(node, text)
    if (called === undefined) return [`${text(node)} is in no function`]
    return called === 'rate' || called === 'irate' ? [`${called} over ${text(node)} is not over $__rate_interval`] : []
  }),
  'target-job-rule': byQuery((node, text) => unmatched(node, text, 'job')),
  'target-instance-rule': byQuery((node, text) => unmatched(node, text, 'instance')),
  'target-counter-agg-rule': byQuery((node, text) => {
    if (node.name !== 'VectorSelector' || !text(node.firstChild!).endsWith('_total')) return []
    const called = node.parent?.name === 'MatrixSelector' ? callAround(node.parent, text) : undefined
    return ['rate', 'irate', 'increase'].includes(called!) ? [] : [`counter ${text(node.firstChild!)} without rate or increase`]
  }),
  'uneditable-dashboard': ({ editable }) => (editable ? ['is editable'] : []),
}

const queried = ({ templating }: Dashboard) => templating.list.filter(({ type }) => type === 'query')
const textOf = (query: Variable['query']) => (typeof query === 'string' ? query : query.query)

function scrapeVariable({ templating }: Dashboard, name: string, label: string): string[] {
  const variable = templating.list.find((one) => one.name === name)
  if (variable === undefined) return [`has no variable ${name}`]
  const asked = { uid: variable.datasource?.uid, type: variable.type, label: variable.label, multi: variable.multi, all: variable.allValue }
  const wanted = { uid: '${prometheus_datasource}', type: 'query', label, multi: true, all: '.+' }
  return JSON.stringify(asked) === JSON.stringify(wanted) ? [] : [`variable ${name} is ${JSON.stringify(asked)}`]
}

function byPanel(rule: (panel: Panel, dashboard: Dashboard) => string[]): Rule {
  return (dashboard) => panelsOf(dashboard).flatMap((panel) => rule(panel, dashboard).map((wrong) => `${panel.title}: ${wrong}`))
}

function byTarget(rule: (target: Target, dashboard: Dashboard) => string[]): Rule {
  return byPanel(({ targets = [] }, dashboard) => targets.flatMap((target) => rule(target, dashboard).map((wrong) => `${target.refId} ${wrong}`)))
}

type TextOf = (node: SyntaxNode) => string

/** For every node of every PromQL query. */
function byQuery(rule: (node: SyntaxNode, text: TextOf) => string[]): Rule {
  return byTarget((target) => {
    if (isLoki(target)) return []
    // The variables stay as they are inside the quotes of matchers, where the rules look for them.
    const expr = interpolated(target.expr, RANGES)
    const wrong: string[] = []
    treeOf(expr).iterate({ enter: ({ node }) => void wrong.push(...rule(node, ({ from, to }) => expr.slice(from, to))) })
    return wrong
  })
}

/** Five rules read every query. */
const trees = new Map<string, Tree>()

function treeOf(expr: string): Tree {
  let tree = trees.get(expr)
  if (tree === undefined) trees.set(expr, (tree = promql.parse(expr)))
  return tree
}

const RANGES = { __rate_interval: RATE_INTERVAL, __range: '6069770749ms', __range_s: '6069770', __interval: '4867856611ms', __auto: '12345ms' }

export function filled(expr: string, dashboard: Dashboard): string {
  return interpolated(expr, { ...RANGES, ...everything(dashboard) })
}

function callAround(node: SyntaxNode, text: TextOf): string | undefined {
  let around = node.parent
  while (around?.name === 'OffsetExpr' || around?.name === 'StepInvariantExpr') around = around.parent
  const call = around?.name === 'FunctionCallBody' ? around.parent : null
  return call?.name === 'FunctionCall' ? text(call.firstChild!) : undefined
}

function unmatched(node: SyntaxNode, text: TextOf, label: string): string[] {
  if (node.name !== 'VectorSelector') return []
  const metric = text(node.firstChild!)
  return !SERIES.has(metric) || text(node).includes(`${label}=~"$${label}"`) ? [] : [`${metric} is not chosen by ${label}`]
}

const isPromQl = (expr: string) => expr !== '' && isWhole(promql.parse(expr).topNode)
const isLogQl = (expr: string) => expr !== '' && isWhole(logql.parse(expr).topNode)

function isWhole(top: SyntaxNode): boolean {
  let whole = true
  top.cursor().iterate(({ type }) => {
    if (type.isError) whole = false
  })
  return whole
}
