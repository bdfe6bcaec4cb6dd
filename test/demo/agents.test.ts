/** The demo's agents through the real engine: what they are said to cost, and whether the bridge sees each fault for what it is. */
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { describe, expect, test } from 'vitest'
import { Conversations } from '../../src/demo/agents/conversations.ts'
import { FAULTS, faultOf } from '../../src/demo/agents/faults.ts'
import { healthyRun, PROFILES, type Profile } from '../../src/demo/agents/profiles.ts'
import { ESCALATION } from '../../src/demo/agents/mishaps.ts'
import { Random } from '../../src/demo/agents/random.ts'
import { allSteps, type Run } from '../../src/demo/agents/run.ts'
import { Telemetry } from '../../src/demo/agents/telemetry.ts'
import { shareAt, Traffic } from '../../src/demo/agents/traffic.ts'
import { series, testEngine } from '../conformance/recordings.ts'

const NOW = Date.UTC(2026, 5, 1, 12)

async function counted(runs: readonly Run[]) {
  const exporter = new InMemorySpanExporter()
  const telemetry = new Telemetry('http://127.0.0.1:9', () => exporter)
  const engine = testEngine({ escalation: { people: undefined, models: ESCALATION } })
  runs.forEach((run, i) => telemetry.write(run, NOW + i * 1000))
  // Shutting down would empty the memory.
  await telemetry.flush()
  engine.traces(ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans())!, NOW)
  engine.finish(NOW + 60_000)
  return engine
}

const runsOf = (profile: Profile, count: number, seed = 1) => {
  const random = new Random(seed)
  const conversations = new Conversations(random)
  return Array.from({ length: count }, () => healthyRun(profile, random.one(profile.callers), random, conversations))
}

describe.each(PROFILES.map((profile) => [profile.agent, profile] as const))('%s', (_name, profile) => {
  test('is healthy: no error, its requests within its own limits', async () => {
    const engine = await counted(runsOf(profile, 200))
    const requests = series(engine, 'agent_requests_total')
    expect(requests.filter(({ labels, value }) => labels['outcome'] !== 'success' && value > 0)).toEqual([])
    expect(requests.reduce((sum, { value }) => sum + value, 0)).toBe(200)
    expect(new Set(requests.map(({ labels }) => labels['agent']))).toEqual(new Set([profile.agent]))
    expect(series(engine, 'agent_unpriced_calls_total')).toEqual([])
    const cost = series(engine, 'agent_request_cost_usd').reduce((sum, { value }) => sum + value, 0) / 200
    expect(cost).toBeLessThan(profile.limits['cost_per_request']!)
    expect(cost).toBeGreaterThan(profile.limits['cost_per_request']! * (profile.agent === 'tool_agent' ? 0.05 : 0.7))
  })
})

test.each([['customer_service_agent', 0.03, 0.01], ['code_review_agent', 0.12, 0.04], ['tool_agent', 0.001, 0]] as const)('%s costs about $%f, of which about $%f need not be', async (name, usd, avoidableUsd) => {
  const engine = await counted(runsOf(PROFILES.find(({ agent }) => agent === name)!, 300))
  const mean = (metric: 'agent_request_cost_usd' | 'agent_avoidable_cost_usd_total') => series(engine, metric).reduce((sum, { value }) => sum + value, 0) / 300
  expect(Math.abs(mean('agent_request_cost_usd') / usd - 1)).toBeLessThan(0.35)
  if (avoidableUsd > 0) expect(Math.abs(mean('agent_avoidable_cost_usd_total') / avoidableUsd - 1)).toBeLessThan(0.2)
  else expect(mean('agent_avoidable_cost_usd_total') / usd).toBeLessThan(0.05)
})

describe.each(FAULTS.filter(({ truth }) => truth !== undefined).map((fault) => [fault.id, fault] as const))('fault %s', (_id, { truth, strike }) => {
  test.each(PROFILES.map((profile) => [profile.agent, profile] as const))('of %s is the root cause that the bridge finds, in every run', async (_agent, profile) => {
    const random = new Random(7)
    const runs = runsOf(profile, 20).map((run) => strike(run, random)!)
    const engine = await counted(runs)
    const causes = series(engine, 'agent_root_causes_total').filter(({ value }) => value > 0)
    expect(causes.map(({ labels: { class: cls, type, step } }) => ({ class: cls, type, step }))).toEqual(causes.map(() => truth))
    expect(causes.reduce((sum, { value }) => sum + value, 0)).toBe(20)
  })
})

