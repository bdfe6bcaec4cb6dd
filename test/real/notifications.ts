/** Alerts as Prometheus sends them, to be told of. */

export interface Case {
  readonly name: string
  /** Stands in every telling of it and in no other. */
  readonly mark: string
  readonly alerts: readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
    readonly startsAt: string
    readonly generatorURL: string
  }[]
}

const startsAt = '2026-01-01T00:00:00Z'
const generatorURL = 'http://prometheus.example/graph'

const alert = (labels: Record<string, string>, annotations: Record<string, string>) => ({ labels, annotations, startsAt, generatorURL })

const labels = { alertname: 'AgentSuccessRateLow', severity: 'critical', owner: 'agent-oncall', objective: 'success_rate', tenant_id: 'acme', agent: 'support_agent' }
const annotations = {
  summary: 'Too many requests of an agent fail',
  description: '91.52% of the requests of agent support_agent, tenant acme, succeeded in the last hour; the objective is 99.5%.',
  value: '91.52%',
  limit: '99.5%',
  root_cause: 'tool lookup_order: 5xx, 100% of the failures of the last 10 minutes',
  root_cause_class: 'tool', root_cause_type: '5xx', root_cause_step: 'tool', root_cause_name: 'lookup_order',
  remedy: 'Serve the cached response.',
  runbook_url: 'http://bridge.example/runbooks/AgentSuccessRateLow',
  dashboard_url: 'http://grafana.example/d/spanbridge-errors?var-tenant_id=acme&var-agent=support_agent',
}

/** Each breaks out of something: Slack, HTML, JSON, YAML, Go templates, a header, a line. */
const hostile = {
  slack: '<!channel> <https://evil.example|Runbook> *b* _i_ `c` ~s~ @here',
  html: '</title></p><script>alert(1)</script><img src=x onerror=alert(1)> " \' &amp; &#60;',
  template: '{{ .Foo.Bar }} {{ template "none" }} {{ "',
  yaml: '{a: [b, *c, !!d "e"], <<: 1}',
  lines: 'one\r\nBcc: everybody@example.org\r\n\r\ntwo\u2028three\u202Eright to left\u200B\u0007',
  long: 'x'.repeat(5000),
}

export const cases: readonly Case[] = [
  { name: 'page', mark: 'lookup_order', alerts: [alert(labels, annotations)] },
  {
    name: 'hostile',
    mark: 'evil.example',
    alerts: [alert(
      { ...labels, tenant_id: `${hostile.slack} ${hostile.template}`, agent: `${hostile.html} ${hostile.lines}` },
      {
        summary: annotations.summary,
        description: `${hostile.template} ${hostile.html} ${hostile.lines} ${hostile.long}`,
        value: hostile.html,
        limit: hostile.template,
        root_cause: hostile.yaml,
        root_cause_type: hostile.template,
        remedy: `${hostile.slack}\n- ${hostile.lines}`,
        runbook_url: 'javascript:alert(1)',
        dashboard_url: 'https://grafana.example/d/x?var-agent=a b|<!channel>',
      },
    )],
  },
  // What begins like a mapping of YAML, and is one, is text.
  {
    name: 'ticket',
    mark: 'tenant-of-the-ticket',
    alerts: [alert(
      { ...labels, alertname: 'AgentLatencyP95High', severity: 'warning', objective: 'latency_p95', tenant_id: 'tenant-of-the-ticket' },
      { ...annotations, summary: 'Requests of an agent are slow', value: '700ms', limit: '500ms', root_cause: '{{ fail }}: {a: b}', root_cause_name: 'gpt-4.1', remedy: hostile.yaml },
    )],
  },
  {
    name: 'many',
    mark: 'tenant-with-many',
    alerts: Array.from({ length: 12 }, (_, at) => alert({ ...labels, tenant_id: 'tenant-with-many', instance: `bridge-${String(at).padStart(2, '0')}` }, { ...annotations, root_cause: 'tool search: 5xx, 100% of the failures of the last 10 minutes', root_cause_name: 'search' })),
  },
  // Of other origin, with a severity that we have: nothing of ours is in it.
  { name: 'foreign', mark: 'NodeIsFull', alerts: [alert({ alertname: 'NodeIsFull', severity: 'warning', job: 'node' }, {})] },
]
