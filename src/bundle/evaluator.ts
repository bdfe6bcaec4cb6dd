/** Jsonnet, evaluated by the addon @hanazuki/node-jsonnet or by a `jsonnet` on the PATH, whichever is there. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LIMITS = { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 }

export interface Evaluator {
  /** What evaluates, for messages. */
  readonly name: string
  /** The value of a snippet; imports are looked up in the folders, the first one first. Throws jsonnet's own message. */
  evaluate(snippet: string, ...folders: readonly string[]): Promise<unknown>
}

/** What to do about it. */
export const NO_EVALUATOR = 'no jsonnet. Install the optional dependency (npm install @hanazuki/node-jsonnet, needs cmake and a C++ compiler) or put a jsonnet on the PATH.'

/** null where neither is there. The addon is an optional dependency: it compiles when it is installed, which not every machine can. */
export async function findEvaluator(): Promise<Evaluator | null> {
  return addon() ?? await program()
}

interface Addon {
  readonly Jsonnet: {
    readonly version: string
    new (): { addJpath(folder: string): void; evaluateSnippet(snippet: string): Promise<string> }
  }
}

function addon(): Evaluator | null {
  try {
    // Its package.json has types, but not for an import.
    const { Jsonnet } = createRequire(import.meta.url)('@hanazuki/node-jsonnet') as Addon
    return {
      name: `@hanazuki/node-jsonnet (libjsonnet ${Jsonnet.version})`,
      evaluate: async (snippet, ...folders) => {
        const jsonnet = new Jsonnet()
        // Of several the one that was added last is looked at first.
        for (const folder of folders.toReversed()) jsonnet.addJpath(folder)
        return JSON.parse(await jsonnet.evaluateSnippet(snippet)) as unknown
      },
    }
  } catch {
    return null
  }
}

async function program(): Promise<Evaluator | null> {
  try {
    await run('jsonnet', ['--version'], LIMITS)
  } catch {
    return null
  }
  return {
    name: 'jsonnet of the PATH',
    evaluate: async (snippet, ...folders) => {
      try {
        return JSON.parse((await run('jsonnet', [...folders.toReversed().flatMap((folder) => ['-J', folder]), '-e', snippet], LIMITS)).stdout) as unknown
      } catch (error) {
        const { stderr } = error as { stderr?: string }
        throw stderr ? new Error(stderr, { cause: error }) : error
      }
    },
  }
}
