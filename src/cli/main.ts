/** The process of the command line. */
import { run } from './program.ts'

// A reader that has seen enough (`spanbridge … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const code = await run(process.argv.slice(2))
if (code !== 0) process.exit(code)
