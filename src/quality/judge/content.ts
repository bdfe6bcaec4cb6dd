/** What a settled request has for a judge: question and answer of its root, and what tools and retrievals told. */
import { Content } from '../../spans/dialect.ts'
import { Kind } from '../../spans/names.ts'
import type { Settled } from '../../traces/settled.ts'
import type { Case, ToolResult } from './case.ts'
import { inSample } from './sampling.ts'
import type { SelectionOptions, Why } from './selection.ts'

/** Of one request: the first results and the last ones. */
const MOST_RESULTS = 10
const MOST_RESULT_CHARACTERS = 2000
const MOST_CHARACTERS = 12_000

/** Bits of what to keep of a span until its request settles. What makes a request be judged besides the sample is only known then, so all is kept for it, within the limits of the store. */
export function contentWanted({ share, always }: Pick<SelectionOptions, 'share' | 'always'>): (trace: Int32Array) => number {
  const both = (1 << Content.input) | (1 << Content.output)
  return always.length > 0 ? () => both : (trace) => (inSample(trace, share) ? both : 0)
}

/** undefined without a question or an answer: nothing can be marked. */
export function caseOf(settled: Settled, why: Why, text: (id: number) => string): Case | undefined {
  const { content } = settled
  const question = content?.root(Content.input)
  const answer = content?.root(Content.output)
  if (content === undefined || !question || !answer) return undefined
  const results: ToolResult[] = []
  for (let i = 0; i < settled.steps; i++) {
    if (settled.kind[i] !== Kind.tool && settled.kind[i] !== Kind.retrieval) continue
    const result = content.step(i, Content.output)
    if (result) results.push({ name: shortened(text(settled.name[i]!), 200), text: shortened(result, MOST_RESULT_CHARACTERS) })
  }
  if (results.length > MOST_RESULTS) results.splice(MOST_RESULTS / 2, results.length - MOST_RESULTS)
  return {
    trace: Array.from(settled.trace, (word) => (word >>> 0).toString(16).padStart(8, '0')).join(''), tenant: text(settled.tenant), agent: text(settled.agent), why,
    question: shortened(question, MOST_CHARACTERS), answer: shortened(answer, MOST_CHARACTERS), results,
  }
}

/** Its beginning and its end. */
function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most / 2)}\n[… ${text.length - most} characters left out …]\n${text.slice(-most / 2)}`
}
