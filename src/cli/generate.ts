/** `spanbridge generate`: rules, routing and dashboards with one's own settings, as files. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { detections } from '../bundle/detection.ts'
import { findEvaluator, NO_EVALUATOR } from '../bundle/evaluator.ts'
import { bundleFiles, type Output } from '../bundle/files.ts'
import { evaluateMixin, type Mixin, MixinError } from '../bundle/mixin.ts'
import { detectionText } from '../bundle/table.ts'
import { faultsOf } from '../bundle/validate.ts'
import { UsageError } from './usage.ts'

interface Flags {
  config?: string
  out: string
  check?: boolean
}

/** The programs that read the files, and how each is asked. */
const READERS = [
  { tool: 'promtool', args: ['check', 'rules', '--lint=all', '--lint-fatal', 'prometheus-rules.yaml'] },
  { tool: 'amtool', args: ['check-config', 'alertmanager.yaml'] },
] as const

export function generateCommand(): Command {
  return new Command('generate')
    .summary('rules, routing and dashboards as files')
    .description('Writes the rules of Prometheus and Loki, the configuration of Alertmanager and\nthe dashboards of Grafana with your own settings, checks them, and tells how fast\nthe alerts fire. Settings are jsonnet, JSON or YAML: an object with those you\nchange, { _config+:: {…} }, or the mixin with something laid over it.')
    .requiredOption('-o, --out <dir>', 'folder to write into, made when it is not there')
    .option('-c, --config <file>', 'your settings; as shipped without')
    .option('--check', 'write nothing, and exit 1 where a file is not what it would be')
    .addHelpText('after', '\nThe settings are those of alerts/config.libsonnet.')
    .action(generate)
}

async function generate(flags: Flags): Promise<void> {
  const evaluator = await findEvaluator()
  if (evaluator === null) throw new Error(`cannot generate: ${NO_EVALUATOR}`)
  const mixin = await evaluateMixin(evaluator, flags.config).catch((error: unknown) => {
    throw error instanceof MixinError ? new UsageError(error.message, { cause: error }) : error
  })
  const faults = faultsOf(mixin)
  if (faults.length > 0) throw new Error(`cannot use what the settings make:\n${faults.join('\n')}`)

  const folder = resolve(flags.out)
  const files = bundleFiles(mixin, { source: flags.config ?? 'the settings as shipped', command: 'spanbridge generate' })
  const stale = files.filter(({ path, text }) => contentOf(join(folder, path)) !== text)
  if (flags.check === true) {
    for (const { path } of stale) process.stderr.write(`${join(flags.out, path)} is not what it would be: run spanbridge generate\n`)
    if (stale.length > 0) process.exitCode = 1
    else process.stdout.write(`${files.length} files are what they would be\n`)
    return
  }
  for (const file of stale) write(folder, file)
  process.stdout.write(summaryOf(mixin))
  process.stdout.write(`${stale.length === 0 ? 'nothing to write' : `wrote ${stale.length}`} of ${files.length} files in ${flags.out}\n`)
  for (const reader of READERS) process.stdout.write(`${await read(reader, folder)}\n`)
  process.stdout.write(`\n${detectionText(detections(mixin.burn, mixin.settings))}`)
}

function summaryOf({ prometheus, loki, alertmanager, dashboards }: Mixin): string {
  const rules = prometheus.groups.flatMap((group) => group.rules)
  const alerts = rules.filter(({ alert }) => alert !== undefined).length
  const logs = loki.groups.flatMap((group) => group.rules).length
  return `${alerts} alerts and ${rules.length - alerts} recording rules for Prometheus, ${logs} alerts for Loki\n`
    + `${Object.keys(dashboards).length} dashboards; Alertmanager tells ${alertmanager.receivers.map(({ name }) => name).join(', ')}\n`
}

/** What a program that reads the files says of them, in one line. Throws its words when it refuses them. */
async function read({ tool, args }: (typeof READERS)[number], folder: string): Promise<string> {
  const binary = await findTool(tool)
  if (binary === undefined) return `${tool} is not there to read them: their structure alone was checked`
  try {
    execFileSync(binary, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe', timeout: 60_000 })
    return `${tool} takes them`
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
    throw new Error(`${tool} refuses what was written to ${folder}:\n${`${stdout}${stderr}`.trim() || message}`, { cause: error })
  }
}

/** Where this checkout builds its own, or on the PATH. An installation without the sources of the components has the PATH alone. */
async function findTool(tool: string): Promise<string | undefined> {
  try {
    const { findComponent } = await import('../../components/components.ts')
    const found = findComponent(tool)
    if (found !== undefined) return found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
  }
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore', timeout: 10_000 })
    return tool
  } catch {
    return undefined
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function write(folder: string, { path, text }: Output): void {
  try {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  } catch (error) {
    throw new UsageError(`cannot write ${join(folder, path)}: ${(error as Error).message}`, { cause: error })
  }
}
