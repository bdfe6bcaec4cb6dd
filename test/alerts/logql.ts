/** What a LogQL expression is made of, read off Grafana's grammar of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parser } from '@grafana/lezer-logql'
import { ROOT } from './rulefile.ts'

export interface LogQuery {
  /** Every label named in a matcher, a list of labels or an unwrap, but those that the query takes out of the text itself. */
  readonly labels: readonly string[]
  /** Keys of the JSON text that it takes out. */
  readonly keys: readonly string[]
}

/** Throws where the grammar does not fit. */
export function readLogQuery(expression: string): LogQuery {
  const labels = new Set<string>()
  const made = new Set<string>()
  const keys: string[] = []
  parser.parse(expression).iterate({
    enter({ node, name, type, from, to }) {
      if (type.isError) throw new Error(`cannot read ${JSON.stringify(expression)}: near ${JSON.stringify(expression.slice(from, from + 20))}`)
      const text = expression.slice(from, to)
      if (name === 'LabelName') labels.add(text)
      if (name !== 'Identifier') return
      if (node.parent!.name !== 'LabelExtractionExpression') labels.add(text)
      else {
        made.add(text)
        keys.push(JSON.parse(expression.slice(node.parent!.lastChild!.from, node.parent!.lastChild!.to)) as string)
      }
    },
  })
  // Of Loki itself: why a line's number could not be read.
  made.add('__error__')
  return { labels: [...labels].filter((label) => !made.has(label)), keys }
}

/** The LogQL of the runbooks, a query a line, each with the name of its file. */
export function pastedLogQl(): (readonly [file: string, query: string])[] {
  const folder = join(ROOT, 'alerts/runbooks')
  return readdirSync(folder).flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/```logql\n(.*?)```/gs)].flatMap(([, block]) =>
    block!.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((query) => [name, query] as const)))
}
