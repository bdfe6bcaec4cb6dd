/** What is chosen at the top of every dashboard, alike on all, so that a link from one to another keeps it. */
import { DatasourceVariableBuilder, QueryVariableBuilder, VariableRefresh, VariableSort } from '@grafana/grafana-foundation-sdk/dashboard'

/** Data sources are variables: no file names one, and Grafana takes its default one first. */
export const PROMETHEUS = { type: 'prometheus', uid: '${prometheus_datasource}' } as const
export const LOKI = { type: 'loki', uid: '${loki_datasource}' } as const

export function variables(): (DatasourceVariableBuilder | QueryVariableBuilder)[] {
  const requests = 'agent_requests_total{cluster=~"$cluster",job=~"$job",instance=~"$instance"'
  return [
    new DatasourceVariableBuilder('prometheus_datasource').label('Prometheus data source').type('prometheus').description('Where the bridges are scraped to and the rules are evaluated.'),
    new DatasourceVariableBuilder('loki_datasource').label('Loki data source').type('loki').description('Where the bridges send their log lines; nothing but log panels needs it.'),
    // A place has one cluster or many; without the label, "All" is what is left.
    byLabel('cluster', 'Cluster', 'agent_requests_total', '.*'),
    byLabel('job', 'Job', 'spanbridge_build_info{cluster=~"$cluster"}', '.+'),
    byLabel('instance', 'Instance', 'spanbridge_build_info{cluster=~"$cluster",job=~"$job"}', '.+'),
    // A request may have none of these, and is counted all the same.
    byLabel('tenant_id', 'Tenant', `${requests}}`, '.*'),
    byLabel('project_id', 'Project', `${requests},tenant_id=~"$tenant_id"}`, '.*'),
    byLabel('agent', 'Agent', `${requests},tenant_id=~"$tenant_id",project_id=~"$project_id"}`, '.*'),
  ]
}

function byLabel(label: string, title: string, series: string, all: string): QueryVariableBuilder {
  const query = `label_values(${series}, ${label})`
  return new QueryVariableBuilder(label)
    .label(title).datasource(PROMETHEUS).query({ query, refId: `Variable-${label}` }).definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged).sort(VariableSort.AlphabeticalAsc)
    .multi(true).includeAll(true).allValue(all).current({ selected: true, text: ['All'], value: ['$__all'] })
}
