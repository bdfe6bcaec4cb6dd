import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { serve, type Host, type RunningBridge } from '../../src/cli/serve.ts'

const addresses = { http: { host: '127.0.0.1', port: 1 }, grpc: { host: '::1', port: 2 }, web: { host: '0.0.0.0', port: 3 } }

function host(): { host: Host; signals: EventEmitter; lines: string[]; exits: number[] } {
  const signals = new EventEmitter()
  const lines: string[] = []
  const exits: number[] = []
  return {
    signals, lines, exits,
    host: {
      on: (signal, listener) => signals.on(signal, listener), off: (signal, listener) => signals.off(signal, listener),
      exit: (code) => void exits.push(code), print: (line) => void lines.push(line), warn: (line) => void lines.push(`! ${line}`),
    },
  }
}

it('prints where it listens, stops once at the first signal and leaves at the second', async () => {
  const { host: process, signals, lines, exits } = host()
  const stopping = Promise.withResolvers<void>()
  const settled = Promise.withResolvers<{ spansAccepted: number; requestsSettled: number }>()
  let stops = 0
  const bridge: RunningBridge = {
    addresses,
    stop: () => {
      stops++
      stopping.resolve()
      return settled.promise
    },
  }
  const served = serve(loadConfig({ env: { SPANBRIDGE_HTP_ADDRESS: 'x' } }), () => Promise.resolve(bridge), process)
  signals.emit('SIGTERM')
  await stopping.promise
  expect(lines.slice(0, 4)).toEqual([
    '! SPANBRIDGE_HTP_ADDRESS is not a setting; did you mean SPANBRIDGE_HTTP_ADDRESS?',
    'OTLP/HTTP on http://127.0.0.1:1', 'OTLP/gRPC on [::1]:2', 'metrics, health and pager on http://0.0.0.0:3',
  ])
  expect(exits).toEqual([])
  signals.emit('SIGINT')
  expect(exits).toEqual([130])
  settled.resolve({ spansAccepted: 37, requestsSettled: 2 })
  await served
  expect(lines.at(-1)).toBe('stopped: settled 2 requests, accepted 37 spans')
  expect(stops).toBe(1)
  expect(signals.listenerCount('SIGTERM') + signals.listenerCount('SIGINT')).toBe(0)
})

it('says which port is taken and what to do', async () => {
  const { host: process } = host()
  const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', address: '127.0.0.1', port: 4318 })
  await expect(serve(loadConfig(), () => Promise.reject(taken), process)).rejects.toThrow(/^cannot listen on 127\.0\.0\.1:4318: the port is in use.*--http-address/)
})

it('leaves problems of the configuration as they are', async () => {
  const { host: process } = host()
  const problem = new ConfigError(['pricing.yaml:3: models[0].inputPerMillion: expected a number, got "cheap"'])
  await expect(serve(loadConfig(), () => Promise.reject(problem), process)).rejects.toBe(problem)
})
