import { dashboard } from './dashboard.ts'
import { limitLine, ofObjective } from './objective.ts'
import { linkTo, type Steps } from './panel.ts'
import { bars, heatmap, LIMIT, lines, number } from './panels.ts'
import { among, mean, named, quantile, rate, recordedOf, scraped, share, total } from './query.ts'
import { table } from './table.ts'

const SCORE = 'agent_quality_score'
/** What a judge looked at because something was about it says nothing of all requests. */
const SAMPLED = 'evaluator!~".+:(error|low_unit_score|new_version)"'
const GOOD: Steps = ['text', [0, 'red'], [0.7, 'orange'], [0.85, 'green']]
/** Messages in the context, in their order. */
const CONTEXTS = ['0-10', '11-25', '26-50', '51-100', '101+'] as const
/** Each bridge has the words of those who told it: that of the most pairs, or any. */
const ofJudge = (metric: string) => `max by (evaluator) (${scraped(metric)})`
/** Input tokens, likewise. */
const TOKENS = ['0-4k', '4k-16k', '16k-64k', '64k-200k', '200k+'] as const
const CHECK = ['agent', 'name', 'check'] as const
const RESULTS = ([['pass', 'green'], ['fail', 'red'], ['no_content', 'orange'], ['too_long', 'purple']] as const).map(([of, fixedColor]) => ({ of, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }] }))
const FAILED: Steps = ['green', [0.005, 'orange'], [0.05, 'red']]
const toAgent = linkTo('agent', 'Show this agent', { agent: '${__field.labels.agent:percentencode}' })

