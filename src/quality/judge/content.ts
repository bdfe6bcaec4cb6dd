/** What a settled request has for a judge: question and answer of its root, and what tools and retrievals told. */
import { Kind } from '../../spans/names.ts'
import type { StringTable } from '../../spans/strings.ts'
import type { Settled } from '../../traces/settled.ts'
import type { Case, ToolResult } from './case.ts'
import type { Why } from './selection.ts'

/** Of one request: the first results and the last ones. */
const MOST_RESULTS = 20
const MOST_RESULT_CHARACTERS = 4000
const MOST_CHARACTERS = 16_000

const Content = { input: 0, output: 1 } as const

/** undefined without a question or an answer: nothing can be marked. */
export function caseOf(settled: Settled & { readonly content?: { root(which: number): string | undefined; step(i: number, which: number): string | undefined } | undefined }, why: Why, strings: StringTable): Case | undefined {
  const { content } = settled
  const question = content?.root(Content.input)
  const answer = content?.root(Content.output)
  if (content === undefined || !question || !answer) return undefined
  const results: ToolResult[] = []
  for (let i = 0; i < settled.steps; i++) {
    if (settled.kind[i] !== Kind.tool && settled.kind[i] !== Kind.retrieval) continue
    const text = content.step(i, Content.output)
    if (text) results.push({ name: shortened(strings.text(settled.name[i]!), 200), text: shortened(text, MOST_RESULT_CHARACTERS) })
  }
  if (results.length > MOST_RESULTS) results.splice(MOST_RESULTS / 2, results.length - MOST_RESULTS)
  return {
    trace: settled.trace.slice(), tenant: strings.text(settled.tenant), agent: strings.text(settled.agent), why,
    question: shortened(question, MOST_CHARACTERS), answer: shortened(answer, MOST_CHARACTERS), results,
  }
}

/** Its beginning and its end. */
function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most / 2)}\n[… ${text.length - most} characters left out …]\n${text.slice(-most / 2)}`
}
