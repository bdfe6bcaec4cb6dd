/**
 * Where a recording's spans do not carry the truth, and why. `is` is what the spans do show: the test holds the bridge to that
 * number, so an entry that is no longer needed, or that hides a mistake, fails.
 */
import type { Observed, Recording } from './recordings.ts'

export type Field = 'model_calls' | 'tool_calls' | 'retrievals' | 'input' | 'output' | 'requests' | 'errors' | 'failed'

interface Unobservable {
  readonly recordings: RegExp
  readonly why: string
  readonly is: Partial<Record<Field, number | string>>
}

export const UNOBSERVABLE: readonly Unobservable[] = [
  { recordings: /^google-adk-openinference\/ok$/, why: 'ADK 2 exports no model spans under OpenInference; its invoke_agent span repeats the last call', is: { model_calls: 0, input: 0, output: 0 } },
  { recordings: /^google-adk-openinference\/(rate_limit|tool_5xx)$/, why: 'ADK 2 exports no model spans under OpenInference', is: { model_calls: 0, input: 0, output: 0 } },
  { recordings: /^google-genai-openinference\/ok(_stream)?$/, why: 'one span for the whole function-calling loop, with the tokens of the last reply', is: { model_calls: 1, input: 183, output: 66 } },
  { recordings: /^google-genai-openinference\/rate_limit$/, why: 'one span for the whole function-calling loop, which failed', is: { model_calls: 1, input: 0, output: 0 } },
  { recordings: /^google-genai-openinference\/tool_5xx$/, why: 'one span for the whole function-calling loop, with the tokens of the last reply', is: { model_calls: 1, input: 195, output: 23 } },
  { recordings: /^(langchain-langsmith-otel|langchain-traceloop)\/bad_structured$/, why: 'the parser raised inside the SDK, and the span was closed without its tokens', is: { input: 0, output: 0 } },
  { recordings: /^openai-agents-openinference\/long_conversation$/, why: 'the SDK keeps 128 attributes a span, and the token counts are among the evicted', is: { input: 0, output: 0 } },
  { recordings: /^openai-js-openinference\/ok_stream$/, why: 'streamed calls carry no usage', is: { input: 0, output: 0 } },
  { recordings: /^llamaindex-openinference\/ok_stream$/, why: 'LlamaIndex does not ask the provider for usage when streaming', is: { input: 0, output: 0 } },
  { recordings: /^openai-js-openinference\/rate_limit$/, why: 'a failed call exports no span', is: { model_calls: 1, failed: 0 } },
  { recordings: /^(langfuse-openai\/(eval|ok|ok_stream)|langsmith-traceable-otel\/ok|mlflow-openai\/(long_conversation|ok|ok_stream))$/, why: 'the search tool is told as a retriever only, so it is a retrieval and not a tool call', is: { tool_calls: 1 } },
  { recordings: /\/abandoned$/, why: 'the process was killed: the last call and the root never came', is: { model_calls: 1, requests: 1 } },
  { recordings: /^vercel-ai-v6\/stream_break$/, why: 'neither the broken call nor the root is exported', is: { model_calls: 1, failed: 0 } },
  { recordings: /^crewai-(openinference|traceloop)\/context_overflow$/, why: 'no model spans: of the two failed calls one error reaches the agent span', is: { errors: 'context.context_overflow' } },
  { recordings: /^crewai-traceloop\/rate_limit$/, why: 'no model spans: of the three failed calls one error reaches the agent span', is: { errors: 'model.rate_limit' } },
  { recordings: /^crewai-traceloop\/bad_structured$/, why: 'no model spans: of the four refused answers one error reaches the agent span', is: { errors: 'model.validation_failed' } },
  { recordings: /^pydantic-ai\/bad_structured$/, why: 'a refused answer that is asked for again leaves no trace; only the last one fails the agent', is: { errors: 'model.validation_failed' } },
  { recordings: /^openai-agents-logfire\/tool_5xx$/, why: 'the SDK redacts the words of the error', is: { errors: 'unclassified' } },
  { recordings: /^phoenix-evals\//, why: 'a judge is not an agent: its traces are nobody\'s request', is: { requests: 0 } },
]

/** Instrumentations of an SDK alone: each call is a trace, and a request of its own. */
const BARE = /^(anthropic|bedrock|google-genai|litellm|openai)-(openinference|otel|otel-v2|otel-v2-latest|otel-v2-legacy|traceloop|responses-openinference|js-openinference)$|^openai-(responses|js)-openinference$/

export function expected(recording: Recording, observed: Observed): Record<Field, number | string> & { why: string } {
  const { truth, observable, dialect, name } = recording
  const known = (key: string, value: number, shown: number) => (key in observable ? shown : value)
  const bare = BARE.test(dialect)
  const calls = known('model_calls', truth.model_calls, observed.model_calls)
  const failed = truth.outcomes.filter(({ ok }) => !ok).length
  const wanted: Record<Field, number | string> = {
    model_calls: calls,
    tool_calls: known('tool_calls', truth.tool_calls, observed.tool_calls),
    retrievals: known('retrievals', truth.retrievals, observed.retrievals),
    input: known('input_tokens', truth.tokens.input, observed.input),
    output: known('output_tokens', truth.tokens.output, observed.output),
    requests: bare ? observed.model_calls : truth.agent_runs,
    errors: 'errors' in observable ? observed.errors.join() : truth.errors.map((e) => e.class).sort().join(),
    failed: bare ? observed.outcomes['error']! : failed,
  }
  const exceptions = UNOBSERVABLE.filter(({ recordings }) => recordings.test(name))
  // What `observable` leaves out is not a measurement here: the dialect's own test looks at it.
  for (const exception of exceptions) Object.assign(wanted, exception.is)
  return { ...wanted, why: exceptions.map(({ why }) => why).join('; ') }
}
