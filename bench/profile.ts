/** Where the bridge's time goes under full load: its own CPU profile, by folder and by function. `node bench/profile.ts grpc/gzip/large` */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BatchSize } from './payload.ts'
import { startBridgePeer } from './peers.ts'
import { table } from './report.ts'
import { startSender, type Transport } from './sender.ts'

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const POOL_SPANS_PER_SECOND = 600_000
const SHOWN = 30

const { positionals, values: flags } = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string', default: '8' } } })
const [transport, encoding, size] = (positionals[0] ?? 'http/plain/large').split('/') as [Transport, string, BatchSize]
const seconds = Number(flags.seconds)
const directory = mkdtempSync(join(tmpdir(), 'spanbridge-profile-'))
const sender = await startSender({ size, gzip: encoding === 'gzip', poolSpans: POOL_SPANS_PER_SECOND * seconds, seed: 1 })
try {
  const before = process.env['NODE_OPTIONS']
  process.env['NODE_OPTIONS'] = `${before ?? ''} --cpu-prof --cpu-prof-dir=${directory}`
  const bridge = await startBridgePeer(directory)
  if (before === undefined) delete process.env['NODE_OPTIONS']
  else process.env['NODE_OPTIONS'] = before
  const { spans } = await sender.run({ transport, port: transport === 'http' ? bridge.httpPort : bridge.grpcPort, connections: 4, seconds })
  // Written when it has settled what it holds and ended.
  await bridge.stop()
  // The process that compiles the code before it serves writes one too, without a span in it.
  const profiles = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile')).map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Profile)
  const profile = profiles.toSorted((a, b) => b.samples.length - a.samples.length)[0]
  if (profile === undefined) throw new Error('cannot read profile: the bridge wrote none')
  show(profile, spans)
} finally {
  sender.stop()
  rmSync(directory, { recursive: true, force: true })
}

/** Of the main thread: inflating and garbage collection also use others. */
function show({ nodes, samples, timeDeltas }: Profile, spans: number): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const functions = new Map<string, number>(), folders = new Map<string, number>()
  let busy = 0
  // Starting is not serving.
  const begin = samples.findIndex((sample) => frames.get(sample)!.url.endsWith('/src/spans/scan.ts') && frames.get(sample)!.functionName === 'spanFields')
  samples.forEach((sample, i) => {
    if (i < begin) return
    const { functionName, url, lineNumber } = frames.get(sample)!
    if (functionName === '(idle)') return
    const micros = timeDeltas[i]!
    const place = url.replace(/^.*\/(?=(?:src|node_modules)\/)/, '')
    const name = `${functionName || '(anonymous)'} ${place === '' ? '' : `${place}:${lineNumber + 1}`}`.trim()
    const folder = place.startsWith('node:') ? 'node' : place === '' ? functionName.replace(/^\w.*$/, 'native') : place.split('/').slice(0, 2).join('/')
    functions.set(name, (functions.get(name) ?? 0) + micros)
    folders.set(folder, (folders.get(folder) ?? 0) + micros)
    busy += micros
  })
  const lines = (by: Map<string, number>) => [...by].sort((a, b) => b[1] - a[1]).slice(0, SHOWN).map(([name, micros]) => [`${((micros / busy) * 100).toFixed(1)}%`, `${(micros / spans).toFixed(3)} µs/span`, name])
  console.log(`${transport}/${encoding}/${size}: ${(busy / spans).toFixed(2)} µs a span on the main thread\n\n${table(lines(folders))}\n\n${table(lines(functions))}`)
}
