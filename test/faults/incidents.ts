/**
 * Incidents with one thing in common, of known kind: all that goes wrong goes wrong for a tenant, in a version, with a model or a tool, for an agent of its own.
 * Beside it requests fail now and then for no reason, and tenants differ in what they use. Controls have that alone.
 */
import { testEngine, series } from '../conformance/recordings.ts'
import { tracesBody } from '../otlpbuilder.ts'
import { Dice } from './faults.ts'
import { LIMITS } from './measure.ts'
import { spansOf, START_MS, type Run, type Step } from './request.ts'

export const VERDICTS = ['failed', 'slow', 'expensive'] as const
const FEATURES = ['tenant_id', 'version', 'model', 'tool'] as const

export interface Incident {
  readonly agent: string
  readonly verdict: (typeof VERDICTS)[number]
  /** `feature value` of what the bad requests have in common; undefined: nothing. */
  readonly common: string | undefined
  /** `agent_request_features_total` after ten minutes. */
  readonly counted: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

const TENANTS = ['acme', 'globex', 'initech', 'hooli', 'umbrella', 'wonka']
const VERSIONS = ['1.4.0', '1.4.1', '2.0.0']
const MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5']
const TOOLS = ['search', 'lookup', 'refund', 'crm', 'mail']

/** What a request has of each feature: of tools several. */
type Had = Readonly<Record<(typeof FEATURES)[number], readonly string[]>>

export function incidentOf(seed: number, isControl: boolean): Incident {
  const dice = new Dice(seed * 7919 + (isControl ? 1 : 0))
  const agent = `incident-${seed}`
  const verdict = dice.of(VERDICTS)
  const feature = dice.of(FEATURES)
  const value = dice.of({ tenant_id: TENANTS, version: VERSIONS, model: MODELS, tool: TOOLS }[feature])
  const badness = dice.between(0.5, 1)
  const background = dice.between(0, isControl ? 0.08 : 0.01)
  const weights = new Map([...TENANTS, ...VERSIONS, ...MODELS].map((name) => [name, dice.between(0.1, 1)]))
  const toolShares = new Map(TOOLS.map((name) => [name, dice.between(0.1, 0.5)]))
  /** Some tenants are on a version of their own, and some models are a tenant's choice. */
  const pinned = new Map(TENANTS.map((name) => [name, { version: dice.chance(0.3) ? dice.of(VERSIONS) : undefined, model: dice.chance(0.2) ? dice.of(MODELS) : undefined }]))
  const pick = (names: readonly string[]) => {
    let at = dice.next() * names.reduce((sum, name) => sum + weights.get(name)!, 0)
    return names.find((name) => (at -= weights.get(name)!) < 0) ?? names[0]!
  }

  const engine = testEngine({ objectives: LIMITS, maxOpenRequests: 2000 })
  const requests = Math.floor(dice.between(400, 900))
  for (let n = 0; n < requests; n++) {
    const tenant = pick(TENANTS)
    const had: Had = { tenant_id: [tenant], version: [pinned.get(tenant)!.version ?? pick(VERSIONS)], model: [pinned.get(tenant)!.model ?? pick(MODELS)], tool: TOOLS.filter((name) => dice.chance(toolShares.get(name)!)) }
    const bad = !isControl && had[feature].includes(value) ? dice.chance(badness) : dice.chance(background)
    engine.traces(tracesBody(spansOf(runOf(n + 1, agent, had, bad ? verdict : undefined, feature === 'tool' && had.tool.includes(value) ? value : undefined))), START_MS)
  }
  engine.finish(START_MS + 600_000)
  return { agent, verdict, common: isControl ? undefined : `${feature} ${value}`, counted: series(engine, 'agent_request_features_total').map(({ labels, value }) => ({ labels, value })) }
}

/** Where a tool is what goes wrong, it is the tool that does. */
function runOf(trace: number, agent: string, had: Had, verdict: Incident['verdict'] | undefined, faulty: string | undefined): Run {
  const message = "Server error '503 Service Unavailable' for url 'https://crm.example'"
  const at = faulty ?? had.tool.at(-1)
  const model: Step = { kind: 'model', name: had.model[0]!, ms: verdict === 'slow' && faulty === undefined ? 3000 : 50, usd: verdict === 'expensive' ? 0.05 : 0.0005, ...(verdict === 'failed' && at === undefined && { failed: { message } }) }
  const tools = had.tool.map((name): Step => ({ kind: 'tool', name, ms: verdict === 'slow' && name === faulty ? 3000 : 10, ...(verdict === 'failed' && name === at && { failed: { message } }) }))
  return { trace, agent, tenant: had.tenant_id[0]!, version: had.version[0]!, dialect: 'otel', steps: [model, ...tools], ...(verdict === 'failed' && { failed: { message } }) }
}
