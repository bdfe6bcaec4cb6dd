import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Agents, startAgents } from '../../src/demo/agents/service.ts'
import { commandLine } from './spanbridge.ts'

let sink: Server
let agents: Agents
let bodies = 0
const control = () => ['--control', new URL(agents.controlUrl).host]

beforeAll(async () => {
  sink = createServer((request, response) => {
    request.resume().on('end', () => {
      bodies++
      response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  agents = await startAgents({ endpoint: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`, control: { host: '127.0.0.1', port: 0 }, rate: 5, seed: 1 })
})

afterAll(async () => {
  await agents.stop()
  sink.closeAllConnections()
  sink.close()
})

describe('spanbridge demo', () => {
  it('sends the spans of its runs over OTLP', async () => {
    await vi.waitUntil(() => bodies > 0, { timeout: 5000 })
    expect(agents.traffic.runs).toBeGreaterThan(0)
  })

  it('lets something go wrong in one place, tells what is on, and heals it', async () => {
    const struck = await commandLine(['demo', 'fault', '5xx', '--tenant', 'acme', '--for', '1m', '--share', '1', ...control()])
    expect(struck).toMatchObject({ code: 0, stderr: '' })
    expect(struck.stdout).toMatch(/^! 5xx +a tool is down: 502\n +on: acme, every agent, 100 % of the runs, (59|60) s more$/m)
    expect(agents.traffic.strikes).toMatchObject([{ fault: { id: '5xx' }, tenant: 'acme', share: 1 }])
    expect((await commandLine(['demo', 'faults', ...control()])).stdout).toContain('on: acme')
    const healed = await commandLine(['demo', 'heal', ...control()])
    expect(healed.stdout).not.toContain('on:')
    expect(agents.traffic.strikes).toEqual([])
  })

  it.each([
    [['fault', 'earthquake'], /cannot strike: fault: .*"rate_limit"/],
    [['fault', '5xx', '--tenant', 'nobody'], /no tenant "nobody"; there are acme, globex/],
    [['fault', '5xx', '--agent', 'tool_agent', '--tenant', 'acme'], /no tenant "acme" of agent tool_agent; there are platform, finance/],
    [['fault', '5xx', '--share', '2'], /cannot strike: share:/],
    [['heal', 'earthquake'], /no fault "earthquake"; there are rate_limit/],
  ])('%j exits 2 and says what there is', async (args, message) => {
    const ran = await commandLine(['demo', ...args, ...control()])
    expect(ran.stderr).toMatch(message)
    expect(ran.code).toBe(2)
  })

  it('says what to run where there are no agents', async () => {
    const ran = await commandLine(['demo', 'faults', '--control', '127.0.0.1:9'])
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toMatch(/cannot reach the demo's agents at 127\.0\.0\.1:9: .*"spanbridge demo" or "spanbridge up" runs them/)
  })

  it('takes JSON only: a page of another site cannot strike', async () => {
    const response = await fetch(`${agents.controlUrl}/demo/faults`, { method: 'POST', body: '{"fault":"5xx"}', headers: { 'Content-Type': 'text/plain' } })
    expect(response.status).toBe(415)
    const broken = await fetch(`${agents.controlUrl}/demo/faults`, { method: 'POST', body: '{', headers: { 'Content-Type': 'application/json' } })
    expect([broken.status, await broken.json()]).toEqual([400, { error: expect.stringContaining('cannot read request') as string }])
    expect(agents.traffic.strikes).toEqual([])
  })
})
