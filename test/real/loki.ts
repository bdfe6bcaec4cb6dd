/** A real Loki with the rules of this test, what is asked of it, and lines pushed past the bridge. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lokiConfig, RULES_TENANT } from '../../provisioning/loki.ts'
import { type Native, startLoki } from '../../provisioning/run.ts'

export interface TestLoki extends Native {
  /** Lines of a LogQL selection of the last hour, oldest first, each with its labels and structured metadata. */
  lines(logql: string): Promise<{ text: string; labels: Record<string, string> }[]>
  /** Samples of a LogQL metric query, now. */
  samples(logql: string): Promise<{ metric: Record<string, string>; value: number }[]>
  /** Streams, or a body that has them. */
  push(streams: readonly PushedStream[] | string): Promise<void>
}

export interface PushedStream {
  readonly stream: Readonly<Record<string, string>>
  readonly values: readonly (readonly [nanos: string, line: string, metadata: Readonly<Record<string, string>>])[]
}

export interface TestLokiOptions {
  readonly rulesFile?: string | URL
  readonly alertmanagerUrl?: string
  /** Default: a free one. */
  readonly port?: number
}

export async function testLoki(directory: string, { rulesFile, alertmanagerUrl = 'http://127.0.0.1:1', port }: TestLokiOptions = {}): Promise<TestLoki> {
  const dataDir = join(directory, 'loki')
  const rulesDir = join(directory, 'rules')
  mkdirSync(join(rulesDir, RULES_TENANT), { recursive: true })
  if (rulesFile !== undefined) copyFileSync(rulesFile, join(rulesDir, RULES_TENANT, 'loki-rules.yaml'))
  const configFile = join(directory, 'loki.yml')
  writeFileSync(configFile, lokiConfig({ dataDir, rulesDir, alertmanagerUrl, evaluationIntervalSeconds: 1, retentionDays: 31 }))
  const native = await startLoki({ configFile, dataDir, logDir: directory, ...(port !== undefined && { port }) })
  const api = async (path: string, parameters: Record<string, string>): Promise<{ result: any[] }> => {
    const response = await fetch(`${native.url}/loki/api/v1/${path}?${new URLSearchParams(parameters)}`)
    if (!response.ok) throw new Error(`Loki answered ${response.status} to ${parameters['query']}: ${await response.text()}`)
    return ((await response.json()) as { data: { result: any[] } }).data
  }
  return {
    ...native,
    lines: async (query) => {
      const { result } = await api('query_range', { query, direction: 'forward', limit: '5000', since: '1h' })
      return result
        .flatMap(({ stream, values }: { stream: Record<string, string>; values: [string, string][] }) => values.map(([nanos, text]) => ({ nanos: BigInt(nanos), text, labels: stream })))
        .sort((a, b) => (a.nanos < b.nanos ? -1 : 1))
        .map(({ text, labels }) => ({ text, labels }))
    },
    samples: async (query) => (await api('query', { query })).result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => ({ metric, value: Number(value[1]) })),
    push: async (streams) => {
      const response = await fetch(`${native.url}/loki/api/v1/push`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: typeof streams === 'string' ? streams : JSON.stringify({ streams }) })
      if (!response.ok) throw new Error(`Loki answered ${response.status} to a push: ${await response.text()}`)
    },
  }
}
