/** The agents of the demo: three that differ in what they do, what they cost and who pays. Prices are the list prices of the models named. */
import type { Conversation, Conversations } from './conversations.ts'
import { mishap } from './mishaps.ts'
import type { Random } from './random.ts'
import type { Run, Step } from './run.ts'
import { exchange, toolResult } from './words.ts'

export interface Profile {
  readonly agent: string
  readonly service: string
  readonly version: string
  readonly about: string
  /** Tenant and project of its callers. */
  readonly callers: readonly (readonly [tenant: string, project: string])[]
  /** Runs a second at the middle of the day, for all callers together. */
  readonly perSecond: number
  /** Share of that at four in the morning. */
  readonly nightShare: number
  /** Limits of its own, as in `objectives` of the bridge's configuration. */
  readonly limits: Readonly<Record<string, number>>
  /** What a run does; it may add to its conversation. */
  steps(random: Random, conversation: Conversation): readonly Step[]
}

const SMALL = { provider: 'openai', name: 'gpt-4.1-mini' } as const
const LARGE = { provider: 'openai', name: 'gpt-4.1' } as const
const CODER = { provider: 'anthropic', name: 'claude-sonnet-4-5' } as const

interface Call {
  readonly input: number
  readonly output: number
  readonly cached?: number
  readonly messages: number
  readonly seconds: number
  readonly prompt?: string
  /** As many tokens as told: the same text has the same number each time. */
  readonly exact?: true
}

function model(random: Random, { provider, name }: { readonly provider: string; readonly name: string }, { input, output, cached = 0, messages, seconds, prompt, exact }: Call): Step {
  const inputTokens = exact === true ? Math.round(input) : Math.round(random.around(input, 0.15))
  return {
    kind: 'model', provider, name, seconds: random.around(seconds), inputTokens, outputTokens: Math.round(random.around(output, 0.25)),
    cachedTokens: Math.min(inputTokens, Math.round(cached)), messages, says: { input: prompt ?? `step ${Math.floor(random.next() * 2 ** 32)}`, output: 'done' },
  }
}

function retrieval(random: Random, name: string): Step {
  return { kind: 'retrieval', name, seconds: random.around(0.012) }
}

function tool(random: Random, name: string, seconds = 0.03): Step {
  return { kind: 'tool', name, seconds: random.around(seconds), says: { output: toolResult(name, random) } }
}

/** About $0.03 a request, of which $0.01 need not be: the draft is written twice, and of a history that grows only the beginning is cached. */
const support: Profile = {
  agent: 'customer_service_agent', service: 'customer-service', version: '2.4.1',
  about: 'international customer service',
  callers: [['acme', 'chat'], ['globex', 'chat'], ['soylent', 'mail']],
  perSecond: 3, nightShare: 0.35,
  limits: { latency_p95: 5, latency_p99: 10, cost_per_request: 0.03 },
  steps(random, conversation) {
    const turns = random.count(4, 7)
    // The instructions, which are the same in every turn.
    const instructions = random.around(1080, 0.1)
    const steps: Step[] = [model(random, SMALL, { input: 900, output: 40, messages: 2, seconds: 0.12 })]
    if (conversation.isDue) {
      steps.push({ ...model(random, SMALL, { input: 32 * conversation.messages, output: 300, messages: conversation.messages, seconds: 0.3 }), compacts: true })
      conversation.compress()
    }
    const before = conversation.messages
    for (let turn = 0; turn < turns; turn++) {
      const messages = before + 2 * turn
      steps.push({ kind: 'embedding', provider: 'openai', name: 'text-embedding-3-small', seconds: random.around(0.01), inputTokens: random.count(40, 120) })
      steps.push(retrieval(random, 'help-articles'))
      steps.push(model(random, LARGE, { input: instructions + 34 * messages, cached: 896, output: 150, messages, seconds: 0.22, exact: true }))
      if (random.chance(0.5)) steps.push(tool(random, random.one(['lookup_order', 'shipping_status', 'refund_policy'])))
    }
    // The draft is written, and written again with the same prompt.
    const draft = `draft ${Math.floor(random.next() * 2 ** 32)}`
    const history = before + 2 * turns
    conversation.grow(2 * turns)
    const answer = { input: instructions + 300 + 34 * history, cached: 896, output: 200, messages: history, seconds: 0.35, prompt: draft, exact: true } as const
    return [...steps, model(random, LARGE, answer), model(random, LARGE, answer), { kind: 'state', name: 'conversation', seconds: random.around(0.004) }]
  },
}

