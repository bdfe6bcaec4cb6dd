/** A whole bridge on free ports, in this process, and what its /metrics says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBridge } from '../../src/bridge.ts'
import { loadConfig } from '../../src/config/config.ts'
import { parseExposition, type Sample } from '../metrics/parse.ts'

export interface TestBridge {
  readonly httpUrl: string
  readonly grpcUrl: string
  readonly webUrl: string
  /** The samples of a metric that are not 0. */
  samples(name: string): Promise<Sample[]>
  stop(): Promise<void>
}

export async function testBridge(): Promise<TestBridge> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spanbridge-bridge-'))
  const bridge = await startBridge(loadConfig({ flags: { httpAddress: '127.0.0.1:0', grpcAddress: '127.0.0.1:0', webAddress: '127.0.0.1:0', settleGrace: '300ms', dataDir } }))
  const { http, grpc, web } = bridge.addresses
  return {
    httpUrl: `http://127.0.0.1:${http.port}`,
    grpcUrl: `http://127.0.0.1:${grpc.port}`,
    webUrl: `http://127.0.0.1:${web.port}`,
    samples: async (name) => {
      const text = await (await fetch(`http://127.0.0.1:${web.port}/metrics`)).text()
      return [...parseExposition(text, 'classic').values()].flatMap(({ samples }) => samples).filter((sample) => sample.name === name && sample.value !== 0)
    },
    stop: async () => {
      await bridge.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
