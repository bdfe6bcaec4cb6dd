/** `spanbridge demo`: agents to watch, and faults to strike them with. */
import { Command, Option } from 'commander'
import { readAddress, readAmount, readDurationSeconds, readUrl, writeAddress, type Address } from '../config/values.ts'
import type { DemoState } from '../demo/agents/control.ts'
import { unreachable } from '../web/reach.ts'
import { flag, UsageError } from './usage.ts'

const CONTROL = '127.0.0.1:9465'
const ENDPOINT = 'http://127.0.0.1:4318'
const ANSWER_MS = 10_000

interface Where {
  control: Address
  tenant?: string
  agent?: string
}

export function demoCommand(): Command {
  const control = () => new Option('--control <host:port>', 'where the agents take faults').argParser(flag(readAddress)).default(readAddress(CONTROL), CONTROL)
  const demo = new Command('demo').summary('agents to watch, and faults on demand').description('Runs agents to watch: customer service, code review and internal tools,\nseveral tenants, day and night. What can go wrong with them is told by\n"demo faults" and begins with "demo fault TYPE".')
  demo.command('run', { isDefault: true })
    .summary('run the agents')
    .description('Runs the agents until interrupted; the bridge has to be there.')
    .option('-e, --endpoint <url>', 'OTLP/HTTP', process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] || ENDPOINT)
    .addOption(control())
    .option('-r, --rate <n>', 'times as many runs', flag(readAmount), 1)
    .option('--people <url>', 'where people mark answers: the bridge\'s web address', flag(readUrl))
    .option('--seed <n>', 'of the random numbers', flag((text) => Math.floor(readAmount(text))), 1)
    .action(run)
  demo.command('faults').summary('what can go wrong, and what is on').addOption(control()).action(async ({ control: at }: Where) => show(await ask(at, 'GET', '/demo')))
  demo.command('fault').summary('let something go wrong')
    .argument('<type>', 'one of "demo faults"')
    .option('-t, --tenant <name>', 'only for this tenant')
    .option('-a, --agent <name>', 'only for this agent')
    .option('-f, --for <time>', 'for how long', flag(readDurationSeconds), 300)
    .option('-s, --share <n>', 'share of the runs, up to 1', flag(readAmount), 0.6)
    .addOption(control())
    .action(async (fault: string, { control: at, tenant, agent, share, for: seconds }: Where & { share: number; for: number }) => {
      show(await ask(at, 'POST', '/demo/faults', { fault, ...(tenant === undefined ? {} : { tenant }), ...(agent === undefined ? {} : { agent }), share, seconds }))
    })
  demo.command('heal').summary('let it be well again')
    .argument('[type]', 'one fault (default: all)')
    .option('-t, --tenant <name>', 'only for this tenant')
    .option('-a, --agent <name>', 'only for this agent')
    .addOption(control())
    .action(heal)
  return demo
}

async function run({ endpoint, control, rate, seed, people }: { endpoint: string; control: Address; rate: number; seed: number; people?: string }): Promise<void> {
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) throw new UsageError(`--endpoint: expected a URL of http or https, got ${JSON.stringify(endpoint)}`)
  const { startAgents } = await import('../demo/agents/service.ts')
  const agents = await startAgents({ endpoint: endpoint.replace(/\/$/, ''), control, rate, seed, people })
  process.stdout.write(`agents at work, spans to ${endpoint}; faults are taken at ${agents.controlUrl}\n`)
  await new Promise<void>((resolve) => { for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve()) })
  await agents.stop()
  process.stdout.write(`stopped after ${agents.traffic.runs} runs\n`)
}

async function heal(type: string | undefined, { control, tenant, agent }: Where): Promise<void> {
  const place = new URLSearchParams({ ...(tenant === undefined ? {} : { tenant }), ...(agent === undefined ? {} : { agent }) })
  let state = await ask(control, 'GET', '/demo')
  const faults = type === undefined ? state.faults.filter(({ on }) => on.length > 0).map(({ id }) => id) : [type]
  const unknown = faults.find((id) => !state.faults.some((fault) => fault.id === id))
  if (unknown !== undefined) throw new UsageError(`no fault ${JSON.stringify(unknown)}; there are ${state.faults.map(({ id }) => id).join(', ')}`)
  for (const id of faults) state = await ask(control, 'DELETE', `/demo/faults/${encodeURIComponent(id)}?${place}`)
  show(state)
}

async function ask(at: Address, method: string, path: string, body?: object): Promise<DemoState> {
  let response: Response
  try {
    response = await fetch(`http://${writeAddress(at)}${path}`, {
      method, signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
  } catch (error) {
    throw unreachable(`the demo's agents at ${writeAddress(at)}`, error, '"spanbridge demo" or "spanbridge up" runs them')
  }
  const answer = await response.json() as DemoState & { error?: string }
  if (!response.ok) throw response.status === 400 ? new UsageError(answer.error) : new Error(answer.error ?? `the agents answered ${response.status}`)
  return answer
}

function show({ faults, agents }: DemoState): void {
  const width = Math.max(...faults.map(({ id }) => id.length))
  for (const { id, about, on } of faults) {
    process.stdout.write(`${on.length > 0 ? '!' : ' '} ${id.padEnd(width)}  ${about}\n`)
    for (const { tenant, agent, share, secondsLeft } of on) process.stdout.write(`  ${''.padEnd(width)}  on: ${[tenant || 'every tenant', agent || 'every agent'].join(', ')}, ${Math.round(share * 100)} % of the runs, ${secondsLeft} s more\n`)
  }
  process.stdout.write(`\nagents: ${agents.map(({ agent, tenants }) => `${agent} (${tenants.join(', ')})`).join('; ')}\n`)
}
