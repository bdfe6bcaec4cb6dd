import { Kind } from '../names.ts'
import { evidence, kind, number, parse, text, OWN, type Dialect } from '../dialect.ts'

/**
 * TruLens (OTel mode): `ai.observability.*`. The record's root is the run; span names are qualified functions. An evaluation
 * is a trace of its own that points back by record id: an `eval_root` and, below it, one `eval` for each metric, with the same score on
 * both, of which the inner counts. An evaluator's cost is on its own spans. A failed call has its text in `ai.observability.call.error`.
 */
export const truLens: Dialect = {
  name: 'trulens',
  scopes: /^trulens/,
  content: { 'ai.observability.record_root.input': 'input', 'ai.observability.record_root.output': 'output', 'ai.observability.call.return': 'output' },
  attributes: {
    'ai.observability.span_type': kind({
      record_root: Kind.agent,
      nested_record_root: Kind.chain,
      generation: Kind.model,
      retrieval: Kind.retrieval,
      reranking: Kind.retrieval,
      tool: Kind.tool,
      MCP: Kind.tool,
      agent: Kind.agent,
      guardrail: Kind.guardrail,
      eval: Kind.evaluation,
      eval_decision: Kind.chain,
      eval_root: Kind.chain,
      graph_task: Kind.chain,
      graph_node: Kind.chain,
      workflow_step: Kind.chain,
      unknown: Kind.chain,
    }),
    'ai.observability.eval.metric_name': text('evaluator'),
    'ai.observability.eval.score': number('score'),
    'ai.observability.cost.model': text('responseModel'),
    'ai.observability.cost.cost': number('costUsd'),
    'ai.observability.cost.num_prompt_tokens': number('input'),
    'ai.observability.cost.num_completion_tokens': number('output'),
    'ai.observability.cost.num_reasoning_tokens': number('reasoning'),
    'ai.observability.app_name': text('agent', OWN + 5),
    'ai.observability.call.error': evidence('errorMessage'),
    'ai.observability.record_root.error': evidence('errorMessage'),
  },
}

/** An error told there is a failure, even where the status does not say so. */
export const truLensFailure: Dialect = {
  name: 'trulens',
  attributes: {
    'ai.observability.call.error': parse((_, fields) => fields.failed(), { headBytes: 1 }),
    'ai.observability.record_root.error': parse((_, fields) => fields.failed(), { headBytes: 1 }),
    'ai.observability.cost.model': text('model', OWN + 5),
  },
}
