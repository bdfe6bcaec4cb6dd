import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboard } from './dashboard.ts'
import { ofObjective } from './objective.ts'
import { linkTo, type Steps } from './panel.ts'
import { bars, lines, logs, number } from './panels.ts'
import { among, documentedLimit, named, quantile, rate, recorded, share, sum, total } from './query.ts'
import { topCauses } from './shared.ts'
import { table } from './table.ts'

const LESS_IS_BETTER: Steps = ['green', [0.005, 'orange'], [0.05, 'red']]
const toAgent = linkTo('agent', 'Show this agent', { agent: '${__field.labels.agent:percentencode}' })
const CLASS_COLORS = { model: 'purple', tool: 'orange', context: 'blue', coordination: 'red', unclassified: 'gray' }
const byClass = Object.entries(CLASS_COLORS).map(([name, fixedColor]) => ({ of: `/^${name}/`, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }] }))
const BY_AGENT = 'Steps are known by agent, not by tenant.'
const PROBLEM = ['problem', 'agent', 'step', 'name'] as const
const PROBLEMS = `topk(20, ${total('agent_problem_causes_total', PROBLEM)} > 0)`
const IN_COMMON = ['agent', 'verdict', 'feature', 'value'] as const
const LIFT = sum(recorded('agent_feature:agent_request_features:lift'), IN_COMMON)
const TRIED = ['agent', 'step', 'name', 'action'] as const
const TRIES = `topk(30, ${total('agent_recoveries_total', TRIED)} > 0)`
/** Who is chosen is metadata of each line, and not a label of its stream. The line of a score that came late has no outcome. */
const linesOf = (outcomes: string) => `{service_name="spanbridge",event="request",outcome=~"${outcomes}"} | tenant_id=~"$tenant_id" | project_id=~"$project_id" | agent=~"$agent"`

