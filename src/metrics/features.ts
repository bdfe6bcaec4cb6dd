/**
 * Counts what was in each request beside how it went, so that rules can tell what the bad ones have in common that the good ones lack.
 * One request counts each value once, however many steps have it.
 */
import { ERROR_TYPES, Kind } from '../spans/names.ts'
import type { StringTable } from '../spans/strings.ts'
import { Outcome, PROBLEMS, type Settled } from '../traces/settled.ts'
import type { Family } from './family.ts'
import { StepRows } from './steprows.ts'

const BY_KIND: Readonly<Record<number, string>> = { [Kind.model]: 'model', [Kind.tool]: 'tool', [Kind.retrieval]: 'retrieval', [Kind.agent]: 'sub_agent' }

export class Features {
  readonly #family: Family
  readonly #rows = new StepRows(1)
  readonly #good: number
  readonly #failed: number
  readonly #problems: readonly number[]
  readonly #tenant: number
  readonly #version: number
  readonly #error: number
  readonly #kinds = new Int32Array(16)
  readonly #types: readonly number[]
  /** By row: the request that counted last. */
  #counted = new Int32Array(1024)
  #request = 0

  constructor(family: Family, strings: StringTable) {
    const id = (text: string) => strings.pin(text)
    this.#family = family
    this.#good = id('good')
    this.#failed = id('failed')
    this.#problems = PROBLEMS.map(id)
    this.#tenant = id('tenant_id')
    this.#version = id('version')
    this.#error = id('error')
    for (const [kind, feature] of Object.entries(BY_KIND)) this.#kinds[Number(kind)] = id(feature)
    this.#types = ERROR_TYPES.map(({ type }) => id(type))
  }

  /** Numbers of strings or rows have changed their meaning. */
  clear(): void {
    this.#rows.clear()
  }

  count(settled: Settled, second: number): void {
    this.#request = (this.#request + 1) | 0
    const verdict = settled.outcome !== Outcome.success ? this.#failed : settled.problems.length > 0 ? this.#problems[settled.problems[0]!.problem]! : this.#good
    this.#add(settled, this.#tenant, settled.tenant, verdict, second)
    this.#add(settled, this.#version, settled.version, verdict, second)
    const { groups } = settled
    for (let group = 0; group < groups.size; group++) {
      const feature = this.#kinds[groups.kind[group]!]!
      if (feature !== 0 && groups.name[group] !== 0 && groups.steps[group]! > 0) this.#add(settled, feature, groups.name[group]!, verdict, second)
    }
    for (const { type } of settled.errors) this.#add(settled, this.#error, this.#types[type]!, verdict, second)
  }

  #add({ agent, weight }: Settled, feature: number, value: number, verdict: number, second: number): void {
    const { rows } = this.#rows
    const at = this.#rows.find(second, agent, feature, value, verdict, 0, 0, 0, 0)
    if (rows[at]! < 0) rows[at] = this.#family.at(agent, feature, value, verdict)
    const row = rows[at]!
    if (row >= this.#counted.length) this.#grow(row)
    if (this.#counted[row] === this.#request) return
    this.#counted[row] = this.#request
    this.#family.add(row, weight)
  }

  #grow(row: number): void {
    const grown = new Int32Array(row * 2)
    grown.set(this.#counted)
    this.#counted = grown
  }
}
