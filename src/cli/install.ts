/** `spanbridge install`: dashboards and rules into a Grafana and a Prometheus that are there already. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { parse, stringify } from 'yaml'
import { readUrl } from '../config/values.ts'
import { type Dashboard, grafanaPlace } from '../install/grafana.ts'
import { pending, type Place, planText, type Step, summaryOf } from '../install/plan.ts'
import { prometheusReload, ruleFilePlace } from '../install/rulefiles.ts'
import { flag, UsageError } from './usage.ts'

interface Flags {
  grafana?: string
  grafanaTokenFile?: string
  folder: string
  prometheusRules?: string
  prometheus?: string
  mimirRules?: string
  lokiRules?: string
  from?: string
  undo?: boolean
  yes?: boolean
  plan?: boolean
}

/** The files of this checkout, generated with the defaults. */
const SHIPPED = { rules: fileURLToPath(new URL('../../alerts/generated', import.meta.url)), dashboards: fileURLToPath(new URL('../../dashboards/generated', import.meta.url)) }
const FOLDER_UID = 'spanbridge'
const NAMESPACE = 'spanbridge'

export function installCommand(): Command {
  return new Command('install')
    .summary('dashboards and rules into your own Grafana and Prometheus')
    .description('Puts dashboards and rules into what you run already. Shows a plan first; doing\nit twice changes nothing; --undo takes away what was put there, and no more.')
    .option('--grafana <url>', 'dashboards into this Grafana', flag(readUrl))
    .option('--grafana-token-file <file>', 'service account token, or GRAFANA_TOKEN')
    .option('--folder <title>', 'folder of the dashboards', 'Spanbridge')
    .option('--prometheus-rules <dir>', 'rules into a folder of its rule_files')
    .option('--prometheus <url>', 'and reload this Prometheus', flag(readUrl))
    .option('--mimir-rules <dir>', 'rules as mimirtool loads them')
    .option('--loki-rules <dir>', "rules into the ruler's folder of a tenant")
    .option('--from <dir>', 'what "spanbridge generate" wrote (default: as shipped)')
    .option('--undo', 'take it away again')
    .option('--plan', 'show the plan, do nothing')
    .option('-y, --yes', 'do not ask')
    .action(install)
}

async function install(flags: Flags): Promise<void> {
  const places = placesOf(flags)
  if (places.length === 0) throw new UsageError('nothing to install into: name --grafana, --prometheus-rules, --mimir-rules or --loki-rules')
  if (flags.prometheus !== undefined && flags.prometheusRules === undefined) throw new UsageError('--prometheus is reloaded after --prometheus-rules, which is not given')
  const steps: Step[] = []
  for (const place of places) steps.push(...await (flags.undo === true ? place.uninstall() : place.install()))
  process.stdout.write(`${planText(steps)}${summaryOf(steps)}\n`)
  const todo = pending(steps)
  if (flags.plan === true || todo.length === 0) return
  if (flags.yes !== true && !(await agreed())) {
    process.exitCode = 1
    return
  }
  for (const { what, apply } of todo) {
    try {
      await apply()
    } catch (error) {
      throw new Error(`${what}: ${(error as Error).message}; what is above it in the plan is done, and doing it again is safe`, { cause: error })
    }
  }
  process.stdout.write('done\n')
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('nobody to ask: give --yes to do it, or --plan to look only')
  const asking = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await asking.question('Do this? [y/N] ')).trim())
  } finally {
    asking.close()
  }
}

function placesOf(flags: Flags): Place[] {
  const places: Place[] = []
  const rules = (name: string) => read(join(flags.from === undefined ? SHIPPED.rules : resolve(flags.from), name))
  if (flags.grafana !== undefined) {
    places.push(grafanaPlace({
      url: flags.grafana, token: tokenOf(flags), folderUid: FOLDER_UID, folderTitle: flags.folder,
      dashboards: dashboardsIn(flags.from === undefined ? SHIPPED.dashboards : join(resolve(flags.from), 'dashboards')),
    }))
  }
  if (flags.prometheusRules !== undefined) {
    places.push(ruleFilePlace({
      what: 'rules of Prometheus', folder: resolve(flags.prometheusRules), file: 'spanbridge.yaml', text: rules('prometheus-rules.yaml'),
      ...(flags.prometheus === undefined ? {} : { reload: prometheusReload(flags.prometheus) }),
    }))
  }
  if (flags.mimirRules !== undefined) places.push(ruleFilePlace({ what: 'rules of Mimir', folder: resolve(flags.mimirRules), file: `${NAMESPACE}.yaml`, text: mimirRules(rules('prometheus-rules.yaml')) }))
  if (flags.lokiRules !== undefined) places.push(ruleFilePlace({ what: 'rules of Loki', folder: resolve(flags.lokiRules), file: 'spanbridge.yaml', text: rules('loki-rules.yaml') }))
  return places
}

/** A file of mimirtool is one of Prometheus with the namespace before its groups: https://grafana.com/docs/mimir/latest/manage/tools/mimirtool/#load-rule-group */
function mimirRules(text: string): string {
  const header = text.slice(0, text.indexOf('\n') + 1)
  return header + stringify({ namespace: NAMESPACE, ...(parse(text) as object) }, { lineWidth: 0, aliasDuplicateObjects: false })
}

function dashboardsIn(folder: string): Dashboard[] {
  return list(folder).filter((name) => name.endsWith('.json')).sort().map((name) => JSON.parse(read(join(folder, name))) as Dashboard)
}

function tokenOf({ grafanaTokenFile }: Flags): string | undefined {
  const token = (grafanaTokenFile === undefined ? process.env['GRAFANA_TOKEN'] ?? '' : read(grafanaTokenFile)).trim()
  return token === '' ? undefined : token
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw new UsageError(`cannot read ${folder}: ${(error as Error).message}`)
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`)
  }
}
