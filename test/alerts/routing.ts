/** The mixin's routing, evaluated with settings of a test, and the alerts that are routed. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { findEvaluator } from '../../src/bundle/evaluator.ts'

export interface Route {
  readonly receiver: string
  readonly matchers?: readonly string[]
  readonly routes?: readonly Route[]
  readonly mute_time_intervals?: readonly string[]
}

export interface Inhibition {
  readonly source_matchers: readonly string[]
  readonly target_matchers: readonly string[]
  readonly equal: readonly string[]
}

export interface Routing {
  readonly route: Route
  readonly receivers: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[]
  readonly inhibit_rules: readonly Inhibition[]
  readonly time_intervals?: readonly unknown[]
  readonly templates: readonly string[]
}

export const evaluator = await findEvaluator()

const ALERTS = join(import.meta.dirname, '../../alerts')

interface Rule {
  readonly alert?: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface Alert {
  readonly alert: string
  readonly labels: Readonly<Record<string, string>> & { readonly severity: string; readonly owner: string }
}

/** Every alert that Prometheus or Loki is given, once for each severity. */
export const ALL_ALERTS = ['prometheus-rules.yaml', 'loki-rules.yaml'].map((name) => join(ALERTS, 'generated', name)).filter((file) => existsSync(file))
  .flatMap((file) => (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups)
  .flatMap(({ rules }) => rules).flatMap(({ alert, labels }) => (alert === undefined ? [] : [{ alert, labels } as Alert]))
  .filter(({ alert, labels }, at, all) => all.findIndex((other) => other.alert === alert && other.labels.severity === labels.severity) === at)

const evaluated = new Map<string, Promise<unknown>>()

/**
 * Alertmanager's configuration with this laid over _config; throws what jsonnet says. The alerts are given as they were generated: to make them again takes
 * jsonnet some seconds.
 */
export async function routing(config: string, alerts: readonly { readonly alert: string; readonly labels: object }[] = ALL_ALERTS): Promise<Routing> {
  if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
  const snippet = `(import 'alertmanager/alertmanager.libsonnet')(((import 'config.libsonnet') + { _config+:: ${config} })._config, [{ rules: ${JSON.stringify(alerts)} }])`
  const value = evaluated.get(snippet) ?? evaluator.evaluate(snippet, ALERTS)
  evaluated.set(snippet, value)
  return (await value) as Routing
}

/** Every way to tell somebody, for everybody and for one tenant and two teams of their own. */
export const EVERYTHING = `{
  clusterLabel: 'region',
  alertmanager+: {
    channels+: {
      slack+: { apiUrlFile: '/run/secrets/slack', channel: '#agents' },
      pagerduty+: { routingKeyFile: '/run/secrets/pagerduty', url: 'https://events.eu.pagerduty.com/v2/enqueue' },
      email+: { to: 'agents@example.org', from: 'alerts@example.org', smarthost: 'smtp.example.org:587', username: 'alerts', passwordFile: '/run/secrets/smtp' },
      webhook+: { urlFile: '/run/secrets/webhook', credentialsFile: '/run/secrets/webhook-token' },
    },
    severities+: { warning+: { muteTimes: ['nights', 'weekends'] }, info+: { to: ['email'] } },
    watchdog+: { urlFile: '/run/secrets/watchdog' },
  },
  routing+: {
    teams+: { 'agent-oncall': { slack: { channel: '#agents-oncall' } }, platform: { pagerduty: null } },
    tenants+: { acme: { pagerduty: { routingKeyFile: '/run/secrets/pagerduty-acme' } }, 'a"b\\\\': { email: { to: 'ab@example.org' } } },
  },
}`
