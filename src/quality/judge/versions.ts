/** When each version of an agent was first seen. The first one that a bridge sees of an agent is not new: else a restart would make every version new. */

/** Past these the longest known are forgotten. */
const MOST_AGENTS = 10_000
const MOST_VERSIONS = 50

export class Versions {
  readonly #newForMs: number
  readonly #agents = new Map<string, Map<string, number>>()

  constructor(newForMs: number) {
    this.#newForMs = newForMs
  }

  /** Takes note of a version, and tells whether it came later than another one and not long ago. */
  isNew(agent: string, version: string, nowMs: number): boolean {
    if (version === '') return false
    let versions = this.#agents.get(agent)
    if (versions === undefined) {
      if (this.#agents.size >= MOST_AGENTS) this.#agents.delete(this.#agents.keys().next().value!)
      this.#agents.set(agent, (versions = new Map([[version, -Infinity]])))
    }
    let since = versions.get(version)
    if (since === undefined) {
      if (versions.size >= MOST_VERSIONS) versions.delete(versions.keys().next().value!)
      versions.set(version, (since = nowMs))
    }
    return nowMs - since < this.#newForMs
  }
}
