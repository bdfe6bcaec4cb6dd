/** The mixin's routing, evaluated with settings of a test. */
import { join } from 'node:path'
import { findEvaluator } from '../../alerts/evaluate.ts'

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

const evaluated = new Map<string, Promise<unknown>>()

/** Alertmanager's configuration with this laid over _config. Throws what jsonnet says. */
export async function routing(config: string): Promise<Routing> {
  if (evaluator === null) throw new Error('cannot test without a jsonnet evaluator: install @hanazuki/node-jsonnet or put a jsonnet on the PATH')
  const snippet = `((import 'mixin.libsonnet') + { _config+:: ${config} }).alertmanagerConfig`
  const value = evaluated.get(snippet) ?? evaluator.evaluate(snippet, join(import.meta.dirname, '../../alerts'))
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
