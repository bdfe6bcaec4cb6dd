import { describe, expect, test } from 'vitest'
import { boundText, fromClassic, negotiate } from '../../src/metrics/format.ts'

const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
const PROMETHEUS_3_NATIVE = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,${PROMETHEUS_3}`
const PROMETHEUS_2 = 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

describe('an Accept header', () => {
  test.each([
    [PROMETHEUS_3, 'openmetrics'],
    [PROMETHEUS_3_NATIVE, 'openmetrics'],
    [PROMETHEUS_2, 'openmetrics'],
    ['application/openmetrics-text; version="1.0.0"; charset=utf-8', 'openmetrics'],
    ['APPLICATION/OpenMetrics-Text', 'openmetrics'],
    ['text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.4', 'classic'],
    ['application/openmetrics-text;version=2.0.0,text/plain;q=0.1', 'classic'],
    ['application/openmetrics-text;q=0,*/*', 'classic'],
    ['application/openmetrics-text;q=nonsense', 'classic'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'classic'],
    ['*/*', 'classic'],
    ['application/json', 'classic'],
    ['', 'classic'],
    [undefined, 'classic'],
    [';;;,,,q=1;=', 'classic'],
  ])('%s is answered in %s', (accept, format) => {
    expect(negotiate(accept)).toBe(format)
  })

  test('of any length is answered at once', () => {
    expect(negotiate(`${'x,'.repeat(5_000_000)}application/openmetrics-text`)).toBe('classic')
  })
})

test.each([[1, '1.0'], [0.005, '0.005'], [0.0001, '0.0001'], [3600, '3600.0'], [0, '0.0']])('the bound %d is written %s', (bound, text) => {
  expect(boundText(bound)).toBe(text)
})

test('a library that writes classic text only is made OpenMetrics', () => {
  const classic = [
    '# HELP a_total Things of b_total kind.', '# TYPE a_total counter', 'a_total{x="# TYPE c_total counter",y="\\"le=\\"5\\"\\n"} 1', '',
    '# HELP b_total Not a counter.', '# TYPE b_total gauge', 'b_total 2', '',
    '# HELP h_seconds A histogram.', '# TYPE h_seconds histogram', 'h_seconds_bucket{le="1"} 1', 'h_seconds_bucket{x="y",le="2.5"} 1', 'h_seconds_bucket{x="y",le="+Inf"} 1', '',
  ].join('\n')
  expect(fromClassic(classic, 'openmetrics').split('\n')).toEqual([
    '# HELP a Things of b_total kind.', '# TYPE a counter', 'a_total{x="# TYPE c_total counter",y="\\"le=\\"5\\"\\n"} 1',
    '# HELP b_total Not a counter.', '# TYPE b_total gauge', 'b_total 2',
    '# HELP h_seconds A histogram.', '# TYPE h_seconds histogram', 'h_seconds_bucket{le="1.0"} 1', 'h_seconds_bucket{x="y",le="2.5"} 1', 'h_seconds_bucket{x="y",le="+Inf"} 1', '',
  ])
  expect(fromClassic(classic, 'classic')).toBe(classic.replace('le="1"', 'le="1.0"'))
})