export const quality = dashboard({
  name: 'quality', title: 'Quality', description: 'How good the answers are, who says so, and what the length of the context does to them.', from: 'now-24h',
  rows: [
    {
      title: 'In the time range',
      panels: [
        number({ title: 'Score', description: 'Mean of all scores within the time range. A judge\'s mark s of 1 to 5 is (s - 1) / 4.', width: 4, unit: 'ratio', decimals: 1, steps: GOOD, none: 'not scored', queries: [{ expr: mean(SCORE, [], 'total', SAMPLED) }] }),
        number({ title: 'Lowest agent', description: 'Mean score of the agent with the lowest.', width: 5, unit: 'ratio', who: true, decimals: 1, steps: GOOD, none: 'not scored', queries: [{ expr: named(`bottomk(1, ${mean(SCORE, ['agent'], 'total', SAMPLED)})`, 'agent'), legend: '{{agent}}' }] }),
        number({ title: 'Scores', description: 'Scores within the time range, of all layers.', width: 4, unit: 'count', queries: [{ expr: total(`${SCORE}_count`) }] }),
        number({
          title: 'Judged share', description: 'Scores of judges by requests within the time range: how much of the traffic is looked at. Above 100 % a request is judged more than once.', width: 5, unit: 'ratio', decimals: 1,
          queries: [{ expr: share(total(`${SCORE}_count`, [], 'layer="judge"'), total('agent_requests_total')) }],
        }),
        number({
          title: 'Change, month over month', description: 'Score of the last 30 days against that of the 30 days before, of the tenant and agent that fell most.', width: 6, unit: 'ratio', decimals: 1, steps: ['text', [-1, 'red'], [-0.05, 'orange'], [0, 'green']], none: 'no month before',
          queries: [{ expr: `min(${ofObjective('quality_change', 'value')})` }],
        }),
      ],
    },
    {
      title: 'Scores',
      panels: [
        lines({ title: 'By agent', description: 'Mean score of the ten agents with the lowest, and the limit.', width: 12, unit: 'ratio', max: 1, low: true, queries: [{ expr: named(`bottomk(10, ${mean(SCORE, ['agent'], 'now', SAMPLED)})`, 'agent'), legend: '{{agent}}' }, limitLine('quality_score')], overrides: [LIMIT], links: [toAgent] }),
        lines({ title: 'By layer', description: 'Mean score by layer: unit (expectations in code), judge (a model), human, external (another product). Layers that part mean that one of them is wrong.', width: 12, unit: 'ratio', max: 1, low: true, queries: [{ expr: mean(SCORE, ['layer'], 'now', SAMPLED), legend: '{{layer}}' }] }),
        lines({ title: 'By evaluator', description: 'Mean score of the ten evaluators with the lowest.', width: 12, height: 10, unit: 'ratio', max: 1, low: true, queries: [{ expr: named(`bottomk(10, ${mean(SCORE, ['layer', 'evaluator'])})`, 'evaluator'), legend: '{{layer}} {{evaluator}}' }] }),
        heatmap({ title: 'All scores', description: 'How many scores a second were how good. The dots are single requests: each leads to its trace.', width: 12, unit: 'ratio', cells: 'events', query: { expr: rate(`${SCORE}_bucket`, ['le']), exemplars: true } }),
        lines({ title: 'Scores a second', description: 'How often each layer scores. A layer that stops says nothing about quality any more.', width: 12, unit: 'events', queries: [{ expr: rate(`${SCORE}_count`, ['layer']), legend: '{{layer}}' }] }),
        lines({
          title: 'Judged share', description: 'Scores of judges by requests, by agent.', width: 12, unit: 'ratio',
          queries: [{ expr: named(`topk(10, ${rate(`${SCORE}_count`, ['agent'], 'layer="judge"')}\n/\n(${rate('agent_requests_total', ['agent'])} > 0))`, 'agent'), legend: '{{agent}}' }], links: [toAgent],
        }),
      ],
    },
    {
      title: 'The length of the context',
      panels: [
        bars({
          title: 'Score by messages in the context', description: 'Mean score within the time range by the number of messages in the context. Where the curve bends down, the history should be compressed.', width: 8, height: 9, unit: 'ratio', decimals: 1, max: 1, steps: GOOD,
          queries: CONTEXTS.map((messages) => ({ legend: `${messages} messages`, expr: mean('agent_quality_by_context', [], 'total', `messages="${messages}"`) })),
        }),
        lines({ title: 'Score by messages, over time', description: 'The same over time.', width: 8, height: 9, unit: 'ratio', max: 1, low: true, queries: [{ expr: mean('agent_quality_by_context', ['messages']), legend: '{{messages}}' }] }),
        lines({
          title: 'Messages in the context, P95', description: 'Of the model calls of the ten agents with the longest contexts, and the limit past which to compress.', width: 8, height: 9, unit: 'messages',
          queries: [{ expr: named(`topk(10, ${quantile(0.95, 'agent_context_messages', ['agent'])})`, 'agent'), legend: '{{agent}}' }, limitLine('context_messages')], overrides: [LIMIT], links: [toAgent],
        }),
      ],
    },
    {
      title: 'The judge',
      panels: [
        lines({
          title: 'Requests judged', description: 'Requests chosen to be judged a second, by why; of these those that were marked. Errors, low unit scores and new versions are judged besides the sample, as evaluators of their own.', width: 8, unit: 'events',
          queries: [{ legend: 'chosen: {{why}}', expr: rate('spanbridge_judge_selected_total', ['why']) }, { legend: 'marked', expr: rate('spanbridge_judge_marks_total') }],
        }),
        lines({
          title: 'Not judged', description: 'Requests chosen and not marked a second, by reason.', width: 8, unit: 'events', stacked: true,
          queries: [{ legend: '{{reason}}', expr: rate('spanbridge_judge_skipped_total', ['reason']) }],
        }),
        lines({
          title: 'Calls of the judge', description: 'Calls a second, each try counted, and those that gave no mark by what was answered.', width: 8, unit: 'events',
          queries: [{ legend: 'calls', expr: rate('spanbridge_judge_calls_total') }, { legend: '{{error}}', expr: rate('spanbridge_judge_errors_total', ['error']) }],
        }),
        lines({
          title: "The judge's budget", description: "USD of today's budget that are spent or reserved, and the budgets of all bridges together. A day is of UTC.", width: 8, unit: 'usd',
          queries: [{ legend: 'used', expr: `sum(${scraped('spanbridge_judge_budget_used_usd')})` }, { legend: 'limit', expr: `sum(${scraped('spanbridge_judge_budget_usd')})` }], overrides: [LIMIT],
        }),
        lines({
          title: 'Cost of the judge', description: 'USD an hour by the tokens that it tells, and these tokens a second by type.', width: 8, unit: 'usd',
          queries: [{ legend: 'USD an hour', expr: `3600 * ${rate('spanbridge_judge_cost_usd_total')}` }, { legend: '{{type}} tokens', expr: rate('spanbridge_judge_tokens_total', ['type']) }],
          overrides: [{ of: '/tokens$/', properties: [{ id: 'unit', value: 'short' }, { id: 'custom.axisPlacement', value: 'right' }] }],
        }),
        lines({
          title: 'Queue of the judge', description: 'Requests that wait or are being judged, how long a call takes (P95), and whether the endpoint is spared because it failed: the share of bridges whose breaker is open or tries one call.', width: 8, unit: 'count',
          queries: [
            { legend: 'waiting', expr: `sum(${scraped('spanbridge_judge_queue')})` }, { legend: 'under way', expr: `sum(${scraped('spanbridge_judge_running')})` },
            { legend: 'breaker {{state}}', expr: `sum by (state) (${scraped('spanbridge_judge_breaker', 'state!="closed"')})` },
            { legend: 'a call, P95', expr: quantile(0.95, 'spanbridge_judge_duration_seconds') },
          ],
          overrides: [{ of: 'a call, P95', properties: [{ id: 'unit', value: 's' }, { id: 'custom.axisPlacement', value: 'right' }] }],
        }),
      ],
    },
    {
      title: 'What the length of the context costs',
      panels: [
        bars({
          title: 'Failed requests by messages', description: 'Share of the requests within the time range that failed or never ended, by the messages in their longest context.', width: 8, height: 9, unit: 'ratio', decimals: 1, max: 1, steps: FAILED,
          queries: CONTEXTS.map((size) => ({ legend: `${size} messages`, expr: failedShare('messages', size) })),
        }),
        bars({
          title: 'Cost per request by messages', description: 'Mean cost of a request within the time range, by the messages in its longest context.', width: 8, height: 9, unit: 'usd', decimals: 4, steps: ['text'],
          queries: CONTEXTS.map((size) => ({ legend: `${size} messages`, expr: costPerRequest('messages', size) })),
        }),
        lines({
          title: 'Compressions', description: 'Histories that were compressed, a second: told by an event, seen where the number of messages fell, or done after a call overflowed. exhausted: the next call overflowed all the same.', width: 8, height: 9, unit: 'events', stacked: true,
          queries: [{ expr: rate('agent_recoveries_total', ['agent', 'result'], 'action="compression"'), legend: '{{agent}} {{result}}' }],
        }),
        bars({
          title: 'Score by tokens in the context', description: 'Mean score within the time range by the input tokens of the longest call of the request.', width: 8, height: 9, unit: 'ratio', decimals: 1, max: 1, steps: GOOD,
          queries: TOKENS.map((size) => ({ legend: `${size} tokens`, expr: mean('agent_quality_by_tokens', [], 'total', `tokens="${size}"`) })),
        }),
        bars({
          title: 'Failed requests by tokens', description: 'Share of the requests within the time range that failed or never ended, by the input tokens of their longest call.', width: 8, height: 9, unit: 'ratio', decimals: 1, max: 1, steps: FAILED,
          queries: TOKENS.map((size) => ({ legend: `${size} tokens`, expr: failedShare('tokens', size) })),
        }),
        bars({
          title: 'Cost per request by tokens', description: 'Mean cost of a request within the time range, by the input tokens of its longest call.', width: 8, height: 9, unit: 'usd', decimals: 4, steps: ['text'],
          queries: TOKENS.map((size) => ({ legend: `${size} tokens`, expr: costPerRequest('tokens', size) })),
        }),
      ],
    },
    {
      title: 'The judge and people',
      panels: [
        table({
          title: 'How far to believe a judge', description: 'The newest requests, 300 at most, that a judge and a person both marked, by judge: share in which both say good (4 or 5 of 5) or both bad; agreement beyond chance (Cohen\'s kappa, from 1 down; 0.6 is substantial, below 0.4 little), of the five marks by the square of the difference; and how much milder the judge is, of a scale from 0 to 1.', width: 24, height: 5,
          labels: [{ label: 'evaluator', title: 'Judge' }],
          values: [
            { title: 'Pairs', unit: 'count', decimals: 0, expr: ofJudge('spanbridge_judge_pairs') },
            { title: 'Agreement', unit: 'ratio', decimals: 1, expr: ofJudge('spanbridge_judge_agreement_ratio') },
            { title: 'at least', unit: 'ratio', decimals: 1, expr: ofJudge('spanbridge_judge_agreement_lower_ratio') },
            { title: 'at most', unit: 'ratio', decimals: 1, expr: ofJudge('spanbridge_judge_agreement_upper_ratio') },
            { title: 'Kappa', unit: 'count', decimals: 2, expr: ofJudge('spanbridge_judge_kappa') },
            { title: 'Kappa, five marks', unit: 'count', decimals: 2, expr: ofJudge('spanbridge_judge_weighted_kappa') },
            { title: 'Milder by', unit: 'count', decimals: 2, expr: ofJudge('spanbridge_judge_bias') },
          ],
          sortBy: 'Pairs', none: 'no request that a judge and a person marked',
        }),
        lines({
          title: 'Kappa', description: 'Agreement of judges with people beyond chance, and its 95 % interval. A judge whose upper bound sinks below the limit, or below what it was, has drifted.', width: 12, unit: 'count', min: null, none: 'no pairs yet, or all alike',
          queries: [{ legend: '{{evaluator}}', expr: ofJudge('spanbridge_judge_kappa') }, { legend: '{{evaluator}}: at least', expr: ofJudge('spanbridge_judge_kappa_lower') }, { legend: '{{evaluator}}: at most', expr: ofJudge('spanbridge_judge_kappa_upper') },
            { legend: 'limit of {{evaluator}}', expr: `max by (evaluator) (${recordedOf([], 'evaluator:spanbridge_judge_kappa:limit')})` }],
          overrides: [LIMIT],
        }),
        lines({
          title: 'Milder than people', description: 'Mean of the judge\'s mark less the person\'s, of a scale from 0 to 1, and its 95 % interval: above 0 the judge is milder, below 0 stricter.', width: 12, unit: 'count', min: null, none: 'no pairs yet',
          queries: [{ legend: '{{evaluator}}', expr: ofJudge('spanbridge_judge_bias') }, { legend: '{{evaluator}}: at least', expr: ofJudge('spanbridge_judge_bias_lower') }, { legend: '{{evaluator}}: at most', expr: ofJudge('spanbridge_judge_bias_upper') }],
        }),
      ],
    },
    {
      title: 'Scores from elsewhere',
      panels: [
        lines({
          title: 'Scores taken', description: 'Scores a second that came by themselves, by where from; and those told again, which count once.', width: 8, unit: 'events', stacked: true,
          queries: [{ legend: '{{source}}', expr: rate('spanbridge_scores_received_total', ['source']) }, { legend: 'told again', expr: rate('spanbridge_scores_duplicate_total') }],
        }),
        lines({
          title: 'Scores lost', description: 'Scores a second that are not counted, by reason, and those that are counted for no tenant because no request of their trace is known.', width: 8, unit: 'events', stacked: true,
          queries: [{ legend: '{{reason}}', expr: rate('spanbridge_scores_rejected_total', ['reason']) }, { legend: 'for no tenant: {{reason}}', expr: rate('spanbridge_scores_unmatched_total', ['reason']) }],
        }),
        lines({
          title: 'Requests remembered', description: 'Requests of which it is known whose they were, for scores that come later, and those forgotten before their time a second.', width: 8, unit: 'count',
          queries: [{ legend: 'remembered', expr: `sum(${scraped('spanbridge_traces_remembered')})` }, { legend: 'forgotten early, a second', expr: rate('spanbridge_traces_crowded_out_total') }],
        }),
        lines({
          title: 'Sources asked', description: 'Times a second that LangSmith and Braintrust were asked, and that no answer could be read.', width: 12, unit: 'events', none: 'no source is configured',
          queries: [{ legend: '{{source}}', expr: rate('spanbridge_score_polls_total', ['source']) }, { legend: '{{source}}: failed', expr: rate('spanbridge_score_poll_errors_total', ['source']) }],
        }),
        lines({
          title: 'Since a source was read', description: 'Time since each source of scores was last read.', width: 12, unit: 'seconds', none: 'no source is configured',
          queries: [{ legend: '{{source}}', expr: `max by (source) (${scraped('spanbridge_score_poll_age_seconds')})` }],
        }),
      ],
    },
    {
      title: 'Checks',
      panels: [
        lines({ title: 'Checks by result', description: 'Expectations checked on answers and tool results, a second, by result.', width: 12, height: 9, unit: 'events', stacked: true, none: 'nothing is expected', queries: [{ expr: rate('agent_quality_checks_total', ['result']), legend: '{{result}}' }], overrides: RESULTS }),
        table({
          title: 'Checks', description: 'Every check within the time range: how often there was something to check, and how much of that failed. "Unseen" could not be checked: no content came, or too long a one.', width: 12, height: 9,
          labels: [{ label: 'agent', title: 'Agent', link: linkTo('agent', 'Show this agent', { agent: '${__value.text:percentencode}' }) }, { label: 'name', title: 'Name' }, { label: 'check', title: 'Check' }],
          values: [
            { title: 'Times', unit: 'count', decimals: 0, width: 80, expr: `${total('agent_quality_checks_total', CHECK)} > 0` },
            { title: 'Failed', unit: 'ratio', decimals: 1, width: 80, steps: FAILED, expr: share(total('agent_quality_checks_total', CHECK, 'result="fail"'), total('agent_quality_checks_total', CHECK, 'result=~"pass|fail"')) },
            { title: 'Unseen', unit: 'count', decimals: 0, width: 80, expr: among(`${total('agent_quality_checks_total', CHECK)} > 0`, CHECK, total('agent_quality_checks_total', CHECK, 'result=~"no_content|too_long"')) },
          ],
          sortBy: 'Failed', none: 'nothing is expected',
        }),
      ],
    },
  ],
})

function failedShare(context: string, size: string): string {
  const of = `context="${context}",size="${size}"`
  return share(total('agent_context_requests_total', [], `${of},outcome!="success"`), total('agent_context_requests_total', [], of))
}

function costPerRequest(context: string, size: string): string {
  const of = `context="${context}",size="${size}"`
  return share(total('agent_context_cost_usd_total', [], of), total('agent_context_requests_total', [], of))
}
