import { Kind } from '../names.ts'
import { parse, type Dialect, type Fields } from '../dialect.ts'
import { record, scoreOf } from './usage.ts'

/**
 * Phoenix evaluators: an EVALUATOR span around an LLM span around whatever the SDK's instrumentation adds. Those are a judge's
 * calls, not the agent's. The scores are only in `output.value`, a JSON list; everywhere else that key is an answer.
 */
export const phoenixEvals: Dialect = {
  name: 'phoenix-evals',
  scopes: /^phoenix\.evals/,
  traits: ['judges', 'tellsScores'],
  attributes: { 'output.value': parse(readScores, { trait: 'tellsScores' }) },
  names: [
    { name: /^(.+)\.a?evaluate$/, kind: Kind.evaluation },
    { name: /^LLM\.\w+$/, kind: Kind.model },
  ],
}

function readScores(json: string, fields: Fields): void {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return
  }
  for (const item of Array.isArray(value) ? value : [value]) {
    const { name, score } = record(item)
    const number = scoreOf(score)
    if (typeof name === 'string' && number !== undefined) fields.score(name, number)
  }
}
