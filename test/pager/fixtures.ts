/** Webhook bodies as Alertmanager 0.34 sends them (notify/webhook, template.Data), with an incident of an agent inside. */
export interface FixtureAlert {
  status?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  startsAt?: string
  endsAt?: string
  generatorURL?: string
  fingerprint?: string
}

export const STARTED = '2026-11-23T17:54:12.345678912Z'

export function alert(overrides: FixtureAlert = {}) {
  return {
    status: 'firing',
    startsAt: STARTED,
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus:9090/graph?g0.expr=agent%3Asuccess%3Aratio&g0.tab=1',
    fingerprint: '1a30ba71cca2921f',
    ...overrides,
    labels: {
      alertname: 'AgentSuccessRateLow', severity: 'critical', tenant_id: 'acme', project_id: 'support', agent: 'order-desk',
      class: 'tool', type: '5xx', step: 'tool', name: 'lookup_order', ...overrides.labels,
    },
    annotations: {
      summary: 'Success rate of order-desk is below its objective',
      description: 'In the last 5 minutes 27.6 % of the requests of order-desk failed.',
      value: '72.4 %', limit: '99.5 %',
      root_cause: 'The tool lookup_order answered with server errors in 41 of 43 failed requests.',
      remedy: 'Serve the cached response while the order service is down.',
      runbook_url: 'https://runbooks.example.com/AgentSuccessRateLow',
      dashboard_url: 'https://grafana.example.com/d/agents?var-agent=order-desk',
      ...overrides.annotations,
    },
  }
}

export function payload(overrides: Record<string, unknown> = {}, alerts: readonly ReturnType<typeof alert>[] = [alert()]) {
  return {
    receiver: 'pager',
    status: alerts.some((one) => one.status === 'firing') ? 'firing' : 'resolved',
    alerts,
    notification_reason: 'first notification',
    groupLabels: { alertname: 'AgentSuccessRateLow' },
    commonLabels: {},
    commonAnnotations: {},
    routeLabels: null,
    externalURL: 'http://alertmanager:9093',
    version: '4',
    groupKey: '{}/{agent!=""}:{alertname="AgentSuccessRateLow"}',
    truncatedAlerts: 0,
    ...overrides,
  }
}

/** The notification of another group, about another tenant and agent: an incident of its own. */
export function other(key: string, alerts: readonly ReturnType<typeof alert>[] = [alert()]) {
  return payload({ groupKey: key }, alerts.map((one) => ({ ...one, labels: { ...one.labels, tenant_id: key, agent: key } })))
}

export function resolved(endsAt: string, overrides: FixtureAlert = {}) {
  return alert({ status: 'resolved', endsAt, ...overrides })
}

/** A cause as the rules of this project tell it: in annotations, while the labels say only whom it is about. */
export function annotatedCause(parts: { readonly class: string; readonly type: string; readonly step: string; readonly name: string }) {
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [`root_cause_${name}`, value]))
}

/** What a stranger might put into a label or an annotation. */
export const HOSTILE = [
  '<script>window.__pwned = 1</script>',
  '"><img src=x onerror="window.__pwned = 1">',
  "' onmouseover='window.__pwned = 1",
  '</bdi></h2></article><h1>Nothing is firing</h1>',
  'invoice\u202Efdp.exe',
  '${7*7} {{7*7}} &lt;b&gt;',
  'javascript:window.__pwned=1',
  'x'.repeat(10_000),
] as const
