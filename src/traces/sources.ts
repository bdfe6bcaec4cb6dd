import { OVERFLOW } from '../spans/strings.ts'

/** Services as 16-bit numbers, so that a record can hold one. Past 65,535 services they share `__overflow__`. */
export class Sources {
  readonly #index = new Map<number, number>([[0, 0], [OVERFLOW, 1]])
  readonly #services: number[] = [0, OVERFLOW]
  #lastService = 0
  #lastIndex = 0

  /** The place of a service's number. */
  of(service: number): number {
    if (service === this.#lastService) return this.#lastIndex
    let index = this.#index.get(service)
    if (index === undefined) {
      index = this.#services.length
      if (index > 0xffff) return 1
      this.#services.push(service)
      this.#index.set(service, index)
    }
    this.#lastService = service
    this.#lastIndex = index
    return index
  }

  serviceOf(index: number): number {
    return this.#services[index]!
  }

  /** Services are few and stay known. */
  markLive(live: Uint8Array): void {
    for (const service of this.#services) live[service] = 1
  }
}
