/** JSON Schema (2020-12) of the user's own, for values of strangers. The validator is loaded only where somebody writes a schema. */
import { createRequire } from 'node:module'
import type { Ajv2020 as Validator, Options } from 'ajv/dist/2020.js'
import { brief } from './problems.ts'
import { LONGEST_MATCHED, refuseCostly } from './pattern.ts'

/** Undefined: the value is as it should be. */
export type Validate = (value: unknown) => Mismatch | undefined

export interface Mismatch {
  /** What is not as it should be, in a few words. */
  readonly why: string
  /** Nothing is known: a text in it is longer than a pattern is tried on. */
  readonly tooLong: boolean
}

class TooLong extends Error {}

const OPTIONS: Options = {
  // Of what is not known nothing is assumed: a misspelt keyword would be one that everything passes.
  strict: true, strictTuples: false, strictRequired: false, strictTypes: false, addUsedSchema: false,
  code: { regExp: Object.assign(safely, { code: 'safely' }) },
}

let validator: Validator | undefined

/** Throws what is wrong with the schema. */
export function compileSchema(value: unknown): Validate {
  if (typeof value !== 'object' && typeof value !== 'boolean') throw new Error(`expected a JSON schema, got ${brief(value)}`)
  validator ??= new (createRequire(import.meta.url)('ajv/dist/2020.js') as { Ajv2020: typeof Validator }).Ajv2020(OPTIONS)
  let compiled
  try {
    compiled = validator.compile(value as object)
  } catch (error) {
    throw new Error(`expected a JSON schema: ${(error as Error).message}`)
  }
  return (told) => {
    try {
      if (compiled(told)) return undefined
    } catch (error) {
      if (error instanceof TooLong) return { why: error.message, tooLong: true }
      throw error
    }
    const [first] = compiled.errors!
    return { why: `${first!.instancePath} ${first!.message}`.trim(), tooLong: false }
  }
}

/** Patterns in a schema are the user's own too. */
function safely(source: string): { test(text: string): boolean } {
  refuseCostly(source)
  const pattern = new RegExp(source, 'u')
  return {
    test(text) {
      if (text.length > LONGEST_MATCHED) throw new TooLong(`longer than ${LONGEST_MATCHED} characters`)
      return pattern.test(text)
    },
  }
}
