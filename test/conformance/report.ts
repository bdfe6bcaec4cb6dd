/** `node test/conformance/report.ts [folder] [filter]`: where what is counted differs from what happened, a line each. */
import { observed, play, recordings, ROOT } from './recordings.ts'

let bad = 0, all = 0
for (const r of recordings(process.argv[2] || ROOT)) {
  if (process.argv[3] && !r.name.includes(process.argv[3])) continue
  all++
  let o; try { o = observed(play(r.bodies)) } catch (e) { console.log(r.name, String(e)); bad++; continue }
  const t = r.truth
  const differences: string[] = []
  const check = (field: string, got: number, want: number, key = field) => { if (!(key in r.observable) && got !== want) differences.push(`${field} ${got}≠${want}`) }
  check('model_calls', o.model_calls, t.model_calls)
  check('tool_calls', o.tool_calls, t.tool_calls)
  check('retrievals', o.retrievals, t.retrievals)
  check('input', o.input, t.tokens.input, 'input_tokens')
  check('output', o.output, t.tokens.output, 'output_tokens')
  if (!/^(openai-(openinference|otel|responses|traceloop|js)|bedrock|anthropic|litellm|google-genai)/.test(r.dialect)) check('requests', o.requests, t.agent_runs)
  const want = t.errors.map((e) => e.class).sort()
  if (!('errors' in r.observable) && o.errors.join() !== want.join()) differences.push(`errors [${o.errors}]≠[${want}]`)
  const failed = t.outcomes.filter((x) => !x.ok).length
  if (o.requests === t.agent_runs && o.outcomes['error'] !== failed) differences.push(`failed ${o.outcomes['error']}≠${failed}`)
  if (differences.length > 0) { bad++; console.log(`${r.name}: ${differences.join(' · ')}`) }
}
console.log(`${all - bad} of ${all} agree in everything`)
