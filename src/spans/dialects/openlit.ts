import { Kind } from '../names.ts'
import { evidence, type Dialect } from '../dialect.ts'

/**
 * OpenLIT: OTel GenAI names with additions. `invoke_workflow` repeats the last call's tokens and its response id. The graph
 * instrumentation reports nodes as `invoke_agent`, beside the real spans and overlapping them. A chat span carries name and
 * id of the tool that the model asked for. `create_agent` is a trace of its own that the run links to. A cost of 0 means that
 * its price file could not be fetched. A tool that fails inside an undecorated function is only an errored HTTP
 * client span. Exceptions are recorded twice. A root made by `@openlit.trace` has the name of the function, which may be `chat`.
 */
export const openLit: Dialect = {
  name: 'openlit',
  scopes: /^openlit/,
  content: { 'gen_ai.workflow.input': 'input', 'gen_ai.workflow.output': 'output', 'gen_ai.tool.args': 'input' },
  attributes: {
    'gen_ai.framework.error.message': evidence('errorMessage'),
  },
  names: [
    { name: /^(?:chat|text_completion|generate_content) (\S.*)$/, kind: Kind.model },
    { name: /^embeddings (\S.*)$/, kind: Kind.embedding },
    { name: /^retrieval (\S.*)$/, kind: Kind.retrieval },
  ],
}

export const openLitLangGraph: Dialect = {
  name: 'openlit-langgraph',
  scopes: /^openlit\.instrumentation\.langgraph/,
  names: [
    { name: /^invoke_agent .+$/, kind: Kind.chain, overrules: true },
    { name: /^invoke_workflow .+$/, kind: Kind.chain },
  ],
}
