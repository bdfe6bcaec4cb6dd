/** The demo's agents as a service: they work, send their spans, and can be told what goes wrong. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { demoControl } from './control.ts'
import { demoJudge } from './judge.ts'
import { People } from './people.ts'
import { PROFILES } from './profiles.ts'
import { Random } from './random.ts'
import { Telemetry } from './telemetry.ts'
import { Traffic } from './traffic.ts'

export interface AgentsOptions {
  /** OTLP/HTTP, as http://127.0.0.1:4318 */
  readonly endpoint: string
  /** Where faults are taken. */
  readonly control: { readonly host: string; readonly port: number }
  /** Times as many runs as the profiles say. */
  readonly rate: number
  readonly seed: number
  /** Where people's marks go: the bridge's web address. Without it nobody marks. */
  readonly people?: string | undefined
}

export interface Agents {
  readonly controlUrl: string
  readonly traffic: Traffic
  /** Sends what is waiting, and ends. */
  stop(): Promise<void>
}

const TICK_MS = 100

export async function startAgents({ endpoint, control, rate, seed, people: marksUrl }: AgentsOptions): Promise<Agents> {
  const telemetry = new Telemetry(endpoint)
  const people = marksUrl === undefined ? undefined : new People(marksUrl, new Random(seed + 1))
  const traffic = new Traffic({ profiles: PROFILES, random: new Random(seed), write: (run, endMs) => { const trace = telemetry.write(run, endMs); people?.read(trace, run, Date.now()) }, rate })
  const app = express()
  app.disable('x-powered-by')
  app.get('/-/healthy', (_request, response) => { response.type('text').send('healthy\n') })
  app.use(demoJudge())
  app.use(demoControl(traffic, PROFILES, () => Date.now()))
  const server = createServer(app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(control.port, control.host, resolve)
  })
  const ticker = setInterval(() => {
    traffic.tick(Date.now())
    people?.tick(Date.now())
  }, TICK_MS)
  return {
    controlUrl: `http://${control.host.includes(':') ? `[${control.host}]` : control.host}:${(server.address() as AddressInfo).port}`,
    traffic,
    async stop() {
      clearInterval(ticker)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await people?.stop()
      await telemetry.stop()
    },
  }
}
