/** What answers are marked by: a file with a name, a version and instructions. The first two are in the evaluator's name, so that marks by different rubrics stay apart. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export interface Rubric {
  readonly name: string
  readonly version: number
  readonly instructions: string
}

/** Marks helpfulness, correctness and completeness in general. */
export const SHIPPED_RUBRIC = fileURLToPath(new URL('rubrics/answer.yaml', import.meta.url))

const LONGEST_INSTRUCTIONS = 20_000

/** Throws what is wrong with the file. */
export function readRubric(file: string): Rubric {
  const fail = (problem: string): never => {
    throw new Error(`cannot read the rubric ${file}: ${problem}`)
  }
  let value: unknown
  try {
    value = parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return fail((error as Error).message.split('\n')[0]!)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('expected the keys name, version and instructions')
  const { name, version, instructions, ...others } = value as Record<string, unknown>
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) return fail(`unknown key ${JSON.stringify(unknown)}`)
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,31}$/.test(name)) return fail('name: expected up to 32 small letters, digits, - and _')
  if (!Number.isSafeInteger(version) || (version as number) < 1) return fail('version: expected a whole number from 1')
  if (typeof instructions !== 'string' || instructions.trim() === '' || instructions.length > LONGEST_INSTRUCTIONS) return fail(`instructions: expected a text of at most ${LONGEST_INSTRUCTIONS} characters`)
  return { name, version: version as number, instructions: instructions.trim() }
}

export function evaluatorOf({ name, version }: Rubric): string {
  return `judge/${name}@${version}`
}