export const errors = dashboard({
  name: 'errors', title: 'Errors', description: 'Root causes: what fails, why, what is done about it, and the log lines of the requests.',
  rows: [
    {
      title: 'In the time range',
      panels: [
        number({ title: 'Failed requests', description: 'Share of the requests within the time range that failed or never finished.', width: 4, unit: 'ratio', decimals: 2, steps: LESS_IS_BETTER, queries: [{ expr: share(total('agent_requests_total', [], 'outcome!="success"'), total('agent_requests_total')) }] }),
        number({ title: 'Errors of steps', description: `Errors within the time range, those that a retry healed among them. ${BY_AGENT}`, width: 4, unit: 'whole', decimals: 0, queries: [{ expr: `${total('agent_errors_total')} or vector(0)` }] }),
        number({
          title: 'Most frequent root cause', description: 'What made most requests fail within the time range.', width: 6, unit: 'text', text: true, none: 'nothing failed',
          queries: [{ expr: `topk(1, ${total('agent_root_causes_total', ['type', 'step', 'name'])} > 0)`, legend: '{{type}} at {{step}} {{name}}' }],
        }),
        number({ title: 'Recovered', description: `Share of the errors met by a retry, a fallback or a compression that ended well. ${BY_AGENT}`, width: 3, unit: 'ratio', decimals: 0, steps: ['text', [0, 'red'], [0.5, 'orange'], [0.9, 'green']], none: 'none', queries: [{ expr: share(total('agent_recoveries_total', [], 'result="recovered"'), total('agent_recoveries_total')) }] }),
        number({ title: 'Unclassified', description: `Share of the errors that the taxonomy has no type for. ${BY_AGENT}`, width: 3, unit: 'ratio', decimals: 1, steps: ['green', [0.05, 'orange'], [0.2, 'red']], none: 'none', queries: [{ expr: share(total('agent_errors_total', [], 'class="unclassified"'), total('agent_errors_total')) }] }),
        number({
          title: 'Classification accuracy', description: 'Errors that got the type which a person gave them, of those that a person has labelled. The objective is above 95 %.', width: 4, unit: 'ratio', decimals: 1, steps: ['text', [0, 'red'], [0.9, 'orange'], [0.95, 'green']], none: 'no labels',
          queries: [{ expr: `min(${ofObjective('classification_accuracy', 'value')})` }],
        }),
      ],
    },
    {
      title: 'Root causes',
      panels: [
        topCauses(24),
        table({
          title: 'Why limits were broken', width: 12, height: 9,
          description: 'Requests past a limit within the time range by the step that is why: what a slow one waited for longest, what a dear one spent beyond its usual on, the error behind a bad answer or else who marked it down.',
          labels: [{ label: 'problem', title: 'Problem', width: 115 }, { label: 'agent', title: 'Agent' }, { label: 'step', title: 'Step', width: 100 }, { label: 'name', title: 'Name' }],
          values: [
            { title: 'Requests', unit: 'count', decimals: 0, width: 90, expr: PROBLEMS },
            { title: 'Share', unit: 'ratio', decimals: 0, width: 80, gauge: true, expr: among(PROBLEMS, PROBLEM, `${total('agent_problem_causes_total', PROBLEM)} / on (problem, agent) group_left () (${total('agent_problem_causes_total', ['problem', 'agent'])} > 0)`) },
          ],
          sortBy: 'Requests',
        }),
        table({
          title: 'What bad requests have in common', width: 12, height: 9,
          description: 'Now: what most of the bad requests have and the good ones of the same minutes lack, beyond chance. "Times" is how many times as often as in good requests; what hardly any good one has is there more than a hundred times as often.',
          labels: [{ label: 'agent', title: 'Agent' }, { label: 'verdict', title: 'Requests', width: 90 }, { label: 'feature', title: 'Feature', width: 90 }, { label: 'value', title: 'Value' }],
          values: [
            { title: 'Times', unit: 'count', decimals: 0, width: 80, expr: LIFT, mappings: [{ type: MappingType.RangeToText, options: { from: 100, to: 1e9, result: { text: '> 100', index: 0 } } }] },
            // Increases are estimates, and one may be a little more than all.
            { title: 'Of the bad', unit: 'ratio', decimals: 0, width: 100, gauge: true, expr: among(LIFT, IN_COMMON, `clamp_max(${sum(recorded('agent_feature:agent_request_features:ratio', 'verdict!="good"'), IN_COMMON)}, 1)`) },
          ],
          sortBy: 'Of the bad', none: 'nothing now',
        }),
        lines({
          title: 'Requests past a limit', description: 'Requests a second by the step that is why they were slow, dear or badly answered. The dots are single requests: each leads to its trace.', width: 12, height: 9, unit: 'perSecond', stacked: true,
          queries: [{ expr: `topk(10, ${rate('agent_problem_causes_total', ['problem', 'step', 'name'])})`, legend: '{{problem}}: {{step}} {{name}}', exemplars: true }],
        }),
        bars({
          title: 'Failed requests by version', description: 'Failed requests of each version of the agents within the time range.', width: 12, height: 9, unit: 'count', decimals: 0, color: 'orange', none: 'nothing failed',
          queries: [{ expr: `sort_desc(topk(12, ${total('agent_request_features_total', ['agent', 'value'], 'feature="version"', 'verdict="failed"')} > 0))`, legend: '{{agent}} {{value}}' }],
        }),
        lines({
          title: 'Failed requests by root cause', description: 'Requests a second that failed, by the error that made them fail. The dots are single requests: each leads to its trace.', width: 12, height: 9, unit: 'perSecond', stacked: true,
          queries: [{ expr: rate('agent_root_causes_total', ['class', 'type']), legend: '{{class}} {{type}}', exemplars: true }],
        }),
        lines({
          title: 'Failed requests by agent', description: 'Share of failed requests of the ten agents with the most.', width: 12, height: 9, unit: 'ratio',
          queries: [{ expr: named(`topk(10, ${rate('agent_requests_total', ['agent'], 'outcome!="success"')}\n/\n(${rate('agent_requests_total', ['agent'])} > 0))`, 'agent'), legend: '{{agent}}' }], links: [toAgent],
        }),
      ],
    },
    {
      title: 'Errors of steps, by the taxonomy, of all tenants',
      panels: [
        bars({ title: 'Class and type', description: 'Errors of steps within the time range.', width: 8, height: 9, unit: 'count', color: 'orange', decimals: 0, queries: [{ expr: `sort_desc(topk(12, ${total('agent_errors_total', ['class', 'type'])} > 0))`, legend: '{{class}} {{type}}' }] }),
        bars({ title: 'Where', description: 'Errors of steps within the time range, by model, tool or collection.', width: 8, height: 9, unit: 'count', color: 'orange', decimals: 0, queries: [{ expr: `sort_desc(topk(12, ${total('agent_errors_total', ['step', 'name'])} > 0))`, legend: '{{step}} {{name}}' }] }),
        lines({ title: 'Over time', description: 'Errors of steps a second by class.', width: 8, height: 9, unit: 'events', stacked: true, queries: [{ expr: rate('agent_errors_total', ['class']), legend: '{{class}}' }], overrides: byClass }),
      ],
    },
    {
      title: 'What is done about them, for all tenants',
      panels: [
        lines({
          title: 'Recoveries and escalations', description: 'Errors a second that were met by a retry, a fallback or a compression: recovered, exhausted (it did not help), escalated (handed on to somebody else).', width: 10, unit: 'events', stacked: true,
          queries: [{ expr: rate('agent_recoveries_total', ['result']), legend: '{{result}}' }],
          overrides: ([['recovered', 'green'], ['exhausted', 'red'], ['escalated', 'orange']] as const).map(([of, fixedColor]) => ({ of, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }] })),
        }),
        table({
          title: 'What helps where', description: 'What was tried within the time range, and how often it ended well.', width: 14,
          labels: [{ label: 'agent', title: 'Agent' }, { label: 'step', title: 'Step', width: 80 }, { label: 'name', title: 'Name' }, { label: 'action', title: 'Action', width: 120 }],
          values: [
            { title: 'Times', unit: 'count', decimals: 0, width: 70, expr: TRIES },
            { title: 'Took each', unit: 'seconds', decimals: 1, width: 90, expr: among(TRIES, TRIED, `${total('agent_recovery_seconds_total', TRIED)} / (${total('agent_recoveries_total', TRIED)} > 0)`) },
            { title: 'Cost', unit: 'usd', decimals: 4, width: 85, expr: among(TRIES, TRIED, total('agent_recovery_cost_usd_total', TRIED)) },
            { title: 'Recovered', unit: 'ratio', decimals: 0, width: 95, gauge: true, expr: among(TRIES, TRIED, share(total('agent_recoveries_total', TRIED, 'result="recovered"'), total('agent_recoveries_total', TRIED))) },
          ],
          sortBy: 'Times', none: 'nothing was tried',
        }),
      ],
    },
    {
      title: 'Beside it',
      panels: [
        logs({ title: 'Failed requests', description: 'One line for each request that failed: its root cause and the chain of evidence are in it, its trace is a click away.', width: 12, height: 12, expr: `${linesOf('error|unfinished')} | line_format "{{.agent}}{{if .tenant_id}} for {{.tenant_id}}{{end}}: {{if .class}}{{.class}} {{.type}} at {{.step}} {{.name}}{{else}}{{.outcome}}, without a cause{{end}}"` }),
        logs({ title: 'Slow, expensive and low-quality requests', description: 'Requests that ended well and are told of all the same, with the reason. A score that comes late has a line of its own.', width: 12, height: 12, expr: `${linesOf('success|')} | json duration_seconds="duration_seconds", cost_usd="cost_usd", score="score", evaluator="evaluator" | line_format "{{.agent}}{{if .tenant_id}} for {{.tenant_id}}{{end}}: {{.why}}{{if .duration_seconds}}, {{printf \\"%.2f\\" (float64 .duration_seconds)}} s, {{printf \\"%.4f\\" (float64 .cost_usd)}} USD{{end}}{{if .score}}, {{printf \\"%.2f\\" (float64 .score)}} by {{.evaluator}}{{end}}"` }),
        table({
          title: 'Wrong types', description: 'Errors that a person gave another type than the bridge, within the time range. What is here often belongs into the table of causes.', width: 12,
          labels: [{ label: 'predicted', title: 'The bridge said' }, { label: 'actual', title: 'The person said' }],
          values: [{ title: 'Times', unit: 'count', decimals: 0, expr: `${total('agent_error_labels_total', ['predicted', 'actual'])} > 0` }],
          sortBy: 'Times', none: 'no labels',
        }),
        bars({
          title: 'Time to root cause', description: 'From the start of an incident to its root cause, P95 within the time range, by who told it: the page, or a person who confirmed or corrected it. The objective is below the limit.', width: 12, unit: 'seconds',
          queries: [
            { expr: quantile(0.95, 'spanbridge_time_to_root_cause_seconds', ['by'], 'total'), legend: '{{by}}' },
            { expr: documentedLimit('time_to_root_cause'), legend: 'limit' },
          ],
        }),
      ],
    },
  ],
})
