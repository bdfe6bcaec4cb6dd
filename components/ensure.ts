/**
 * `node components/ensure.ts [--required] [names…]`: has the named components (default: all) at hand, one line each.
 * Exits 0 even when one cannot be had, unless --required is given: what needs it says so where it is needed.
 */
import { parseArgs } from 'node:util'
import { components, ensureComponent } from './components.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)))

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 2
})

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: { required: { type: 'boolean' } }, allowPositionals: true })
  const names = positionals.length > 0 ? positionals : components.map((component) => component.name)
  let missing = 0
  // One after the other: two builds at once would each take twice as long, and twice the memory.
  for (const name of names) {
    const outcome = await ensureComponent(name, { log: (line) => console.error(line), signal: interrupted.signal })
    if (interrupted.signal.aborted) return 130
    if ('missing' in outcome) missing++
    console.log('path' in outcome ? `${name}: ${outcome.path}` : `${name}: missing: ${outcome.missing}`)
  }
  return missing > 0 && values.required ? 1 : 0
}
