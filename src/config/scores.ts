/** The part of the configuration about scores that others give. */
import type { Values } from './schema.ts'

export interface SourceConfig {
  readonly url: string
  readonly apiKeyFile: string
  readonly projects: readonly string[]
  readonly everySeconds: number
}

export interface ScoresConfig {
  readonly rememberSeconds: number
  readonly rememberTraces: number
  readonly tokenFile: string | undefined
  readonly scales: readonly { readonly evaluator: string | undefined; readonly worst: number; readonly best: number }[]
  readonly labels: readonly { readonly evaluator: string | undefined; readonly label: string; readonly value: number }[]
  readonly langsmith: SourceConfig | undefined
  readonly braintrust: SourceConfig | undefined
}

/** `path` makes a path in the file one from the file's folder. */
export function scoresConfig({ rememberFor, rememberTraces, tokenFile, scales, labels, langsmith, braintrust }: Values['scores'], path: (value: string, ...key: string[]) => string): ScoresConfig {
  const source = ({ url, apiKeyFile, projects, every }: Values['scores']['langsmith'], name: string): SourceConfig | undefined =>
    (apiKeyFile === undefined ? undefined : { url, apiKeyFile: path(apiKeyFile, name, 'apiKeyFile'), projects, everySeconds: every })
  return {
    rememberSeconds: rememberFor, rememberTraces,
    tokenFile: tokenFile === undefined ? undefined : path(tokenFile, 'tokenFile'),
    scales: scales.map(({ evaluator, worst, best }) => ({ evaluator, worst, best })),
    labels: labels.map(({ evaluator, label, value }) => ({ evaluator, label, value })),
    langsmith: source(langsmith, 'langsmith'), braintrust: source(braintrust, 'braintrust'),
  }
}

/** `[key, problem]` where settings do not go together. */
export function scoresContradictions({ scales, langsmith, braintrust }: Values['scores']): [(string | number)[], string][] {
  return [
    ...scales.flatMap(({ worst, best }, i): [(string | number)[], string][] => (worst === best ? [[['scales', i, 'best'], 'expected another number than worst']] : [])),
    ...(braintrust.apiKeyFile !== undefined && braintrust.projects.length === 0 ? [[['braintrust', 'projects'], 'expected the ids of the projects whose scores are read'] as [string[], string]] : []),
    ...(['langsmith', 'braintrust'] as const).flatMap((name): [string[], string][] => ({ langsmith, braintrust }[name].apiKeyFile === undefined && { langsmith, braintrust }[name].projects.length > 0 ? [[[name, 'apiKeyFile'], 'expected the file of the key with which the projects are read']] : [])),
  ]
}
