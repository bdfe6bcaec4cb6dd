/**
 * What becomes of a series that no longer fits. It is counted under a coarser one, in four steps, each with
 * room of its own beyond the limit, so that one step's flood cannot take the next one's room:
 *
 * 1. the label that `definition.overflow` names becomes `__overflow__`: every sum over that label stays right;
 * 2. every label does, except the tenant and the short closed ones: sums by tenant and success rates stay right;
 * 3. the tenant too: more tenants than the limit, but the success rate over all of them stays right;
 * 4. every label: one series, for which there is always room.
 *
 * DESIGN's promise that sums by tenant stay right therefore holds for about `limit / 8` tenants past the limit.
 */
import type { MetricDefinition } from './catalogue.ts'

export const TENANT = 'tenant_id'
/** Labels with few values that the bridge itself sets: they stay while the ones from strangers go. */
const CLOSED: readonly string[] = ['outcome', 'class', 'type']

export interface OverflowStep {
  /** Bit i is set when label i becomes `__overflow__`. */
  readonly mask: number
  /** A new series is made at this step while there are fewer overflow series than this. */
  readonly room: number
}

export function overflowSteps(definition: MetricDefinition, limit: number): readonly OverflowStep[] {
  const { labels, overflow } = definition
  const mask = (gone: (label: string) => boolean): number => labels.reduce((bits, label, i) => (gone(label) ? bits | (1 << i) : bits), 0)
  const byLabel = Math.max(16, limit >> 4)
  const byTenant = byLabel + Math.max(256, limit >> 3)
  return [
    { mask: mask((label) => label === overflow), room: byLabel },
    { mask: mask((label) => label !== TENANT && !CLOSED.includes(label)), room: byTenant },
    { mask: mask((label) => !CLOSED.includes(label)), room: byTenant + 256 },
    { mask: mask(() => true), room: Infinity },
  ]
}
