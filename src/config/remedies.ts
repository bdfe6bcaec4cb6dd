/** What to do first about an error of the taxonomy or a slow step: alerts/remedies.json, which the rules read too. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const text = z.string().min(1)
const document = z.strictObject({
  errors: z.record(z.string(), z.strictObject({ class: text, remedy: text })),
  unclassified: text,
  slow_steps: z.record(z.string(), text),
  slow_elsewhere: text,
  savings: z.record(z.string(), text),
})

export type Remedies = z.output<typeof document>

const FILE = new URL('../../alerts/remedies.json', import.meta.url)

/** Throws what is wrong with the file and where. */
export function readRemedies(file: URL | string = FILE): Remedies {
  try {
    const parsed = document.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
    return parsed.data
  } catch (error) {
    throw new Error(`cannot read remedies: ${(error as Error).message}`, { cause: error })
  }
}

/** The first remedy of an error type; of what has no type, how to give it one. */
export function remedyOf(remedies: Remedies, type: string): string {
  return Object.hasOwn(remedies.errors, type) ? remedies.errors[type]!.remedy : remedies.unclassified
}
