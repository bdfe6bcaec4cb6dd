import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fakePrometheus } from './fakeprometheus.ts'
import { commandLine, ROOT, spanbridge } from './spanbridge.ts'

const RECORDED = join(ROOT, 'test/recordings/pydantic-ai/long_conversation')

describe('savings', () => {
  test('prints what recorded agents could have saved, the dearest first', async () => {
    const ran = await commandLine(['savings', RECORDED])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    const [head, first, second, , sum] = ran.stdout.split('\n')
    expect(head).toMatch(/^agent +reason +USD +share +what to do$/)
    expect(first).toMatch(/^support_agent +cache_miss +0\.000197 +27\.9 % +Put what does not change at the beginning/)
    expect(second).toMatch(/^support_agent +context_bloat +0\.000088 +12\.5 % +Compress the context/)
    expect(sum).toBe('$0.000285 of $0.000706 need not have been (40.3 %)')
  })

  test('asks Prometheus for the last days, and shows what strangers named without their control characters', async () => {
    const prometheus = await fakePrometheus(({ path, query }) => {
      expect(path).toBe('/api/v1/query')
      if (query === 'sum by (agent) (increase(agent_cost_usd_total[3600s]))') return [{ metric: { agent: 'a\u001b[31m' }, value: [1, '8'] }]
      expect(query).toBe('sum by (agent, reason) (increase(agent_avoidable_cost_usd_total[3600s]))')
      return [{ metric: { agent: 'a\u001b[31m', reason: 'duplicate_call' }, value: [1, '2'] }, { metric: { agent: 'a\u001b[31m', reason: 'abandoned' }, value: [1, '0'] }]
    })
    const table = await commandLine(['savings', '--prometheus', prometheus.url, '--since', '1h'])
    expect(table.stdout).toContain('a [31m  duplicate_call  2.00  25.0 %  Cache the answer')
    const json = await commandLine(['savings', '--prometheus', prometheus.url, '--since', '1h', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ totalUsd: 8, avoidableUsd: 2, savings: [{ reason: 'duplicate_call', usd: 2, share: 0.25 }] })
    await prometheus.close()
    // A process of its own, which has no connection from before.
    expect(await spanbridge(['savings', '--prometheus', prometheus.url])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`spanbridge: cannot ask Prometheus at ${prometheus.url}: nobody listens there `) as string })
  })
})
