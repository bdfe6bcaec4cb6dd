/** What a PromQL expression is made of, read off Prometheus's own grammar. */
import { parser } from '@prometheus-io/lezer-promql'
import type { SyntaxNode } from '@lezer/common'

export interface Selected {
  readonly metric: string
  /** Labels in its matchers. */
  readonly labels: readonly string[]
}

export interface Range {
  readonly seconds: number
  readonly text: string
  /** The metric that is read over it, '' for a subquery over an expression. */
  readonly metric: string
  /** Of a subquery: how often its expression is evaluated; absent: a range of samples. */
  readonly stepSeconds?: number
}

export interface Comparison {
  /** Where the operator stands. */
  readonly from: number
  readonly to: number
  readonly operator: string
}

export interface Query {
  readonly selected: readonly Selected[]
  readonly metrics: readonly string[]
  /** Every label named: in a matcher, a list of labels, or by a function that makes one. */
  readonly labels: readonly string[]
  readonly ranges: readonly Range[]
  readonly comparisons: readonly Comparison[]
  /** Names of functions and aggregations called. */
  readonly functions: readonly string[]
}

/** Functions that are told the name of a label as text, and at which arguments. */
const LABEL_ARGUMENTS: Readonly<Record<string, (index: number) => boolean>> = {
  count_values: (index) => index === 0,
  label_replace: (index) => index === 1 || index === 3,
  label_join: (index) => index === 1 || index >= 3,
  sort_by_label: (index) => index >= 1,
}
const COMPARISONS = new Set(['>', '>=', '<', '<=', '==', '!='])

/** Throws where the grammar does not fit. */
export function readQuery(expression: string): Query {
  const text = (node: SyntaxNode) => expression.slice(node.from, node.to)
  const selected: Selected[] = []
  const labels: string[] = []
  const ranges: Range[] = []
  const comparisons: Comparison[] = []
  const functions: string[] = []
  parser.parse(expression).iterate({
    enter(ref) {
      const { node } = ref
      if (node.type.isError) throw new Error(`cannot read ${JSON.stringify(expression)}: near ${JSON.stringify(expression.slice(node.from, node.from + 20))}`)
      switch (node.name) {
        case 'VectorSelector':
          selected.push(selectorOf(node, text))
          break
        case 'LabelName':
          if (text(node) !== '__name__') labels.push(text(node))
          break
        case 'MatrixSelector':
          ranges.push({ ...durationOf(node.getChild('DurationExpr')!, text), metric: selectorOf(node.getChild('VectorSelector')!, text).metric })
          break
        case 'SubqueryExpr': {
          const [range, step] = node.getChildren('DurationExpr')
          const inner = node.firstChild!
          ranges.push({
            ...durationOf(range!, text), metric: inner.name === 'VectorSelector' ? selectorOf(inner, text).metric : '',
            stepSeconds: step === undefined ? 0 : durationOf(step, text).seconds,
          })
          break
        }
        case 'FunctionCall':
        case 'AggregateExpr': {
          const name = text(node.firstChild!)
          functions.push(name)
          labels.push(...labelArguments(name, node.getChild('FunctionCallBody'), text))
          break
        }
        case 'BinaryExpr': {
          const operator = children(node).find((child) => COMPARISONS.has(text(child)))
          if (operator !== undefined) comparisons.push({ from: operator.from, to: operator.to, operator: text(operator) })
        }
      }
    },
  })
  return { selected, metrics: selected.map(({ metric }) => metric), labels, ranges, comparisons, functions }
}

function selectorOf(node: SyntaxNode, text: (node: SyntaxNode) => string): Selected {
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
  const named = matchers.find((matcher) => text(matcher.firstChild!) === '__name__')
  const identifier = node.getChild('Identifier')
  const metric = identifier !== null ? text(identifier) : named === undefined ? '' : unquoted(text(named.lastChild!))
  return { metric, labels: matchers.filter((matcher) => matcher !== named).map((matcher) => text(matcher.firstChild!)) }
}

function labelArguments(name: string, body: SyntaxNode | null, text: (node: SyntaxNode) => string): string[] {
  const isLabel = LABEL_ARGUMENTS[name]
  if (isLabel === undefined || body === null) return []
  return children(body).flatMap((argument, index) => (isLabel(index) && argument.name === 'StringLiteral' ? [unquoted(text(argument))] : []))
}

function durationOf(node: SyntaxNode, text: (node: SyntaxNode) => string): { seconds: number; text: string } {
  return { seconds: secondsOf(text(node)), text: text(node) }
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 }

/** '1h30m' is 5400. */
export function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)(ms|[smhdwy])/g)]
  if (parts.map(([part]) => part).join('') !== duration) throw new Error(`cannot read duration ${JSON.stringify(duration)}`)
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0)
}

function children(node: SyntaxNode): SyntaxNode[] {
  const all: SyntaxNode[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) all.push(child)
  return all
}

function unquoted(literal: string): string {
  return literal.slice(1, -1)
}
