import { OVERFLOW } from '../spans/strings.ts'

/** Services and their versions as 16-bit numbers, so that a record can hold one. Past 65,535 of them a new version is not told, and a new service is `__overflow__`. */
export class Sources {
  readonly #index = new Map<number, number>([[0, 0], [keyOf(OVERFLOW, 0), 1]])
  readonly #services: number[] = [0, OVERFLOW]
  readonly #versions: number[] = [0, 0]
  #lastService = 0
  #lastVersion = 0
  #lastIndex = 0

  /** The place of a service's number and its version's. */
  of(service: number, version: number): number {
    if (service === this.#lastService && version === this.#lastVersion) return this.#lastIndex
    const index = this.#index.get(keyOf(service, version)) ?? this.#add(service, version)
    this.#lastService = service
    this.#lastVersion = version
    this.#lastIndex = index
    return index
  }

  serviceOf(index: number): number {
    return this.#services[index]!
  }

  /** 0: not told. */
  versionOf(index: number): number {
    return this.#versions[index]!
  }

  /** Services and versions are few and stay known. */
  markLive(live: Uint8Array): void {
    for (const service of this.#services) live[service] = 1
    for (const version of this.#versions) live[version] = 1
  }

  #add(service: number, version: number): number {
    const index = this.#services.length
    if (index > 0xffff) return this.#index.get(keyOf(service, 0)) ?? 1
    this.#services.push(service)
    this.#versions.push(version)
    this.#index.set(keyOf(service, version), index)
    return index
  }
}

/** Numbers of strings are below 2^21. */
function keyOf(service: number, version: number): number {
  return service * 4294967296 + version
}
