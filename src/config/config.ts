/** The configuration in force: flags over environment over the YAML file over the defaults. */
import { dirname, resolve } from 'node:path'
import { parse as parseYamlValue } from 'yaml'
import { nearest } from '../nearest.ts'
import { judgeConfig, judgeContradictions, type JudgeConfig } from './judge.ts'
import { environmentNames, type Setting } from './keys.ts'
import { schema, type Values } from './schema.ts'
import { scoresConfig, scoresContradictions, type ScoresConfig } from './scores.ts'
import type { Address } from './values.ts'
import { ConfigError, pathText, problemsOf, type Path } from './problems.ts'
import { readYaml, type YamlFile } from './yaml.ts'

/** An attribute list holds the user's own keys, in order: the first one present on a span or its resource wins, over those known anyway. */
export interface Config {
  readonly httpAddress: Address
  readonly grpcAddress: Address
  readonly webAddress: Address
  readonly settleGraceSeconds: number
  readonly idleTimeoutSeconds: number
  readonly lateWindowSeconds: number
  readonly maxOpenRequests: number
  readonly maxSpansPerRequest: number
  readonly bodyLimitBytes: number
  readonly inflatedLimitBytes: number
  readonly maxInFlightBytes: number
  readonly seriesLimit: number
  readonly seriesExpirySeconds: number
  readonly dataDir: string
  /** Path of the user's pricing.yaml. */
  readonly pricing: string | undefined
  /** Path of the user's expectations.yaml. */
  readonly expectations: string | undefined
  readonly latencyPricing: LatencyPricing | undefined
  readonly costSharing: CostSharing
  readonly savings: Savings
  readonly loki: LokiConfig | undefined
  readonly judge: JudgeConfig | undefined
  readonly scores: ScoresConfig
  readonly pager: PagerConfig
  readonly staleAfterSeconds: number | undefined
  readonly escalation: { readonly people: RegExp | undefined; readonly models: readonly string[] }
  readonly tenantAttributes: readonly string[]
  readonly projectAttributes: readonly string[]
  readonly agentAttributes: readonly string[]
  readonly objectives: readonly ObjectiveLimit[]
  readonly errors: readonly ErrorRule[]
  /** What looks like a mistake but does not stop the start. */
  readonly warnings: readonly string[]
}

export interface LokiConfig {
  readonly url: string
  /** X-Scope-OrgID. */
  readonly tenant: string | undefined
  readonly user: { readonly name: string; readonly passwordFile: string } | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly linesPerSecond: number
  readonly queueLimitBytes: number
}

/** Addresses that the pager page reads from or leads to. */
export interface PagerConfig {
  readonly prometheusUrl?: string
  readonly traceUrl?: string
  readonly logsUrl?: string
  readonly demoUrl?: string
}

/** What of the cost is told as avoidable, and by what. */
export interface Savings {
  readonly reasons: readonly string[]
  readonly duplicateWindowSeconds: number
  readonly cacheLifetimeSeconds: number
  readonly contextMessages: number
  readonly contextTokens: number | undefined
  /** Attributes with a hash of the whole input. */
  readonly hashAttributes: readonly string[]
  readonly downgrades: readonly Downgrade[]
}

/** A cheaper model that does as well. Names are globs. */
export interface Downgrade {
  readonly from: string
  readonly to: string
  readonly agent: string | undefined
  readonly step: string | undefined
  readonly withoutScores: boolean
}

/** How the steps of a request share a cost that is known for the whole of it alone. */
export type CostSharing = 'duration' | 'tokens' | 'equal'

export interface LatencyPricing {
  readonly usdPerSecond: number
  readonly applyTo: 'unpriced' | 'all'
}

/** A limit, or all limits of a profile, for a tenant and an agent; '' is everyone. */
export type ObjectiveLimit = { readonly tenant: string; readonly agent: string } & (
  | { readonly objective: string; readonly limit: number }
  | { readonly profile: string }
)

/** An error that the user knows by its words. */
export interface ErrorRule {
  readonly match: RegExp
  readonly type: string
  readonly step: string | undefined
}

