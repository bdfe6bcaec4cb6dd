import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parser as logql } from '@grafana/lezer-logql'
import { COMPOSE_GRAFANA, grafanaDashboards, grafanaDatasources } from '../../provisioning/grafana.ts'
import { COMPOSE } from '../../provisioning/prometheus.ts'

interface Source {
  readonly type: string
  readonly uid: string
  readonly url: string
  readonly jsonData: Readonly<Record<string, unknown>>
}

describe("Grafana's data sources", () => {
  const text = grafanaDatasources(COMPOSE_GRAFANA)
  // As Grafana reads it: environment variables first, `$$` is a dollar.
  const { datasources } = parse(text.replaceAll('$$', '$')) as { datasources: Source[] }
  const byType = Object.fromEntries(datasources.map((source) => [source.type, source]))

  test('lead from a point to its trace, from a trace to its log lines, from a log line to its trace', () => {
    expect(byType['prometheus']!.jsonData).toMatchObject({ exemplarTraceIdDestinations: [{ name: 'trace_id', datasourceUid: byType['tempo']!.uid }] })
    expect(byType['loki']!.jsonData).toMatchObject({ derivedFields: [{ matcherRegex: 'trace_id', url: '${__value.raw}', datasourceUid: byType['tempo']!.uid }] })
    expect(byType['tempo']!.jsonData).toMatchObject({ tracesToLogsV2: { datasourceUid: byType['loki']!.uid, customQuery: true } })
  })

  test('ask Loki in its own language', () => {
    const { query } = byType['tempo']!.jsonData['tracesToLogsV2'] as { query: string }
    let wrong = false
    logql.parse(query.replace('${__trace.traceId}', '0af7651916cd43dd8448eb211c80319c')).iterate({ enter: ({ type }) => void (wrong ||= type.isError) })
    expect(wrong).toBe(false)
    expect(query).toContain('${__trace.traceId}')
  })

  test('leave no variable to be taken for one of the environment', () => {
    expect(text.replaceAll('$$', '')).not.toContain('$')
  })

  test('know how often Prometheus scrapes', () => {
    expect(byType['prometheus']!.jsonData['timeInterval']).toBe(`${COMPOSE.scrapeIntervalSeconds}s`)
  })
})

test('the dashboards are read from the directory, and nobody changes them in the browser', () => {
  expect(parse(grafanaDashboards({ ...COMPOSE_GRAFANA, dashboards: '/somewhere' }))).toEqual({
    apiVersion: 1, providers: [{ name: 'spanbridge', folder: 'Spanbridge', type: 'file', allowUiUpdates: false, options: { path: '/somewhere' } }],
  })
})

/**
 * Grafana has no binary that the tests could run. `GF_<section>_<key>`, from its documented configuration of version 12:
 * https://grafana.com/docs/grafana/v12.2/setup-grafana/configure-grafana/
 */
const DOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  'auth': ['disable_login_form'],
  'auth.anonymous': ['enabled', 'org_role'],
  'security': ['disable_initial_admin_creation'],
  'server': ['root_url'],
  'analytics': ['reporting_enabled', 'check_for_updates', 'check_for_plugin_updates'],
  'plugins': ['preinstall_disabled'],
  'log': ['mode'],
}

test('docker-compose.yml gives Grafana documented settings, and no password', () => {
  const { services } = parse(readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8'), { merge: true }) as { services: { grafana: { environment: Record<string, string> } } }
  const known = Object.entries(DOCUMENTED).flatMap(([section, keys]) => keys.map((key) => `GF_${section.replaceAll('.', '_')}_${key}`.toUpperCase()))
  expect(Object.keys(services.grafana.environment).toSorted()).toEqual(known.toSorted())
  expect(services.grafana.environment).toMatchObject({ GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true', GF_AUTH_ANONYMOUS_ORG_ROLE: 'Editor' })
})
