/** Reads token counts and scores out of the JSON documents that some dialects keep them in. */
import type { Fields, NumField } from '../dialect.ts'

/** A JSON value as an object, empty when it is not one. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** A count told as a number; anything else is untold. A cost of 0 is a model without a price. */
export function count(fields: Fields, field: NumField, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || (field === 'costUsd' && value === 0)) return
  fields.number(field, value)
}

/** First value that is a number. */
export function firstNumber(...values: unknown[]): number | undefined {
  return values.find((value) => typeof value === 'number' && Number.isFinite(value)) as number | undefined
}

/** A score as a number: a pass or fail is 1 or 0. */
export function scoreOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
