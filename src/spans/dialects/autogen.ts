import { Kind } from '../names.ts'
import { kind, GUESS, type Dialect } from '../dialect.ts'

/**
 * AutoGen's native spans, the OpenInference ones on top of them, and the copy of the same runtime in Semantic Kernel.
 *
 * One run is 9 to 32 traces, one for every message hop (`autogen create/send/publish/process/ack`), joined only by span
 * links. Natively there are no model spans and no tokens; `invoke_agent` sits inside a `process`. The hops carry UUIDs in
 * their names and repeat the agent's failure. The application sees RuntimeError for every failure of a model, the class is
 * on `invoke_agent`. OpenInference wraps every native tool span in one of its own, named `agent.tool`, and every
 * `invoke_agent` in `agent.on_messages_stream`.
 */
export const autogen: Dialect = {
  name: 'autogen',
  scopes: /^autogen|^agent_runtime /,
  traits: ['joinsLinks'],
  attributes: {
    'messaging.operation': kind({ create: Kind.chain, send: Kind.chain, publish: Kind.chain, process: Kind.chain, receive: Kind.chain, intercept: Kind.chain, ack: Kind.chain }, GUESS + 5),
  },
  names: [{ name: /^(?:autogen|agent_runtime) (?:create|send|publish|process|receive|intercept|ack)\b/, kind: Kind.chain }],
}

export const autogenOpenInference: Dialect = {
  name: 'autogen-openinference',
  scopes: /^openinference\.instrumentation\.autogen/,
  traits: ['toolsAreWrappers'],
  names: [
    { name: /^.+\.on_messages(?:_stream)?$/, kind: Kind.chain, overrules: true },
    { name: /^\w+Client\.create(?:_stream)?$/, kind: Kind.model },
    { name: /^\w+(?:GroupChat|Swarm|GraphFlow)\.run(?:_stream)?$/, kind: Kind.chain },
  ],
}
