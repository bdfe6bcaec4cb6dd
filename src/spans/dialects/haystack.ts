import { Kind } from '../names.ts'
import { failed, parse, text, GUESS, OWN, type Dialect } from '../dialect.ts'

/**
 * Haystack's own tracer, 2 and 3. Every component is `haystack.component.run`, told apart by the class in
 * `haystack.component.type`; tokens are only inside the content in `haystack.component.output`, where content tracing is on. A
 * `ToolInvoker` runs the tools of a turn together: one tool span for several calls. Version 3 has steps: `haystack.agent.step.tool`, and
 * `haystack.chat_generator.run` inside `haystack.agent.step.llm`. At every start 2.x exports an errored
 * `haystack.tracing.auto_enable` that belongs to no run.
 */
const CLASSES: readonly (readonly [RegExp, Kind])[] = [
  [/Retriever$/, Kind.retrieval],
  [/Ranker$/, Kind.retrieval],
  [/Embedder$/, Kind.embedding],
  [/(?:Generator|ChatModel)$/, Kind.model],
  [/^ToolInvoker$/, Kind.tool],
  [/Agent$/, Kind.agent],
  [/Evaluator$/, Kind.evaluation],
  [/(?:Writer|Cache\w*)$/, Kind.state],
  [/./, Kind.chain],
]
const MODEL = /"model": "([^"\\]{1,128})"/
const INPUT = /"(?:prompt_tokens|input_tokens)": (\d+)/
const OUTPUT = /"(?:completion_tokens|output_tokens)": (\d+)/
const CACHED = /"cached_tokens": (\d+)/
const REASONING = /"reasoning_tokens": (\d+)/

export const haystack: Dialect = {
  name: 'haystack',
  scopes: /^haystack/,
  content: {
    'haystack.component.input': 'input', 'haystack.component.output': 'output', 'haystack.pipeline.input_data': 'input', 'haystack.pipeline.output_data': 'output',
    'haystack.agent.input': 'input', 'haystack.agent.output': 'output',
  },
  attributes: {
    'haystack.component.type': parse((type, fields) => {
      const found = CLASSES.find(([name]) => name.test(type))
      if (found === undefined) return
      fields.kind(found[1])
      fields.text('entity', type)
    }),
    'haystack.component.name': text('collection', GUESS),
    'haystack.tool.name': text('tool', OWN),
    'haystack.tool.error': failed('true', 'True'),
    'haystack.component.output': parse((json, fields) => {
      // The replies of a generator come with the provider's usage. One reply is one call.
      if (!json.startsWith('{"replies"')) return
      const model = MODEL.exec(json)?.[1]
      if (model !== undefined) fields.text('responseModel', model)
      for (const [field, found] of [['input', INPUT], ['output', OUTPUT], ['cachedInput', CACHED], ['reasoning', REASONING]] as const) {
        const tokens = found.exec(json)?.[1]
        if (tokens !== undefined) fields.number(field, Number(tokens))
      }
    }),
  },
  names: [
    { name: /^haystack\.tracing\.auto_enable$/, kind: Kind.noise, overrules: true },
    { name: /^haystack\.(?:chat_generator\.run|agent\.step\.llm)$/, kind: Kind.model },
    { name: /^haystack\.agent\.step\.tool$/, kind: Kind.tool },
    { name: /^haystack\.(?:async_)?pipeline\.run$/, kind: Kind.chain },
    { name: /^haystack\.agent\.run$/, kind: Kind.agent },
    { name: /^haystack\./, kind: Kind.chain },
  ],
}
