/** The command line, as a function: a process runs it (main.ts), and so does whoever asks what it says. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/problems.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor/doctor.ts'
import { generateCommand } from './generate.ts'
import { installCommand } from './install.ts'
import { judgeCommand } from './judge.ts'
import { calibrateCommand, labelCommand } from './label.ts'
import { pricesCommand } from './cost/prices.ts'
import { reconcileCommand } from './cost/reconcile.ts'
import { savingsCommand } from './cost/savings.ts'
import { sendCommand } from './send/send.ts'
import { serveCommand } from './serve.ts'
import { upCommand } from './up/up.ts'
import { UsageError } from './usage.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/**
 * Resolves with the exit code to leave with at once, whatever is still open (a port that was bound before another one could not be): 1 failed, 2 wrong
 * usage or configuration. Or with 0, and a command that has done its work and found something wrong has set process.exitCode.
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    return exitCode(error)
  }
}

function program(): Command {
  const all = new Command('spanbridge')
    .description('Turns the OpenTelemetry spans of AI agents into metrics, rules and pages.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // Names alone: each command's own help has its arguments, and a line is enough for what it does.
    .configureHelp({ subcommandTerm: (command) => command.name(), visibleCommands: ({ commands }) => [...commands] })
    .addHelpText('after', 'Settings can be told by environment too: httpAddress as SPANBRIDGE_HTTP_ADDRESS.')
  for (const command of [serveCommand(), upCommand(), demoCommand(), generateCommand(), installCommand(), sendCommand(), judgeCommand(), labelCommand(), calibrateCommand(), pricesCommand(), reconcileCommand(), savingsCommand(), doctorCommand(async () => (await import('./doctor/describe.ts')).describeSpans)]) all.addCommand(command)
  for (const command of [all, ...all.commands, ...all.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().showHelpAfterError(`(${nameOf(command)} --help tells more)`)
    if (command !== all) command.helpOption('-h, --help', 'print this help').allowExcessArguments(false)
  }
  return all
}

/** As it is typed: `spanbridge demo fault`. */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}

function exitCode(error: unknown): number {
  // Commander has already written its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof ConfigError) {
    for (const problem of error.problems) process.stderr.write(`spanbridge: ${problem}\n`)
    return 2
  }
  process.stderr.write(`spanbridge: ${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof UsageError ? 2 : 1
}
