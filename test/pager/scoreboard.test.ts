import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readObjectives } from '../../src/config/objectives.ts'
import { Scoreboard } from '../../src/pager/scoreboard.ts'
import { scoreboardOf } from '../../src/pager/page/scoreboardview.ts'
import { HOSTILE } from './fixtures.ts'

/** Prometheus's query API, as https://prometheus.io/docs/prometheus/latest/querying/api/ describes an instant vector. */
type Sample = { objective: string; tenant_id?: string; agent?: string; value: number }
let samples: Record<string, Sample[]> = {}
let status = 200
let asked = 0
let server: Server
let prometheusUrl = ''
let nowMs = 0

beforeAll(async () => {
  server = createServer((request, response) => {
    asked++
    const query = new URL(request.url!, 'http://x').searchParams.get('query')!.replace('tenant_agent:objective:', '')
    const result = (samples[query] ?? []).map(({ value, ...metric }) => ({ metric: { __name__: query, ...metric }, value: [1, String(value)] }))
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  prometheusUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())
beforeEach(() => {
  samples = {}
  status = 200
  asked = 0
  nowMs = 0
})

const board = () => new Scoreboard({ prometheusUrl, objectives: readObjectives(), nowMs: () => nowMs })
const scoreOf = async (id: string) => (await board().read()).scores.find(({ objective }) => objective.id === id)!

describe('the scoreboard', () => {
  test('shows each objective where it is worst, by limits that differ', async () => {
    samples = {
      value: [
        { objective: 'success_rate', tenant_id: 'acme', agent: 'support', value: 0.991 },
        { objective: 'success_rate', tenant_id: 'gold', agent: 'support', value: 0.998 },
        { objective: 'success_rate', tenant_id: 'globex', agent: 'support', value: 0.999 },
        { objective: 'latency_p95', tenant_id: 'acme', agent: 'support', value: 0.4 },
        { objective: 'latency_p95', tenant_id: 'acme', agent: 'review', value: 8 },
      ],
      limit: [
        { objective: 'success_rate', tenant_id: 'acme', agent: 'support', value: 0.99 },
        { objective: 'success_rate', tenant_id: 'gold', agent: 'support', value: 0.999 },
        { objective: 'success_rate', tenant_id: 'globex', agent: 'support', value: 0.995 },
        { objective: 'latency_p95', tenant_id: 'acme', agent: 'review', value: 10 },
      ],
      error_budget_remaining: [{ objective: 'success_rate', tenant_id: 'gold', agent: 'support', value: -0.4 }],
    }
    // gold misses its own limit, acme keeps the lower one that it has.
    expect(await scoreOf('success_rate')).toMatchObject({ value: 0.998, limit: 0.999, met: false, budget: -0.4, tenant: 'gold', judged: 3, missed: 1 })
    // 80 % of the documented limit and 80 % of a limit of its own: neither is missed.
    expect(await scoreOf('latency_p95')).toMatchObject({ met: true, missed: 0, judged: 2 })
    expect(await scoreOf('quality_score')).toMatchObject({ value: null, met: null, judged: 0 })
  })

  test('takes the word of the rules on whether an objective is met', async () => {
    samples = { value: [{ objective: 'context_messages', agent: 'a', value: 50 }], limit: [{ objective: 'context_messages', agent: 'a', value: 50 }], met: [{ objective: 'context_messages', agent: 'a', value: 0 }] }
    expect((await scoreOf('context_messages')).met).toBe(false)
    samples['met'] = []
    // Up to 50 messages is within the limit.
    expect((await scoreOf('context_messages')).met).toBe(true)
  })

  test('is read once for all who look, and again after ten seconds', async () => {
    const one = board()
    await Promise.all([one.read(), one.read(), one.read()])
    await one.read()
    expect(asked).toBe(4)
    nowMs = 10_000
    await one.read()
    expect(asked).toBe(8)
  })

  test('says what is the matter when Prometheus does not answer, and comes back', async () => {
    status = 503
    const one = board()
    expect(await one.read()).toMatchObject({ scores: [], error: 'cannot read Prometheus: it answered 503' })
    expect(scoreboardOf(await one.read())).toContain('cannot read Prometheus: it answered 503')
    status = 200
    nowMs = 10_000
    expect((await one.read()).error).toBe('')
    const nobody = new Scoreboard({ prometheusUrl: 'http://127.0.0.1:9', objectives: readObjectives(), nowMs: () => 0 })
    expect((await nobody.read()).error).toMatch(/^cannot read Prometheus: .+/)
  })

  test('takes the names of tenants for text', async () => {
    samples = { value: HOSTILE.map((hostile) => ({ objective: 'success_rate', tenant_id: hostile, agent: hostile, value: 0.5 })) }
    for (const hostile of HOSTILE) {
      samples['value'] = [{ objective: 'success_rate', tenant_id: hostile, agent: hostile, value: 0.5 }]
      const text = scoreboardOf(await board().read())
      expect(text).not.toMatch(/<script|<img|\son\w+\s*=\s*['"]/)
      expect(text.match(/<tr/g)).toHaveLength(2)
    }
  })
})
