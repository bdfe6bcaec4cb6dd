/** The judge's part of the configuration. */
import type { Values } from './schema.ts'

export interface JudgeConfig {
  readonly provider: 'anthropic' | 'openai' | 'autoevals'
  readonly model: string
  readonly baseUrl: string | undefined
  readonly apiKeyFile: string | undefined
  readonly share: number
  readonly always: readonly ('error' | 'low_unit_score' | 'new_version')[]
  readonly lowUnitScore: number
  readonly newVersionSeconds: number
  readonly rubric: string | undefined
  readonly scorer: 'ClosedQA' | 'Possible' | 'Security' | 'Humor'
  readonly criteria: string
  readonly usdPerDay: number
  readonly tenantUsdPerDay: number
  readonly tenantRequestsPerDay: number
  readonly tenants: readonly { readonly tenant: string; readonly usdPerDay: number | undefined; readonly requestsPerDay: number | undefined }[]
  readonly queueLimit: number
  readonly concurrency: number
  readonly timeoutSeconds: number
  readonly maxTokens: number
  readonly redactBuiltIn: boolean
  readonly redactPatterns: readonly RegExp[]
  /** Path of a module. */
  readonly redact: string | undefined
}

const MODELS = { anthropic: 'claude-opus-4-7', openai: 'gpt-5.5', autoevals: 'gpt-5.5' } as const

/** undefined where nobody judges. `path` makes a path in the file one from the file's folder. */
export function judgeConfig({ provider, model, timeout, newVersionFor, tenants, redactPatterns, ...values }: Values['judge'], path: (value: string, key: string) => string): JudgeConfig | undefined {
  if (provider === undefined) return undefined
  const file = (value: string | undefined, key: string) => (value === undefined ? undefined : path(value, key))
  return {
    ...values, provider, model: model ?? MODELS[provider],
    baseUrl: values.baseUrl, always: values.always,
    apiKeyFile: file(values.apiKeyFile, 'apiKeyFile'), rubric: file(values.rubric, 'rubric'), redact: file(values.redact, 'redact'),
    timeoutSeconds: timeout, newVersionSeconds: newVersionFor, redactPatterns,
    tenants: tenants.map(({ tenant, usdPerDay, requestsPerDay }) => ({ tenant, usdPerDay, requestsPerDay })),
  }
}

/** `[key, problem]` where two settings do not go together. */
export function judgeContradictions({ provider, model, baseUrl, rubric, tenants }: Values['judge']): [string, string][] {
  const problems: [string, string][] = []
  if (provider === 'openai' || provider === 'autoevals') {
    if (baseUrl !== undefined && model === undefined) problems.push(['model', 'expected the model that is served at baseUrl'])
  }
  if (provider === 'autoevals' && rubric !== undefined) problems.push(['rubric', 'a scorer of autoevals has a rubric of its own'])
  const names = tenants.map(({ tenant }) => tenant)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) problems.push(['tenants', `${JSON.stringify(twice)} is there twice`])
  return problems
}
