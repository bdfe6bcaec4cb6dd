/** Which recorded runs play what in the demo, by what truly happened in them and not by their names. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Folders of recordings. */
export interface Cast {
  /** Runs in which nothing went wrong. */
  readonly healthy: readonly string[]
  /** Those of them that were made with a framework that also has failing runs. */
  readonly affected: readonly string[]
  /** Runs that failed because a tool answered 5xx, and for no other reason. */
  readonly failing: readonly string[]
}

interface Truth {
  readonly outcomes: readonly { readonly ok: boolean }[]
  readonly errors: readonly { readonly class: string }[]
  readonly max_messages_in_call?: number
}

const FAULT = 'tool.5xx'
/** A history past the documented limit is a ticket, so an agent with one is not well. */
const MOST_MESSAGES = 50

/** `root` holds <framework>/<scenario>/meta.json. Folders without one have no part. */
export function castOf(root: string): Cast {
  const runs = folders(root).flatMap(folders).flatMap((folder) => {
    const truth = truthOf(folder)
    return truth === undefined ? [] : [{ folder, truth }]
  })
  const those = (fits: (truth: Truth) => boolean) => runs.filter(({ truth }) => truth.outcomes.length > 0 && fits(truth)).map(({ folder }) => folder)
  const healthy = those(({ outcomes, errors, max_messages_in_call: messages = 0 }) => errors.length === 0 && outcomes.every(({ ok }) => ok) && messages <= MOST_MESSAGES)
  const failing = those(({ outcomes, errors }) => errors.length > 0 && errors.every((error) => error.class === FAULT) && outcomes.every(({ ok }) => !ok))
  const frameworks = new Set(failing.map((folder) => dirname(folder)))
  return { healthy, affected: healthy.filter((folder) => frameworks.has(dirname(folder))), failing }
}

function folders(parent: string): string[] {
  return readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(parent, entry.name)).sort()
}

function truthOf(folder: string): Truth | undefined {
  const file = join(folder, 'meta.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { truth: Truth }).truth : undefined
}
