/** The generated rules, as the tests read them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly for?: string
  readonly keep_firing_for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Group {
  readonly name: string
  readonly interval?: string
  readonly rules: readonly Rule[]
}

export const ROOT = join(import.meta.dirname, '../..')
export const RULE_FILE = 'alerts/generated/prometheus-rules.yaml'

export const groups = groupsOf(readFileSync(join(ROOT, RULE_FILE), 'utf8'))
export const lokiGroups = groupsOf(readFileSync(join(ROOT, 'alerts/generated/loki-rules.yaml'), 'utf8'))
export const rules = groups.flatMap((group) => group.rules)
export const alerts = rules.filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined)

/** Of Loki's ruler, all of them alerts. */
export const lokiAlerts = lokiGroups.flatMap((group) => group.rules).filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined)

export function groupsOf(text: string): readonly Group[] {
  return (parse(text) as { groups: Group[] }).groups
}

/** The expressions inside the templates of an alert's annotations, with the values that a template fills in as empty strings. */
export function queriesOf(annotations: Readonly<Record<string, string>> = {}): string[] {
  return Object.values(annotations).flatMap((text) => [
    ...[...text.matchAll(/printf `([^`]*)`/g)].map(([, query]) => query!.replaceAll('%q', '""')),
    ...[...text.matchAll(/\{\{\s*(?:with|range)?\s*query\s+`([^`]*)`/g)].map(([, query]) => query!),
  ])
}