/** About $0.12 a request, of which $0.04 need not be: every reviewer reads the whole change again and again, uncached. */
const review: Profile = {
  agent: 'code_review_agent', service: 'code-review', version: '1.9.0',
  about: 'internal code review',
  callers: [['platform', 'monorepo'], ['platform', 'mobile'], ['payments', 'ledger']],
  perSecond: 0.5, nightShare: 0.1,
  limits: { latency_p95: 10, latency_p99: 20, cost_per_request: 0.12 },
  steps(random) {
    const change = random.around(3900, 0.15)
    const reviewer = (name: string): Step => ({
      kind: 'agent', name, seconds: 0.01,
      steps: [
        tool(random, 'read_diff', 0.05),
        retrieval(random, 'code-index'),
        model(random, CODER, { input: change, output: 200, messages: 8, seconds: 0.6, exact: true }),
        tool(random, 'run_linter', 0.15),
        model(random, CODER, { input: change + 400, output: 200, messages: 10, seconds: 0.5, exact: true }),
        model(random, CODER, { input: change + 700, output: 200, messages: 12, seconds: 0.5, exact: true }),
      ],
    })
    return [
      model(random, CODER, { input: 1500, output: 120, messages: 2, seconds: 0.4 }),
      { kind: 'agent', name: 'reviewers', seconds: 0.005, parallel: true, steps: [reviewer('security_reviewer'), reviewer('style_reviewer')] },
      model(random, CODER, { input: 2600, output: 350, messages: 12, seconds: 0.6 }),
    ]
  },
}

/** Below $0.01 a request, and nothing to save. */
const tools: Profile = {
  agent: 'tool_agent', service: 'internal-tools', version: '0.7.2',
  about: 'internal tools',
  callers: [['platform', 'ops'], ['finance', 'reports']],
  perSecond: 4, nightShare: 0.6,
  limits: { latency_p95: 0.5, latency_p99: 1, cost_per_request: 0.01 },
  steps(random) {
    const calls = random.count(1, 3)
    const steps: Step[] = []
    for (let i = 0; i < calls; i++) {
      steps.push(model(random, SMALL, { input: 800, cached: 640, output: 30, messages: 2 + 2 * i, seconds: 0.035 }))
      steps.push(tool(random, random.one(['create_ticket', 'query_metrics', 'list_invoices']), 0.012))
    }
    return [...steps, model(random, SMALL, { input: 1000, cached: 640, output: 60, messages: 2 + 2 * calls, seconds: 0.04 })]
  },
}

export const PROFILES: readonly Profile[] = [support, review, tools]

/** The agents' own limits, as rows of `objectives` of the bridge's configuration: the documented ones are for agents that answer at once. */
export function demoLimits(): { readonly objective: string; readonly agent: string; readonly tenant: string; readonly limit: number }[] {
  return PROFILES.flatMap(({ agent, limits }) => Object.entries(limits).map(([objective, limit]) => ({ objective, agent, tenant: '', limit })))
}

/** A run in which nothing is wrong for long: what fails now and then is made up for. One in ten is judged. */
export function healthyRun(profile: Profile, [tenant, project]: readonly [string, string], random: Random, conversations: Conversations): Run {
  const { agent, service, version } = profile
  const conversation = conversations.next(`${agent}/${tenant}/${project}`)
  // A history that is too long is answered worse, and what goes wrong goes wrong more often.
  const rotten = conversation.isRotten
  const steps = mishap(profile.steps(random, conversation), rotten ? 4 : 1, random)
  const { question, answer, lost } = exchange(agent, random)
  return {
    agent, service, version, tenant, project, conversation: conversation.id, steps, question, answer: rotten && random.chance(0.5) ? lost : answer,
    ...(random.chance(rotten ? 0.5 : 0.1) ? { quality: random.one(rotten ? [0.25, 0.5, 0.75, 1] : [0.75, 1, 1, 1]) } : {}),
  }
}