test('ordinary runs have retries, other models and people that make up for what fails, and conversations that grow', async () => {
  const runs = runsOf(PROFILES[0]!, 900, 4)
  const engine = await counted(runs)
  const recoveries = new Map<string, number>()
  for (const { labels: { step, action, result }, value } of series(engine, 'agent_recoveries_total')) {
    const what = `${step} ${action} ${result}`
    recoveries.set(what, (recoveries.get(what) ?? 0) + value)
  }
  expect([...recoveries.keys()]).toEqual(expect.arrayContaining(['model fallback recovered', 'model retry recovered', 'tool retry escalated']))
  expect(recoveries.get('model retry recovered')).toBeGreaterThan(10)

  const calls = runs.flatMap(({ steps }) => [...allSteps(steps)].filter(({ kind }) => kind === 'model'))
  expect(calls.filter(({ compacts }) => compacts).length).toBeGreaterThan(20)
  // Some are long, too few for an alert.
  const long = calls.filter(({ messages = 0 }) => messages > 50)
  expect(long.length).toBeGreaterThan(0)
  expect(long.length / calls.length).toBeLessThan(0.05)
  const quality = (band: string) => series(engine, 'agent_quality_by_context').filter(({ labels }) => labels['messages'] === band).map(({ value, count }) => value / count)[0]!
  expect(quality('51-100')).toBeLessThan(quality('11-25'))
})

test('a larger model takes over now and then', async () => {
  const engine = await counted(runsOf(PROFILES[2]!, 600, 4))
  expect(series(engine, 'agent_recoveries_total')).toContainEqual(expect.objectContaining({ labels: { agent: 'tool_agent', step: 'model', name: 'gpt-4.1-mini', action: 'fallback', result: 'escalated' } }))
  expect(series(engine, 'agent_requests_total').filter(({ labels, value }) => labels['outcome'] !== 'success' && value > 0)).toEqual([])
})

test('faults that are no error: slower, dearer, worse, silent', async () => {
  const random = new Random(3)
  const [healthy] = runsOf(PROFILES[0]!, 1)
  const struck = (id: string) => faultOf(id).strike(healthy!, random)!
  const models = (run: Run) => [...allSteps(run.steps)].filter(({ kind }) => kind === 'model')
  models(struck('slow_model')).forEach((step, i) => expect(step.seconds).toBeCloseTo(models(healthy!)[i]!.seconds * 20))
  models(struck('cost_blowup')).forEach((step, i) => expect(step.inputTokens).toBe(models(healthy!)[i]!.inputTokens! * 10))
  models(struck('long_conversations')).forEach((step) => expect(step.messages).toBeGreaterThan(50))
  expect(struck('quality_drop').quality).toBeLessThan(0.85)
  expect(struck('silence')).toBeUndefined()
  expect(() => faultOf('no_such')).toThrow('no fault "no_such"; there are rate_limit,')
})

describe('traffic', () => {
  const over = (seconds: number, traffic: Traffic, from = NOW) => { for (let t = 0; t <= seconds * 1000; t += 100) traffic.tick(from + t) }

  test('comes as often as the profiles say by day, and less by night', () => {
    const count = (hour: number) => {
      const traffic = new Traffic({ profiles: PROFILES, random: new Random(5), write: () => {} })
      over(600, traffic, Date.UTC(2026, 5, 1, hour))
      return traffic.runs
    }
    const perSecond = PROFILES.reduce((sum, profile) => sum + profile.perSecond, 0)
    expect(count(16) / 600).toBeGreaterThan(perSecond * 0.95)
    expect(count(16) / 600).toBeLessThan(perSecond * 1.05)
    expect(count(4)).toBeLessThan(count(16) * 0.6)
    expect(shareAt(16, 0.2)).toBe(1)
    expect(shareAt(4, 0.2)).toBeCloseTo(0.2)
  })

  test('a fault strikes where it is told, for as long as it is told, and heals', () => {
    const runs: Run[] = []
    const traffic = new Traffic({ profiles: PROFILES, random: new Random(5), write: (run) => { runs.push(run) } })
    traffic.strike({ fault: faultOf('5xx'), tenant: 'acme', share: 1, untilMs: NOW + 60_000 })
    over(60, traffic)
    const failed = runs.filter(({ failure }) => failure !== undefined)
    expect(failed.length).toBeGreaterThan(20)
    expect(new Set(failed.map(({ tenant }) => tenant))).toEqual(new Set(['acme']))
    const before = runs.length
    over(60, traffic, NOW + 60_100)
    expect(runs.slice(before).filter(({ failure }) => failure !== undefined)).toEqual([])

    traffic.strike({ fault: faultOf('silence'), share: 1, untilMs: Infinity })
    const silent = runs.length
    over(30, traffic, NOW + 200_000)
    expect(runs.length).toBe(silent)
    expect(traffic.heal('silence')).toBe(1)
    over(30, traffic, NOW + 231_000)
    expect(runs.length).toBeGreaterThan(silent)
  })

  test('a machine that slept does not wake up to a flood', () => {
    const traffic = new Traffic({ profiles: PROFILES, random: new Random(5), write: () => {} })
    traffic.tick(NOW)
    traffic.tick(NOW + 3_600_000)
    expect(traffic.runs).toBeLessThan(60)
  })
})
