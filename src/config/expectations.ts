/** What tools should give back and agents should answer: an `expectations.yaml`, checked on every request that has the content. */
import { z } from 'zod'
import { LONGEST_MATCHED, readGlob, readPattern } from './pattern.ts'
import { refused, type Path } from './problems.ts'
import { compileSchema, type Validate } from './jsonschema.ts'
import { readNumber, reading, readText } from './values.ts'
import { readYaml, type YamlFile } from './yaml.ts'

/** One thing to hold of a result or an answer, or of a part of it. */
export interface Check {
  /** The label `check`. */
  readonly name: string
  /** Tokens of the JSON pointer to the part; none: all of it. */
  readonly pointer: readonly string[]
  readonly expects: Expectation
}

export type Expectation =
  | { readonly is: 'equals'; readonly value: unknown }
  | { readonly is: 'matches' | 'matchesNot'; readonly pattern: RegExp; readonly longest: number }
  | { readonly is: 'schema'; readonly validate: Validate }
  /** Ends belong to it. */
  | { readonly is: 'range'; readonly min: number; readonly max: number }

/** Checks of the tools or agents that have such a name. */
export interface ExpectationsOf {
  readonly match: RegExp
  /** As it is in the file. */
  readonly written: string
  /** Only where this agent was asked; undefined: any. Of tools alone. */
  readonly agent: RegExp | undefined
  readonly checks: readonly Check[]
}

export interface Expectations {
  readonly tools: readonly ExpectationsOf[]
  readonly agents: readonly ExpectationsOf[]
}

/** Throws `ConfigError` with every problem at once, each with its line. */
export function loadExpectations(name: string): Expectations {
  return checkExpectations(readYaml(name))
}

export function checkExpectations(file: YamlFile): Expectations {
  const parsed = schema.safeParse(file.exact, { reportInput: true })
  if (parsed.success) return { tools: parsed.data.tools.map(entry), agents: parsed.data.agents.map((one) => entry({ ...one, agent: undefined })) }
  throw refused(file, parsed.error, keysAt)
}

const read = <T>(reader: (value: unknown) => T) => z.unknown().transform(reading(reader))
const MOST_ENTRIES = 1000
const MOST_CHECKS = 20
const KINDS = ['equals', 'matches', 'matchesNot', 'schema', 'min', 'max'] as const

const check = z
  .strictObject({
    name: read(readName),
    at: read(readPointer).optional(),
    equals: z.unknown().optional(),
    matches: read(readPattern).optional(),
    matchesNot: read(readPattern).optional(),
    schema: read(compileSchema).optional(),
    min: read(readNumber).optional(),
    max: read(readNumber).optional(),
  })
  .check((context) => {
    const { value } = context
    const fail = (message: string, path: PropertyKey[] = []) => context.issues.push({ code: 'custom', input: value, message, path })
    const told = KINDS.filter((kind) => value[kind] !== undefined)
    const kinds = new Set(told.map((kind) => (kind === 'max' ? 'min' : kind)))
    if (kinds.size === 0) fail('expected one of equals, matches, matchesNot, schema, or min and max')
    else if (kinds.size > 1) fail(`expected one kind of check, got ${told.join(' and ')}: write a check for each`)
    if (value.min !== undefined && value.max !== undefined && value.min > value.max) fail(`expected at least min (${value.min}), got ${value.max}`, ['max'])
  })

const checks = z.array(check).min(1, 'expected at least one check').max(MOST_CHECKS, `expected at most ${MOST_CHECKS} checks`).check((context) => {
  const seen = new Set<string>()
  context.value.forEach(({ name }, i) => {
    if (seen.has(name)) context.issues.push({ code: 'custom', input: name, message: `a second check called ${name}`, path: [i, 'name'] })
    seen.add(name)
  })
})
const match = read((value) => ({ pattern: readGlob(value), written: String(value) }))
const tool = z.strictObject({ match, agent: read(readGlob).optional(), checks })
const agent = z.strictObject({ match, checks })
const list = <T extends z.ZodType>(item: T) => z.array(item).max(MOST_ENTRIES, `expected at most ${MOST_ENTRIES} entries`).default([])

const schema = z.strictObject({ tools: list(tool), agents: list(agent) }).check((context) => {
  if (context.value.tools.length + context.value.agents.length === 0) context.issues.push({ code: 'custom', input: context.value, message: 'expected tools or agents' })
})

function entry({ match, agent, checks }: z.output<typeof tool>): ExpectationsOf {
  return { match: match.pattern, written: match.written, agent, checks: checks.map(({ name, at, ...rest }) => ({ name, pointer: at ?? [], expects: expectation(rest) })) }
}

/** The schema has seen to it that there is one kind. */
function expectation({ equals, matches, matchesNot, schema, min, max }: Omit<z.output<typeof check>, 'name' | 'at'>): Expectation {
  if (equals !== undefined) return { is: 'equals', value: equals }
  if (matches !== undefined) return { is: 'matches', pattern: matches, longest: LONGEST_MATCHED }
  if (matchesNot !== undefined) return { is: 'matchesNot', pattern: matchesNot, longest: LONGEST_MATCHED }
  if (schema !== undefined) return { is: 'schema', validate: schema }
  return { is: 'range', min: min ?? -Infinity, max: max ?? Infinity }
}

/** A label value, and in titles of panels: short and plain. */
function readName(value: unknown): string {
  const text = readText(value)
  if (!/^[\w][\w .:/-]{0,63}$/.test(text)) throw new Error(`expected a name of at most 64 letters, digits, spaces and . : / - _, got ${JSON.stringify(text.slice(0, 80))}`)
  return text
}

/** `/items/0/price`, as RFC 6901 has it. */
function readPointer(value: unknown): string[] {
  if (typeof value !== 'string' || !/^(\/([^~/]|~[01])*)*$/.test(value) || value.length > 200) throw new Error(`expected a JSON pointer such as /items/0/price, got ${JSON.stringify(value)?.slice(0, 80)}`)
  return value.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function keysAt(path: Path): readonly string[] {
  if (path.length === 0) return Object.keys(schema.shape)
  if (path.includes('checks')) return Object.keys(check.shape)
  return Object.keys(path[0] === 'tools' ? tool.shape : agent.shape)
}
