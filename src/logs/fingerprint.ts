/** The same failure has the same name, in every process and every release: where it happened and what kind it was. */
import { createHash } from 'node:crypto'

export interface Cause {
  readonly class: string
  readonly type: string
  readonly step: string
  readonly name: string
  readonly agent: string
}

/** 16 hexadecimal digits. */
export function fingerprintOf(cause: Cause): string {
  const parts = JSON.stringify([cause.class, cause.type, cause.step, cause.name, cause.agent])
  return createHash('sha256').update(parts).digest('hex').slice(0, 16)
}
