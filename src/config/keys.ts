/** The leaves of the schema: the key's path, its variable, its default and what it is for. Feeds the environment and the reference. */
import { z } from 'zod'
import { schema } from './schema.ts'

export interface Setting {
  /** `['tenant', 'attributes']` */
  readonly path: readonly string[]
  /** `SPANBRIDGE_TENANT_ATTRIBUTES` */
  readonly variable: string
  readonly about: string
  /** As people would write it; undefined where there is none. */
  readonly fallback: unknown
  /** A list of objects, which a variable gives as YAML or JSON. */
  readonly composite: boolean
}

let settings: readonly Setting[] | undefined

export function allSettings(): readonly Setting[] {
  return (settings ??= leaves(schema, []))
}

let names: ReadonlyMap<string, Setting> | undefined

/** Settings by variable. */
export function environmentNames(): ReadonlyMap<string, Setting> {
  return (names ??= new Map(allSettings().map((setting) => [setting.variable, setting])))
}

function leaves(type: z.core.$ZodType, path: readonly string[]): Setting[] {
  const { fallback, inner } = unwrap(type)
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, child]) => leaves(child as z.core.$ZodType, [...path, key]))
  }
  const about = type instanceof z.ZodType ? (type.description ?? '') : ''
  const variable = `SPANBRIDGE_${path.map(upperSnake).join('_')}`
  return [{ path, variable, about, fallback, composite: inner instanceof z.ZodArray }]
}

/** What is under the defaults, the optionals and the readers, and the first default on the way. */
function unwrap(type: z.core.$ZodType): { fallback: unknown; inner: z.core.$ZodType } {
  let fallback: unknown
  let inner = type
  for (;;) {
    if (inner instanceof z.ZodPrefault || inner instanceof z.ZodDefault) {
      fallback ??= inner.def.defaultValue
      inner = inner.def.innerType
    } else if (inner instanceof z.ZodOptional) inner = inner.def.innerType
    else if (inner instanceof z.ZodPipe) inner = inner.def.in
    else return { fallback, inner }
  }
}

function upperSnake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
