/** The metric and label names of a PromQL expression, found by its tokens: enough for rules that we write ourselves. */
export interface Names {
  readonly metrics: string[]
  readonly labels: string[]
}

const TOKEN = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d[\w.]*|[a-zA-Z_][\w:]*|[^\s\w]/g
/** A list of labels follows in parentheses. */
const LISTS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
const WORDS = new Set([...LISTS, 'and', 'or', 'unless', 'bool', 'offset', 'NaN', 'Inf'])

export function namesIn(expression: string): Names {
  const tokens = expression.match(TOKEN) ?? []
  const metrics: string[] = []
  const labels: string[] = []
  let list = '' // the bracket that ends the list of labels we are in
  tokens.forEach((token, at) => {
    const isName = /^[a-zA-Z_]/.test(token)
    if (list !== '') {
      if (token === list) list = ''
      else if (isName) labels.push(token)
    } else if (token === '{') list = '}'
    else if (token === '(' && LISTS.has(tokens[at - 1] ?? '')) list = ')'
    // A name before a parenthesis, or before the list of an aggregation, is a function.
    else if (isName && !WORDS.has(token) && tokens[at + 1] !== '(' && !(LISTS.has(tokens[at + 1] ?? '') && isAggregation(token))) metrics.push(token)
  })
  return { metrics, labels }
}

function isAggregation(token: string): boolean {
  return ['sum', 'min', 'max', 'avg', 'count', 'group', 'topk', 'bottomk', 'count_values', 'quantile', 'stddev'].includes(token)
}
