import { describe, expect, test } from 'vitest'
import { type Dashboard, dashboards } from './dashboards.ts'
import { RULES } from './linter.ts'

describe.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))('%s', (_, dashboard) => {
  test.each(Object.entries(RULES))('%s', (_, rule) => {
    expect(rule(dashboard)).toEqual([])
  })
})

describe('a dashboard that breaks everything', () => {
  const target = (expr: string, type = 'prometheus') => ({ refId: 'A', expr, datasource: { type, uid: 'P1' } })
  const broken = {
    uid: 'x', title: 'x', description: '', tags: [], editable: true, schemaVersion: 38, __requires: [], links: [], annotations: { list: [] },
    templating: {
      list: [
        { name: 'ds', label: 'Source', type: 'datasource', query: 'prometheus', multi: false, includeAll: false },
        { name: 'job', label: 'Job', type: 'query', query: 'label_values(up{, job)', multi: false, includeAll: true, allValue: '.*', refresh: 1 },
      ],
    },
    panels: [
      { id: 1, type: 'timeseries', gridPos: { x: 0, y: 0, w: 12, h: 8 }, datasource: { type: 'prometheus', uid: 'P1' }, fieldConfig: { defaults: { unit: 'parsecs' }, overrides: [] }, targets: [] },
      {
        id: 2, type: 'stat', title: 'a', description: 'b', gridPos: { x: 12, y: 0, w: 12, h: 8 }, datasource: { type: 'prometheus', uid: '${ds}' }, fieldConfig: { defaults: { unit: 's' }, overrides: [] },
        targets: [
          target('rate(agent_requests_total[5m]) + ('), target('rate(agent_requests_total[5m])'), target('agent_requests_total{job="a"}'),
          target('{a="b"} | json |', 'loki'), target('rate({a="b"}[5m])', 'loki'),
        ],
      },
    ],
  } satisfies Dashboard

  test.each(Object.entries(RULES))('%s notices', (_, rule) => {
    expect(rule(broken)).not.toEqual([])
  })
})
