import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findEvaluator } from '../../src/bundle/evaluator.ts'
import { evaluateMixin, MIXIN, type Mixin } from '../../src/bundle/mixin.ts'
import { faultsOf } from '../../src/bundle/validate.ts'

const evaluator = await findEvaluator()
const inCi = process.env['CI'] === 'true'

/** The windows of every objective that has some, without the rest of the mixin. */
const windows = (settings: string) => `local config = (import 'config.libsonnet')._config + ${settings}; local lib = (import 'lib.libsonnet')(config);
  [(import 'objectives/windows.libsonnet')(config, lib).of(objective) for objective in (import 'objectives.json').objectives if lib.hasBudget(objective)]`

describe.skipIf(evaluator === null && !inCi)(`settings that cannot be${evaluator === null ? ' (skipped, missing: a jsonnet evaluator)' : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanbridge-settings-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each([
    ['a misspelt one', 'a.jsonnet', `{ selecter: 'job="b"' }`, /^cannot use .*a\.jsonnet: there is no setting selecter; did you mean selector\?$/],
    ['a misspelt one of an overlay', 'b.jsonnet', `{ _config+:: { clusterlabel: 'region' } }`, /: there is no setting clusterlabel; did you mean clusterLabel\?$/],
    ['a fault in the syntax', 'c.jsonnet', `{\n  selector:\n}`, /^cannot use .*c\.jsonnet:3: .*unexpected/],
    ['an error of its own', 'd.jsonnet', `{\n  selector: 'x',\n  objectives: error 'not today',\n}`, /^cannot use .*d\.jsonnet:3: not today$/],
    ['an import that is not there', 'e.jsonnet', `(import 'kube.libsonnet') + {}`, /^cannot use .*e\.jsonnet:1: .*kube\.libsonnet/],
    ['an objective that is not there', 'h.yaml', 'objectives: [uptime]', /: cannot make rules for uptime: not in objectives\.json, which has latency_p95/],
    ['a list', 'f.json', '[]', /expected an object/],
    ['YAML that is none', 'g.yaml', 'objectives: [\n', /^cannot use .*g\.yaml:2: /],
  ])('%s', async (_, name, text, message) => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
    const file = join(folder, name)
    writeFileSync(file, text)
    await expect(evaluateMixin(evaluator, file)).rejects.toThrow(message)
  }, 30_000)

  test.each([
    ['windows that a long scrape interval makes equal', `{ scrapeInterval: '15m' }`, /scraped every 15m, no window is shorter than 1h, so 5m is no shorter than 1h/],
    ['a factor that fires while the objective is met', `{ burnRates: [{ severity: 'critical', pairs: [{ short: '5m', long: '1h', factor: 0.9 }] }] }`, /the factor 0\.9 of the windows 5m and 1h is below 1/],
    ['a factor that no burn reaches', `{ burnRates: [{ severity: 'critical', pairs: [{ short: '5m', long: '1h', factor: 20 }] }] }`, /objective latency_p95: at a target of 0\.95 no burn rate exceeds 20, and every pair for critical asks for more/],
    ['an outage of everything', `{ burnRates: [{ severity: 'critical', pairs: [{ short: '5m', long: '1h', outage: 1 }] }] }`, /the outage 1 of the windows 5m and 1h is not between 0 and 1/],
    ['windows the wrong way round', `{ burnRates: [{ severity: 'critical', pairs: [{ short: '1h', long: '5m', factor: 2 }] }] }`, /the short window 1h is not shorter than the long one, 5m/],
  ])('%s', async (_, settings, message) => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator')
    await expect(evaluator.evaluate(windows(settings), MIXIN)).rejects.toThrow(message)
  }, 30_000)

  test('and those that can, so that none of these is refused for another reason', async () => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator')
    expect(await evaluator.evaluate(windows(`{ scrapeInterval: '14m' }`), MIXIN)).toMatchObject([[{ severity: 'critical', pairs: [{ short: '56m', long: '1h', outage: 0.5, share: 0.525 }, { short: '56m', long: '6h', factor: 6 }] }, { severity: 'warning' }], {}, {}, {}, {}])
  }, 30_000)

  test('a file that is not there', async () => {
    if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator')
    await expect(evaluateMixin(evaluator, join(folder, 'none.jsonnet'))).rejects.toThrow(/^cannot read .*none\.jsonnet: no such file$/)
  })
})

describe('what the programs that read the files would refuse', () => {
  const sound: Mixin = {
    prometheus: { groups: [{ name: 'a', rules: [{ record: 'x:y', expr: '1' }, { alert: 'A', expr: '1', labels: { severity: 'info' }, annotations: { dashboard_url: 'http://g/d/one?var-a={{ $labels.a | urlquery }}' } }] }] },
    loki: { groups: [] },
    alertmanager: { route: { receiver: 'page', routes: [{ receiver: 'page' }] }, receivers: [{ name: 'page' }] },
    templates: {},
    dashboards: { 'one.json': { uid: 'one', title: 'One' } },
    burn: [],
    settings: { minEvents: 10, minBadEvents: 3, trickleHours: 4, keepFiringFor: '10m' },
  }
  const rules = (...all: object[]) => ({ ...sound, prometheus: { groups: [{ name: 'a', rules: all as Mixin['prometheus']['groups'][0]['rules'] }] } })

  test('is nothing of what is sound', () => expect(faultsOf(sound)).toEqual([]))

  test.each<[string, Mixin]>([
    ['prometheus-rules.yaml: A in a: has no expr', rules({ alert: 'A', expr: ' ' })],
    ['prometheus-rules.yaml: x y in a: is no name of a metric', rules({ record: 'x y', expr: '1' })],
    ['prometheus-rules.yaml: rule 1 in a: is neither an alert nor a record, or both', rules({ expr: '1' })],
    ['prometheus-rules.yaml: A in a: team is 7 and not a text', rules({ alert: 'A', expr: '1', labels: { team: 7 } })],
    ['prometheus-rules.yaml: A in a: "my-team" is no name of a label', rules({ alert: 'A', expr: '1', labels: { 'my-team': 'x' } })],
    ['prometheus-rules.yaml: A in a: the braces of summary are not closed', rules({ alert: 'A', expr: '1', annotations: { summary: '{{ $value' } })],
    ['prometheus-rules.yaml: x:y {} is recorded twice', rules({ record: 'x:y', expr: '1' }, { record: 'x:y', expr: '2' })],
    ['loki-rules.yaml: two groups are named b', { ...sound, loki: { groups: [{ name: 'b', rules: [] }, { name: 'b', rules: [] }] } }],
    ['alertmanager.yaml: a route leads to the receiver night, which is not there', { ...sound, alertmanager: { ...sound.alertmanager, route: { routes: [{ routes: [{ receiver: 'night' }] }] } } }],
    ['alertmanager.yaml: two receivers are named page', { ...sound, alertmanager: { ...sound.alertmanager, receivers: [{ name: 'page' }, { name: 'page' }] } }],
    ['alerts lead to the dashboard one, which is not there', { ...sound, dashboards: {} }],
    ['dashboards: two have the uid one', { ...sound, dashboards: { ...sound.dashboards, 'two.json': { uid: 'one', title: 'Two' } } }],
    ['dashboards/two.json: has no title, or a uid that Grafana does not take', { ...sound, dashboards: { ...sound.dashboards, 'two.json': { uid: 'two words', title: 'Two' } } }],
  ])('%s', (fault, mixin) => expect(faultsOf(mixin)).toEqual([fault]))
})
