import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { tracesBody } from '../otlpbuilder.ts'
import { commandLine } from './spanbridge.ts'

const folder = mkdtempSync(join(tmpdir(), 'spanbridge-prices-'))
afterAll(() => rmSync(folder, { recursive: true }))
const AT = Date.UTC(2026, 5, 15)

const call = (n: number, model: string, rest: Record<string, string | number> = {}, failed = false) => ({
  trace: n.toString(16).padStart(32, '0'), id: n.toString(16).padStart(16, '0'), name: `chat ${model}`, startMs: AT, endMs: AT + 10, resource: {}, scope: 'opentelemetry.instrumentation.openai_v2',
  attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': model, ...(failed ? {} : { 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 1 }), ...rest },
  ...(failed && { status: { code: 2, message: 'no such model' } }),
})
writeFileSync(join(folder, 'traces-1.pb'), tracesBody([
  call(1, 'gpt-4o'), call(2, 'gpt-4o'), call(3, 'house\u001b[31m'), call(4, 'pro-7'), call(5, 'gpt-4o-2024-05-13', { 'openai.response.service_tier': 'priority', 'gen_ai.provider.name': 'azure' }), call(6, 'misspelt', {}, true),
]))
writeFileSync(join(folder, 'pricing.yaml'), 'models:\n  - {match: pro-*, inputPerMillion: 1}\n  - {match: "*-7", inputPerMillion: 2}\n')

interface Told {
  missing: string[]
  ambiguous: string[]
  models: { model: string; tier: string; calls: number; price?: { source: string; input: number } }[]
}

describe('prices check', () => {
  test('names what recorded spans have no price for, and what is priced by chance', async () => {
    const ran = await commandLine(['prices', 'check', folder, '--pricing', join(folder, 'pricing.yaml')])
    expect(ran).toMatchObject({ code: 1, stderr: '' })
    expect(ran.stdout).toContain('missing: house [31m: no price at 2026-06-15')
    expect(ran.stdout).toContain('ambiguous: pro-7: pro-* and *-7 of pricing.yaml fit alike')
    expect(ran.stdout).toContain('ambiguous: gpt-4o-2024-05-13: nobody says what priority costs')
    expect(ran.stdout).toContain('1 of 4 models have no price')
    expect(ran.stdout).not.toMatch(/\u001b|misspelt/)
  })

  test('tells the same as JSON, and ends well when nothing is missing', async () => {
    writeFileSync(join(folder, 'all.yaml'), 'aliases: {"house*": gpt-4o-mini, pro-7: gpt-4o-mini}\n')
    const ran = await commandLine(['prices', 'check', folder, '--json', '--pricing', join(folder, 'all.yaml')])
    expect(ran.code).toBe(0)
    const told = JSON.parse(ran.stdout) as Told
    expect(told).toMatchObject({ missing: [], ambiguous: ['gpt-4o-2024-05-13'] })
    expect(told.models[0]).toMatchObject({ model: 'gpt-4o', tier: 'standard', calls: 2, price: { source: 'list', input: 2.5 } })
  })

  test('asks a bridge for the models it has seen', async () => {
    const server = createServer((_, response) => {
      response.end([
        'agent_tokens_total{service="s",agent="a",name="gpt-4o",type="input"} 10', 'agent_tokens_total{service="s",agent="a",name="azure-only",type="input"} 10',
        'agent_unpriced_calls_total{name="no-such",reason="no_price"} 3', 'agent_unpriced_calls_total{name="gpt-4o",reason="no_tokens"} 3',
        'agent_step_duration_seconds_count{service="s",agent="a",step="model",name="no-such",outcome="success"} 3', '# EOF', '',
      ].join('\n'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const ran = await commandLine(['prices', 'check', '--json', '--bridge', `http://127.0.0.1:${(server.address() as AddressInfo).port}`])
    server.closeAllConnections()
    server.close()
    expect(ran.code).toBe(1)
    expect(JSON.parse(ran.stdout) as Told).toMatchObject({ missing: ['no-such'], ambiguous: [], models: [{ model: 'no-such', calls: 3 }, { model: 'azure-only' }, { model: 'gpt-4o' }] })
  })
})
