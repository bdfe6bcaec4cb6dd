import { Kind } from '../names.ts'
import { text, GUESS, OWN, type Dialect } from '../dialect.ts'

/**
 * CrewAI. Under OpenLLMetry a run is three spans, all labelled invoke_agent and all with a model's name although none is a
 * call: the crew, a task whose span name is its description (a user's text), and the agent. Tool errors are told
 * nowhere, tokens only in a sentence about the whole crew. Under OpenInference there are tools (`search.run`) and agents
 * (`Role.task._execute_core`), and model spans only with a second instrumentation.
 */
export const crewAi: Dialect = {
  name: 'crewai',
  scopes: /^opentelemetry\.instrumentation\.crewai/,
  traits: ['namesAreText'],
  content: { 'crew_inputs': 'input', 'crewai.crew.result': 'output' },
  attributes: {
    'crewai.crew.name': text('agent', OWN),
    'crewai.agent.role': text('agent', OWN + 1),
    'crewai.task.agent': text('agent', OWN + 2),
  },
  names: [
    { name: /\.task$/s, kind: Kind.chain, overrules: true },
    { name: /^(?:crewai|CrewAI)\.workflow$/, kind: Kind.chain, overrules: true },
    { name: /^(.+)\.agent$/, kind: Kind.agent },
    { name: /^(.+)\.llm$/, kind: Kind.model },
    { name: /^(.+)\.tool$/, kind: Kind.tool },
  ],
}

export const crewAiOpenInference: Dialect = {
  name: 'crewai-openinference',
  scopes: /^openinference\.instrumentation\.crewai/,
  attributes: { 'task_name': text('entity', GUESS + 5) },
  names: [
    { name: /^(.+)\.(?:run|_use|_arun)$/, kind: Kind.tool },
    { name: /^(.+?)\..+\._?execute_core$/, kind: Kind.agent },
    { name: /^.+\.(?:kickoff|kickoff_async|kickoff_for_each)$/, kind: Kind.chain },
  ],
}
