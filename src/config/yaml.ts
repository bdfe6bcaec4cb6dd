/** One YAML file as plain values, with the line of each, so that an error can name both. */
import { readFileSync } from 'node:fs'
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml'
import { ConfigError, type Path } from './problems.ts'

export interface YamlFile {
  readonly name: string
  /** Without the keys that have nothing after them; {} for an empty file. */
  readonly value: unknown
  /** With them, as null: where null is a value like any other. */
  readonly exact: unknown
  /** The line, from 1, of the deepest part of `path` that is in the file. */
  lineOf(path: Path): number
}

/** A file of more is not a configuration. */
const LONGEST_BYTES = 4 * 1024 * 1024

/** Throws `ConfigError` when the file cannot be read or is not YAML. */
export function readYaml(name: string): YamlFile {
  let text: string
  try {
    text = readFileSync(name, 'utf8')
  } catch (error) {
    throw new ConfigError([`cannot read ${name}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`])
  }
  if (text.length > LONGEST_BYTES) throw new ConfigError([`cannot read ${name}: longer than ${LONGEST_BYTES} bytes`])
  return parseYaml(name, text)
}

export function parseYaml(name: string, text: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => `${name}:${lines.linePos(error.pos[0]).line}: ${error.message}`))
  }
  let exact: unknown
  try {
    exact = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new ConfigError([`cannot read ${name}: ${(error as Error).message}`])
  }
  return { name, value: written(exact) ?? {}, exact: exact ?? {}, lineOf: (path) => lines.linePos(offsetOf(document.contents, path)).line }
}

/** Without the keys that have nothing after them: `pricing:` alone is as good as absent. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written)
  if (typeof value !== 'object' || value === null) return value ?? undefined
  return Object.fromEntries(Object.entries(value).flatMap(([key, child]) => (child === null ? [] : [[key, written(child)]])))
}

/** Where the key or the item named by `path` starts; what is not there has the place of what should hold it. */
function offsetOf(contents: Node | null, path: Path): number {
  let node: unknown = contents
  let offset = contents?.range?.[0] ?? 0
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))
      if (pair === undefined) break
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      const item = node.items[Number(part)] as Node | undefined
      if (item === undefined) break
      offset = item.range?.[0] ?? offset
      node = item
    } else break
  }
  return offset
}
