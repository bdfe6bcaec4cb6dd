import { Kind } from '../names.ts'
import type { Dialect } from '../dialect.ts'

/**
 * smolagents under OpenInference: every tool span is named `SimpleTool` (the tool's name is an attribute), the agent span
 * repeats the sum of its tokens, steps are chains. `final_answer` is a tool only by label: it ends the run. When a step
 * fails the root may never be exported.
 */
export const smolAgents: Dialect = {
  name: 'smolagents',
  scopes: /^openinference\.instrumentation\.smolagents/,
  names: [
    { name: /^FinalAnswerTool$/, kind: Kind.chain, overrules: true },
    { name: /^Step \d+$/, kind: Kind.chain },
    { name: /^\w+\.(?:generate|generate_stream|__call__)$/, kind: Kind.model },
    { name: /^(.+)\.run$/, kind: Kind.agent },
    { name: /^\w+Tool$/, kind: Kind.tool },
  ],
}

/** DSPy under OpenInference: ReAct ends with a pseudo tool `finish`; adapters and predictors are chains. */
export const dspy: Dialect = {
  name: 'dspy',
  scopes: /^openinference\.instrumentation\.dspy/,
  names: [
    { name: /^finish\.(?:__call__|acall)$/, kind: Kind.chain, overrules: true },
    { name: /^LM\.(?:__call__|acall|forward|aforward)$/, kind: Kind.model },
    { name: /^\w*Retrieve\w*\.\w+$/, kind: Kind.retrieval },
    { name: /^\w*(?:Adapter|Predict|ReAct|ChainOfThought|Program\w*)(?:\(.*\))?\.\w+$/, kind: Kind.chain },
    { name: /^(.+)\.(?:__call__|acall)$/, kind: Kind.tool },
  ],
}

/** Agno under OpenInference: `Model.invoke`, `agent.run`; tool spans have the function's name. */
export const agno: Dialect = {
  name: 'agno',
  scopes: /^openinference\.instrumentation\.agno/,
  names: [
    { name: /^\w+\.a?invoke(?:_stream)?$/, kind: Kind.model },
    { name: /^(.+)\.a?run(?:_stream)?$/, kind: Kind.agent },
    { name: /^.+\.(?:a?execute|a?execute_stream)$/, kind: Kind.chain },
  ],
}
