import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ObjectiveLimit } from '../../src/config/config.ts'
import { type Objective, objectiveRows, readObjectives } from '../../src/config/objectives.ts'
import { readRemedies, remedyOf } from '../../src/config/remedies.ts'
import { METRICS, type MetricDefinition } from '../../src/metrics/catalogue.ts'
import { HEALTH_HISTOGRAMS, type HealthHistogram } from '../../src/metrics/health.ts'
import { ERROR_TYPES } from '../../src/spans/names.ts'

const objectives = readObjectives()
const known = METRICS as Readonly<Record<string, MetricDefinition>>
const boundaries = (metric: string) => (known[metric]?.buckets ?? HEALTH_HISTOGRAMS[metric as HealthHistogram]?.buckets)
const own = (objective: string, limit: number, tenant = '', agent = '') => ({ objective, tenant, agent, limit })
const profile = (name: string, tenant = '', agent = '') => ({ profile: name, tenant, agent })
const rows = (...limits: ObjectiveLimit[]) => objectiveRows(objectives, limits, boundaries)

describe('the documented objectives', () => {
  const metricsOf = ({ measure }: Objective) => [...('metric' in measure ? [measure.metric] : []), ...('of' in measure ? [measure.of] : [])]

  test('are measured on metrics of the catalogue, or on the bridge itself', () => {
    const unknown = objectives.flatMap(metricsOf).filter((name) => !name.startsWith('spanbridge_') && !Object.hasOwn(known, name))
    expect(unknown).toEqual([])
  })

  test('have a bucket boundary at every limit that a histogram is judged by, profiles included', () => {
    const inexact = objectives.flatMap(({ id, measure, limit, profiles }) => {
      const edges = measure.kind === 'latency' || measure.kind === 'level' ? boundaries(measure.metric) : undefined
      if (!edges) return []
      return [limit, ...Object.values(profiles ?? {})].filter((value) => value !== null && !edges.includes(value)).map((value) => `${id} ${value}`)
    })
    expect(inexact).toEqual([])
  })

  test('are measured per tenant and agent where all of their metrics are', () => {
    for (const objective of objectives.filter(({ measure }) => measure.kind !== 'drill')) {
      const labels = metricsOf(objective).map((name) => known[name]?.labels ?? [])
      expect(objective.per, objective.id).toEqual(['tenant_id', 'agent'].filter((label) => labels.every((own) => own.includes(label))))
    }
  })

  test('are refused when one is there twice or a key is not known, naming it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'spanbridge-objectives-'))
    const written = (document: unknown) => {
      writeFileSync(join(directory, 'objectives.json'), JSON.stringify(document))
      return join(directory, 'objectives.json')
    }
    try {
      expect(() => readObjectives(written({ objectives: [objectives[0], objectives[0]] }))).toThrow('cannot read objectives: latency_p95 is there twice')
      expect(() => readObjectives(written({ objectives: [{ ...objectives[0], limits: 1 }] }))).toThrow(/cannot read objectives: .*limits/s)
      expect(() => readObjectives(join(directory, 'none.json'))).toThrow(/cannot read objectives: ENOENT/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('the limits in force', () => {
  test('are one row for everyone for each objective that has a limit', () => {
    const all = rows()
    expect(all.every(({ agent, tenant_id }) => agent === '' && tenant_id === '')).toBe(true)
    expect(all.map(({ objective }) => objective)).toEqual(objectives.filter(({ limit }) => limit !== null).map(({ id }) => id))
    expect(all).toContainEqual({ objective: 'latency_p95', agent: '', tenant_id: '', value: 0.5 })
  })

  test('take a limit without tenant and agent in place of the documented one, and others beside it', () => {
    const all = rows(own('success_rate', 0.99), own('success_rate', 0.999, 'gold'), own('success_rate', 0.9, '', 'batch'), own('success_rate', 0.95, 'gold', 'batch'))
    expect(all.filter(({ objective }) => objective === 'success_rate')).toEqual([
      { objective: 'success_rate', agent: '', tenant_id: '', value: 0.99 },
      { objective: 'success_rate', agent: '', tenant_id: 'gold', value: 0.999 },
      { objective: 'success_rate', agent: 'batch', tenant_id: '', value: 0.9 },
      { objective: 'success_rate', agent: 'batch', tenant_id: 'gold', value: 0.95 },
    ])
  })

  test('of a profile are those of every objective that has it', () => {
    expect(rows(profile('customer_service', 'gold', 'support')).filter(({ tenant_id }) => tenant_id === 'gold')).toEqual([
      { objective: 'latency_p95', agent: 'support', tenant_id: 'gold', value: 0.3 },
      { objective: 'success_rate', agent: 'support', tenant_id: 'gold', value: 0.999 },
    ])
    expect(rows(profile('international_customer_service', '', 'support'))).toContainEqual({ objective: 'cost_per_request', agent: 'support', tenant_id: '', value: 0.03 })
    // For everyone it takes the place of the documented limit.
    expect(rows(profile('internal_code_review')).filter(({ objective }) => objective === 'cost_per_request')).toEqual([
      { objective: 'cost_per_request', agent: '', tenant_id: '', value: 0.12 },
    ])
  })

  test('of a profile give way to one told by itself, whichever comes first', () => {
    const both = [profile('customer_service', '', 'support'), own('latency_p95', 0.5, '', 'support')]
    for (const order of [both, [...both].reverse()]) {
      expect(rows(...order).filter(({ agent }) => agent === 'support').map(({ objective, value }) => [objective, value]).sort()).toEqual([['latency_p95', 0.5], ['success_rate', 0.999]])
    }
  })

  test('may be negative, or above 1, for a growth', () => {
    expect(rows(own('quality_change', -0.05))).toContainEqual({ objective: 'quality_change', agent: '', tenant_id: '', value: -0.05 })
    expect(rows(own('cost_growth', 1.5))).toContainEqual({ objective: 'cost_growth', agent: '', tenant_id: '', value: 1.5 })
  })

  test('are keyed injectively, whatever is in a name', () => {
    expect(rows(own('success_rate', 0.9, 'a","', 'b'), own('success_rate', 0.8, 'a', '","b')).filter(({ agent }) => agent !== '')).toHaveLength(2)
  })

  test('are refused where no rule could judge them', () => {
    expect(() => rows(own('sucess_rate', 0.9))).toThrow('cannot use objectives[0]: no objective "sucess_rate"; there are latency_p95,')
    expect(() => rows(own('latency_p95', 1), own('latency_p95', 0.4, 'gold'))).toThrow('cannot use objectives[1]: agent_request_duration_seconds has no bucket boundary at 0.4, so it cannot be judged exactly; use 0.3 or 0.5')
    expect(() => rows(own('pipeline_latency_p99', 0.3))).toThrow('spanbridge_pipeline_latency_seconds has no bucket boundary at 0.3, so it cannot be judged exactly; use 0.25 or 0.5')
    expect(() => rows(own('success_rate', 1))).toThrow('success_rate has to be above 0 and below 1, and is 1')
    expect(() => rows(own('success_rate', 99.5))).toThrow('success_rate has to be above 0 and below 1, and is 99.5')
    expect(() => rows(own('quality_score', 85))).toThrow('quality_score is a ratio, at most 1, and is 85')
    expect(() => rows(own('cost_per_request', -1))).toThrow('cost_per_request has to be at least 0, and is -1')
    expect(() => rows(profile('constructor'))).toThrow('cannot use objectives[0]: no profile "constructor"; there are customer_service, internal_tools, international_customer_service, internal_code_review')
    expect(() => rows(profile('internal_tools', 'gold'), profile('internal_code_review', 'gold'))).toThrow('cannot use objectives[1]: cost_per_request is set twice for the same tenant and agent')
    expect(() => rows(own('anomaly_detection_rate', 0.9))).toThrow('anomaly_detection_rate is measured by the fire drill')
    expect(() => rows(own('context_messages', 50, '', 'batch'), own('context_messages', 50, 'gold'))).toThrow('cannot use objectives[1]: context_messages is not measured by tenant, so it cannot have a limit of its own there')
    expect(() => rows(own('pipeline_latency_p95', 0.25, 'gold', 'batch'))).toThrow('pipeline_latency_p95 is not measured by tenant and agent')
    expect(() => rows(own('success_rate', 0.9, 'gold'), own('success_rate', 0.8, 'gold'))).toThrow('cannot use objectives[1]: success_rate is set twice for the same tenant and agent')
  })
})

describe('the remedies', () => {
  const remedies = readRemedies()

  test('know every type of the taxonomy, under its class', () => {
    const taxonomy = ERROR_TYPES.filter(({ class: of }) => of !== '' && of !== 'unclassified').map(({ class: of, type }) => `${of} ${type}`).sort()
    expect(Object.entries(remedies.errors).map(([type, { class: of }]) => `${of} ${type}`).sort()).toEqual(taxonomy)
  })

  test('answer a type that is not in the table, even one named after a method of objects', () => {
    expect(remedyOf(remedies, '5xx')).toBe('Serve the cached response.')
    expect(remedyOf(remedies, 'unclassified')).toBe(remedies.unclassified)
    expect(remedyOf(remedies, 'constructor')).toBe(remedies.unclassified)
  })
})
