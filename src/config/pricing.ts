/** The user's own prices: a `pricing.yaml` over the list prices. */
import { z } from 'zod'
import { readAmount, reading, readText } from './values.ts'
import { ConfigError, pathText, problemsOf, type Path } from './problems.ts'
import { readYaml, type YamlFile } from './yaml.ts'

/** USD. A token price that is absent is that of the set the tokens are part of: cached input costs as input, reasoning as output. */
export interface OwnModelPrice {
  /** A model's name, or a glob of `*` and `?`; case does not matter. */
  readonly match: string
  /** Only calls to this provider. */
  readonly provider?: string | undefined
  readonly inputPerMillion?: number | undefined
  readonly outputPerMillion?: number | undefined
  readonly cachedInputPerMillion?: number | undefined
  readonly cacheWritePerMillion?: number | undefined
  readonly reasoningPerMillion?: number | undefined
  readonly perRequest?: number | undefined
  readonly perSecond?: number | undefined
}

export interface OwnCallPrice {
  readonly match: string
  readonly perCall: number
}

export interface Pricing {
  readonly models: readonly OwnModelPrice[]
  readonly tools: readonly OwnCallPrice[]
  readonly retrievals: readonly OwnCallPrice[]
}

/** Throws `ConfigError` with every problem at once, each with its line. */
export function loadPricing(name: string): Pricing {
  return checkPricing(readYaml(name))
}

export function checkPricing(file: YamlFile): Pricing {
  const parsed = schema.safeParse(file.value, { reportInput: true })
  if (parsed.success) return parsed.data
  const found = problemsOf(parsed.error, keysAt).map(([path, message]) => {
    const line = file.lineOf(path)
    return { line, text: `${file.name}:${line}: ${path.length === 0 ? '' : `${pathText(path)}: `}${message}` }
  })
  throw new ConfigError(found.sort((a, b) => a.line - b.line).map(({ text }) => text))
}

const amount = z.unknown().transform(reading(readAmount))
const text = z.unknown().transform(reading(readText))
const MOST_ENTRIES = 10_000

const model = z
  .strictObject({
    match: text,
    provider: text.optional(),
    inputPerMillion: amount.optional(),
    outputPerMillion: amount.optional(),
    cachedInputPerMillion: amount.optional(),
    cacheWritePerMillion: amount.optional(),
    reasoningPerMillion: amount.optional(),
    perRequest: amount.optional(),
    perSecond: amount.optional(),
  })
  .check((context) => {
    const { inputPerMillion, outputPerMillion, perRequest, perSecond } = context.value
    if ([inputPerMillion, outputPerMillion, perRequest, perSecond].some((price) => price !== undefined)) return
    context.issues.push({ code: 'custom', input: context.value, message: 'expected a price: inputPerMillion, outputPerMillion, perRequest or perSecond' })
  })

const calls = z.array(z.strictObject({ match: text, perCall: amount })).max(MOST_ENTRIES, `expected at most ${MOST_ENTRIES} entries`).default([])

const schema = z.strictObject({
  models: z.array(model).max(MOST_ENTRIES, `expected at most ${MOST_ENTRIES} entries`).default([]),
  tools: calls,
  retrievals: calls,
})

function keysAt(path: Path): readonly string[] {
  if (path.length === 0) return Object.keys(schema.shape)
  return path[0] === 'models' ? Object.keys(model.shape) : ['match', 'perCall']
}