export interface Sources {
  /** Values of flags by key (`httpAddress`), and `config`, the file. Undefined ones were not given. */
  readonly flags?: Readonly<Record<string, string | undefined>>
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Throws `ConfigError` with every problem at once, each naming its flag, variable, or file, line and key. */
export function loadConfig({ flags = {}, env = {} }: Sources = {}): Config {
  const name = flags['config'] ?? (env['SPANBRIDGE_CONFIG'] || undefined)
  const file = name === undefined ? undefined : readYaml(name)
  const raw = structuredClone(file?.value ?? {}) as unknown
  const problems: string[] = []
  const origins = new Map<string, string>()
  if (isObject(raw)) overlay(raw, origins, problems, flags, env)
  const parsed = schema.safeParse(raw, { reportInput: true })
  if (!parsed.success) {
    const found = problemsOf(parsed.error, keysAt).map(([path, message]) => ({ text: `${place(path, origins, file)}: ${message}`, line: file?.lineOf(path) ?? 0 }))
    problems.push(...found.sort((a, b) => a.line - b.line).map(({ text }) => text))
  } else problems.push(...contradictions(parsed.data, (path) => place(path, origins, file)))
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems)
  return finish(parsed.data, file, origins, misspelt(env))
}

/** Writes flags and variables into the file's values and remembers who said what. */
function overlay(raw: Record<string, unknown>, origins: Map<string, string>, problems: string[], flags: Record<string, string | undefined>, env: Record<string, string | undefined>): void {
  for (const [variable, setting] of environmentNames()) {
    const flag = setting.path.length === 1 ? flags[setting.path[0]!] : undefined
    const text = flag ?? env[variable]
    // An empty variable is one that compose files and manifests leave open.
    if (text === undefined || (flag === undefined && text === '')) continue
    const origin = flag === undefined ? variable : `--${setting.path[0]!.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    const value = setting.composite ? structured(text, origin, problems) : text
    if (value !== undefined && put(raw, setting.path, value)) origins.set(setting.path.join('.'), origin)
  }
}

/** A list of objects in one variable: YAML, of which JSON is a part. */
function structured(text: string, origin: string, problems: string[]): unknown {
  try {
    return parseYamlValue(text) as unknown
  } catch (error) {
    problems.push(`${origin}: ${(error as Error).message.split('\n')[0]}`)
    return undefined
  }
}

/** False where the file has something else than keys in the way: the error is then the file's. */
function put(raw: Record<string, unknown>, path: readonly string[], value: unknown): boolean {
  let at = raw
  for (const part of path.slice(0, -1)) {
    const next = (at[part] ??= {})
    if (!isObject(next)) return false
    at = next
  }
  at[path.at(-1)!] = value
  return true
}

function place(path: Path, origins: Map<string, string>, file: YamlFile | undefined): string {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'))
    if (origin !== undefined) return length === path.length ? origin : `${origin}: ${pathText(path)}`
  }
  if (file === undefined) return pathText(path)
  return `${file.name}:${file.lineOf(path)}${path.length === 0 ? '' : `: ${pathText(path)}`}`
}

const KEYS_OF_LISTS: Readonly<Record<string, string[]>> = { objectives: ['objective', 'limit', 'profile', 'tenant', 'agent'], errors: ['match', 'type', 'step'], 'savings.downgrades': ['from', 'to', 'agent', 'step', 'withoutScores'], 'judge.tenants': ['tenant', 'usdPerDay', 'requestsPerDay'], 'scores.scales': ['evaluator', 'worst', 'best'], 'scores.labels': ['label', 'value', 'evaluator'] }

function keysAt(path: Path): string[] {
  if (path.length === 0) return Object.keys(schema.shape)
  const prefix = path.filter((part) => typeof part !== 'number').join('.')
  const names = [...environmentNames().values()].map((setting: Setting) => setting.path.join('.'))
  const below = names.filter((key) => key.startsWith(`${prefix}.`)).map((key) => key.slice(prefix.length + 1))
  return KEYS_OF_LISTS[prefix] ?? below
}

function contradictions(values: Values, at: (path: Path) => string): string[] {
  const problems: string[] = []
  if (values.inflatedLimit < values.bodyLimit) problems.push(`${at(['inflatedLimit'])}: expected at least bodyLimit (${values.bodyLimit} bytes), got ${values.inflatedLimit}`)
  if (values.maxInFlight < values.bodyLimit) problems.push(`${at(['maxInFlight'])}: expected at least bodyLimit (${values.bodyLimit} bytes), got ${values.maxInFlight}`)
  for (const [key, problem] of judgeContradictions(values.judge)) problems.push(`${at(['judge', key])}: ${problem}`)
  for (const [key, problem] of scoresContradictions(values.scores)) problems.push(`${at(['scores', ...key])}: ${problem}`)
  const { username, passwordFile, labels } = values.loki
  if ((username === undefined) !== (passwordFile === undefined)) problems.push(`${at(['loki', username === undefined ? 'passwordFile' : 'username'])}: username and passwordFile go together`)
  for (const own of ['service_name', 'event', 'outcome', 'first']) if (own in labels) problems.push(`${at(['loki', 'labels'])}: ${own} is a label of the bridge's own`)
  const taken = new Map<string, string>()
  for (const key of ['httpAddress', 'grpcAddress', 'webAddress'] as const) {
    const { host, port } = values[key]
    const address = `${host}:${port}`
    if (port !== 0 && taken.has(address)) problems.push(`${at([key])}: ${address} is also ${taken.get(address)}`)
    taken.set(address, key)
  }
  return problems
}

/**
 * Variables that look like a misspelt setting. Not an error: Kubernetes adds `SPANBRIDGE_SERVICE_HOST` and the like to
 * every container beside a service of this name.
 */
function misspelt(env: Record<string, string | undefined>): string[] {
  const known = [...environmentNames().keys(), 'SPANBRIDGE_CONFIG']
  return Object.keys(env).flatMap((variable) => {
    if (!variable.startsWith('SPANBRIDGE_') || known.includes(variable) || /_(SERVICE|PORT)(_|$)/.test(variable)) return []
    const near = nearest(variable.slice(11), known.map((name) => name.slice(11)))
    return near === undefined ? [] : [`${variable} is not a setting; did you mean SPANBRIDGE_${near}?`]
  })
}

function finish(values: Values, file: YamlFile | undefined, origins: Map<string, string>, warnings: string[]): Config {
  /** A path in the file is from the file's folder, any other from where the command runs. */
  const path = (value: string, ...key: string[]): string => {
    const inFile = key.reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), file?.value)
    return resolve(file !== undefined && inFile !== undefined && !origins.has(key.join('.')) ? dirname(file.name) : '.', value)
  }
  return {
    httpAddress: values.httpAddress,
    grpcAddress: values.grpcAddress,
    webAddress: values.webAddress,
    settleGraceSeconds: values.settleGrace,
    idleTimeoutSeconds: values.idleTimeout,
    lateWindowSeconds: values.lateWindow,
    maxOpenRequests: values.maxOpenRequests,
    maxSpansPerRequest: values.maxSpansPerRequest,
    bodyLimitBytes: values.bodyLimit,
    inflatedLimitBytes: values.inflatedLimit,
    maxInFlightBytes: values.maxInFlight,
    seriesLimit: values.seriesLimit,
    seriesExpirySeconds: values.seriesExpiry,
    dataDir: path(values.dataDir, 'dataDir'),
    pricing: values.pricing === undefined ? undefined : path(values.pricing, 'pricing'),
    expectations: values.expectations === undefined ? undefined : path(values.expectations, 'expectations'),
    latencyPricing: values.latencyPricing,
    costSharing: values.costSharing,
    savings: savingsOf(values.savings),
    pager: Object.fromEntries(Object.entries(values.pager).filter(([, url]) => url !== undefined)),
    scores: scoresConfig(values.scores, (value, ...key) => path(value, 'scores', ...key)),
    judge: judgeConfig(values.judge, (value, key) => path(value, 'judge', key)),
    loki: lokiConfig(values.loki, (value) => path(value, 'loki', 'passwordFile')),
    tenantAttributes: values.tenant.attributes,
    projectAttributes: values.project.attributes,
    agentAttributes: values.agent.attributes,
    objectives: values.objectives.map(objectiveLimit),
    staleAfterSeconds: values.staleAfter,
    escalation: { people: values.escalation.people, models: values.escalation.models },
    errors: values.errors.map(({ match, type, step }) => ({ match, type, step })),
    warnings,
  }
}

function savingsOf({ duplicateWindow, cacheLifetime, downgrades, ...rest }: Values['savings']): Savings {
  return {
    ...rest, contextTokens: rest.contextTokens, duplicateWindowSeconds: duplicateWindow, cacheLifetimeSeconds: cacheLifetime,
    downgrades: downgrades.map(({ from, to, agent, step, withoutScores }) => ({ from, to, agent, step, withoutScores })),
  }
}

function lokiConfig({ url, tenant, username, passwordFile, labels, linesPerSecond, queueLimit }: Values['loki'], path: (value: string) => string): LokiConfig | undefined {
  if (url === undefined) return undefined
  const user = username === undefined || passwordFile === undefined ? undefined : { name: username, passwordFile: path(passwordFile) }
  return { url, tenant, user, labels, linesPerSecond, queueLimitBytes: queueLimit }
}

/** The schema has seen to it that a row without a profile has an objective and a limit. */
function objectiveLimit({ objective, limit, profile, tenant = '', agent = '' }: Values['objectives'][number]): ObjectiveLimit {
  return profile === undefined ? { objective: objective!, tenant, agent, limit: limit! } : { profile, tenant, agent }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
